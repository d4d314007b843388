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
