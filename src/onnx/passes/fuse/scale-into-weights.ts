// A product of what was multiplied by constants takes them into its weights: (a x) W = x (a W). So goes an adapter's alpha into V, through the
// Concat of its sources. Results differ by rounding.
import { type Graph, Node, type Value } from '../../ir/graph.js';
import { isStandard } from '../../ops/definition.js';
import { Rewriting } from '../rewriting.js';
import { type Product, productNode, productOf, scaled, weightAxis } from './product.js';

/** Returns whether a product was changed, in subgraphs as well. Types must be inferred. */
export function scaleIntoWeights(root: Graph): boolean {
  const r = new Rewriting(root);
  let changed = false;
  for (const graph of r.graphs) {
    graph.nodes = graph.nodes.flatMap((node) => {
      const product = productOf(node, r);
      const rest = product && absorb(product, r);
      if (rest !== undefined) changed = true;
      return rest ?? [node];
    });
  }
  return changed;
}

/** What a value is a multiple of. */
interface Part {
  readonly x: Value;
  readonly factor: number;
}

function partOf(v: Value, r: Rewriting): Part {
  const { producer } = v;
  if (producer === undefined || producer.opType !== 'Mul' || !isStandard(producer)) return { x: v, factor: 1 };
  for (const [x, c] of [producer.inputs, producer.inputs.toReversed()]) {
    const factor = r.weights(c);
    // a constant of more axes than x would add some
    if (x && factor?.size === 1 && factor.dims.length <= (x.shape?.length ?? 0)) {
      const inner = partOf(x, r);
      return { x: inner.x, factor: inner.factor * (factor.data[0] ?? 1) };
    }
  }
  return { x: v, factor: 1 };
}

function absorb(p: Product, r: Rewriting): Node[] | undefined {
  const { producer } = p.x;
  const concat = producer !== undefined && isJoin(producer) ? producer : undefined;
  const sources = concat === undefined ? [p.x] : concat.inputs.flatMap((v) => (v === null ? [] : [v]));
  const parts = sources.map((v) => partOf(v, r));
  if (parts.every((part, i) => part.x === sources[i])) return undefined;
  const widths = sources.map((v) => (concat === undefined ? p.inputs : v.shape?.[1]));
  const factors: number[] = [];
  for (const [i, width] of widths.entries()) {
    if (typeof width !== 'number') return undefined;
    for (let k = 0; k < width; k++) factors.push(parts[i]?.factor ?? 1);
  }
  const nodes: Node[] = [];
  let [x] = parts.map((part) => part.x);
  if (concat !== undefined) {
    x = r.value(`${p.name}/sources`);
    if (p.x.type !== undefined) x.type = p.x.type;
    nodes.push(
      new Node(
        'Concat',
        parts.map((part) => part.x),
        [x],
        new Map(concat.attributes),
        r.name(`${p.name}/Concat`),
      ),
    );
  }
  const y = p.node.outputs[0];
  if (x === undefined || y === undefined) return undefined;
  const weight = scaled(p.weight, weightAxis(p, 'inputs'), (i) => factors[i] ?? 1);
  return [...nodes, productNode(r, p, { x, weight, bias: p.bias, y, name: `${p.name}_scaled` })];
}

/** A Concat of features or channels. */
export function isJoin(node: Node): boolean {
  return node.opType === 'Concat' && isStandard(node) && node.int('axis', 0) === 1;
}
