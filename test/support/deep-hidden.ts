// A model with inner values to tap: x [N,6] through four dense layers of 8, each with a relu.
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';

export const waves = (count: number, by = 1) => Array.from({ length: count }, (_, i) => Math.sin(by * i + 1));

/** The last of relu0 to relu3, [N,8]. */
export function deepHidden(g: Ops): Value {
  let h = g.input('x', 'float32', ['N', 6]);
  for (let i = 0; i < 4; i++) {
    const width = i === 0 ? 6 : 8;
    h = g.relu(g.matMul(h, g.initializer(`w${i}`, Tensor.from('float32', waves(width * 8, i + 2), [width, 8]))));
    h.name = `relu${i}`;
  }
  return h;
}
