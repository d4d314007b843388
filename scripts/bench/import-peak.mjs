// Peak memory and time of `prognet import` as a backbone, of `verify`, of a head alone trained over it on 8 images, of `predict` and `export`; and of
// ONNX Runtime's own session of the file. VGG-19 at a share of its widths, 575 MB at 1, on images of the pixels given.
//   node scripts/bench/import-peak.mjs [share] [pixels] [import]      with the last word the import alone
// Prints JSON: { file, peaks: { session, import, ... } in bytes, seconds: { session, import, ... }, processor: { ... } }. Peaks are over those of the same
// with next to nothing; the seconds of `session` are those of reading the file's bytes and of creating the session, of all others those of the whole
// command. `processor`: seconds of the processor, which other work on the machine does not change.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNpz } from '../../dist/formats/npz.js';
import { save, Tensor } from '../../dist/onnx/node.js';
import { vgg19 } from './precision-models.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = here('../../dist/cli/main.js');
const [share = 1, size = 224] = process.argv.slice(2, 4).map(Number);
const alone = process.argv[4] === 'import';
const folder = mkdtempSync(join(tmpdir(), 'prognet-import-peak-'));

/** The most memory that a Node process held, its seconds, what it printed. */
function measured(...args) {
  const [file, cpu] = [join(folder, 'peak'), join(folder, 'cpu')];
  const started = performance.now();
  const printed = execFileSync(process.execPath, ['--require', here('peak.cjs'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, PEAK_FILE: file, CPU_FILE: cpu },
  });
  const seconds = (performance.now() - started) / 1000;
  return { peak: Number(readFileSync(file, 'utf8')), seconds, processor: Number(readFileSync(cpu, 'utf8')), printed };
}

const imported = (file, workspace) =>
  measured(cli, 'import', file, '--task', 'base', '--backbone', '--taps', 'auto:1', '-o', workspace);

try {
  const [small, file] = [join(folder, 'small.onnx'), join(folder, 'large.onnx')];
  save(vgg19(0.01, 32), small);
  save(vgg19(share, size), file);
  const idle = {
    import: imported(small, join(folder, 'small')).peak,
    session: measured(here('import-session.mjs'), small, 32).peak,
  };
  const w = join(folder, 'w');
  const session = measured(here('import-session.mjs'), file, size);
  const runs = { session: { ...session, ...JSON.parse(session.printed) }, import: imported(file, w) };
  if (!alone) {
    const images = Tensor.from(
      'float32',
      Array.from({ length: 8 * 3 * size * size }, (_, i) => Math.sin(i)),
      [8, 3, size, size],
    );
    const labels = Tensor.from('int64', [0, 1, 0, 1, 0, 1, 0, 1]);
    writeFileSync(
      join(w, 'd.npz'),
      writeNpz(new Map(Object.entries({ x_train: images, y_train: labels, x_test: images, y_test: labels }))),
    );
    writeFileSync(join(w, 'images.npz'), writeNpz(new Map([['image', images]])));
    appendFileSync(
      join(w, 'prognet.yaml'),
      '  - { task: next, data: d.npz, blocks: [], head: { classify: 2 }, laterals: { kind: linear }, train: { epochs: 2, batch: 8 } }\n',
    );
    runs.verify = measured(cli, 'verify', '-C', w);
    runs.train = measured(cli, 'train', 'next', '-C', w);
    runs.predict = measured(cli, 'predict', 'next', '--input', join(w, 'images.npz'), '-C', w);
    runs.export = measured(cli, 'export', '--task', 'base', '-o', join(folder, 'out.onnx'), '-C', w);
  }
  const each = (of) => Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, of(run, name)]));
  const peaks = each(({ peak }, name) => peak - (idle[name] ?? idle.import));
  const [seconds, processor] = [each((run) => run.seconds), each((run) => run.processor)];
  process.stdout.write(`${JSON.stringify({ file: statSync(file).size, peaks, seconds, processor })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
