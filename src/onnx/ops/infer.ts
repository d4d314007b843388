// Types of a node's outputs by the op table, with the checks that hold for every op: arity and attribute names.
import { ModelError } from '../core/errors.js';
import type { Infer } from '../ir/builder.js';
import { nodeLabel } from '../ir/graph.js';
import { isStandard } from './definition.js';
import { NodeContext } from './op-def.js';
import type { Form, Parameter } from './signature.js';
import { findOp } from './table.js';

function checkArity(c: NodeContext, form: Form): void {
  const { inputs } = form;
  const min = inputs.filter((p) => !p.optional).length;
  const max = inputs.some((p) => p.variadic) ? Number.POSITIVE_INFINITY : inputs.length;
  const given = c.inputCount;
  if (given < min || given > max) {
    const names = describe(inputs);
    c.fail(`takes ${min === max ? min : `${min} to ${max}`} inputs (${names}), got ${given}`, {
      expected: names,
      got: String(given),
    });
  }
}

/** `X W B?`, as in the signatures. */
function describe(parameters: readonly Parameter[]): string {
  return parameters.map((p) => `${p.name}${p.variadic ? '*' : ''}${p.optional ? '?' : ''}`).join(' ');
}

function checkRequired(c: NodeContext, form: Form): void {
  for (const [name, spec] of form.attributes) {
    if (spec.required && !c.node.attributes.has(name)) c.fail(`attribute "${name}" is missing`, { expected: name });
  }
}

/** Inference by the table. An op that is not in it has unknown types: throws ModelError that names it. */
export const inferTypes: Infer = (node, opset) => {
  const def = findOp(node.opType, node.domain);
  if (def === undefined) {
    throw new ModelError(`${nodeLabel(node)}: no such op in the table`, { op: node.opType, node: node.name });
  }
  const c = new NodeContext(node, opset);
  const { form } = c;
  if (form === undefined || (isStandard(node) && opset < def.since)) {
    const { since } = def;
    return c.fail(`needs opset ${since}, this graph has ${opset}`, { expected: String(since), got: String(opset) });
  }
  checkArity(c, form);
  checkRequired(c, form);
  // An input of unknown type (the output of an op of another domain) says nothing.
  if (node.inputs.some((v) => v !== null && v.type === undefined)) return node.outputs.map(() => undefined);
  return [...def.infer(c)];
};
