// Convolutions. Specification: onnx/docs/Operators.md, Conv and ConvTranspose. Layout [N, C, spatial...].
import { type Dim, isStatic } from '../core/shape.js';
import type { Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { convWeightGradient } from './conv-weight-gradient.js';
import type { GradientContext, NodeContext, OpDef } from './op-def.js';

export type ConvOp = 'Conv' | 'ConvTranspose';

/** Window attributes with defaults; pads are explicit, auto_pad resolved where sizes are known. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** [begin..., end...] */
  readonly pads: readonly number[];
}

/** Reads kernel_shape, strides, dilations, pads and auto_pad for an input of these spatial dims. */
export function windowOf(c: NodeContext, spatial: readonly Dim[], kernel: readonly number[]): Window {
  const n = kernel.length;
  const strides = c.ints('strides') ?? kernel.map(() => 1);
  const dilations = c.ints('dilations') ?? kernel.map(() => 1);
  const auto = c.string('auto_pad', 'NOTSET');
  let pads = c.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const total = kernel.map((k, i) => {
      const size = spatial[i];
      const s = strides[i] ?? 1;
      if (typeof size !== 'number') return c.fail(`auto_pad ${auto} needs a known size of spatial axis ${i}`);
      return Math.max((Math.ceil(size / s) - 1) * s + (k - 1) * (dilations[i] ?? 1) + 1 - size, 0);
    });
    const small = total.map((t) => Math.floor(t / 2));
    const large = total.map((t) => Math.ceil(t / 2));
    pads = auto === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
  }
  if (strides.length !== n || dilations.length !== n || pads.length !== 2 * n) {
    c.fail(
      `strides, dilations and pads must fit ${n} spatial axes, got ${strides.length}, ${dilations.length} and ${pads.length}`,
    );
  }
  return { kernel, strides, dilations, pads };
}

/** Places a window has along axis i of this size. */
export function windowPlaces(c: NodeContext, size: Dim, w: Window, i: number, ceil = false): Dim {
  if (typeof size !== 'number') return null;
  const n = w.kernel.length;
  const extent = ((w.kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1) + 1;
  const stride = w.strides[i] ?? 1;
  const room = size + (w.pads[i] ?? 0) + (w.pads[i + n] ?? 0) - extent;
  if (room < 0) return c.fail(`a window of ${extent} does not fit axis ${i} of size ${size} with its pads`);
  const places = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // With ceil_mode a window must begin inside the input or its left pad.
  return ceil && (places - 1) * stride >= size + (w.pads[i] ?? 0) ? places - 1 : places;
}

function kernelOf(c: NodeContext): number[] {
  const w = c.shape(1);
  if (w === undefined || !isStatic(w.slice(2))) return c.ints('kernel_shape') ?? c.fail('the kernel must have a known size');
  const kernel = w.slice(2).map(Number);
  const stated = c.ints('kernel_shape');
  if (stated !== undefined && stated.join() !== kernel.join()) c.fail(`kernel_shape is [${stated}], W has [${kernel}]`);
  return kernel;
}

const attributes = {
  auto_pad: 'string',
  dilations: 'ints',
  group: 'int',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const;

export const conv: Readonly<Record<ConvOp, OpDef>> = {
  Conv: {
    versions: [1, 11, 22],
    inputs: 'X W B?',
    outputs: 'Y',
    attributes,
    infer: (c) => {
      const x = c.shape(0);
      const w = c.shape(1);
      if (x === undefined || w === undefined) return [tensorType(c.dtype(0))];
      if (x.length < 3 || x.length !== w.length)
        c.fail(`ranks must agree and be at least 3, X has ${x.length}, W has ${w.length}`);
      const [n = null, channels] = x;
      const group = c.int('group', 1);
      const [filters = null, perGroup] = w;
      if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group) {
        c.fail(`X has ${channels} channels, W takes ${perGroup} in ${group} group${group === 1 ? '' : 's'}`);
      }
      const window = windowOf(c, x.slice(2), kernelOf(c));
      return [tensorType(c.dtype(0), [n, filters, ...x.slice(2).map((s, i) => windowPlaces(c, s, window, i))])];
    },
    // y = W * x + b: dx = W transposed-convolved with dy, dW = x correlated with dy, db = sum of dy over batch and space
    gradient: (c) => {
      const { g } = c;
      const window = windowOf(c, (c.shape(0) ?? []).slice(2), kernelOf(c));
      const db = () => {
        const axes = (c.y().shape ?? []).map((_, i) => i).filter((i) => i !== 1);
        return g.reduceSum(c.dy(), g.ints(axes), { keepdims: 0 });
      };
      return [
        c.needs(0) ? convInputGradient(c, window) : null,
        c.needs(1) ? convWeightGradient(c, window, c.int('group', 1)) : null,
        c.has(2) && c.needs(2) ? db() : null,
      ];
    },
  },

  ConvTranspose: {
    versions: [1, 11, 22],
    inputs: 'X W B?',
    outputs: 'Y',
    attributes: { ...attributes, output_padding: 'ints', output_shape: 'ints' },
    infer: (c) => {
      const x = c.shape(0);
      const w = c.shape(1);
      if (x === undefined || w === undefined) return [tensorType(c.dtype(0))];
      if (x.length < 3 || x.length !== w.length)
        c.fail(`ranks must agree and be at least 3, X has ${x.length}, W has ${w.length}`);
      const kernel = kernelOf(c);
      const strides = c.ints('strides') ?? kernel.map(() => 1);
      const dilations = c.ints('dilations') ?? kernel.map(() => 1);
      const pads = c.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
      const extra = c.ints('output_padding') ?? kernel.map(() => 0);
      const stated = c.ints('output_shape');
      const auto = c.string('auto_pad', 'NOTSET');
      const spatial = x.slice(2).map((s, i): Dim => {
        if (stated !== undefined) return stated[i] ?? null;
        if (typeof s !== 'number') return null;
        const stride = strides[i] ?? 1;
        if (auto.startsWith('SAME')) return s * stride;
        const extent = ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
        return (s - 1) * stride + (extra[i] ?? 0) + extent - (pads[i] ?? 0) - (pads[i + kernel.length] ?? 0);
      });
      const perGroup = w[1];
      const filters = typeof perGroup === 'number' ? perGroup * c.int('group', 1) : null;
      return [tensorType(c.dtype(0), [x[0] ?? null, filters, ...spatial])];
    },
    gradient: 'unsupported',
  },
};

function convInputGradient(c: GradientContext, w: Window): Value {
  const { g } = c;
  const n = w.kernel.length;
  const x = (c.shape(0) ?? []).slice(2);
  const y = (c.y().shape ?? []).slice(2);
  const extra = w.kernel.map((k, i) => {
    const [size, places] = [x[i], y[i]];
    if (typeof size !== 'number' || typeof places !== 'number') return c.fail('its gradient needs known spatial sizes');
    const reach = (places - 1) * (w.strides[i] ?? 1) + (k - 1) * (w.dilations[i] ?? 1) + 1;
    return size - (reach - (w.pads[i] ?? 0) - (w.pads[i + n] ?? 0));
  });
  return g.convTranspose(c.dy(), c.x(1), {
    kernel_shape: w.kernel,
    strides: w.strides,
    dilations: w.dilations,
    pads: w.pads,
    group: c.int('group', 1),
    output_padding: extra.some((e) => e !== 0) ? extra : undefined,
  });
}
