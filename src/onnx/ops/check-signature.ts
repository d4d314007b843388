// Whether a node is what its op's signature allows: number of inputs and outputs, names and kinds of attributes, types of inputs. It knows no
// rule of an op. What onnx.checker and ONNX Runtime refuse when a model is loaded is refused here, in one line that names the node.
import { beyond, within } from '../core/bounds.js';
import { dtypeNames } from '../core/dtype.js';
import type { Attribute } from '../ir/graph.js';
import { formatType, type Type, tensorType } from '../ir/types.js';
import { checkValue } from './attribute-values.js';
import type { NodeContext } from './op-def.js';
import type { Form, Parameter } from './signature.js';

/** Throws ShapeError unless the numbers of inputs and outputs and all attributes are those of the signature. */
export function checkForm(c: NodeContext, form: Form): void {
  checkInputs(c, form.inputs);
  checkOutputs(c, form.outputs);
  checkAttributes(c, form);
}

/** `X W B?`, as in the signatures. */
function describe(parameters: readonly Parameter[]): string {
  return parameters.map((p) => `${p.name}${p.variadic ? '*' : ''}${p.optional ? '?' : ''}`).join(' ');
}

const most = (parameters: readonly Parameter[]) =>
  parameters.some((p) => p.variadic) ? Number.POSITIVE_INFINITY : parameters.length;

/** The parameter that a place belongs to: a variadic one, which is the last, takes all the rest. */
const parameterAt = (parameters: readonly Parameter[], i: number) => parameters[Math.min(i, parameters.length - 1)];

function checkInputs(c: NodeContext, inputs: readonly Parameter[]): void {
  const min = inputs.findLastIndex((p) => !p.optional) + 1;
  const max = most(inputs);
  const given = c.inputCount;
  if (given < min || given > max) {
    const names = describe(inputs);
    const number = min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} to ${max}`;
    c.fail(`takes ${number} inputs (${names}), got ${given}`, {
      expected: names,
      got: String(given),
    });
  }
  inputs.forEach((p, i) => {
    if (!p.optional && !p.variadic && !c.has(i)) c.fail(`input ${i} (${p.name}) is missing`, { expected: p.name });
  });
  const last = inputs.at(-1);
  if (last?.variadic !== true) return;
  for (let i = inputs.length - 1; i < given; i++)
    if (!c.has(i)) c.fail(`input ${i} (${last.name}) is missing`, { expected: last.name });
}

function checkOutputs(c: NodeContext, outputs: readonly Parameter[]): void {
  if (c.outputCount <= most(outputs)) return;
  const names = describe(outputs);
  c.fail(`gives ${outputs.length} ${outputs.length === 1 ? 'output' : 'outputs'} (${names}), the node has ${c.outputCount}`, {
    expected: names,
    got: String(c.outputCount),
  });
}

/** EPContext holds what a hardware vendor's compiler wrote. */
const anyAttribute: ReadonlySet<string> = new Set(['EPContext']);

function checkAttributes(c: NodeContext, form: Form): void {
  const { attributes, domain, opType } = c.node;
  for (const [name, a] of attributes) {
    const spec = form.attributes.get(name);
    if (spec === undefined) {
      // names that begin with two underscores are private to a tool, as for onnx.checker
      if (name.startsWith('__') || (domain === 'com.microsoft' && anyAttribute.has(opType))) continue;
      const known = [...form.attributes.keys()].join(', ') || 'none';
      c.fail(`unknown attribute "${name}", known are ${known}`, { expected: known, got: name });
      continue;
    }
    const kind = a.kind === 'ref' ? a.type : a.kind;
    if (kind !== spec.kind) c.fail(`attribute "${name}" must be ${spec.kind}, it is ${kind}`, { expected: spec.kind, got: kind });
    if (a.kind !== 'ref') checkValue(c, name, a, spec);
    if (name === 'axis' || name === 'axes' || name === 'batch_dims') checkAxes(c, name, a);
  }
  for (const [name, spec] of form.attributes) {
    if (spec.required && !attributes.has(name)) c.fail(`attribute "${name}" is missing`, { expected: name });
  }
}

/** Axes that no tensor has, whatever its rank. */
function checkAxes(c: NodeContext, name: string, a: Attribute): void {
  const axes = a.kind === 'int' ? [a.value] : a.kind === 'ints' ? a.value : [];
  if (!within('axes', axes.length)) c.fail(`attribute "${name}" names ${beyond('axes', axes.length)}`);
  const far = axes.map(Number).find((axis) => !within('axes', Math.abs(axis)));
  if (far !== undefined)
    c.fail(`attribute "${name}" is ${far}, which no tensor has: ${beyond('axes', far)}`, { got: String(far) });
}

/** The type as signatures write it, `seq(float32)`; undefined where something of it is not known. */
function written(type: Type | undefined): string | undefined {
  if (type === undefined || type.kind === 'opaque') return undefined;
  if (type.kind === 'tensor') return type.dtype;
  if (type.kind === 'sparse_tensor') return `sparse_tensor(${type.dtype})`;
  const inner = written(type.kind === 'map' ? type.value : type.element);
  if (inner === undefined) return undefined;
  if (type.kind === 'map') return `map(${type.key},${inner})`;
  return `${type.kind === 'sequence' ? 'seq' : 'optional'}(${inner})`;
}

/** Throws ShapeError where an input is of a type that the signature does not allow, or of another than an input that shares its variable. */
export function checkTypes(c: NodeContext, form: Form): void {
  boundTypes(c, form);
}

/** The same; returns what the signature alone says of the outputs: tensors of the dtype of inputs that share their variable. */
export function typesByForm(c: NodeContext, form: Form): (Type | undefined)[] {
  const bound = boundTypes(c, form);
  return Array.from({ length: c.outputCount }, (_, i) => {
    const p = parameterAt(form.outputs, i);
    if (p === undefined) return undefined;
    const first = p.variable === undefined ? undefined : bound.get(p.variable);
    const type = first === undefined ? undefined : c.value(first).type;
    if (type?.kind === 'tensor') return tensorType(type.dtype);
    const only = p.types.size === 1 ? dtypeNames.find((dtype) => p.types.has(dtype)) : undefined;
    return only && tensorType(only);
  });
}

/** Throws ShapeError where an output would be of a type that the signature does not give at the version in force. */
export function checkOutputTypes(c: NodeContext, form: Form, types: readonly (Type | undefined)[]): void {
  types.forEach((type, i) => {
    const p = parameterAt(form.outputs, i);
    const name = written(type);
    if (p === undefined || name === undefined || i >= c.outputCount || p.types.has(name)) return;
    const expected = [...p.types].join(', ');
    c.fail(`output ${i} (${p.name}) would be ${name}, expected ${p.types.size === 1 ? '' : 'one of '}${expected}`, {
      expected,
      got: name,
    });
  });
}

/** The input that decides each type variable, the first of those that share it. */
function boundTypes(c: NodeContext, form: Form): ReadonlyMap<string, number> {
  const place = (i: number) => `input ${i} (${parameterAt(form.inputs, i)?.name})`;
  const typeAt = (i: number) => (c.has(i) ? c.value(i).type : undefined);
  const bound = new Map<string, number>();
  for (let i = 0; i < c.inputCount; i++) {
    const p = parameterAt(form.inputs, i);
    const type = typeAt(i);
    const name = written(type);
    if (p === undefined || name === undefined) continue;
    if (!p.types.has(name)) {
      const expected = [...p.types].join(', ');
      c.fail(`${place(i)} must be ${p.types.size === 1 ? '' : 'one of '}${expected}, it is ${formatType(type)}`, {
        expected,
        got: name,
      });
    }
    if (p.variable === undefined) continue;
    const first = bound.get(p.variable);
    if (first === undefined) {
      bound.set(p.variable, i);
      continue;
    }
    const other = written(typeAt(first));
    if (other !== undefined && other !== name) {
      c.fail(`${place(i)} is ${name}, ${place(first)} is ${other}: they must have one type`, { expected: other, got: name });
    }
  }
  return bound;
}
