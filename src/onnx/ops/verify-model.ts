// The verifier of onnx/ir/verify.ts bound to the op table: structure, types, and the opsets that a model must import.
import { ModelError } from '../core/errors.js';
import type { Infer } from '../ir/builder.js';
import { allNodes, type Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { verifyGraph } from '../ir/verify.js';
import { definitionOf } from './definition.js';
import { inferTypes } from './infer.js';

/** Inference by the table; ops that it does not know say nothing. */
const inferKnown: Infer = (node, opset) => (definitionOf(node, opset) === undefined ? [] : inferTypes(node, opset));

/** Throws ModelError, in one line that names node or value, unless the model is well-formed and its types agree with the op table's. */
export function verifyModel(model: Model): void {
  verifyGraph(model.graph, inferKnown, model.opset);
  verifyImports(model.graph, model.opsets);
  for (const f of model.functions) {
    // attributes of the caller stand in function bodies, so that types are not known there
    verifyGraph(f.body);
    verifyImports(f.body, f.opsets);
  }
}

function verifyImports(graph: Graph, opsets: ReadonlyMap<string, number>): void {
  const canonical = (domain: string) => (domain === 'ai.onnx' ? '' : domain);
  const imported = new Set([...opsets.keys()].map(canonical));
  for (const node of allNodes(graph)) {
    if (imported.has(canonical(node.domain))) continue;
    const domain = node.domain === '' ? 'ai.onnx' : node.domain;
    throw new ModelError(`${node.opType} "${node.name}": the model imports no opset of domain ${domain}`, {
      op: node.opType,
      node: node.name,
      expected: domain,
      got: [...imported].map((d) => d || 'ai.onnx').join(', '),
    });
  }
}
