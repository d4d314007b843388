// Peak memory of bringing a model to another precision (load, quantize, save), VGG-19 at a share of its widths, 548 MB at 1, images of the pixels given.
// Prints JSON in bytes: { weights, idle, session, fp16, int8, 'int8-dynamic' }. `idle`: Node and the package, a model of next to nothing;
// `session`: ONNX Runtime alone, of the same file, which int8 needs to run its samples.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { save } from '../../dist/onnx/node.js';
import { vgg19 } from './precision-models.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [share = 1, size = 224] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'prognet-precision-'));

/** The most memory that a Node process held. */
function peak(file, precision, pixels) {
  const found = join(folder, 'peak');
  const args = ['--require', here('peak.cjs'), here('precision-run.mjs'), file, precision, join(folder, 'out.onnx'), pixels];
  execFileSync(process.execPath, args.map(String), { env: { ...process.env, PEAK_FILE: found } });
  return Number(readFileSync(found, 'utf8'));
}

try {
  const [small, large] = [join(folder, 'small.onnx'), join(folder, 'large.onnx')];
  save(vgg19(0.01, 32), small);
  save(vgg19(share, size), large);
  const peaks = Object.fromEntries(['session', 'fp16', 'int8', 'int8-dynamic'].map((p) => [p, peak(large, p, size)]));
  process.stdout.write(`${JSON.stringify({ weights: statSync(large).size, idle: peak(small, 'int8', 32), ...peaks })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
