// A tensor's answer does not depend on where its elements lie in memory.
import { expect, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runtime } from '../../support/run.js';

it('rows that begin at any byte have the bits of rows that begin where memory does', async () => {
  const g = ops({ opset: 17 });
  g.output(g.reduceMean(g.input('x', 'float32', ['N', 6]), [1], { keepdims: 0 }), 'y');
  const session = await runtime.createSession(toBinary(g.model()), { threads: 1 });
  const rows = Float32Array.from({ length: 24 * 6 }, (_, i) => Math.sin(i * 7.3) * 10);
  const found = new Set<string>();
  for (const offset of [0, 4, 8, 12, 16]) {
    const memory = new Float32Array(new ArrayBuffer(rows.byteLength + offset), offset);
    memory.set(rows);
    const { y } = await session.run({ x: new Tensor('float32', [24, 6], memory) });
    found.add(y?.numbers().join() ?? '');
  }
  await session.release();
  expect(found.size).toBe(1);
});
