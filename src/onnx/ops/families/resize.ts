// Resize. Every mode is linear in its input and separable: along each axis it is a product with a matrix. The gradient gets that matrix
// from the runtime itself, by resizing an identity matrix, so that coordinates and rounding are the runtime's own.
// Specification: onnx/docs/Operators.md, Resize.
import { must } from '../../core/errors.js';
import { type Dim, isStatic, type Shape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { reshapeLike, sizesOf, typed } from '../rules/shape-like.js';
import { knownElements, mulDims } from '../rules/shape-value.js';
import type { AttributeName } from '../signature.js';
import { reduceBy, reduceSum } from './reduce.js';

type ResizeOp = 'Resize';

/** True when an optional input is there and not the empty tensor that stands for none. */
function given(c: NodeContext, i: number): boolean {
  return c.has(i) && c.shape(i)?.[0] !== 0;
}

/** The axes that scales, sizes and roi speak of. */
function axesOf(c: NodeContext, rank: number): number[] {
  return c.ints('axes')?.map((a) => c.axis(a, rank)) ?? Array.from({ length: rank }, (_, i) => i);
}

/** The constant scales, one per axis named. */
function scalesOf(c: NodeContext): readonly number[] | undefined {
  return given(c, 2) ? c.constant(2)?.numbers() : undefined;
}

/** ONNX Runtime multiplies in float32. */
const scaled = (d: number, scale: number): number => Math.floor(Math.fround(d * scale));

const crops = (c: NodeContext): boolean => c.string('coordinate_transformation_mode') === 'tf_crop_and_resize';
const policyOf = (c: NodeContext): string => c.string('keep_aspect_ratio_policy');

/** The one scale of a policy that keeps the aspect ratio, where all sizes are known. */
function commonScale(c: NodeContext, shape: Shape, axes: readonly number[], sizes: readonly Dim[]): number | undefined {
  const ratios = axes.map((a, i) => Number(sizes[i] ?? Number.NaN) / Number(shape[a] ?? Number.NaN));
  if (ratios.some((r) => Number.isNaN(r))) return undefined;
  return policyOf(c) === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
}

const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil', ''];

/** Other modes take any text; ONNX Runtime takes an empty one for the default. */
function checkNearest(c: NodeContext): void {
  const mode = c.string('nearest_mode');
  if (c.string('mode') !== 'nearest' || roundings.includes(mode)) return;
  const expected = roundings.slice(0, -1).join(', ');
  c.fail(`attribute "nearest_mode" is "${mode}", expected one of ${expected}`, { expected, got: mode });
}

function resizedShape(c: NodeContext): Shape | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  if (given(c, 2) === given(c, 3)) return c.fail('one of scales and sizes must be given');
  if (given(c, 2) && policyOf(c) !== 'stretch') return c.fail('keep_aspect_ratio_policy goes with sizes, scales are given');
  const axes = axesOf(c, shape.length);
  const out = [...shape];
  const named = c.has(3) ? c.shape(3)?.[0] : undefined;
  if (typeof named === 'number' && named > 0 && named !== axes.length)
    return c.fail(`sizes names ${named} axes, there are ${axes.length}`, { expected: String(axes.length), got: String(named) });
  if (given(c, 3)) {
    const sizes = knownElements(c.value(3)) ?? axes.map(() => null);
    if (sizes.length !== axes.length) return c.fail(`sizes names ${sizes.length} axes, there are ${axes.length}`);
    const scale = policyOf(c) === 'stretch' ? undefined : commonScale(c, shape, axes, sizes);
    axes.forEach((a, i) => {
      const d = shape[a];
      if (policyOf(c) === 'stretch') out[a] = sizes[i] ?? null;
      else out[a] = scale === undefined || typeof d !== 'number' ? null : Math.floor(d * scale + 0.5);
    });
    return out;
  }
  const scales = scalesOf(c);
  if (scales !== undefined && scales.length !== axes.length) {
    return c.fail(`scales names ${scales.length} axes, there are ${axes.length}`);
  }
  axes.forEach((a, i) => {
    const [d, scale] = [shape[a] ?? null, scales?.[i]];
    if (scale === undefined || crops(c)) out[a] = null;
    else if (typeof d === 'number') out[a] = scaled(d, scale);
    else out[a] = Number.isInteger(scale) ? mulDims(d, scale) : null;
  });
  return out;
}

/** Axes along which something changes. */
function changedAxes(c: GradientContext, shape: Shape): number[] {
  const axes = axesOf(c, shape.length);
  if (crops(c)) return axes;
  if (policyOf(c) !== 'stretch') return axes.filter((a) => shape[a] === null || shape[a] !== c.y().shape?.[a]);
  const scales = scalesOf(c);
  const sizes = given(c, 3) ? knownElements(c.value(3)) : undefined;
  return axes.filter((a, i) => {
    if (scales !== undefined) return scales[i] !== 1;
    const size = sizes?.[i] ?? null;
    return size === null || size !== shape[a];
  });
}

/** How often nearest repeats each element along each axis, when that is all it does: integer scales, and rounding that keeps blocks whole. */
function repeatsOf(c: NodeContext, shape: Shape, out: Shape): number[] | undefined {
  if (c.string('mode') !== 'nearest' || crops(c) || !isStatic(shape) || !isStatic(out)) return undefined;
  const coordinates = c.string('coordinate_transformation_mode');
  const rounding = c.string('nearest_mode');
  const blocks =
    (coordinates === 'asymmetric' && rounding === 'floor') ||
    ((coordinates === 'half_pixel' || coordinates === 'half_pixel_symmetric') && rounding.startsWith('round'));
  const repeats = shape.map((d, i) => (out[i] ?? 0) / d);
  const scales = scalesOf(c);
  const stated = scales === undefined || axesOf(c, shape.length).every((a, i) => repeats[a] === scales[i]);
  return blocks && stated && repeats.every((r) => Number.isInteger(r) && r >= 1) ? repeats : undefined;
}

/** [in, out]: row i is what an image that is 1 at i along this axis becomes. */
function matrixOf(c: GradientContext, axis: number, shape: Shape): Value {
  const { g } = c;
  const x = c.x(0);
  const axes = axesOf(c, shape.length);
  const at = axes.indexOf(axis);
  const size = sizesOf(g, x, axis, axis + 1);
  const identity = g.eyeLike(g.expand(g.scalar(0, x), g.concat(size, size, { axis: 0 })));
  const part = (v: Value, i: number) => g.slice(v, [i], [i + 1], [0]);
  const ends = () => {
    const [zero, one] = [0, 1].map((v) => g.constant(Tensor.from(c.dtype(1), [v])));
    return g.concat(zero, part(c.x(1), at), one, part(c.x(1), at + axes.length), { axis: 0 });
  };
  const roi = crops(c) ? ends() : null;
  const one = g.constant(Tensor.from('float32', [1]));
  let scales: Value | null = null;
  let sizes: Value | null = null;
  if (given(c, 2)) {
    const known = scalesOf(c)?.[at];
    scales = known === undefined ? g.concat(one, part(c.x(2), at), { axis: 0 }) : g.constant(Tensor.from('float32', [1, known]));
  } else if (policyOf(c) === 'stretch') sizes = g.concat(size, part(c.x(3), at), { axis: 0 });
  else return commonMatrix(c, axis, shape, identity);
  return must(g.op('Resize', [identity, roi, scales, sizes], rules(c))[0], 'output of Resize');
}

// A policy that keeps the aspect ratio scales every axis by s and rounds its size; where s is given alone, sizes are cut off instead. So the
// identity is made longer at its end, by copies of its border, where coordinates do not depend on the size, and cut to what is wanted.
function commonMatrix(c: GradientContext, axis: number, shape: Shape, identity: Value): Value {
  const { g } = c;
  const axes = axesOf(c, shape.length);
  const scale = commonScale(c, shape, axes, knownElements(c.value(3)) ?? []);
  const [d, want] = [shape[axis], c.y().shape?.[axis]];
  const resized = (v: Value, scales: Value | null, sizes: Value | null) =>
    must(g.op('Resize', [v, null, scales, sizes], rules(c))[0], 'output of Resize');
  const one = g.constant(Tensor.from('float32', [1]));
  const float = (v: Value) => g.cast(v, { to: 'float32' });
  const atRunTime = () => {
    const ratios = g.div(float(c.x(3)), float(g.gather(g.shape(c.x(0)), axes)));
    return reduceBy(g, policyOf(c) === 'not_larger' ? 'ReduceMin' : 'ReduceMax', ratios, 'all');
  };
  const factor = scale === undefined ? atRunTime() : g.constant(Tensor.from('float32', [scale]));
  const scales = g.concat(one, factor, { axis: 0 });
  if (scale !== undefined && typeof d === 'number' && scaled(d, Math.fround(scale)) === want)
    return resized(identity, scales, null);
  const size = sizesOf(g, c.y(), axis, axis + 1);
  const coordinates = c.string('coordinate_transformation_mode');
  if (coordinates === 'align_corners')
    return resized(identity, null, g.concat(sizesOf(g, c.x(0), axis, axis + 1), size, { axis: 0 }));
  const free =
    ['half_pixel', 'asymmetric'].includes(coordinates) || (coordinates === 'pytorch_half_pixel' && want !== 1 && want !== null);
  if (!free || c.int('antialias') === 1 || c.int('exclude_outside') === 1) {
    return c.fail(`no gradient is known for keep_aspect_ratio_policy "${policyOf(c)}" with ${coordinates} and these sizes`);
  }
  const more = g.cast(g.ceil(g.div(one, factor)), { to: 'int64' });
  const longer = g.pad(identity, g.concat([0, 0, 0], more, { axis: 0 }), null, { mode: 'edge' });
  return g.slice(resized(longer, scales, null), [0], size, [1]);
}

/** The attributes that say how coordinates and weights are computed. */
function rules(c: NodeContext) {
  const string = (name: AttributeName<'string'>) => (c.states(name) ? c.string(name) : undefined);
  return {
    mode: string('mode'),
    coordinate_transformation_mode: string('coordinate_transformation_mode'),
    nearest_mode: string('nearest_mode'),
    cubic_coeff_a: c.states('cubic_coeff_a') ? c.float('cubic_coeff_a') : undefined,
    exclude_outside: c.states('exclude_outside') ? c.int('exclude_outside') : undefined,
    antialias: c.states('antialias') ? c.int('antialias') : undefined,
  };
}

// y = (M_1 x ... x M_n) x, one matrix per axis: dx is dy times each M_a along its axis
function resizeGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const x = c.x(0);
  const shape = c.shape(0) ?? c.fail('the gradient needs an input of known rank');
  const rank = shape.length;
  const repeats = repeatsOf(c, shape, c.y().shape ?? []);
  if (repeats !== undefined) {
    const split = g.reshape(
      c.dy(),
      shape.flatMap((d, i) => (repeats[i] === 1 ? [Number(d)] : [Number(d), repeats[i] ?? 1])),
    );
    let at = 0;
    const axes = repeats.flatMap((r) => {
      at += r === 1 ? 1 : 2;
      return r === 1 ? [] : [at - 1];
    });
    return [typed(reduceSum(g, split, axes, 0), x)];
  }
  let d = c.dy();
  for (const axis of changedAxes(c, shape)) {
    const matrix = matrixOf(c, axis, shape);
    if (axis === rank - 1) d = g.matMul(d, g.transpose(matrix, { perm: [1, 0] }));
    else if (axis === rank - 2) d = g.matMul(matrix, d);
    else {
      const perm = shape.map((_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
      d = g.transpose(g.matMul(g.transpose(d, { perm }), g.transpose(matrix, { perm: [1, 0] })), { perm });
    }
  }
  return [d === c.dy() ? reshapeLike(g, d, x) : typed(d, x)];
}

export const resize: Readonly<Record<ResizeOp, OpRules>> = {
  Resize: {
    traits: ['settings'],
    since: 13,
    infer: (c) => {
      checkNearest(c);
      return [c.like(0, resizedShape(c))];
    },
    gradient: resizeGradient,
  },
};
