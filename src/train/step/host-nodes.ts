// Which nodes of a step graph the CPU is to run: those that a provider accepts and cannot run in full.
import type { Graph } from '../../onnx/ir/graph.js';
import type { ProviderTraits } from '../../onnx/runtime/traits.js';

/** Names of the nodes with more outputs than the provider's kernel gives. Those of subgraphs cannot be named to ONNX Runtime. */
export function hostNodes(graph: Graph, { outputs }: ProviderTraits): string[] {
  return graph.nodes.filter((n) => n.outputs.length > (outputs[n.opType] ?? n.outputs.length)).map((n) => n.name);
}
