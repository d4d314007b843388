// Values of an imported graph whose type its file does not say: running it tells, and what columns cannot read is refused; how far from a file is told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { difference } from '../../src/tasks/import-proof.js';
import { importTask } from '../../src/tasks/import-task.js';
import { runtime } from '../support/run.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-dtypes-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Imports x, what an op of com.microsoft makes of it, and a product, as a backbone with the tap "q". */
async function imported(name: string, make: (g: Ops, x: Value) => (Value | undefined)[]) {
  const g = ops({ name });
  const [q, from] = make(g, g.input('x', 'float32', ['N', 4]));
  must(q, 'q').name = 'q';
  g.output(
    g.matMul(g.cast(from ?? must(q, 'q'), { to: 'float32' }), g.initializer('w', Tensor.from('float32', [1, 2, 3, 4], [4, 1]))),
    'y',
  );
  const file = join(dir, `${name}.onnx`);
  writeFileSync(file, toBinary(g.model()));
  const notes: string[] = [];
  const onNote = (line: string) => notes.push(line.replace(file, 'm.onnx'));
  const options = { task: 'base', taps: ['q'], head: 'none', backbone: true, onNote } as const;
  return { ...(await importTask(runtime, join(dir, name), true, file, options)), notes };
}

it('a tap of float16 that no file says the type of is read as float32', async () => {
  const { taps, notes } = await imported('half', (g, x) =>
    g.node('Gelu', [g.cast(x, { to: 'float16' })], new Map(), 1, 'com.microsoft'),
  );
  expect(taps).toEqual([{ name: 'q', shape: [4] }]);
  // ONNX Runtime leaves out the rounding to float16 where a Cast follows.
  expect(notes).toEqual([expect.stringMatching(/^m\.onnx: what it gives is the file's own up to 0\.000\d+, not bit for bit$/)]);
});

it('one of bytes is refused in a line', async () => {
  const bytes = imported('bytes', (g, x) => {
    const scale = [g.initializer('scale', Tensor.from('float32', 0.1)), g.initializer('zero', Tensor.from('uint8', 7))];
    const [q] = g.node('QuantizeLinear', [x, ...scale], new Map(), 1, 'com.microsoft');
    const [again] = g.node('DequantizeLinear', [must(q, 'q'), ...scale], new Map(), 1, 'com.microsoft');
    return [q, again];
  });
  await expect(bytes).rejects.toThrow(`${join(dir, 'bytes.onnx')}: "q" is uint8[N,4], expected float32[N,...]`);
});

it('a number beside none is as far as can be, wherever it stands', () => {
  const of = (...numbers: number[]) => Tensor.from('float32', numbers);
  expect(difference(of(Number.NaN, 0.5), of(1, 0.75))).toBeNaN();
  expect(difference(of(0.5, Number.NaN), of(0.75, 1))).toBeNaN();
  expect(difference(of(Number.NaN, 0.5), of(Number.NaN, 0.75))).toBe(0.25);
  expect(difference(of(Number.NaN, 1), of(Number.NaN, 1))).toBe(0);
});
