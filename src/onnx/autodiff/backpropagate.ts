// The core of reverse mode, for a graph or a subgraph. It does once, for every rule of the op table: prune the paths that matter, undo
// broadcasting, add up, check dtype and shape. The rules are in ops/; If, Loop and Scan are in control-flow.ts, which calls back.
import { isFloat } from '../core/dtype.js';
import { InternalError, ModelError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import { type Node, nodeLabel, opName, type Value } from '../ir/graph.js';
import { definitionOf } from '../ops/definition.js';
import { GradientContext } from '../ops/op-def.js';
import type { Ops } from '../ops/ops-builder.js';
import { controlFlowGradient } from './control-flow.js';
import { expansionGradient } from './expansion.js';
import { downstream, upstream } from './path.js';
import { Sums } from './sums.js';
import { unbroadcast } from './unbroadcast.js';

/** `result` is the gradient by input `input` of the node, from the gradients `dys` by its outputs. */
export type OnRule = (node: Node, dys: readonly (Value | null)[], input: number, result: Value) => void;

/**
 * Appends to `g` the gradients by each of `by`, through `nodes`, from the gradients `seeds` by values of these nodes. null: nothing flows.
 * Throws ModelError that names op and node where an op on the path has no gradient.
 */
export function backpropagate(
  g: Ops,
  nodes: readonly Node[],
  seeds: readonly (readonly [Value, Value])[],
  by: readonly Value[],
  onRule?: OnRule,
): (Value | null)[] {
  const path = upstream(
    downstream(nodes, by, g.opset).nodes,
    seeds.map(([v]) => v),
  ).nodes;
  refuseHidden(g, nodes, seeds, by);
  // Rules after an unknown op would ask for types that it hides, and name the wrong place.
  const unknown = path.find((node) => definitionOf(node, g.opset) === undefined);
  if (unknown?.outputs.some((v) => v.name !== '' && v.type === undefined)) refuse(unknown);
  const sums = new Sums(g);
  for (const [v, d] of seeds) sums.push(v, d);
  const active = new Set<Value>(by);
  for (const node of path) for (const v of node.outputs) active.add(v);

  for (const node of path.toReversed()) {
    const dys = node.outputs.map((v) => sums.total(v));
    if (dys.every((d) => d === null)) continue;
    g.scope(`grad/${node.name || node.opType}`, () => {
      for (const [x, d] of inputGradients(g, node, dys, active, onRule)) if (active.has(x)) sums.push(x, fitTo(g, node, x, d));
    });
  }
  return by.map((v) => sums.total(v));
}

/** An op without a gradient whose outputs are integers (BitCast, Bernoulli) would end a path unseen, as if its gradient were zero. */
function refuseHidden(g: Ops, nodes: readonly Node[], seeds: readonly (readonly [Value, Value])[], by: readonly Value[]): void {
  const hiding = nodes.filter(
    (node) =>
      definitionOf(node, g.opset)?.gradient === 'unsupported' &&
      node.outputs.every((v) => v.type?.kind === 'tensor' && !isFloat(v.type.dtype)),
  );
  if (hiding.length === 0) return;
  const reached = new Set(downstream(nodes, by, g.opset, () => true).nodes);
  const needed = new Set(
    upstream(
      nodes,
      seeds.map(([v]) => v),
    ).nodes,
  );
  const hidden = hiding.find((node) => reached.has(node) && needed.has(node));
  if (hidden !== undefined) refuse(hidden);
}

function refuse(node: Node): never {
  throw new ModelError(`${nodeLabel(node)}: no gradient is known for this op`, { op: opName(node), node: node.name });
}

/** Gradients by what a node reads: its inputs, and for control flow what its subgraphs capture. */
function inputGradients(
  g: Ops,
  node: Node,
  dys: readonly (Value | null)[],
  active: ReadonlySet<Value>,
  onRule: OnRule | undefined,
): (readonly [Value, Value])[] {
  const def = definitionOf(node, g.opset);
  if (def === undefined || def.gradient === 'unsupported') return refuse(node);
  if (def.gradient === 'zero') return [];
  if (def.gradient === 'subgraphs') return controlFlowGradient(g, node, dys, active, backpropagate);
  const needs = (i: number) => {
    const x = node.inputs[i];
    return x !== null && x !== undefined && active.has(x);
  };
  const c = new GradientContext(node, g.opset, g, dys, needs);
  if (typeof def.gradient === 'object') return expansionGradient(c, def.gradient, backpropagate);
  const ds = def.gradient(c);
  return ds.flatMap((d, i) => {
    const x = node.inputs[i];
    if (d === null || x === null || x === undefined) return [];
    onRule?.(node, dys, i, d);
    return [[x, d] as const];
  });
}

/** Brings a gradient to the shape of the input it belongs to. */
function fitTo(g: Ops, node: Node, x: Value, d: Value): Value {
  if (d.dtype !== x.dtype) {
    throw new InternalError(`gradient of ${node.opType} "${node.name}" by "${x.name}" is ${d.dtype}, the input is ${x.dtype}`);
  }
  // the very type of the input is given by rules that know its shape to be that of the gradient (onnx/ops/rules/shape-like.ts, `typed`)
  return (x.shape !== undefined && d.type === x.type) || sameShape(x.shape, d.shape) ? d : unbroadcast(g, d, x);
}
