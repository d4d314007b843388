// Ops that only change the shape, one after another: the last reads what the first read. Permutations that move nothing but axes of size 1
// are such ops too.
import { isStatic, type Shape } from '../core/shape.js';
import { type Graph, Node, type Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';
import { shapeIsKnown } from './remove-identity.js';
import { constantsOf } from './rewriting.js';

/** Returns whether anything changed, in subgraphs as well. Types must be inferred. */
export function joinReshapes(graph: Graph): boolean {
  return inGraph(graph, constantsOf(graph, 'shape'));
}

function inGraph(graph: Graph, shapeValue: (dims: readonly number[]) => Value): boolean {
  let changed = false;
  graph.nodes = graph.nodes.map((node) => {
    for (const sub of node.subgraphs) if (inGraph(sub, shapeValue)) changed = true;
    const x = source(node);
    const target = x === undefined ? undefined : targetShape(node);
    if (x === undefined || target === undefined) return node;
    changed = true;
    const given = node.inputs[1];
    // a 0 copies a dimension of what is read
    if (node.opType === 'Reshape' && given && constantOf(given)?.numbers().includes(0) === false) {
      node.inputs = [x, given];
      return node;
    }
    return reshape(node, x, shapeValue(target));
  });
  return changed;
}

/** The earlier value with the same elements in the same order that the node may as well read. */
function source(node: Node): Value | undefined {
  const x = node.inputs[0];
  if (!isStandard(node) || !x || node.outputs.length !== 1) return undefined;
  if (!isReshaping(node)) return undefined;
  const earlier = x.producer !== undefined && isReshaping(x.producer) ? (x.producer.inputs[0] ?? undefined) : undefined;
  return earlier ?? (node.opType === 'Transpose' ? x : undefined);
}

function isReshaping(node: Node): boolean {
  if (node.opType === 'Reshape' && isStandard(node)) return shapeIsKnown(node);
  return (
    isStandard(node) && (hasTrait(node, 'reshapes') || (node.opType === 'Transpose' && movesOnes(node, node.inputs[0]?.shape)))
  );
}

/** True for a permutation that keeps all axes in order but those of size 1 (and is not the identity). */
function movesOnes(node: Node, shape: Shape | undefined): boolean {
  if (shape === undefined) return false;
  const perm = node.ints('perm') ?? shape.map((_, i, { length }) => length - 1 - i);
  const others = perm.filter((p) => shape[p] !== 1);
  return perm.some((p, i) => p !== i) && others.every((p, i) => i === 0 || (others[i - 1] ?? 0) < p);
}

/** The shape of the result as Reshape takes it: static, or with one -1. */
function targetShape(node: Node): readonly number[] | undefined {
  const shape = node.outputs[0]?.shape;
  if (shape === undefined) return undefined;
  if (isStatic(shape)) return shape.includes(0) ? undefined : shape;
  const open = shape.filter((d) => typeof d !== 'number').length;
  return open === 1 && !shape.includes(0) ? shape.map((d) => (typeof d === 'number' ? d : -1)) : undefined;
}

function reshape(node: Node, x: Value, shape: Value): Node {
  const made = new Node('Reshape', [x, shape], node.outputs, new Map(), node.name);
  made.doc = node.doc;
  made.metadata = node.metadata;
  return made;
}
