// Gradient cases: casts, ranges, encodings, quantisation.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, linear, one, values, values32 } from '../gradient-case.js';

const uint8 = (list: readonly number[], dims: readonly number[]) => Tensor.from('uint8', list, dims);

export const sourceCases: readonly Case[] = [
  {
    name: 'cast float64 to float32',
    inputs: [values([2, 3])],
    build: (g, x) => g.cast(at(x), { to: 'float32' }),
    options: { step: 1e-2, tolerance: 1e-4 },
  },
  {
    name: 'cast float32 to float64',
    inputs: [values32([2, 3])],
    build: (g, x) => g.cast(at(x), { to: 'float64' }),
    options: linear,
  },
  {
    name: 'castLike',
    inputs: [values32([2, 3]), values([])],
    build: (g, x) => one(g, 'CastLike', x),
    options: { ...linear, by: [0] },
  },
  {
    name: 'range',
    inputs: [Tensor.from('float64', 0.5), Tensor.from('float64', 3.3), Tensor.from('float64', 0.75)],
    build: (g, x) => one(g, 'Range', x),
  },
  ...[-1, 0].map(
    (axis): Case => ({
      name: `oneHot axis ${axis}, by its values`,
      inputs: [int64([0, 2, 1, -1]), values32([2])],
      build: (g, x) => g.oneHot(at(x), g.scalar(3, 'int64'), at(x, 1), { axis }),
      options: linear,
    }),
  ),
  ...[[-1, 2] as const, [0.5, 2] as const, [-2, -0.5] as const].map(
    ([from, to]): Case => ({
      name: `dynamicQuantizeLinear, its scale, values ${from} to ${to}`,
      inputs: [values32([2, 3], { from, to, kinks: [] })],
      build: (g, x) => at(g.op('DynamicQuantizeLinear', x, {}, 3), 1),
    }),
  ),
  {
    name: 'dequantizeLinear, one scale',
    inputs: [uint8([1, 5, 9, 200, 7, 3], [2, 3]), values32([]), uint8([4], [])],
    build: (g, x) => one(g, 'DequantizeLinear', x),
    options: linear,
  },
  {
    name: 'dequantizeLinear, a scale per column',
    inputs: [uint8([1, 5, 9, 20, 7, 3], [2, 3]), values32([3])],
    build: (g, x) => one(g, 'DequantizeLinear', x, { axis: 1 }),
    options: linear,
  },
  {
    name: 'dequantizeLinear, a scale per row, zero points',
    inputs: [uint8([1, 5, 9, 20, 7, 3], [2, 3]), values32([2]), uint8([2, 8], [2])],
    build: (g, x) => one(g, 'DequantizeLinear', x, { axis: 0 }),
    options: linear,
  },
  {
    name: 'dequantizeLinear, blocks',
    inputs: [uint8([1, 5, 9, 20, 7, 3, 2, 4], [2, 4]), values32([2, 2]), uint8([2, 8, 1, 0], [2, 2])],
    build: (g, x) => one(g, 'DequantizeLinear', x, { axis: 1, block_size: 2 }),
    options: { ...linear, opset: 21 },
  },
];
