// Imported scores of other ranks: [N,T,k] are judged step by step, what no head judges is refused with the way that takes it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { importTask } from '../../src/tasks/import-task.js';
import { okIn } from '../cli/support.js';
import { runModel, runtime } from '../support/run.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-steps-'));
afterAll(() => rmSync(dir, { recursive: true }));
const random = new Random(2, 'import steps');
const drawn = (...dims: number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    dims,
  );
const [x, w, u] = [drawn(20, 4, 2), drawn(2, 6), drawn(6, 3)];
const y = Tensor.from(
  'int64',
  Array.from({ length: 80 }, (_, i) => (i % 4 === 3 ? -100 : i % 3)),
  [20, 4],
);
const arrays = { x_train: x, y_train: y, x_test: x, y_test: y };
writeFileSync(join(dir, 'd.npz'), writeNpz(new Map(Object.entries(arrays))));

/** A file whose scores are made of [N,4,3] by `make`. */
function fileOf(name: string, make: (g: Ops, scores: Value) => Value) {
  const g = ops({ name });
  const hidden = g.relu(g.matMul(g.input('x', 'float32', ['N', 4, 2]), g.initializer('w', w)));
  hidden.name = 'hidden';
  g.output(make(g, g.matMul(hidden, g.initializer('u', u))), 'y');
  const file = join(dir, `${name}.onnx`);
  writeFileSync(file, toBinary(g.model()));
  return file;
}
const options = { task: 'tags', taps: ['hidden'], scores: 'y', data: '../d.npz' } as const;
const importing = (file: string, head: 'classify' | 'none') =>
  importTask(
    runtime,
    file.replace('.onnx', ''),
    true,
    file,
    head === 'none' ? { ...options, head, data: undefined } : { ...options, head },
  );

it('[N,T,k] is judged step by step, and stays as it is in exported files', async () => {
  const file = fileOf('steps', (_, scores) => scores);
  await importing(file, 'classify');
  const at = join(dir, 'steps');
  expect(readFileSync(join(at, 'prognet.yaml'), 'utf8')).toMatch(/each: step/);
  expect(okIn(at, 'verify')).toContain('identical');
  const before = must((await runModel(fromBinary(readFileSync(file)), { x })).y, 'y');
  let [right, counted] = [0, 0];
  y.numbers().forEach((target, i) => {
    if (target === -100) return;
    const row = before.numbers().slice(3 * i, 3 * i + 3);
    counted++;
    right += Number(row.indexOf(Math.max(...row)) === target);
  });
  expect(okIn(at, 'eval', 'tags')).toContain((right / counted).toFixed(4));
  okIn(at, 'export', '--task', 'tags', '-o', join(at, 'm.onnx'));
  const after = await runModel(fromBinary(readFileSync(join(at, 'm.onnx'))), { x });
  expect(must(after.tags, 'tags').bytes).toEqual(before.bytes);
});

it.each([
  [
    'turned',
    (g: Ops, s: Value) => g.transpose(s, { perm: [1, 0, 2] }),
    'the output "y" is float32[4,N,3], expected float32[N,...] with only the batch open, or --head none',
  ],
  [
    'boxes',
    (g: Ops, s: Value) => g.unsqueeze(s, [1]),
    'the output "y" is float32[N,1,4,3], expected scores float32[N,k], or [N,T,k] of each step, or --head none',
  ],
] as const)('scores %s are refused under a head, and taken without one', async (name, make, message) => {
  const file = fileOf(name, make);
  await expect(importing(file, 'classify')).rejects.toThrow(`${file}: ${message}`);
  await expect(importing(file, 'none')).resolves.toBeDefined();
});

/** Numbers of each step, of the data of `y` beside the file. */
const asked = (file: string, head: 'binary' | 'classify', layouts: Record<string, 'NTF' | 'NCL'> = {}) =>
  importTask(runtime, file.replace('.onnx', ''), true, file, {
    ...{ ...options, head, data: '../flags.npz' },
    layouts: new Map(Object.entries(layouts)),
  });
const flags = Tensor.from(
  'float32',
  Array.from({ length: 80 }, (_, i) => (i % 4 === 3 ? Number.NaN : i % 2)),
  [20, 4],
);
writeFileSync(join(dir, 'flags.npz'), writeNpz(new Map(Object.entries({ ...arrays, y_train: flags, y_test: flags }))));
const one = (g: Ops, s: Value) => g.matMul(s, g.initializer('v', drawn(3, 1)));
const turn = (g: Ops, s: Value) => g.transpose(s, { perm: [0, 2, 1] });
/** [N,4,1] of an op that says nothing of axes. */
const hidden = (g: Ops, s: Value) => g.reshape(g.einsum(s, { equation: 'ntk->nt' }), [0, 0, 1]);

it.each([
  ['last', one, {}],
  ['channel', (g: Ops, s: Value) => g.conv(turn(g, s), g.initializer('v', drawn(1, 3, 1))), {}],
  ['told', hidden, { y: 'NTF' }],
] as const)('one number of each step is judged by the step: %s', async (name, make, layouts) => {
  const file = fileOf(name, make);
  await asked(file, 'binary', layouts);
  const at = join(dir, name);
  expect(readFileSync(join(at, 'prognet.yaml'), 'utf8')).toMatch(/binary:\s+labels: 1\s+each: step/);
  const before = must((await runModel(fromBinary(readFileSync(file)), { x })).y, 'y').numbers();
  const counted = flags.numbers().flatMap((flag, i) => (Number.isNaN(flag) ? [] : [Number(Number(before[i]) > 0) === flag]));
  expect(okIn(at, 'eval', 'tags')).toContain((counted.filter(Boolean).length / 60).toFixed(4));
});

it('outputs beside an axis of one stay outputs, and what nobody can know is asked', async () => {
  const pooled = fileOf('pooled', (g, s) => g.globalAveragePool(turn(g, s)));
  await expect(importing(pooled, 'classify')).rejects.toThrow('a classify head of 3 needs whole numbers');
  const file = fileOf('unknown', hidden);
  await expect(asked(file, 'binary')).rejects.toThrow(
    `${file}: the output "y" is float32[N,4,1], whether it holds a number of each step (NTF) or outputs (NCL) is not known`,
  );
  // Labels of a sample are all there.
  await expect(asked(file, 'binary', { y: 'NCL' })).rejects.toThrow('flags.npz: "y_train": holds NaN at [0,3]');
  const turned = fileOf('channels', turn);
  await expect(asked(turned, 'binary')).rejects.toThrow(
    `${turned}: the output "y" is float32[N,3,4] with its channels before its steps, expected steps before outputs`,
  );
  const single = fileOf('single', one);
  await expect(asked(single, 'classify')).rejects.toThrow(
    `${single}: the output "y" is [N,4,1], too few scores for the head classify`,
  );
});
