// The network input made from data as they are kept: uint8 images become float 0..1 in the graph, so that they cross the border to the
// runtime as bytes.
import { Tensor } from '../onnx/core/tensor.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Ops } from '../onnx/ops/ops.js';

/** float32 in the shape of `data`. */
export function networkInputFrom(g: Ops, data: Value): Value {
  if (data.dtype === 'float32') return data;
  const x = g.cast(data, { to: 'float32' });
  return data.dtype === 'uint8' ? g.mul(x, 1 / 255) : x;
}

/** The same outside a graph, for models whose input is float32. One rounding of v * (1/255), bit-equal to the graph's. */
export function networkScale(data: Tensor): Tensor {
  if (data.dtype === 'float32') return data;
  const factor = data.dtype === 'uint8' ? Math.fround(1 / 255) : 1;
  return new Tensor(
    'float32',
    data.dims,
    Float32Array.from(data.data as Uint8Array, (v) => v * factor),
  );
}
