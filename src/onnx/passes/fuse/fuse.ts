// Fewer and larger products: constants and batch norms into weights, sums stacked, products of one input side by side. Unlike the passes of
// optimise.ts these change results by rounding (about 1e-6 of their size) and make weights of new names.
import type { Graph } from '../../ir/graph.js';
import { defaultOpset } from '../../ir/model.js';
import { optimise } from '../optimise.js';
import { foldBatchNormalization } from './fold-batch-normalization.js';
import { joinProducts } from './join-products.js';
import { scaleIntoWeights } from './scale-into-weights.js';
import { stackProducts } from './stack-products.js';

/** Changes the graph in place, subgraphs included; returns whether it changed. Inputs and outputs keep their names and order. */
export function fuse(graph: Graph, opset: number = defaultOpset): boolean {
  let changed = optimise(graph, opset);
  const passes: readonly ((g: Graph) => boolean)[] = [
    scaleIntoWeights,
    foldBatchNormalization,
    stackProducts,
    (g) => joinProducts(g, opset),
  ];
  for (const pass of passes) {
    if (!pass(graph)) continue;
    changed = true;
    optimise(graph, opset);
  }
  return changed;
}
