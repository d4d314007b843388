// Sweeps over columns with several heads and with a head of each step: the first head's measure ranks them, and the answer says so. A tuned column with several
// heads answers as its exported files do.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { runModel } from '../support/run.js';
import { mlp, noise } from '../support/tuned.js';
import { lastLine, okIn, prognet, workspace } from './support.js';

const rows = 60;
const x = noise('rows', [rows, 4], 1);
const first = (row: number, i = 0) => x.numbers()[4 * row + i] ?? 0;
const group = Tensor.from(
  'int64',
  Array.from({ length: rows }, (_, row) => Number(first(row) + first(row, 2) > 0.4)),
);
const age = Tensor.from(
  'float32',
  Array.from({ length: rows }, (_, row) => first(row, 1)),
  [rows, 1],
);
const tags = Tensor.from(
  'int64',
  Array.from({ length: rows * 2 }, (_, i) => Number((x.numbers()[2 * i] ?? 0) > 0)),
  [rows, 2],
);
const write = (dir: string) => {
  writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries({ x, group, age }))));
  writeFileSync(join(dir, 'tags.npz'), writeNpz(new Map(Object.entries({ x, y: tags }))));
};
const train = 'train: { epochs: 6, batch: 8, lr: 0.02, seed: 2, validation: 0.3 }';
const classify = 'group: { classify: { classes: 2, names: [low, high] } }';
const regress = 'age: { regress: 1, weight: 0.5 }';

it.each([
  ['several', 'accuracy', 'group/accuracy', `data: d.npz, blocks: [[{ dense: 6 }, relu]], heads: { ${classify}, ${regress} }`],
  ['turned', 'error', 'age/error', `data: d.npz, blocks: [[{ dense: 6 }, relu]], heads: { ${regress}, ${classify} }`],
  [
    'steps',
    'accuracy',
    'accuracy',
    'data: tags.npz, blocks: [[{ reshape: [2, 2] }, { lstm: { units: 4, sequences: true } }]], head: { classify: { classes: 2, each: step } }',
  ],
])(
  '%s is swept by %s, which is said, and the best comes first',
  (task, by, measured, rest) => {
    const dir = workspace(
      `prognet: 1\nname: swept\ninput: { name: x, shape: [4] }\ncolumns:\n  - { task: ${task}, ${rest}, ${train} }\n`,
    );
    write(dir);
    const found = JSON.parse(okIn(dir, 'sweep', task, '--set', 'lr=0.0001,0.1', '--jobs', '1', '--json'));
    expect(found).toMatchObject({ by, metric: by, asked: 2, ended: 2 });
    const metrics = found.trials.map(({ metric }: { metric: number }) => metric);
    expect(new Set(metrics).size).toBe(2);
    expect(metrics).toEqual(metrics.toSorted((a: number, b: number) => (by === 'accuracy' ? b - a : a - b)));
    expect(found.trials[0].settings).toEqual({ lr: 0.1 });
    // What a trial measured of its kept epoch is what it is ranked by; the loss is that of all heads.
    const [{ history, epoch, metric }] = found.trials[0].trials;
    expect(history[epoch - 1][`validation_${measured}`]).toBe(metric);
    const { stdout } = prognet('sweep', task, '--set', 'lr=0.0001,0.1', '--jobs', '1', '-C', dir);
    expect(stdout.split('\n')[0]).toMatch(new RegExp(`^lr +validation ${by} +loss +epoch`));
  },
  120_000,
);

it('a tuned column with several heads is trained, proven, and predicts what its files answer', async () => {
  const root = mkdtempSync(join(tmpdir(), 'prognet-tuned-heads-'));
  const dir = join(root, 'family');
  mkdirSync(dir);
  const { model, taps } = mlp();
  writeFileSync(join(root, 'original.onnx'), toBinary(model));
  const begun = ['--task', 'base', '--backbone', '--taps', taps.join(), '-o', dir];
  expect(prognet('import', join(root, 'original.onnx'), ...begun)).toMatchObject({ status: 0 });
  write(dir);
  const file = join(dir, 'prognet.yaml');
  const tuned = `  - { task: people, data: d.npz, tune: { base: base, lora: { rank: 2, on: ["fc*"] } }, heads: { ${classify}, ${regress} }, ${train} }\n`;
  writeFileSync(file, readFileSync(file, 'utf8') + tuned);
  okIn(dir, 'train', 'people', '--freeze', '--quiet', '--threads', '1');
  expect(lastLine(okIn(dir, 'verify', '--json')).tasks).toMatchObject([{ identical: true }, { identical: true }]);
  writeFileSync(join(dir, 'asked.npz'), writeNpz(new Map([['x', x]])));
  const { answers } = JSON.parse(okIn(dir, 'predict', 'people', '--input', join(dir, 'asked.npz'), '--json', '--quiet'));
  expect(answers).toHaveLength(rows);
  for (const form of ['merged', 'apart']) {
    const path = join(root, `${form}.onnx`);
    okIn(dir, 'export', '--task', 'people', '--lora', form, '--probabilities', '-o', path, '--quiet');
    const out = await runModel(fromBinary(readFileSync(path)), { x });
    const labels = must(out.people_group_label, 'label').numbers();
    const ages = must(out.people_age, 'age').numbers();
    expect(
      answers.map(({ group }: { group: { name: string } }) => ['low', 'high'].indexOf(group.name)),
      form,
    ).toEqual(labels);
    for (const [i, { age }] of answers.entries())
      expect(Math.abs(Number(age.values[0]) - (ages[i] ?? Number.NaN)), form).toBeLessThan(1e-5);
  }
}, 120_000);
