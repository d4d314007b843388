// How much memory the values of a graph take while its nodes run in a given order: a value lives from the node that makes it to the last that
// reads it, outputs to the end. Weights and inputs are not counted, they are there before and after.
import { byteLength } from '../core/dtype.js';
import { elementCount, isStatic } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { atSizes } from './at-sizes.js';

/** One node at its turn. `alias`: what it writes is what it reads first, in another shape. */
export interface Step {
  readonly reads: readonly Value[];
  readonly writes: readonly Value[];
  readonly alias: boolean;
}

/** Whether the result shares the memory of the first input in ONNX Runtime. */
export function isAlias(node: Node): boolean {
  return hasTrait(node, 'reshapes') || (isStandard(node) && node.opType === 'Identity');
}

/** Bytes of every value of a graph whose symbolic dimensions have the sizes given; undefined where a size is still not known. */
export function sizesOf(graph: Graph, dims: Readonly<Record<string, number>>, opset: number): (v: Value) => number | undefined {
  const { map } = atSizes(graph, dims, opset);
  return (v) => {
    const type = (map.get(v) ?? v).type;
    return type?.kind === 'tensor' && isStatic(type.shape) ? byteLength(type.dtype, elementCount(type.shape)) : undefined;
  };
}

/** The largest sum of the bytes of what lives at one time. */
export function peakBytes(steps: readonly Step[], outputs: readonly Value[], bytes: (v: Value) => number): number {
  const roots = new Map<Value, Value>();
  const rootOf = (v: Value) => roots.get(v) ?? v;
  const made = new Set<Value>();
  const last = new Map<Value, number>();
  for (const [i, { reads, writes, alias }] of steps.entries()) {
    const [first] = reads;
    for (const v of writes) {
      if (alias && first !== undefined) roots.set(v, rootOf(first));
      else made.add(v);
    }
    for (const v of [...reads, ...writes]) last.set(rootOf(v), i);
  }
  for (const v of outputs) last.set(rootOf(v), steps.length);
  const ends = new Map<number, Value[]>();
  for (const [v, i] of last) if (made.has(v)) ends.set(i, [...(ends.get(i) ?? []), v]);
  let [now, peak] = [0, 0];
  for (const [i, { writes }] of steps.entries()) {
    for (const v of writes) if (made.has(v)) now += bytes(v);
    peak = Math.max(peak, now);
    for (const v of ends.get(i) ?? []) now -= bytes(v);
  }
  return peak;
}
