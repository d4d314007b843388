// Pooling. Specification: onnx/docs/Operators.md, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool. Layout [N, C, spatial...].
import { must } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import { type TensorType, tensorType } from '../ir/types.js';
import { type Window, windowOf, windowPlaces } from './conv.js';
import type { GradientContext, NodeContext, OpDef } from './op-def.js';

export type PoolOp = 'MaxPool' | 'AveragePool' | 'GlobalAveragePool' | 'GlobalMaxPool';

function poolWindow(c: NodeContext): Window {
  return windowOf(c, (c.shape(0) ?? []).slice(2), c.ints('kernel_shape') ?? c.fail('kernel_shape is missing'));
}

function pooled(c: NodeContext): Shape | undefined {
  const x = c.shape(0);
  if (x === undefined) return undefined;
  const window = poolWindow(c);
  if (x.length !== window.kernel.length + 2)
    c.fail(`kernel_shape [${window.kernel}] needs rank ${window.kernel.length + 2}, X has ${x.length}`);
  const ceil = c.int('ceil_mode', 0) === 1;
  return [x[0] ?? null, x[1] ?? null, ...x.slice(2).map((s, i) => windowPlaces(c, s, window, i, ceil))];
}

const reduced = (c: NodeContext): TensorType[] => [
  tensorType(
    c.dtype(0),
    c.shape(0)?.map((d, i) => (i < 2 ? d : 1)),
  ),
];
const attributes = {
  auto_pad: 'string',
  ceil_mode: 'int',
  dilations: 'ints',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const;

/** The attributes of the forward node, for another of its kind. */
function sameAttributes(c: GradientContext) {
  const w = poolWindow(c);
  return { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations, pads: w.pads, ceil_mode: c.int('ceil_mode', 0) };
}

export const pool: Readonly<Record<PoolOp, OpDef>> = {
  MaxPool: {
    versions: [1, 8, 10, 11, 12, 22],
    inputs: 'X',
    outputs: 'Y Indices?',
    attributes: { ...attributes, storage_order: 'int' },
    infer: (c) => {
      const shape = pooled(c);
      return [tensorType(c.dtype(0), shape), tensorType('int64', shape)];
    },
    // dx[argmax of a window] += dy[window]; Indices count over the whole flattened tensor
    gradient: (c) => {
      const { g } = c;
      const indices = must(g.op('MaxPool', [c.x(0)], sameAttributes(c), 2)[1], 'Indices');
      const flat = g.ints([-1]);
      const zeros = g.expand(g.scalar(0, c.x(0)), g.reshape(g.size(c.x(0)), g.ints([1])));
      const sum = g.scatterElements(zeros, g.reshape(indices, flat), g.reshape(c.dy(), flat), { axis: 0, reduction: 'add' });
      const shape = c.shape(0) ?? [];
      const known = shape.slice(1).every((d) => typeof d === 'number');
      return [g.reshape(sum, known ? g.ints([-1, ...shape.slice(1).map(Number)]) : g.shape(c.x(0)))];
    },
  },

  AveragePool: {
    versions: [1, 7, 10, 11, 19, 22],
    inputs: 'X',
    outputs: 'Y',
    attributes: { ...attributes, count_include_pad: 'int' },
    infer: (c) => [tensorType(c.dtype(0), pooled(c))],
    // y = sum of the window / count: dx is dy / count, spread over the window by a depthwise transposed convolution with ones
    gradient: (c) => {
      const { g } = c;
      const w = poolWindow(c);
      const x = (c.shape(0) ?? [])
        .slice(1)
        .map((d) => (typeof d === 'number' ? d : c.fail('its gradient needs known channels and sizes')));
      const [channels = 1, ...sizes] = x;
      const places = (c.y().shape ?? []).slice(2).map(Number);
      const n = sizes.length;
      const extent = (i: number) => ((w.kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1) + 1;
      const reach = places.map((p, i) => (p - 1) * (w.strides[i] ?? 1) + extent(i));
      const counts = countMap(sizes, places, w, c.int('count_include_pad', 0) === 1);
      const scaled = g.div(c.dy(), g.constant(Tensor.from(c.dtype(0), counts, [1, 1, ...places])));
      const ones = g.constant(
        Tensor.from(
          c.dtype(0),
          Array.from({ length: channels * w.kernel.reduce((a, b) => a * b, 1) }, () => 1),
          [channels, 1, ...w.kernel],
        ),
      );
      // With ceil_mode a window may reach beyond the padded input: those places are cut off again.
      const begin = w.pads.slice(0, n);
      const full = g.convTranspose(scaled, ones, {
        kernel_shape: w.kernel,
        strides: w.strides,
        dilations: w.dilations,
        group: channels,
      });
      const missing = sizes.map((s, i) => Math.max(s + (begin[i] ?? 0) - (reach[i] ?? 0), 0));
      const grown = missing.some((m) => m > 0) ? g.pad(full, g.ints([0, 0, ...sizes.map(() => 0), 0, 0, ...missing])) : full;
      const ends = sizes.map((s, i) => s + (begin[i] ?? 0));
      if (begin.every((b) => b === 0) && reach.every((r, i) => r <= (sizes[i] ?? 0))) return [grown];
      return [g.slice(grown, g.ints(begin), g.ints(ends), g.ints(sizes.map((_, i) => i + 2)))];
    },
  },

  GlobalAveragePool: {
    versions: [1, 22],
    inputs: 'X',
    outputs: 'Y',
    infer: reduced,
    gradient: (c) => {
      const { g } = c;
      const count = g.cast(g.div(g.size(c.x(0)), g.size(c.y())), { to: c.dtype(0) === 'float64' ? 11 : 1 });
      return [g.expand(g.div(c.dy(), count), g.shape(c.x(0)))];
    },
  },

  GlobalMaxPool: {
    versions: [1, 22],
    inputs: 'X',
    outputs: 'Y',
    infer: reduced,
    // equal maxima share the gradient
    gradient: (c) => {
      const { g } = c;
      const hit = g.cast(g.equal(c.x(0), c.y()), { to: c.dtype(0) === 'float64' ? 11 : 1 });
      const axes = (c.shape(0) ?? []).map((_, i) => i).slice(2);
      return [g.mul(hit, g.div(c.dy(), g.reduceSum(hit, g.ints(axes), { keepdims: 1 })))];
    },
  },
};

/** Elements that count in each window, by place, row-major. */
function countMap(sizes: readonly number[], places: readonly number[], w: Window, includePad: boolean): number[] {
  const n = sizes.length;
  const perAxis = places.map((p, i) =>
    Array.from({ length: p }, (_, o) => {
      let count = 0;
      for (let k = 0; k < (w.kernel[i] ?? 1); k++) {
        const at = o * (w.strides[i] ?? 1) - (w.pads[i] ?? 0) + k * (w.dilations[i] ?? 1);
        const inside = at >= 0 && at < (sizes[i] ?? 0);
        const padded = at >= -(w.pads[i] ?? 0) && at < (sizes[i] ?? 0) + (w.pads[i + n] ?? 0);
        if (includePad ? padded : inside) count++;
      }
      return count;
    }),
  );
  return perAxis.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
}
