// A tuned column in a graph that is being trained: the nodes of its base are put in at once, in inference mode, so that gradients run through them. Where nothing
// is trained they are put in as those of any imported column are (imported.ts).
import { must } from '../../onnx/core/errors.js';
import { cloneNodes } from '../../onnx/ir/clone.js';
import { Graph, type Node, type Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import { definitionOf, isStandard } from '../../onnx/ops/definition.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { inferShapes } from '../../onnx/passes/infer-shapes.js';
import { byMinibatch } from '../nn/batch-statistics.js';
import type { LayerScope } from '../nn/scope.js';
import type { ImportedGraph, ImportedParameter } from './imported-graph.js';

export interface TunedPlace {
  /** Names begin with it. */
  readonly task: string;
  readonly scope: LayerScope;
  readonly graph: ImportedGraph;
  /** What it reads, as the column prepares it. */
  readonly given: readonly Value[];
  /** The value of a weight. */
  readonly weight: (parameter: ImportedParameter) => Value;
  /** What running statistics are called, by their names in the graph, where batch normalisation takes those of its minibatch. */
  readonly batchStatistics?: ((name: string) => string) | undefined;
}

/** A tap, with every node that it is computed from. */
export function lowerTuned(place: TunedPlace, block: number): Value {
  const { graph, given, weight, scope, task } = place;
  const { g } = scope;
  const tap = graph.output(must(graph.taps[block], `tap ${block}`));
  const nodes = new Set<Node>();
  const map = new Map<Value, Value>(graph.inputs.map((v, i) => [v, must(given[i], v.name)]));
  for (const v of graph.leavesOf(tap, new Set(graph.inputs), nodes))
    map.set(v, v.constant === undefined ? weight(graph.parameterOf(v)) : g.constant(v.constant, v.name));
  const rename = (name: string) => g.names.unique(`${task}/${name}`);
  for (const node of graph.model.graph.nodes) {
    if (!nodes.has(node)) continue;
    if (place.batchStatistics !== undefined && node.opType === 'BatchNormalization' && isStandard(node))
      normalise(place, node, map);
    else put(g, cloneNodes([node], { map, rename }));
  }
  const value = must(map.get(tap), 'tap');
  // what stands behind ops that inference does not know has the shape that the description says
  const batch = given[0]?.shape?.[0] ?? null;
  if (!value.shape?.slice(1).every((d) => typeof d === 'number'))
    value.type = tensorType('float32', [batch, ...graph.tapShape(block)]);
  return value;
}

/** Adds copies of nodes, their types as they follow here, where the batch has another name. */
function put(g: Ops, nodes: readonly Node[]): void {
  for (const node of nodes) if (definitionOf(node, g.opset) !== undefined) for (const v of node.outputs) v.type = undefined;
  const graph = new Graph('tuned');
  graph.nodes = [...nodes];
  inferShapes(graph, { opset: g.opset });
  g.graph.nodes.push(...nodes);
}

/** Batch normalisation by the minibatch in place of one by running statistics, which move. */
function normalise({ scope, batchStatistics }: TunedPlace, node: Node, map: Map<Value, Value>): void {
  const given = (i: number) => must(node.inputs[i], node.name);
  const here = (i: number) => must(map.get(given(i)), node.name);
  const now = byMinibatch(scope.g, here(0), {
    scale: here(1),
    bias: here(2),
    mean: here(3),
    variance: here(4),
    epsilon: node.float('epsilon', 1e-5),
    momentum: node.float('momentum', 0.9),
  });
  scope.update(must(batchStatistics, 'names')(given(3).name), now.mean);
  scope.update(must(batchStatistics, 'names')(given(4).name), now.variance);
  map.set(must(node.outputs[0], node.name), now.y);
}
