// Forms of the same gradient agree: a convolution's weight gradient in all its forms, max pooling over tiles against its definition.
import { expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { convWeightGradient, type WeightGradientForm } from '../../../src/onnx/ops/rules/conv-weight-gradient.js';
import type { Window } from '../../../src/onnx/ops/rules/window.js';
import { runModel } from '../../support/run.js';

function normal(dims: readonly number[], seed: string): Tensor {
  const r = new Random(4, seed);
  return new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.normal()),
  );
}

// [channels, size, filters, kernel, stride, dilation, begin pad, end pad]
const shapes = [
  [4, 9, 6, 3, 1, 1, 1, 1],
  [5, 10, 3, 3, 2, 1, 0, 1],
  [4, 11, 2, 3, 1, 2, 2, 2],
  [8, 7, 8, 5, 1, 1, 2, 2],
  [6, 6, 4, 1, 1, 1, 0, 0],
  [4, 8, 4, 2, 3, 1, 1, 0],
] as const;

it.each(shapes)('weight gradient, %i x %i^2, %i filters, kernel %i, stride %i, dilation %i, pads %i and %i', async (...shape) => {
  const [channels, size, filters, k, stride, dilation, begin, end] = shape;
  const places = Math.floor((size + begin + end - (k - 1) * dilation - 1) / stride) + 1;
  const feeds = { x: normal([3, channels, size, size], 'x'), dy: normal([3, filters, places, places], 'dy') };
  const window: Window = {
    kernel: [k, k],
    strides: [stride, stride],
    dilations: [dilation, dilation],
    pads: [begin, begin, end, end],
    auto: 'NOTSET',
  };
  const forms: readonly WeightGradientForm[] = ['windows', 'slices', 'convolution'];
  const g = ops();
  const [x, dy] = [g.input('x', 'float32', feeds.x.dims), g.input('dy', 'float32', feeds.dy.dims)];
  const weights = g.input('w', 'float32', [filters, channels, k, k]);
  for (const form of forms) g.output(convWeightGradient(g, { x, dy, weights, window, group: 1 }, form), `${form}/dW`);
  g.graph.inputs.pop();
  const results = await runModel(g.model(), feeds);
  const [first, ...rest] = forms.map((form) => results[`${form}/dW`]?.data as Float32Array);
  expect(first?.some((v) => Math.abs(v) > 0.5)).toBe(true);
  for (const other of rest) {
    expect(other).toHaveLength(first?.length ?? 0);
    first?.forEach((v, i) => {
      expect(Math.abs(v - (other[i] ?? Number.NaN))).toBeLessThan(1e-4);
    });
  }
});

it.each([
  [2, 2],
  [3, 2],
])('max pooling over tiles of %i x %i gives the gradient to the first of equal maxima', async (kh, kw) => {
  const [n, c, h, w] = [2, 3, kh * 4, kw * 5];
  const r = new Random(6, 'ties');
  const x = Float32Array.from({ length: n * c * h * w }, () => r.below(3));
  const dy = normal([n, c, h / kh, w / kw], 'dy');
  const want = new Float32Array(x.length);
  dy.data.forEach((d: unknown, place: number) => {
    const [image, row, column] = [
      Math.floor(place / ((h / kh) * (w / kw))),
      Math.floor(place / (w / kw)) % (h / kh),
      place % (w / kw),
    ];
    let best = -1;
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const at = (image * h + row * kh + i) * w + column * kw + j;
        if (best < 0 || (x[at] ?? 0) > (x[best] ?? 0)) best = at;
      }
    }
    want[best] = Number(d);
  });
  const g = ops();
  const input = g.input('x', 'float32', [n, c, h, w]);
  const y = g.maxPool(input, { kernel_shape: [kh, kw], strides: [kh, kw] });
  const seed = g.input('dy', 'float32', dy.dims);
  g.output(gradient(g, { of: y, by: [input], seed })[0] ?? input, 'dx');
  const { dx } = await runModel(g.model(), { x: new Tensor('float32', [n, c, h, w], x), dy });
  expect(dx?.data).toEqual(want);
});
