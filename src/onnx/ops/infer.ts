// Types of a node's outputs by the op table, with the checks that hold for every op: arity and attribute names.
import { ModelError } from '../core/errors.js';
import type { Infer } from '../ir/builder.js';
import { nodeLabel } from '../ir/graph.js';
import { NodeContext, type OpDef } from './op-def.js';
import { findOp } from './table.js';

interface Arity {
  readonly min: number;
  readonly max: number;
}

const arities = new Map<string, Arity>();

/** `X W B?` to { min: 2, max: 3 }; `X*` has no upper bound and needs one, `X*?` needs none. */
function arity(spec: string): Arity {
  let known = arities.get(spec);
  if (known === undefined) {
    const parts = spec.split(' ').filter((p) => p !== '');
    const variadic = parts.some((p) => p.includes('*'));
    known = { min: parts.filter((p) => !p.endsWith('?')).length, max: variadic ? Number.POSITIVE_INFINITY : parts.length };
    arities.set(spec, known);
  }
  return known;
}

function checkArity(c: NodeContext, def: OpDef): void {
  const { min, max } = arity(def.inputs);
  const given = c.inputCount;
  if (given < min || given > max) {
    c.fail(`takes ${min === max ? min : `${min} to ${max}`} inputs (${def.inputs}), got ${given}`, {
      expected: def.inputs,
      got: String(given),
    });
  }
}

/** Attributes that the specification knows no default for. */
const required = new Map(
  Object.entries({
    BitCast: 'to',
    BitShift: 'direction',
    Cast: 'to',
    Concat: 'axis',
    ConcatFromSequence: 'axis',
    DepthToSpace: 'blocksize',
    Einsum: 'equation',
    GroupNormalization: 'num_groups',
    LRN: 'size',
    RandomNormal: 'shape',
    RandomUniform: 'shape',
    SpaceToDepth: 'blocksize',
  }),
);

function checkRequired(c: NodeContext): void {
  const { opType, domain, attributes } = c.node;
  const name = domain === '' ? required.get(opType) : undefined;
  if (name !== undefined && !attributes.has(name)) c.fail(`attribute "${name}" is missing`, { expected: name });
}

/** Inference by the table. An op that is not in it has unknown types: throws ModelError that names it. */
export const inferTypes: Infer = (node, opset) => {
  const def = findOp(node.opType, node.domain);
  if (def === undefined) {
    throw new ModelError(`${nodeLabel(node)}: no such op in the table`, { op: node.opType, node: node.name });
  }
  const c = new NodeContext(node, opset);
  const since = def.versions[0] ?? 1;
  if (opset < since) c.fail(`needs opset ${since}, this graph has ${opset}`, { expected: String(since), got: String(opset) });
  checkArity(c, def);
  checkRequired(c);
  // An input of unknown type (the output of an op of another domain) says nothing.
  if (node.inputs.some((v) => v !== null && v.type === undefined)) return node.outputs.map(() => undefined);
  return [...def.infer(c)];
};
