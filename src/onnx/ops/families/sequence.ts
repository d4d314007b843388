// Sequences and optionals. Their gradients would be sequences themselves, which the driver does not add up: refused by name.
// Specification: onnx/docs/Operators.md.
import { dtypeFromCode } from '../../core/dtype.js';
import type { Dim } from '../../core/shape.js';
import { formatType, type Type, tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import { knownElements } from '../rules/shape-value.js';

type SequenceOp =
  | 'SequenceAt'
  | 'SequenceConstruct'
  | 'SequenceEmpty'
  | 'SequenceErase'
  | 'SequenceInsert'
  | 'SequenceLength'
  | 'SequenceMap'
  | 'ConcatFromSequence'
  | 'SplitToSequence'
  | 'Optional'
  | 'OptionalGetElement'
  | 'OptionalHasElement';

/** The element type of input i, which must be a sequence. */
function elementOf(c: NodeContext, i: number): Type | undefined {
  const { name, type } = c.value(i);
  if (type?.kind !== 'sequence') return c.fail(`input ${i} ("${name}") must be a sequence, it is ${formatType(type)}`);
  return type.element;
}

/** What holds of tensors of both types: the dtype, and the dims in which they agree. */
function either(c: NodeContext, a: Type | undefined, b: Type | undefined): Type | undefined {
  if (a?.kind !== 'tensor' || b?.kind !== 'tensor') return a ?? b;
  if (a.dtype !== b.dtype) c.fail(`dtypes differ, ${a.dtype} and ${b.dtype}`, { expected: a.dtype, got: b.dtype });
  const shape = b.shape;
  if (a.shape === undefined || shape === undefined || a.shape.length !== shape.length) return tensorType(a.dtype);
  return tensorType(
    a.dtype,
    a.shape.map((d, i) => (d === shape[i] ? d : null)),
  );
}

const sequenceOf = (element: Type | undefined): Type => ({ kind: 'sequence', element });

function inferConcat(c: NodeContext): Type[] {
  const element = elementOf(c, 0);
  if (element?.kind !== 'tensor') return c.fail(`input 0 must be a sequence of tensors, it is ${formatType(c.value(0).type)}`);
  const { dtype, shape } = element;
  if (shape === undefined) return [tensorType(dtype)];
  const isNew = c.int('new_axis') === 1;
  const axis = c.axis(c.int('axis'), shape.length + (isNew ? 1 : 0));
  return [tensorType(dtype, isNew ? shape.toSpliced(axis, 0, null) : shape.with(axis, null))];
}

function inferSplit(c: NodeContext): Type[] {
  const shape = c.shape(0);
  if (shape === undefined) return [sequenceOf(tensorType(c.dtype(0)))];
  const axis = c.axis(c.int('axis'), shape.length);
  if (!c.has(1)) {
    const dims = c.int('keepdims') === 1 ? shape.with(axis, 1) : shape.toSpliced(axis, 1);
    return [sequenceOf(c.like(0, dims))];
  }
  const sizes = knownElements(c.value(1));
  const size = c.rank(1) === 0 ? dividing(sizes?.[0], shape[axis]) : sizes?.every((d) => d === sizes[0]) ? sizes[0] : null;
  return [sequenceOf(c.like(0, shape.with(axis, size ?? null)))];
}

/** The size of every part, when parts of this size fill the axis. */
function dividing(part: Dim | undefined, whole: Dim | undefined): Dim {
  return typeof part === 'number' && typeof whole === 'number' && whole % part === 0 ? part : null;
}

export const sequence: Readonly<Record<SequenceOp, OpRules>> = {
  SequenceAt: {
    infer: (c) => [elementOf(c, 0)],
    gradient: 'unsupported',
  },
  SequenceConstruct: {
    infer: (c) => [sequenceOf(c.node.inputs.map((v) => v?.type).reduce((a, b) => either(c, a, b)))],
    gradient: 'unsupported',
  },
  SequenceEmpty: {
    infer: (c) => {
      const code = c.int('dtype', 1);
      const dtype = dtypeFromCode(code) ?? c.fail(`attribute "dtype" is ${code}, which is no dtype`, { got: String(code) });
      return [sequenceOf(tensorType(dtype))];
    },
    gradient: 'zero',
  },
  SequenceErase: {
    infer: (c) => [sequenceOf(elementOf(c, 0))],
    gradient: 'unsupported',
  },
  SequenceInsert: {
    infer: (c) => [sequenceOf(either(c, elementOf(c, 0), c.type(1)))],
    gradient: 'unsupported',
  },
  SequenceLength: {
    infer: (c) => {
      elementOf(c, 0);
      return [tensorType('int64', [])];
    },
    gradient: 'zero',
  },
  SequenceMap: {
    infer: (c) => {
      const body = c.node.attributes.get('body');
      if (body?.kind !== 'graph') return c.fail('attribute "body" must be a graph');
      return body.value.outputs.map((v) => sequenceOf(v.type));
    },
    gradient: 'unsupported',
  },
  ConcatFromSequence: {
    infer: inferConcat,
    gradient: 'unsupported',
  },
  SplitToSequence: {
    infer: inferSplit,
    gradient: 'unsupported',
  },
  Optional: {
    infer: (c) => {
      const stated = c.node.attributes.get('type');
      if (!c.has(0) && (c.inputCount > 0 || stated === undefined)) return c.fail('it has neither input nor type');
      return [{ kind: 'optional', element: c.has(0) ? c.value(0).type : stated?.kind === 'type' ? stated.value : undefined }];
    },
    gradient: 'unsupported',
  },
  OptionalGetElement: {
    // from opset 18 on, what is no optional passes
    infer: (c) => {
      const { type } = c.value(0);
      return [type?.kind === 'optional' ? type.element : type];
    },
    gradient: 'unsupported',
  },
  OptionalHasElement: {
    infer: () => [tensorType('bool', [])],
    gradient: 'zero',
  },
};
