// BatchNormalization in inference after a product is a product of other weights:
//     ((x W + b) - mean) s + B = x (W s) + ((b - mean) s + B),  s = scale / sqrt(var + epsilon)
// Results differ by rounding.
import { Tensor } from '../core/tensor.js';
import type { Graph, Node } from '../ir/graph.js';
import { isStandard } from '../ops/definition.js';
import { productNode, productOf, scaled, weightAxis } from './product.js';
import { Rewriting } from './rewriting.js';

/** Returns whether a normalisation went, in subgraphs as well. Types must be inferred. */
export function batchNormIntoWeights(root: Graph): boolean {
  const r = new Rewriting(root);
  let changed = false;
  for (const graph of r.graphs) {
    const own = new Set(graph.nodes);
    graph.nodes = graph.nodes.map((node) => {
      const product = folded(node, own, r);
      if (product !== undefined) changed = true;
      return product ?? node;
    });
  }
  return changed;
}

function folded(node: Node, own: ReadonlySet<Node>, r: Rewriting): Node | undefined {
  if (node.opType !== 'BatchNormalization' || !isStandard(node) || node.int('training_mode', 0) !== 0) return undefined;
  const [x, ...statistics] = node.inputs;
  const [y, ...more] = node.outputs;
  if (!x || y === undefined || more.some((v) => v.name !== '') || r.onlyReader(x) !== node) return undefined;
  const p = x.producer !== undefined && own.has(x.producer) ? productOf(x.producer, r) : undefined;
  const [scale, shift, mean, variance] = statistics.map((v) => r.weights(v)?.data);
  if (p === undefined || !scale || !shift || !mean || !variance) return undefined;
  const epsilon = node.float('epsilon', 1e-5);
  const s = (i: number) => (scale[i] ?? 1) / Math.sqrt((variance[i] ?? 1) + epsilon);
  const old = p.bias?.data ?? [];
  const bias = Float32Array.from(
    { length: p.outputs },
    (_, i) => (Number(old[i] ?? 0) - (mean[i] ?? 0)) * s(i) + (shift[i] ?? 0),
  );
  return productNode(r, p, {
    x: p.x,
    weight: scaled(p.weight, weightAxis(p, 'outputs'), s),
    bias: new Tensor('float32', [p.outputs], bias),
    y,
    name: `${p.name}_normalised`,
  });
}
