// Which nodes a gradient runs through: those downstream of what is differentiated by and upstream of what is differentiated.
import { isFloat } from '../core/dtype.js';
import { type Node, nodeReads, type Value } from '../ir/graph.js';
import { definitionOf } from '../ops/definition.js';

/** A gradient may flow through it: floating-point, or of a type that is not known to be otherwise. */
export function carriesGradient(v: Value): boolean {
  return v.name !== '' && (v.type?.kind !== 'tensor' || isFloat(v.type.dtype));
}

export interface Reach {
  readonly nodes: readonly Node[];
  /** `from`, and every value that depends on it differentiably. */
  readonly values: ReadonlySet<Value>;
}

/** What depends on `from`. Ops whose gradient is "zero" end a path; integer and bool values do as well, unless `carries` says otherwise. */
export function downstream(nodes: readonly Node[], from: Iterable<Value>, opset: number, carries = carriesGradient): Reach {
  const values = new Set<Value>(from);
  const reached: Node[] = [];
  for (const node of nodes) {
    if (definitionOf(node, opset)?.gradient === 'zero') continue;
    let hit = false;
    for (const v of nodeReads(node)) if (values.has(v)) hit = true;
    if (!hit) continue;
    reached.push(node);
    for (const v of node.outputs) if (carries(v)) values.add(v);
  }
  return { nodes: reached, values };
}

/** Of nodes in order, those that `of` depends on; `values` are `of` and all that they read. */
export function upstream(nodes: readonly Node[], of: Iterable<Value>): Reach {
  const values = new Set<Value>(of);
  const needed: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((v) => values.has(v))) continue;
    needed.push(node);
    for (const v of nodeReads(node)) values.add(v);
  }
  return { nodes: needed.reverse(), values };
}
