// The verifier of onnx/ir/verify.ts bound to the op table: structure, types, and the opsets that a model must import.

import { ModelError } from '../core/errors.js';
import { given } from '../core/given.js';
import type { Infer } from '../ir/builder.js';
import { allNodes, type Graph } from '../ir/graph.js';
import { aModel, type Model } from '../ir/model.js';
import { formatType } from '../ir/types.js';
import { verifyGraph } from '../ir/verify.js';
import { checkForm, checkTypes } from './check-signature.js';
import { definitionOf, isStandard } from './definition.js';
import { inferTypes } from './infer.js';
import { NodeContext } from './op-def.js';
import { findSignature, formAt } from './signature.js';

/** What ONNX Runtime takes before ONNX has it. */
const earlier: ReadonlySet<string> = new Set(['LayerNormalization']);

/** Inference by the table. Ops without rules are checked by their signatures, ops and domains without a signature say nothing. */
function inferKnown(opsets: ReadonlyMap<string, number>): Infer {
  return (node, opset) => {
    if (definitionOf(node, opset) !== undefined) return inferTypes(node, opset);
    const version = isStandard(node) ? opset : opsets.get(node.domain);
    const signature = findSignature(node.opType, node.domain);
    if (signature === undefined || version === undefined) return [];
    const c = new NodeContext(node, opset);
    const { deprecated } = signature;
    if (deprecated !== undefined && version >= deprecated) {
      const domain = isStandard(node) ? 'ai.onnx' : node.domain;
      return c.fail(`${domain} has no such op from opset ${deprecated} on, the model has ${version}`, { got: String(version) });
    }
    const form = formAt(signature, version);
    if (form === undefined) {
      const [first = 1] = signature.versions;
      // signatures begin with the form of opset 7, whatever was there before
      if (isStandard(node) && first > 7 && !earlier.has(node.opType))
        c.fail(`ai.onnx has this op from opset ${first} on, the model has ${version}`, {
          expected: String(first),
          got: String(version),
        });
      return [];
    }
    checkForm(c, form);
    checkTypes(c, form);
    return [];
  };
}

/** Throws ModelError, in one line that names node or value, unless the model is well-formed and its types agree with the op table's. */
export function verifyModel(model: Model): void {
  given('verifyModel', { model }, { model: aModel });
  verifyGraph(model.graph, inferKnown(model.opsets), model.opset);
  verifyImports(model.graph, model.opsets);
  verifyRanks(model.graph);
  for (const f of model.functions) {
    // attributes of the caller stand in function bodies, so that types are not known there
    verifyGraph(f.body);
    verifyImports(f.body, f.opsets);
  }
}

/** ONNX Runtime loads no Scan whose body leaves the rank of an output open. */
function verifyRanks(graph: Graph): void {
  for (const node of allNodes(graph)) {
    if (node.opType !== 'Scan') continue;
    for (const [i, v] of node.subgraphs.flatMap((body) => body.outputs).entries()) {
      if (v.type?.kind !== 'tensor' || v.type.shape !== undefined) continue;
      throw new ModelError(
        `Scan "${node.name}": the rank of output ${i} of its body ("${v.name}") is not known, ONNX Runtime needs it`,
        {
          op: node.opType,
          node: node.name,
          expected: 'a known rank',
          got: formatType(v.type),
        },
      );
    }
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
