// The last column of three on MNIST (models/mnist-three.yaml) as `export --task` writes it, whole and pruned: time of a run, parameters, accuracy on the test images.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, race, row } from './harness.mjs';

export const bench = { title: 'A pruned model beside the whole one', run };

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** On the data that the pruning looks at. */
const keep = '0.99';

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-bench-'));
  const prognet = (...args) =>
    execFileSync(process.execPath, [cli, ...args], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    prognet('init', 'family');
    prognet('train', '--all', '--freeze', '-C', 'family');
    prognet('export', '--task', 'permuted', '-o', 'whole.onnx', '-C', 'family');
    const said = prognet('export', '--task', 'permuted', '--prune', '--keep-accuracy', keep, '-o', 'pruned.onnx', '-C', 'family');
    const rows = [];
    for (const batch of ['1', '32', '256']) {
      const ort = (file) => node('inference-ort.mjs', join(folder, file), batch);
      const results = await race({ pruned: ort('pruned.onnx'), whole: ort('whole.onnx') }, { rounds: 21 });
      rows.push(row(`the model of the third task, batch ${batch}`, results, 'pruned', 'whole', 1));
    }
    const told = said.split('\n').filter((line) => /parameters|accuracy/.test(line));
    return { rows, notes: [`\`prognet export --task permuted --prune --keep-accuracy ${keep}\` says: ${told.join('; ')}.`] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
