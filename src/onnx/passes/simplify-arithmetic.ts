// Elementwise arithmetic that is no work: factors of 1, signs that cancel or turn an addition into a subtraction, an Expand before a scalar.
// Only what keeps every bit: x + 0 stays, since it makes 0 of -0.
import { type DType, isFloat } from '../core/dtype.js';
import { broadcastShapes, sameShape } from '../core/shape.js';
import { allNodes, type Graph, Node, type Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';
import { integers } from '../ops/rules/shape-value.js';
import type { PassContext } from './pass.js';
import { Rewriting } from './rewriting.js';

/**
 * Returns whether anything changed, in subgraphs as well. What stands for its operand becomes Identity. Types must be inferred. Parameters (those
 * given, else all float initializers) are not constants, whatever they hold: a weight that happens to be 1 stays in the graph.
 */
export function simplifyArithmetic(graph: Graph, { parameters }: PassContext = {}): boolean {
  const isParameter: IsParameter = (v) =>
    parameters?.has(v) ?? (v.producer === undefined && v.constant !== undefined && isFloat(v.constant.dtype));
  if (![...allNodes(graph)].some((node) => mayBeSimpler(node, isParameter))) return false;
  const r = new Rewriting(graph);
  let changed = false;
  for (const g of r.graphs) {
    g.nodes = g.nodes.flatMap((node) => {
      const simpler = isStandard(node) ? simplify(node, r, isParameter) : undefined;
      if (simpler === undefined) return [node];
      changed = true;
      return simpler;
    });
  }
  return changed;
}

type IsParameter = (v: Value) => boolean;

/** Dtypes whose elements stand in a tensor as numbers. */
const readable: ReadonlySet<DType> = new Set<DType>(['float32', 'float64', 'int32', 'int64']);

/** A quick look that spares graphs without any of this the search for readers. */
function mayBeSimpler(node: Node, isParameter: IsParameter): boolean {
  if (!isStandard(node)) return false;
  const reads = (op: string) => node.inputs.some((v) => v?.producer?.opType === op);
  if (!hasTrait(node, 'arithmetic') && node.opType !== 'Pow') return false;
  return reads('Neg') || reads('Expand') || neutral(node, isParameter) !== undefined;
}

/** What takes the place of a node; undefined: it stays. */
function simplify(node: Node, r: Rewriting, isParameter: IsParameter): Node[] | undefined {
  const [y] = node.outputs;
  if (y === undefined || node.outputs.length !== 1) return undefined;
  const kept = neutral(node, isParameter);
  if (kept !== undefined) return [new Node('Identity', [kept], [y], new Map(), node.name)];
  return signs(node, y) ?? sink(node, y, r);
}

/** The operand that the result equals. */
function neutral(node: Node, isParameter: IsParameter): Value | undefined {
  const isAll = (v: Value | null | undefined, value: number) => !!v && !isParameter(v) && allEqual(v, value);
  const [a, b] = node.inputs;
  const same = (v: Value | null | undefined) => (v && sameShape(v.shape, node.outputs[0]?.shape) ? v : undefined);
  switch (node.opType) {
    case 'Mul':
      return isAll(b, 1) ? same(a) : isAll(a, 1) ? same(b) : undefined;
    case 'Div':
    case 'Pow':
      return isAll(b, 1) ? same(a) : undefined;
    case 'Sub':
      return isAll(b, 0) ? same(a) : undefined;
    default:
      return undefined;
  }
}

function allEqual(v: Value, value: number): boolean {
  const t = constantOf(v);
  if (t === undefined || !readable.has(t.dtype) || t.size === 0 || t.size > 64) return false;
  return integers(t).every((x) => Object.is(x, value));
}

const negated = (v: Value | null | undefined): Value | undefined =>
  v?.producer?.opType === 'Neg' && isStandard(v.producer) ? (v.producer.inputs[0] ?? undefined) : undefined;

/** a + (-b) = a - b, a - (-b) = a + b, -(-a) = a. A sum of negatives stays: of nothing but zeros its sign would differ. */
function signs(node: Node, y: Value): Node[] | undefined {
  const [a, b] = node.inputs;
  const made = (op: string, x: Value, z: Value) => [new Node(op, [x, z], [y], new Map(), node.name)];
  const [na, nb] = [negated(a), negated(b)];
  if (node.opType === 'Neg' && na) return [new Node('Identity', [na], [y], new Map(), node.name)];
  if (node.opType === 'Add' && a && nb) return made('Sub', a, nb);
  if (node.opType === 'Add' && b && na) return made('Sub', b, na);
  if (node.opType === 'Sub' && a && nb) return made('Add', a, nb);
  return undefined;
}

/** f(expand(x), c) with c a scalar is expand(f(x, c)), whose reader may do without the Expand. */
function sink(node: Node, y: Value, r: Rewriting): Node[] | undefined {
  if (!hasTrait(node, 'arithmetic')) return undefined;
  const at = node.inputs.findIndex((v) => v?.producer?.opType === 'Expand' && isStandard(v.producer));
  const large = node.inputs[at];
  const [x, shape] = large?.producer?.inputs ?? [];
  const others = node.inputs.filter((_, i) => i !== at);
  if (!large || !x?.shape || !shape || x.type?.kind !== 'tensor' || !sameShape(large.shape, y.shape)) return undefined;
  const small = x.shape;
  if (others.some((v) => !v?.shape || !sameShape(broadcastShapes(small, v.shape), small))) return undefined;
  const inner = r.value(`${y.name}/small`);
  inner.type = tensorType(x.type.dtype, small);
  return [
    new Node(node.opType, node.inputs.with(at, x), [inner], node.attributes, node.name),
    new Node('Expand', [inner, shape], [y], new Map(), r.name(`${node.name}/Expand`)),
  ];
}
