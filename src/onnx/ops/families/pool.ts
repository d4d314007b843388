// Pooling over windows. Specification: onnx/docs/Operators.md, MaxPool, AveragePool, LpPool, MaxUnpool. Layout [N, C, spatial...].
import { within } from '../../core/bounds.js';
import { must } from '../../core/errors.js';
import { type Dim, elementCount, isStatic, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { AttributeInputs } from '../attribute-inputs.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { sumAt } from '../rules/by-index.js';
import { channelsLast, fromTileElements, tileElements } from '../rules/channels-last.js';
import { numbered, reshapeLike, sizesOf, typed } from '../rules/shape-like.js';
import { knownElements } from '../rules/shape-value.js';
import {
  checkWindow,
  extent,
  fitSpatial,
  padValues,
  spatialOf,
  spatialSizes,
  tiles,
  type Window,
  windowOf,
  windowPlaces,
} from '../rules/window.js';
import { floatType, sign } from './elementwise.js';
import { reduceSum } from './reduce.js';

type PoolOp = 'MaxPool' | 'AveragePool' | 'LpPool' | 'MaxUnpool';

function poolWindow(c: NodeContext): Window {
  return windowOf(c, spatialOf(c.shape(0)), c.ints('kernel_shape') ?? c.fail('kernel_shape is missing'));
}

function pooled(c: NodeContext): Shape | undefined {
  checkWindow(c);
  const x = c.shape(0);
  if (x === undefined) return undefined;
  const window = poolWindow(c);
  if (x.length < 3) c.fail(`X has rank ${x.length}, expected 3 or more`, { expected: '3 or more', got: String(x.length) });
  if (x.length !== window.kernel.length + 2)
    c.fail(`kernel_shape [${window.kernel}] needs rank ${window.kernel.length + 2}, X has ${x.length}`);
  return [x[0] ?? null, x[1] ?? null, ...windowPlaces(c, spatialOf(x), window, c.int('ceil_mode') === 1)];
}

/** The window attributes as the node has them. */
function sameAttributes(c: NodeContext): AttributeInputs {
  const given = ['auto_pad', 'dilations', 'kernel_shape', 'pads', 'strides', 'ceil_mode'].map(
    (name): [string, AttributeInputs[string]] => {
      const a = c.node.attributes.get(name);
      return [name, a?.kind === 'ints' ? a.value.map(Number) : a?.kind === 'int' ? a.value : a && c.string('auto_pad')];
    },
  );
  return Object.fromEntries(given);
}

/** Indices of the maxima in the flattened input, row-major. */
function argmax(c: GradientContext): Value {
  if (c.int('storage_order') === 0) return c.output(1, tensorType('int64', c.y().shape));
  return must(c.g.op('MaxPool', [c.x(0)], sameAttributes(c), 2)[1], 'Indices');
}

/**
 * What each element of windows gets of the gradient by their maximum: the first that equals the maximum takes it, what is left goes on to the next.
 * The same as by Indices, without their slow kernel and without a scatter.
 */
export function maximumShares(g: Ops, elements: readonly Value[], maximum: Value, dy: Value): Value[] {
  let left = dy;
  const taken = elements.slice(0, -1).map((element) => {
    const part = g.where(g.equal(element, maximum), left, 0);
    left = g.sub(left, part);
    return part;
  });
  return [...taken, left];
}

// Channels last, an element of the windows at a time.
function tiledMaxPoolGradient(c: GradientContext, w: Window): Value {
  const { g } = c;
  const [channels = 1, height = 1, width = 1] = (c.shape(0) ?? []).slice(1).map(Number);
  const places = spatialOf(c.dy().shape).map(Number);
  const elements = tileElements(g, channelsLast(g, c.x(0), channels), places, w.kernel);
  const shares = maximumShares(g, elements, channelsLast(g, c.y(), channels), channelsLast(g, c.dy(), channels));
  const joined = fromTileElements(g, shares, places, w.kernel);
  return g.reshape(g.transpose(joined, { perm: [0, 2, 1] }), [-1, channels, height, width]);
}

// dx[argmax of a window] += dy[window]
function maxPoolGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const dy = c.dyOrNull(0);
  if (dy === null) return [];
  const x = c.x(0);
  const w = poolWindow(c);
  if (tiles(x.shape, dy.shape, w)) return [typed(tiledMaxPoolGradient(c, w), x)];
  const apart = w.kernel.every((_, i) => extent(w, i) <= (w.strides[i] ?? 1));
  const flat = (v: Value) => g.reshape(v, [-1]);
  const size = isStatic(x.shape)
    ? g.scalar(
        x.shape.reduce((a, b) => a * b, 1),
        'int64',
      )
    : g.size(x);
  return [reshapeLike(g, sumAt(g, size, flat(argmax(c)), flat(dy), apart ? 'distinct' : 'repeated'), x)];
}

/** t, one element per place of the window, added to every element of x that the window covers there. */
function spread(g: Ops, t: Value, x: Value, w: Window): Value {
  const alone = (v: Value) => g.reshape(v, g.concat(g.ints([-1, 1]), sizesOf(g, v, 2), { axis: 0 }));
  const area = elementCount(w.kernel);
  const dims = [1, 1, ...w.kernel];
  const ones = () =>
    within('constant', area)
      ? g.constant(Tensor.from(t.dtype, new Array<number>(area).fill(1), dims))
      : g.expand(g.scalar(1, t), dims);
  const base = { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations };
  const full = g.convTranspose(alone(t), ones(), base);
  return reshapeLike(g, fitSpatial(g, full, x, w), x);
}

/** How many elements each place of the window averages over, of a shape that broadcasts against dy. */
function counts(c: GradientContext, w: Window): Value {
  const { g } = c;
  const withPads = c.int('count_include_pad') === 1;
  const [x, y] = [spatialOf(c.shape(0)), spatialOf(c.dy().shape)];
  const n = w.kernel.length;
  const atBuildTime =
    isStatic(y) && within('constant', elementCount(y)) && w.kernel.every((k, i) => within('windows', k * (y[i] ?? 1)));
  if (w.pads !== undefined && isStatic(x) && isStatic(y) && atBuildTime) {
    return g.constant(Tensor.from(c.dtype(0), countMap(x, y, w, w.pads, withPads), [1, 1, ...y]));
  }
  // along each axis: how many of stride o + dilation k - begin lie inside
  const { begin, end } = padValues(g, c.x(0), w);
  const [sizes, places] = [spatialSizes(g, c.x(0)), spatialSizes(g, c.dy())];
  const element = (v: Value, i: number) => g.gather(v, i);
  const perAxis = w.kernel.map((kernel, i) => {
    const first = element(begin, i);
    const origin = g.range(0, element(places, i), 1);
    const starts = g.sub(g.mul(origin, w.strides[i] ?? 1), first);
    const steps = numbered(g, kernel, w.dilations[i]);
    const at = g.add(g.unsqueeze(starts, [1]), steps);
    const low = withPads ? g.neg(first) : 0;
    const high = withPads ? g.add(element(sizes, i), element(end, i)) : element(sizes, i);
    const inside = g.and(g.not(g.less(at, low)), g.less(at, high));
    const count = reduceSum(g, g.cast(inside, { to: c.dtype(0) }), [1], 0);
    return g.reshape(
      count,
      w.kernel.map((_, k) => (k === i ? -1 : 1)),
    );
  });
  return g.unsqueeze(
    perAxis.reduce((a, b) => g.mul(a, b)),
    Array.from({ length: 2 }, (_, i) => i - n - 2),
  );
}

/** The same at build time, row-major. */
function countMap(
  sizes: readonly number[],
  places: readonly number[],
  w: Window,
  pads: readonly number[],
  withPads: boolean,
): number[] {
  const n = sizes.length;
  const perAxis = places.map((p, i) =>
    Array.from({ length: p }, (_, o) => {
      const [begin = 0, end = 0, size = 0] = [pads[i], pads[i + n], sizes[i]];
      let count = 0;
      for (let k = 0; k < (w.kernel[i] ?? 1); k++) {
        const at = o * (w.strides[i] ?? 1) - begin + k * (w.dilations[i] ?? 1);
        if (withPads ? at >= -begin && at < size + end : at >= 0 && at < size) count++;
      }
      return count;
    }),
  );
  return perAxis.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
}

// y = (sum of |x|^p)^(1/p): dx = sign(x) |x|^(p-1) spread(y^(1-p) dy), with 0 for 0^(1-p), where x is 0 too
function lpPoolGradient(c: GradientContext): Value[] {
  const { g } = c;
  const w = poolWindow(c);
  return [lpGradient(g, { p: c.int('p'), x: c.x(0), y: c.y(), dy: c.dy(), spread: (t) => spread(g, t, c.x(0), w) })];
}

/** The gradient of a p-norm over parts of x; `spread` takes one element per part to the elements of the part. */
export function lpGradient(
  g: Ops,
  { p, x, y, dy, spread }: { p: number; x: Value; y: Value; dy: Value; spread: (t: Value) => Value },
): Value {
  if (p === 1) return g.mul(sign(g, x), spread(dy));
  const base = g.where(g.equal(y, 0), 1, y);
  if (p === 2) return g.mul(x, spread(g.div(dy, base)));
  const part = spread(g.mul(dy, g.pow(base, 1 - p)));
  return g.mul(g.mul(sign(g, x), g.pow(g.abs(x), p - 1)), part);
}

function unpooledShape(c: NodeContext): Shape | undefined {
  checkWindow(c);
  const x = c.shape(0);
  if (c.has(2)) {
    const stated = knownElements(c.value(2));
    return stated ?? x?.map(() => null);
  }
  if (x === undefined) return undefined;
  const w = windowOf(c, spatialOf(x), c.ints('kernel_shape') ?? c.fail('kernel_shape is missing'));
  const n = w.kernel.length;
  const spatial = spatialOf(x).map((size, i): Dim => {
    if (typeof size !== 'number') return null;
    return (size - 1) * (w.strides[i] ?? 1) + (w.kernel[i] ?? 1) - (w.pads?.[i] ?? 0) - (w.pads?.[i + n] ?? 0);
  });
  return [x[0] ?? null, x[1] ?? null, ...spatial];
}

export const pool: Readonly<Record<PoolOp, OpRules>> = {
  MaxPool: {
    traits: ['half', 'int8InPlace'],
    infer: (c) => {
      const shape = pooled(c);
      return [c.like(0, shape), tensorType('int64', shape)];
    },
    gradient: maxPoolGradient,
  },
  // y = sum of the window / count: dx is dy / count, spread over the window
  AveragePool: {
    traits: ['half', 'int8'],
    infer: (c) => [c.like(0, pooled(c))],
    gradient: (c) => {
      const w = poolWindow(c);
      return [spread(c.g, c.g.div(c.dy(), counts(c, w)), c.x(0), w)];
    },
  },
  LpPool: {
    infer: (c) => {
      floatType(c);
      return [c.like(0, pooled(c))];
    },
    gradient: lpPoolGradient,
  },
  // y[I] = x: dx = dy[I]
  MaxUnpool: {
    infer: (c) => [c.like(0, unpooledShape(c))],
    gradient: (c) => {
      const { g } = c;
      return [typed(g.gather(g.reshape(c.dy(), [-1]), c.x(1)), c.x(0)), null, null];
    },
  },
};
