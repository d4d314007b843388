// The last column of three on MNIST (models/mnist-three.yaml) as `export --task` writes it, whole and pruned before it was frozen: time of a run, parameters, accuracy on the test images.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
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
    for (const task of ['digits', 'inverted']) prognet('train', task, '--freeze', '-C', 'family');
    prognet('train', 'permuted', '-C', 'family');
    cpSync(join(folder, 'family'), join(folder, 'smaller'), { recursive: true });
    const said = prognet('prune', 'permuted', '--keep-accuracy', keep, '--epochs', '2', '-C', 'smaller');
    for (const [place, file] of [
      ['family', 'whole.onnx'],
      ['smaller', 'pruned.onnx'],
    ]) {
      prognet('freeze', 'permuted', '-C', place);
      prognet('export', '--task', 'permuted', '-o', file, '-C', place);
    }
    const rows = [];
    for (const batch of ['1', '32', '256']) {
      const ort = (file) => node('inference-ort.mjs', join(folder, file), batch);
      const results = await race({ pruned: ort('pruned.onnx'), whole: ort('whole.onnx') }, { rounds: 21 });
      rows.push(row(`the model of the third task, batch ${batch}`, results, 'pruned', 'whole', 1));
    }
    const told = said.split('\n').filter((line) => /parameters|accuracy/.test(line));
    return { rows, notes: [`\`prognet prune permuted --keep-accuracy ${keep} --epochs 2\`: ${told.join('; ')}.`] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
