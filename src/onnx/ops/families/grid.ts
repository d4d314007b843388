// Sampling at points of a grid: AffineGrid, GridSample, DeformConv. Specification: onnx/docs/Operators.md. Layout [N, C, spatial...].

import { must } from '../../core/errors.js';
import { type Dim, elementCount, formatShape, isStatic, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { scatterRows } from '../rules/by-index.js';
import { type Interpolation, type Padding, type Taps, tapsOf } from '../rules/sampling.js';
import { counted, reshapeLike, sizesOf, typed } from '../rules/shape-like.js';
import { knownElements } from '../rules/shape-value.js';
import { convShape } from './conv.js';
import { castLike } from './elementwise.js';
import { reduceBy, reduceSum } from './reduce.js';

type GridOp = 'AffineGrid' | 'GridSample' | 'DeformConv';

function affineGridShape(c: NodeContext): Shape | undefined {
  const size = knownElements(c.value(1));
  if (size === undefined) return undefined;
  const [n = null, , ...spatial]: Dim[] = size;
  return [n, ...spatial, spatial.length];
}

// grid = base theta^T with base the grid of the identity, homogeneous: dtheta = dgrid^T base
function affineGridGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const theta = c.x(0);
  const d = c.y().shape?.length;
  if (d === undefined) return c.fail('the gradient needs a size of known rank');
  const n = d - 2;
  const identity = Array.from({ length: n * (n + 1) }, (_, i) => (i % (n + 2) === 0 ? 1 : 0));
  const eye = g.add(g.mul(theta, 0), g.constant(Tensor.from(theta.dtype, identity, [1, n, n + 1])));
  const flat = (v: Value) => g.reshape(v, [0, -1, n]);
  const base = flat(g.affineGrid(eye, c.x(1), { align_corners: c.int('align_corners') }));
  const one = g.add(g.mul(g.slice(base, [0], [1], [2]), 0), 1);
  const homogeneous = g.concat(base, one, { axis: 2 });
  return [typed(g.matMul(g.transpose(flat(c.dy()), { perm: [0, 2, 1] }), homogeneous), theta), null];
}

const modes: ReadonlyMap<string, Interpolation> = new Map(
  Object.entries({
    nearest: 'nearest',
    linear: 'linear',
    bilinear: 'linear',
    cubic: 'cubic',
    bicubic: 'cubic',
  } as const),
);

/** The product of what each axis has, for every combination of taps: [N, P, k] each to [N, P, k^d], the last axis fastest. */
function combined(g: Ops, perAxis: readonly Value[], op: 'mul' | 'add'): Value {
  return perAxis.reduce((a, b) => {
    const all = g[op](g.unsqueeze(a, [3]), g.unsqueeze(b, [2]));
    return g.reshape(all, [0, 0, -1]);
  });
}

// y = sum over taps of w(grid) x[tap]: dx is w dy added to the taps, dgrid = sum over taps and channels of w' x[tap] dy
function gridSampleGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, points, dy] = [c.x(0), c.x(1), c.dy()];
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  const n = rank - 2;
  const given = c.string('mode');
  const mode = modes.get(given) ?? c.fail(`mode "${given}" is not known`, { got: given });
  const paddings: readonly Padding[] = ['zeros', 'border', 'reflection'];
  const padding = paddings.find((p) => p === c.string('padding_mode')) ?? c.fail('padding_mode is not known');
  const alignCorners = c.int('align_corners') === 1;
  const size = (axis: number) => g.squeeze(sizesOf(g, x, axis, axis + 1), [0]);
  const flat = g.reshape(points, [0, -1, n]);
  // the last coordinate belongs to the first spatial axis
  const taps = Array.from({ length: n }, (_, i): Taps => {
    const along = g.squeeze(g.slice(flat, [n - 1 - i], [n - i], [2]), [2]);
    return tapsOf(g, along, { size: size(i + 2), mode, padding, alignCorners });
  });
  const channelsLast = (v: Value) => g.transpose(g.reshape(v, [0, 0, -1]), { perm: [0, 2, 1] });
  const pixels = channelsLast(x);
  const area = g.squeeze(sizesOf(g, pixels, 1, 2), [0]);
  const strides = taps.map((_, i) => taps.slice(i + 1).reduce((s, _, k) => g.mul(s, size(i + 3 + k)), g.scalar(1, 'int64')));
  const within = combined(
    g,
    taps.map((t, i) => g.mul(t.index, must(strides[i], 'stride'))),
    'add',
  );
  const batch = counted(g, x, 0);
  const index = g.add(within, g.unsqueeze(g.mul(batch, area), [1, 2]));
  // rows of channels, [N area, C]
  const rows = g.reshape(pixels, g.concat(g.ints([-1]), sizesOf(g, x, 1, 2), { axis: 0 }));
  const d = g.unsqueeze(channelsLast(dy), [2]);
  const weight = () =>
    combined(
      g,
      taps.map((t) => t.weight),
      'mul',
    );
  const dx = () => {
    const each = g.mul(g.unsqueeze(weight(), [3]), d);
    const sum = scatterRows(g, { x: rows, axis: 0, indices: index, q: 3, dy: each, repeats: 'repeated' });
    const shape = g.concat(sizesOf(g, x, 0, 1), g.ints([-1]), sizesOf(g, x, 1, 2), { axis: 0 });
    return reshapeLike(g, g.transpose(g.reshape(sum, shape), { perm: [0, 2, 1] }), x);
  };
  const dpoints = () => {
    const read = reduceSum(g, g.mul(g.gather(rows, index, { axis: 0 }), d), [3], 0);
    const each = taps.map((_, i) => {
      const slopes = taps.map((t, k) => (k === i ? t.slope : t.weight));
      return reduceSum(g, g.mul(read, combined(g, slopes, 'mul')), [2]);
    });
    return reshapeLike(g, g.concat(...each.reverse(), { axis: 2 }), points);
  };
  return [c.needs(0) ? dx() : null, c.needs(1) ? dpoints() : null];
}

// Each output place reads the input at the places of its kernel, moved by offsets, between pixels: GridSample with zeros outside gives the
// columns [N, C K, places], which the mask scales and the weights multiply, as in any convolution.
function expandDeformConv(c: GradientContext): Value[] {
  const { g } = c;
  const [x, w, offset] = [c.x(0), c.x(1), c.x(2)];
  const shape = c.shape(1);
  if (!isStatic(shape)) return c.fail('the gradient needs weights of known shape');
  const [filters = 0, perGroup = 0, ...kernel] = shape;
  const n = kernel.length;
  if (n < 2 || n > 3 || (n === 3 && g.opset < 20))
    return c.fail(`no gradient is known for ${n} spatial axes at opset ${g.opset}`);
  const [group, offsets] = [c.int('group'), c.int('offset_group')];
  const list = (name: 'strides' | 'dilations' | 'pads', fallback: number) => c.ints(name) ?? kernel.map(() => fallback);
  const [strides, dilations, pads] = [list('strides', 1), list('dilations', 1), list('pads', 0)];
  const taps = c.bounded('constant', elementCount([...kernel, n]), 'the kernel') / n;
  const axes = kernel.map((_, i) => i);
  const places = sizesOf(g, offset, 2);
  const shaped = (v: Value, before: readonly number[], sizes: Value) => g.reshape(v, g.concat(before, sizes, { axis: 0 }));

  // points in pixels, [N offsets, taps, places..., n]
  const float = (list: readonly number[], dims: readonly number[]) => g.constant(Tensor.from(x.dtype, list, dims));
  const ones = axes.map(() => 1);
  const within = Array.from({ length: taps }, (_, k) =>
    axes.map(
      (i) =>
        (Math.floor(k / kernel.slice(i + 1).reduce((a, b) => a * b, 1)) % (kernel[i] ?? 1)) * (dilations[i] ?? 1) -
        (pads[i] ?? 0),
    ),
  );
  const moved = g.transpose(shaped(offset, [-1, taps, n], places), { perm: [0, 1, ...axes.map((i) => i + 3), 2] });
  const points = axes.reduce(
    (sum, i) => {
      const size = g.squeeze(sizesOf(g, offset, i + 2, i + 3), [0]);
      const step = g.scalar(strides[i] ?? 1, 'int64');
      const at = castLike(g, g.range(0, g.mul(size, step), step), x);
      const along = g.reshape(at, [...ones.with(i, -1), 1]);
      return g.add(
        sum,
        g.mul(
          along,
          float(
            axes.map((k) => (k === i ? 1 : 0)),
            [n],
          ),
        ),
      );
    },
    g.add(moved, float(within.flat(), [taps, ...ones, n])),
  );

  // the last axis first, and -1..1 from border to border of the pixels
  const turned = g.gather(points, axes.toReversed(), { axis: -1 });
  const sizes = castLike(g, g.gather(g.shape(x), axes.map((i) => i + 2).toReversed()), x);
  const grid = g.sub(g.div(g.add(g.mul(turned, 2), 1), sizes), 1);
  const flat = g.reshape(grid, [0, taps, -1, ...(n === 3 ? [1] : []), n]);
  const images = shaped(x, [-1, (perGroup * group) / offsets], sizesOf(g, x, 2));
  const read = g.gridSample(images, flat, {
    mode: g.opset < 20 ? 'bilinear' : 'linear',
    padding_mode: 'zeros',
    align_corners: 0,
  });
  const total = reduceBy(g, 'ReduceProd', places, 'all');
  const columns = n === 3 ? g.squeeze(read, [4]) : read;
  const masked = c.has(4) ? g.mul(columns, g.reshape(c.x(4), g.concat([-1, 1, taps], total, { axis: 0 }))) : columns;
  const inner = perGroup * taps;
  const weights = g.reshape(w, [group, filters / group, inner]);
  const y = shaped(g.matMul(weights, g.reshape(masked, g.concat([-1, group, inner], total, { axis: 0 }))), [-1, filters], places);
  return [c.has(3) ? g.add(y, g.reshape(c.x(3), [-1, ...ones])) : y];
}

export const grid: Readonly<Record<GridOp, OpRules>> = {
  AffineGrid: {
    infer: (c) => [c.like(0, affineGridShape(c))],
    gradient: affineGridGradient,
  },
  GridSample: {
    infer: (c) => {
      const [x, points] = [c.shape(0), c.shape(1)];
      if (x === undefined || points === undefined) return [tensorType(c.dtype(0))];
      const last = points.at(-1);
      const other = typeof x[0] === 'number' && typeof points[0] === 'number' && x[0] !== points[0];
      if (other || x.length < 3 || points.length !== x.length || (typeof last === 'number' && last !== x.length - 2)) {
        const expected = 'X [N,C,D1,...] and a grid [N,d1,...,r] of one N and as many axes, r of them spatial';
        c.fail(`X is ${formatShape(x)}, the grid ${formatShape(points)}: expected ${expected}`, { expected });
      }
      return [c.like(0, [x[0] ?? null, x[1] ?? null, ...points.slice(1, -1)])];
    },
    gradient: gridSampleGradient,
  },
  DeformConv: {
    infer: (c) => [c.like(0, convShape(c, 1, 3))],
    gradient: { expand: expandDeformConv },
  },
};
