// Products of the same input side by side are one wide product, split afterwards: x [W U] = [x W, x U]. So the first blocks of all columns,
// which read the same input, are computed at once. What follows all of them alike, element by element, stays joined. Not so convolutions: ONNX
// Runtime holds images in blocks of channels, which Split cannot cut (docs/inference.md has the times).

import { int64 } from '../../core/tensor.js';
import { type Graph, Node, type Value } from '../../ir/graph.js';
import { defaultOpset } from '../../ir/model.js';
import { hasTrait } from '../../ops/definition.js';
import type { PassContext } from '../pass.js';
import { Rewriting } from '../rewriting.js';
import { joined, joinedBias, type Product, productNode, productOf, weightAxis } from './product.js';

/** Split takes its sizes as an input from this opset on. */
const splitSizes = 13;

/** Returns whether products were joined, in subgraphs as well. Types must be inferred. */
export function joinProducts(root: Graph, { opset = defaultOpset }: PassContext = {}): boolean {
  if (opset < splitSizes) return false;
  const r = new Rewriting(root);
  let changed = false;
  for (const graph of r.graphs) {
    const own = new Set(graph.nodes);
    const groups = new Map<Value, Product[]>();
    for (const node of graph.nodes) {
      const p = productOf(node, r);
      if (p !== undefined && !p.conv) groups.set(p.x, [...(groups.get(p.x) ?? []), p]);
    }
    const gone = new Set<Node>();
    const placed = new Map<Node, Node[]>();
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined || group.length < 2) continue;
      placed.set(first.node, join(group, first, own, gone, r));
      changed = true;
    }
    graph.nodes = graph.nodes.flatMap((node) => placed.get(node) ?? (gone.has(node) ? [] : [node]));
  }
  return changed;
}

function join(group: readonly Product[], first: Product, own: ReadonlySet<Node>, gone: Set<Node>, r: Rewriting): Node[] {
  let outputs = group.flatMap((p) => p.node.outputs);
  for (const p of group) gone.add(p.node);
  const name = `${first.name}_joined`;
  let wide = r.value(`${name}/out`);
  const weight = joined(
    group.map((p) => p.weight),
    weightAxis(first, 'outputs'),
  );
  const nodes = [productNode(r, first, { x: first.x, weight, bias: joinedBias(group), y: wide, name })];
  for (let next = sameNext(outputs, own, r); next !== undefined; next = sameNext(outputs, own, r)) {
    const [like] = next;
    if (like === undefined) break;
    for (const node of next) gone.add(node);
    outputs = next.flatMap((node) => node.outputs);
    const y = r.value(`${name}/${like.opType}`);
    nodes.push(new Node(like.opType, [wide], [y], new Map(like.attributes), r.name(`${name}/${like.opType}`)));
    wide = y;
  }
  const split = r.initializer(`${name}/sizes`, int64(group.map((p) => p.outputs)));
  nodes.push(new Node('Split', [wide, split], outputs, new Map([['axis', { kind: 'int', value: 1n }]]), r.name(`${name}/Split`)));
  return nodes;
}

/** The nodes that read these values, when they are all the same elementwise op and nothing else reads any of them. */
function sameNext(values: readonly Value[], own: ReadonlySet<Node>, r: Rewriting): Node[] | undefined {
  const nodes: Node[] = [];
  for (const v of values) {
    const node = r.uses.soleNode(v);
    if (node === undefined || !own.has(node) || !alikeForAll(node)) return undefined;
    nodes.push(node);
  }
  const kinds = new Set(nodes.map((node) => `${node.opType} ${[...node.attributes].map(([k]) => `${k}=${node.float(k, 0)}`)}`));
  return kinds.size === 1 ? nodes : undefined;
}

/** An elementwise op of one input whose attributes are all floats, so that they are compared with ease. */
function alikeForAll(node: Node): boolean {
  return (
    hasTrait(node, 'elementwise') &&
    node.inputs.length === 1 &&
    [...node.attributes.values()].every(({ kind }) => kind === 'float')
  );
}
