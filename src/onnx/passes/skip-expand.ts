// An Expand whose readers broadcast anyway: they read what it expands. Gradients of reductions end in one, and the next rule multiplies.
import { broadcastShapes, type Shape, sameShape } from '../core/shape.js';
import { allNodes, type Graph, type Node, type Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';

/** Returns whether anything changed; an Expand that nobody reads any more is for remove-unused. Types must be inferred. */
export function skipExpand(graph: Graph): boolean {
  let changed = false;
  for (const node of allNodes(graph)) {
    if (!hasTrait(node, 'elementwise')) continue;
    node.inputs.forEach((v, i) => {
      const x = expanded(v);
      if (x === undefined || !broadcastsAlike(node, i, x)) return;
      node.inputs[i] = x;
      changed = true;
    });
  }
  return changed;
}

function expanded(v: Value | null): Value | undefined {
  const node = v?.producer;
  return node?.opType === 'Expand' && isStandard(node) ? (node.inputs[0] ?? undefined) : undefined;
}

/** Whether the result has its shape for certain when operand i is `x` instead. */
function broadcastsAlike(node: Node, i: number, x: Value): boolean {
  const shapes = node.inputs.map((v, k) => (k === i ? x.shape : v?.shape));
  if (shapes.some((s) => s === undefined)) return false;
  const out = (shapes as Shape[]).reduce<Shape>((a, b) => broadcastShapes(a, b), []);
  return sameShape(out, node.outputs[0]?.shape);
}
