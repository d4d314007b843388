// Types of all values again, in order: shapes that were not known when a node was added, or that a file does not state.

import { anObject, given, instance, optional } from '../core/given.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { aGraph } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { formatType, type Type, tensorType } from '../ir/types.js';
import { mergeTypes } from '../ir/verify.js';
import { definitionOf } from '../ops/definition.js';
import { inferTypes } from '../ops/infer.js';
import { takenBranch } from '../ops/rules/taken-branch.js';
import type { PassContext } from './pass.js';
import { refuseKind, Statements } from './stated-types.js';

/**
 * Adds what inference knows to the stored types, subgraphs before their node; returns whether any type says more than before. Ops that the
 * table does not know at this opset keep their types. What a file states gives way to what is inferred (stated-types.ts); where it cannot hold
 * or says less than is open, `onNote` is told. Throws ShapeError, naming the node, when inputs do not fit or a stored dtype is wrong.
 */
export function inferShapes(graph: Graph, context: PassContext = {}): boolean {
  given(
    'inferShapes',
    { graph, context },
    { graph: aGraph, context: anObject, 'context.parameters': optional(instance(Set, 'a Set of values')) },
  );
  return inferGraph(graph, context, new Statements(graph, context.onNote));
}

function inferGraph(graph: Graph, context: PassContext, statements: Statements): boolean {
  const { opset = defaultOpset } = context;
  let changed = false;
  for (const node of graph.nodes) {
    for (const sub of ranBy(node)) {
      if (declareInputs(node, sub)) changed = true;
      const stated = statements.enter(node, sub);
      if (inferGraph(sub, context, statements)) changed = true;
      // A carried value that an iteration leaves otherwise than stated is open from the first.
      while (stated && statements.widen(node, sub)) inferGraph(sub, context, statements);
    }
    if (definitionOf(node, opset) === undefined) {
      for (const v of node.outputs) statements.alone(v);
      continue;
    }
    const types = inferTypes(node, opset);
    node.outputs.forEach((v, i) => {
      const type = types[i];
      if (v.stated) statements.settle(node, v, type);
      if (v.name !== '' && type !== undefined && refine(node, v, type)) changed = true;
    });
  }
  return changed;
}

/** The subgraphs of a node but for a branch that is never taken: what stands there need not fit. */
function ranBy(node: Node): readonly Graph[] {
  const taken = takenBranch(node);
  const branch = taken === undefined ? undefined : node.attributes.get(taken);
  return branch?.kind === 'graph' ? [branch.value] : node.subgraphs;
}

function refine(node: Node, v: Value, inferred: Type): boolean {
  const before = v.type;
  let type: Type | undefined;
  try {
    type = mergeTypes(before, inferred);
  } catch (cause) {
    refuseKind(node, v, inferred, cause);
    type = inferred;
  }
  if (type === undefined || (before !== undefined && formatType(type) === formatType(before))) return false;
  v.type = type;
  return true;
}

/**
 * Gives types to the inputs of a Loop or Scan body that states none: the iteration number, the condition, and what is carried. Shapes may change
 * from one iteration to the next and are left open, but for a Scan's ranks.
 */
export function declareInputs(node: Node, body: Graph): boolean {
  let changed = false;
  const states = node.inputs.length - node.int('num_scan_inputs', 0);
  body.inputs.forEach((v, i) => {
    const from = node.inputs[i]?.type;
    const rank = node.opType === 'Scan' && from?.kind === 'tensor' ? from.shape?.slice(i < states ? 0 : 1).length : undefined;
    const open = rank === undefined ? undefined : new Array<null>(rank).fill(null);
    if (v.type?.kind === 'tensor' && v.type.shape === undefined && open !== undefined) v.type = { ...v.type, shape: open };
    else if (v.type !== undefined) return;
    else if (node.opType === 'Loop' && i < 2) v.type = tensorType(i === 0 ? 'int64' : 'bool', []);
    else if ((node.opType === 'Loop' || node.opType === 'Scan') && from?.kind === 'tensor') v.type = tensorType(from.dtype, open);
    else return;
    changed = true;
  });
  return changed;
}
