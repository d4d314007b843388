// Reverse-mode differentiation of a graph into standard ONNX ops. The driver does once, for every rule of the op table: prune the paths
// that matter, undo broadcasting, add up, check dtype and shape. The rules are in ops/.

import { isFloat } from '../core/dtype.js';
import { InternalError, ModelError, must, ShapeError } from '../core/errors.js';
import { formatShape, isStatic, type Shape, sameShape } from '../core/shape.js';
import { type Node, nodeReads, type Value } from '../ir/graph.js';
import { GradientContext } from '../ops/op-def.js';
import type { Ops } from '../ops/ops.js';
import { findOp } from '../ops/table.js';

export interface GradientRequest {
  /** The values to differentiate; usually one scalar loss. */
  readonly of: Value | readonly Value[];
  /** What to differentiate by: inputs, initializers or any values of the graph. */
  readonly by: readonly Value[];
  /** Gradients by `of` (the vector of the vector-Jacobian product), of the same shapes. Default: ones, for scalars only. */
  readonly seed?: Value | readonly Value[];
}

/**
 * Appends the gradient of `of` by each of `by` to the builder's graph; returns one value per `by`, of its shape and dtype. A value that
 * `of` does not depend on gets zeros. Throws ModelError that names op and node where an op on the path has no gradient.
 */
export function gradient(g: Ops, request: GradientRequest): Value[] {
  const of = Array.isArray(request.of) ? (request.of as readonly Value[]) : [request.of as Value];
  const seeds = seedsOf(g, of, request.seed);
  const path = nodesOnPath(g.graph.nodes, request.by, of);
  const sums = new Map<Value, Value[]>();
  of.forEach((v, i) => {
    push(sums, v, must(seeds[i], 'seed'));
  });
  const active = new Set<Value>(request.by);
  for (const node of path) for (const v of node.outputs) active.add(v);

  for (const node of [...path].reverse()) {
    const dys = node.outputs.map((v) => total(g, sums, v));
    if (dys.every((d) => d === null)) continue;
    g.scope(`grad/${node.name || node.opType}`, () => {
      ruleOf(g, node, dys, active).forEach((d, i) => {
        const x = node.inputs[i];
        if (d === null || x === null || x === undefined || !active.has(x)) return;
        push(sums, x, fitTo(g, node, x, d));
      });
    });
  }
  return request.by.map((v) => total(g, sums, v) ?? zerosLike(g, v));
}

function seedsOf(g: Ops, of: readonly Value[], seed: GradientRequest['seed']): readonly Value[] {
  if (seed !== undefined) {
    const list = Array.isArray(seed) ? (seed as readonly Value[]) : [seed as Value];
    if (list.length !== of.length) throw new ShapeError(`gradient: ${of.length} outputs need as many seeds, got ${list.length}`);
    return list;
  }
  return of.map((v) => {
    if (v.shape?.length !== 0 && !(isStatic(v.shape) && v.shape.every((d) => d === 1))) {
      throw new ShapeError(
        `gradient of "${v.name}": a scalar is needed, its shape is ${formatShape(v.shape)}; give a seed for a vector-Jacobian product`,
      );
    }
    return isStatic(v.shape) && v.shape.length > 0 ? g.expand(g.scalar(1, v), g.ints(v.shape)) : g.scalar(1, v);
  });
}

/** Nodes between `by` and `of`, in graph order: downstream of one and upstream of the other, through differentiable edges. */
function nodesOnPath(nodes: readonly Node[], by: readonly Value[], of: readonly Value[]): Node[] {
  const down = new Set<Value>(by);
  const reached: Node[] = [];
  for (const node of nodes) {
    if (findOp(node.opType)?.gradient === 'zero') continue;
    let hit = false;
    for (const v of nodeReads(node)) if (down.has(v)) hit = true;
    if (!hit) continue;
    reached.push(node);
    for (const v of node.outputs) if (v.type?.kind !== 'tensor' || isFloat(v.type.dtype)) down.add(v);
  }
  const up = new Set<Value>(of);
  const path: Node[] = [];
  for (const node of reached.reverse()) {
    if (!node.outputs.some((v) => up.has(v))) continue;
    path.push(node);
    for (const v of nodeReads(node)) up.add(v);
  }
  return path.reverse();
}

function ruleOf(g: Ops, node: Node, dys: readonly (Value | null)[], active: ReadonlySet<Value>): readonly (Value | null)[] {
  const def = node.domain === '' ? findOp(node.opType) : undefined;
  if (def === undefined || def.gradient === 'unsupported') {
    throw new ModelError(`${node.opType} "${node.name}": no gradient is known for this op`, { op: node.opType, node: node.name });
  }
  if (def.gradient === 'zero') return [];
  const needs = (i: number) => {
    const x = node.inputs[i];
    return x !== null && x !== undefined && active.has(x);
  };
  return def.gradient(new GradientContext(node, g.opset, g, dys, needs));
}

/** Brings a gradient to the shape of the input it belongs to. */
function fitTo(g: Ops, node: Node, x: Value, d: Value): Value {
  if (d.dtype !== x.dtype) {
    throw new InternalError(`gradient of ${node.opType} "${node.name}" by "${x.name}" is ${d.dtype}, the input is ${x.dtype}`);
  }
  if (sameShape(x.shape, d.shape)) return d;
  return unbroadcast(g, d, x);
}

/** Sums `d` over the axes along which `x` was broadcast (static where both shapes are known, else computed at run time). */
export function unbroadcast(g: Ops, d: Value, x: Value): Value {
  const { shape: from } = d;
  const { shape: to } = x;
  if (from !== undefined && to !== undefined && decidable(from, to)) {
    const lead = from.length - to.length;
    if (lead < 0) throw new InternalError(`gradient ${formatShape(from)} has a lower rank than its input ${formatShape(to)}`);
    const axes = from.map((_, i) => i).filter((i) => i < lead || (to[i - lead] === 1 && from[i] !== 1));
    if (axes.length === 0) return d;
    const keep = axes.every((i) => i >= lead);
    const sum = g.reduceSum(d, g.ints(axes), { keepdims: keep ? 1 : 0 });
    if (sameShape(sum.shape, to)) return sum;
    return isStatic(to) ? g.reshape(sum, g.ints(to)) : g.reshape(sum, g.shape(x));
  }
  // axes = where(shape of x, padded with ones on the left, is 1): summing over an axis of size 1 changes nothing.
  const target = g.shape(x);
  const rank = from?.length;
  const lead = rank === undefined || to === undefined ? undefined : rank - to.length;
  let padded = target;
  if (lead !== 0) {
    const pad = lead === undefined ? g.sub(g.size(g.shape(d)), g.size(target)) : g.scalar(lead, 'int64');
    const ones = g.expand(g.scalar(1, 'int64'), g.reshape(pad, g.ints([1])));
    padded = g.concat(ones, target, { axis: 0 });
  }
  const axes = g.squeeze(g.transpose(g.nonZero(g.equal(padded, g.scalar(1, 'int64'))), { perm: [1, 0] }), g.ints([1]));
  const sum = g.reduceSum(d, axes, { keepdims: 1, noop_with_empty_axes: 1 });
  return lead === 0 ? retype(sum, x) : retype(g.reshape(sum, target), x);
}

function decidable(from: Shape, to: Shape): boolean {
  const lead = from.length - to.length;
  return to.every((d, i) => {
    const f = from[i + lead];
    return d === 1 || (d !== null && d === f) || (typeof d === 'number' && d > 1);
  });
}

/** A run-time shape is that of x by construction; say so in the type. */
function retype(v: Value, x: Value): Value {
  if (x.type !== undefined) v.type = x.type;
  return v;
}

function push(sums: Map<Value, Value[]>, v: Value, d: Value): void {
  const list = sums.get(v);
  if (list === undefined) sums.set(v, [d]);
  else list.push(d);
}

function total(g: Ops, sums: Map<Value, Value[]>, v: Value): Value | null {
  const list = sums.get(v);
  if (list === undefined) return null;
  const sum = list.reduce((a, b) => g.add(a, b));
  sums.set(v, [sum]);
  return sum;
}

function zerosLike(g: Ops, v: Value): Value {
  if (isStatic(v.shape)) return g.expand(g.scalar(0, v), g.ints(v.shape));
  return g.expand(g.scalar(0, v), g.shape(v));
}
