// Types of a node's outputs by the op table, with the checks that hold for every op: those of its signature.
import { ModelError } from '../core/errors.js';
import type { Infer } from '../ir/builder.js';
import { nodeLabel } from '../ir/graph.js';
import { formatType, refusedType } from '../ir/types.js';
import { checkForm, checkOutputTypes, checkTypes } from './check-signature.js';
import { isStandard } from './definition.js';
import { NodeContext } from './op-def.js';
import { findSignature } from './signature.js';
import { findOp } from './table.js';
import { formInForce } from './versions.js';

/**
 * Inference by the table. Of an op that has a signature alone the types are not known; one that has none is refused with a ModelError that names
 * it. Throws ShapeError where the node is not what the signature in force at the opset allows.
 */
export const inferTypes: Infer = (node, opset) => {
  const def = findOp(node.opType, node.domain);
  if (def === undefined && findSignature(node.opType, node.domain) !== undefined) return node.outputs.map(() => undefined);
  if (def === undefined) {
    throw new ModelError(`${nodeLabel(node)}: no such op in the table`, { op: node.opType, node: node.name });
  }
  const c = new NodeContext(node, opset);
  const form = isStandard(node) ? formInForce(c, opset) : c.form;
  if (form === undefined || (isStandard(node) && opset < def.since)) {
    const { since } = def;
    return c.fail(`needs opset ${since}, this graph has ${opset}`, { expected: String(since), got: String(opset) });
  }
  checkForm(c, form);
  // An input of unknown type (the output of an op of another domain) says nothing.
  const silent = node.inputs.some((v) => v !== null && v.type === undefined);
  const types = silent ? node.outputs.map(() => undefined) : [...def.infer(c)];
  // after the op's own rules, whose words say more
  checkTypes(c, form);
  checkOutputTypes(c, form, types);
  types.forEach((type, i) => {
    const why = refusedType(type);
    if (why !== undefined) c.fail(`output ${i} would be ${formatType(type)}: ${why}`, { got: formatType(type) });
  });
  return types;
};
