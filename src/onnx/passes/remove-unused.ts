// Removes what no output depends on: nodes, initializers, and optional outputs at the end of a node's list (Dropout's mask, LSTM's states).
// Inputs stay: they are the graph's signature.
import { given } from '../core/given.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { aGraph } from '../ir/graph.js';
import { isStandard, usesBatchStatistics } from '../ops/definition.js';
import { findOp } from '../ops/table.js';

/** Returns whether anything went; subgraphs are swept as well. */
export function removeUnused(graph: Graph): boolean {
  given('removeUnused', { graph }, { graph: aGraph });
  return sweep(graph, new Set());
}

/** Backwards through the nodes; `used` also hears what a subgraph reads from around it. */
function sweep(graph: Graph, used: Set<Value>): boolean {
  for (const v of graph.outputs) used.add(v);
  let changed = false;
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((v) => used.has(v))) continue;
    kept.push(node);
    if (trimOutputs(node, used)) changed = true;
    for (const v of node.inputs) if (v !== null) used.add(v);
    for (const sub of node.subgraphs) if (sweep(sub, used)) changed = true;
  }
  if (kept.length < graph.nodes.length) {
    graph.nodes = kept.reverse();
    changed = true;
  }
  return sweepInitializers(graph, used) || changed;
}

/** Drops optional outputs that nobody reads, from the end. */
function trimOutputs(node: Node, used: ReadonlySet<Value>): boolean {
  // in training mode ONNX Runtime computes all outputs of BatchNormalization; before opset 14 that they are listed is what asks for it
  if (!isStandard(node) || usesBatchStatistics(node)) return false;
  const spec = findOp(node.opType)?.signature.outputs.split(' ') ?? [];
  const before = node.outputs.length;
  while (node.outputs.length > 1) {
    const last = node.outputs.at(-1);
    if (last === undefined || used.has(last) || spec[node.outputs.length - 1]?.endsWith('?') !== true) break;
    node.outputs.pop();
  }
  return node.outputs.length < before;
}

function sweepInitializers(graph: Graph, used: ReadonlySet<Value>): boolean {
  const inputs = new Set(graph.inputs);
  // quantization annotations name scales and zero points that no node reads
  const annotated = new Set(graph.quantization.flatMap((q) => [...q.parameters.values()]));
  const stays = (v: Value) => used.has(v) || inputs.has(v) || annotated.has(v.name);
  const gone = new Set([...graph.initializers, ...graph.sparseInitializers.map((s) => s.value)].filter((v) => !stays(v)));
  if (gone.size === 0) return false;
  graph.initializers = graph.initializers.filter(stays);
  graph.sparseInitializers = graph.sparseInitializers.filter((s) => stays(s.value));
  graph.restated = graph.restated.filter((r) => typeof r.value === 'string' || !gone.has(r.value));
  return true;
}
