// A sum of products is one product: h W + a U + b V = [h, a, b] [W; U; V]. So a block's own weights and all its laterals become one Gemm, or
// one Conv where kernel, stride, dilation and padding agree. Results differ by the order of summation.

import { sameShape } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import { type Graph, Node, type Value } from '../../ir/graph.js';
import { isStandard } from '../../ops/definition.js';
import { Rewriting } from '../rewriting.js';
import { joined, type Product, productNode, productOf, weightAxis } from './product.js';
import { isJoin } from './scale-into-weights.js';

/** Returns whether products were joined, in subgraphs as well. Types must be inferred. */
export function stackProducts(root: Graph): boolean {
  const r = new Rewriting(root);
  let changed = false;
  for (const graph of r.graphs) {
    const own = new Set(graph.nodes);
    const done = new Set<Node>();
    const replaced: Node[][] = [];
    // from the end, so that a sum of sums is seen whole
    for (const node of graph.nodes.toReversed()) {
      const stacked = isAdd(node) && !done.has(node) ? stack(node, own, done, r) : undefined;
      if (stacked !== undefined) changed = true;
      replaced.push(stacked ?? [node]);
    }
    graph.nodes = replaced.reverse().flat();
  }
  return changed;
}

function isAdd(node: Node): boolean {
  return node.opType === 'Add' && isStandard(node);
}

/** The summands of an Add whose operands need no broadcasting, sums among them taken apart when only this one reads them. */
function summands(node: Node, own: ReadonlySet<Node>, inner: Node[], r: Rewriting): Value[] | undefined {
  const y = node.outputs[0];
  const terms: Value[] = [];
  for (const v of node.inputs) {
    if (!v || !sameShape(v.shape, y?.shape)) return undefined;
    const add =
      v.producer !== undefined && own.has(v.producer) && isAdd(v.producer) && r.uses.soleNode(v) ? v.producer : undefined;
    const below = add && summands(add, own, inner, r);
    if (add !== undefined && below !== undefined) inner.push(add);
    terms.push(...(below ?? [v]));
  }
  return terms;
}

function stack(root: Node, own: ReadonlySet<Node>, done: Set<Node>, r: Rewriting): Node[] | undefined {
  const inner: Node[] = [];
  const terms = summands(root, own, inner, r);
  const sum = root.outputs[0];
  if (terms === undefined || sum === undefined) return undefined;
  const groups = new Map<string, Product[]>();
  const others: Value[] = [];
  for (const v of terms) {
    const p = v.producer !== undefined && own.has(v.producer) && r.uses.soleNode(v) ? productOf(v.producer, r) : undefined;
    if (p === undefined) others.push(v);
    else groups.set(p.key, [...(groups.get(p.key) ?? []), p]);
  }
  if (![...groups.values()].some((group) => group.length > 1)) return undefined;
  for (const node of inner) done.add(node);
  const nodes: Node[] = [];
  const results = [...others];
  const last = groups.size + others.length === 1;
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    if (group.length === 1) {
      results.push(first.node.outputs[0] ?? sum);
      continue;
    }
    const y = last ? sum : r.value(`${first.name}/sum`);
    if (sum.type !== undefined) y.type = sum.type;
    nodes.push(...one(group, first, y, r));
    results.push(y);
  }
  results.slice(1).reduce<Value | undefined>((acc, v, i) => {
    const y = i === results.length - 2 ? sum : r.value(`${sum.name}/sum`);
    if (sum.type !== undefined) y.type = sum.type;
    nodes.push(new Node('Add', [acc ?? null, v], [y], new Map(), r.name(`${root.name}/Add`)));
    return y;
  }, results[0]);
  return nodes;
}

/** The product that a group of summands is. */
function one(group: readonly Product[], first: Product, y: Value, r: Rewriting): Node[] {
  const x = r.value(`${first.name}/inputs`);
  const parts = group.flatMap((p) => (p.x.producer !== undefined && isJoin(p.x.producer) ? p.x.producer.inputs : [p.x]));
  const concat = new Node('Concat', parts, [x], new Map([['axis', { kind: 'int', value: 1n }]]), r.name(`${first.name}/Concat`));
  const weight = joined(
    group.map((p) => p.weight),
    weightAxis(first, 'inputs'),
  );
  return [concat, productNode(r, first, { x, weight, bias: addedBias(group), y, name: `${first.name}_stacked` })];
}

function addedBias(group: readonly Product[]): Tensor | undefined {
  const biases = group.flatMap((p) => (p.bias === undefined ? [] : [p.bias]));
  const [first] = biases;
  if (first === undefined || biases.length === 1) return first;
  const data = Float32Array.from({ length: first.size }, (_, i) => biases.reduce((n, b) => n + Number(b.data[i]), 0));
  return new Tensor('float32', first.dims, data);
}
