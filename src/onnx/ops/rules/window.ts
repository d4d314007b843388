// Windows that slide over spatial axes: kernel, strides, dilations, pads, auto_pad, ceil_mode. Shared by convolution and pooling.
// Specification: onnx/docs/Operators.md, Conv, ConvTranspose, MaxPool. Layout [N, C, spatial...].
import { within } from '../../core/bounds.js';
import { type Dim, elementCount, isStatic, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import type { NodeContext } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { sizesOf } from './shape-like.js';
import { addDims } from './shape-value.js';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** [begin..., end...]; undefined when auto_pad makes them depend on sizes that are known at run time only. */
  readonly pads: readonly number[] | undefined;
  readonly auto: 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';
}

const autoPads = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'] as const;

/** What auto_pad says, NOTSET when it is not there. */
export function autoPadOf(c: NodeContext): Window['auto'] {
  const given = c.string('auto_pad', 'NOTSET');
  return autoPads.find((a) => a === given) ?? c.fail(`auto_pad must be ${autoPads.join(', ')}, it is "${given}"`, { got: given });
}

/** A convolution takes its pads from one of both. */
export function checkPads(c: NodeContext): void {
  const auto = autoPadOf(c);
  if (auto !== 'NOTSET' && c.node.attributes.has('pads')) c.fail(`it has both auto_pad ${auto} and pads`, { got: auto });
}

/** Shares out a total pad: the odd one goes to the end for SAME_UPPER, to the beginning for SAME_LOWER. */
export function sharePads(total: readonly number[], upper: boolean): number[] {
  const small = total.map((t) => Math.floor(t / 2));
  const large = total.map((t) => Math.ceil(t / 2));
  return upper ? [...small, ...large] : [...large, ...small];
}

/** Reads strides, dilations, pads and auto_pad for an input of these spatial dims. */
export function windowOf(c: NodeContext, spatial: readonly Dim[], kernel: readonly number[]): Window {
  const n = kernel.length;
  const strides = c.ints('strides') ?? kernel.map(() => 1);
  const dilations = c.ints('dilations') ?? kernel.map(() => 1);
  const auto = autoPadOf(c);
  const none = [...kernel, ...kernel].map(() => 0);
  const stated = auto === 'NOTSET' ? (c.ints('pads') ?? none) : none;
  if (strides.length !== n || dilations.length !== n || stated.length !== 2 * n) {
    c.fail(
      `strides, dilations and pads must fit ${n} spatial axes, got ${strides.length}, ${dilations.length} and ${stated.length}`,
    );
  }
  c.bounded('axes', n, 'the kernel');
  atLeast(c, 1, { kernel_shape: kernel, strides, dilations });
  const w = { kernel, strides, dilations, auto };
  if (auto === 'NOTSET' || auto === 'VALID') return { ...w, pads: stated };
  if (!isStatic(spatial) || spatial.length !== n) return { ...w, pads: undefined };
  const total = spatial.map((size, i) => {
    const s = strides[i] ?? 1;
    return Math.max((Math.ceil(size / s) - 1) * s + extent(w, i) - size, 0);
  });
  return { ...w, pads: sharePads(total, auto === 'SAME_UPPER') };
}

/** Throws where an element of a list is smaller, or so large that sizes are not exact. */
export function atLeast(c: NodeContext, least: number, lists: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, list] of Object.entries(lists)) {
    const bad = list.find((v) => v < least || !within('size', Math.abs(v)));
    if (bad !== undefined)
      c.fail(`${name} is [${list}], expected ${least} or more`, { expected: `${least} or more`, got: String(bad) });
  }
}

/** What must hold of a window's attributes and of groups, whatever is known of shapes: a runtime that is given a group of 0 divides by it. */
export function checkWindow(c: NodeContext): void {
  const { attributes } = c.node;
  for (const name of ['kernel_shape', 'strides', 'dilations'] as const) atLeast(c, 1, { [name]: c.ints(name) ?? [] });
  if (attributes.has('group')) atLeast(c, 1, { group: [c.int('group')] });
}

/** Elements that the window reaches over along axis i. */
export function extent(w: Pick<Window, 'kernel' | 'dilations'>, i: number): number {
  return ((w.kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1) + 1;
}

/** Places that a window has along each of these axes. */
export function windowPlaces(c: NodeContext, spatial: readonly Dim[], w: Window, ceil = false): Dim[] {
  return spatial.map((size, i) => {
    const n = w.kernel.length;
    const stride = w.strides[i] ?? 1;
    if (w.pads === undefined) return stride === 1 ? size : typeof size === 'number' ? Math.ceil(size / stride) : null;
    const begin = w.pads[i] ?? 0;
    const spare = begin + (w.pads[i + n] ?? 0) - extent(w, i);
    if (typeof size !== 'number') return stride === 1 ? addDims(size, spare + 1) : null;
    const room = size + spare;
    if (room < 0) return c.fail(`a window of ${extent(w, i)} does not fit axis ${i} of size ${size} with its pads`);
    const places = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    // With ceil_mode a window must begin inside the input or its left pad.
    return ceil && (places - 1) * stride >= size + begin ? places - 1 : places;
  });
}

/** The spatial dims of a tensor [N, C, spatial...]. */
export function spatialOf(shape: Shape | undefined): Shape {
  return (shape ?? []).slice(2);
}

/** The spatial sizes of `v` as an int64 vector. */
export function spatialSizes(g: Ops, v: Value): Value {
  return sizesOf(g, v, 2);
}

/** Pads before and after x, one element per spatial axis; computed at run time for auto_pad over unknown sizes. */
export function padValues(g: Ops, x: Value, w: Window): { begin: Value; end: Value } {
  const n = w.kernel.length;
  if (w.pads !== undefined) return { begin: g.ints(w.pads.slice(0, n)), end: g.ints(w.pads.slice(n)) };
  // total = max((ceil(size / stride) - 1) stride + extent - size, 0)
  const size = spatialSizes(g, x);
  const strides = g.ints(w.strides);
  const places = g.div(
    g.add(
      size,
      w.strides.map((s) => s - 1),
    ),
    strides,
  );
  const reach = g.add(
    g.mul(g.sub(places, [1]), strides),
    w.kernel.map((_, i) => extent(w, i)),
  );
  return shareAtRunTime(g, g.max(g.sub(reach, size), [0]), w.auto === 'SAME_UPPER');
}

/** `sharePads` of totals that are known at run time. */
export function shareAtRunTime(g: Ops, total: Value, upper: boolean): { begin: Value; end: Value } {
  const small = g.div(total, [2]);
  const large = g.sub(total, small);
  return upper ? { begin: small, end: large } : { begin: large, end: small };
}

/** `full`, which begins where the padded x begins, cut or filled with zeros to the spatial sizes of x. */
export function fitSpatial(g: Ops, full: Value, x: Value, w: Window): Value {
  const [have, want] = [spatialOf(full.shape), spatialOf(x.shape)];
  const n = w.kernel.length;
  if (w.pads !== undefined && isStatic(have) && isStatic(want) && want.length === n) {
    const begin = w.pads.slice(0, n);
    const end = want.map((size, i) => size + (begin[i] ?? 0) - (have[i] ?? 0));
    if ([...begin, ...end].every((p) => p === 0)) return full;
    return g.pad(full, [0, 0, ...begin.map((p) => -p), 0, 0, ...end]);
  }
  const { begin } = padValues(g, x, w);
  const end = g.sub(g.add(spatialSizes(g, x), begin), spatialSizes(g, full));
  return g.pad(full, g.concat([0, 0], g.neg(begin), [0, 0], end, { axis: 0 }));
}

/** x with its pads as zeros around it. */
export function padSpatial(g: Ops, x: Value, w: Window): Value {
  if (w.pads?.every((p) => p === 0)) return x;
  const n = w.kernel.length;
  if (w.pads !== undefined) return g.pad(x, [0, 0, ...w.pads.slice(0, n), 0, 0, ...w.pads.slice(n)]);
  const { begin, end } = padValues(g, x, w);
  return g.pad(x, g.concat([0, 0], begin, [0, 0], end, { axis: 0 }));
}

/** True when windows tile an image of two spatial axes: none overlaps, nothing is left over or padded. Shapes are those of the image and of what is made of it. */
export function tiles(image: Shape | undefined, pooled: Shape | undefined, w: Window): boolean {
  const [sizes, places] = [spatialOf(image), spatialOf(pooled)];
  return (
    isStatic(image?.slice(1)) &&
    isStatic(places) &&
    w.kernel.length === 2 &&
    within('nodes', elementCount(w.kernel)) &&
    within('windows', elementCount(sizes.map(Number))) &&
    w.pads?.every((p) => p === 0) === true &&
    w.dilations.every((d) => d === 1) &&
    w.kernel.every((k, i) => k === w.strides[i] && Number(places[i]) * k === sizes[i])
  );
}
