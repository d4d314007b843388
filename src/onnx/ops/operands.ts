// Operands of the builder's methods as inputs of a node: values as they are, numbers and lists of integers as constants. The signature says
// which inputs share a dtype; where it leaves the dtype open, the operand is refused.

import type { DType } from '../core/dtype.js';
import { ModelError } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { Value } from '../ir/graph.js';
import { findSignature, formAt, newestForm, type Parameter } from './signature.js';
import type { OptionalOperand } from './typed-builder.js';

/** The integer dtypes that ONNX's indices, axes and sizes have. */
const integers: ReadonlySet<string> = new Set(['int32', 'int64']);
const numeric: ReadonlySet<string> = new Set([
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
]);

/** What an operand is, in a message. */
function described(operand: unknown): string {
  if (operand instanceof Tensor) return 'a Tensor, which is an operand by g.constant(tensor)';
  if (Array.isArray(operand)) return `a list of ${typeof operand.find((v) => !Number.isInteger(v))}`;
  if (typeof operand === 'object') return 'an object; attributes come once, after the inputs';
  return `a ${typeof operand}`;
}

/** The inputs of a node, in order; null for those left out. `constant` adds a constant. Throws ModelError for what cannot be an input. */
export function toInputs(
  opType: string,
  opset: number,
  operands: readonly unknown[],
  constant: (tensor: Tensor) => Value,
): (Value | null)[] {
  const reading = new Operands(opType, opset, operands);
  return operands.map((operand, i) => {
    if (operand === null || operand === undefined) return null;
    return operand instanceof Value ? operand : constant(reading.constantOf(operand, i));
  });
}

/**
 * Numbers and lists that are attributes at the builder's opset, and inputs in newer ones: the axes of ReduceMax before opset 18. `rest` are the
 * operands without them.
 */
export function olderAttributes(
  opType: string,
  opset: number,
  operands: readonly OptionalOperand[],
): { readonly rest: readonly OptionalOperand[]; readonly attributes: Readonly<Record<string, number | readonly number[]>> } {
  const signature = findSignature(opType);
  const form = signature && formAt(signature, opset);
  const newest = signature && newestForm(signature);
  if (form === undefined || newest === undefined || form === newest) return { rest: operands, attributes: {} };
  const attributes: Record<string, number | readonly number[]> = {};
  const rest = operands.map((operand, i) => {
    const name = newest.inputs[i]?.name ?? '';
    const moved = !form.inputs.some((p) => p.name === name) && form.attributes.has(name);
    if (!moved || operand === null || operand === undefined || operand instanceof Value) return operand;
    attributes[name] = operand;
    return null;
  });
  return { rest, attributes };
}

class Operands {
  private readonly parameters: readonly Parameter[];

  constructor(
    private readonly opType: string,
    opset: number,
    private readonly given: readonly unknown[],
  ) {
    const signature = findSignature(opType);
    this.parameters = (signature && formAt(signature, opset)?.inputs) ?? [];
  }

  /** The constant that an operand which is no value stands for. */
  constantOf(operand: unknown, i: number): Tensor {
    if (typeof operand === 'number') return Tensor.from(this.dtypeOf(operand, i), operand);
    if (isIntegers(operand)) return this.vector(operand, i);
    throw this.refused(i, `is ${described(operand)}`, 'a value of the graph, a number or a list of integers');
  }

  private parameter(i: number): Parameter | undefined {
    return this.parameters[i] ?? (this.parameters.at(-1)?.variadic === true ? this.parameters.at(-1) : undefined);
  }

  private label(i: number): string {
    const p = this.parameter(i);
    return p === undefined ? `${i}` : p.variadic ? `${i} ("${p.name}")` : `"${p.name}"`;
  }

  private refused(i: number, found: string, expected: string): ModelError {
    return new ModelError(`${this.opType}: input ${this.label(i)} ${found}; expected ${expected}`, { op: this.opType, expected });
  }

  /** A tensor among the other operands; with a type variable, one whose input shares it. */
  private beside(i: number, variable?: string): { readonly label: string; readonly dtype: DType } | undefined {
    for (const [k, v] of this.given.entries()) {
      if (k === i || !(v instanceof Value) || v.type?.kind !== 'tensor') continue;
      if (variable === undefined || this.parameter(k)?.variable === variable)
        return { label: this.label(k), dtype: v.type.dtype };
    }
    return undefined;
  }

  /** The dtype that a number at input i has. */
  private dtypeOf(value: number, i: number): DType {
    const p = this.parameter(i);
    const shared = p?.variable === undefined ? undefined : this.beside(i, p.variable);
    const found = shared ?? this.ownDType(i);
    if (found === undefined || !numeric.has(found.dtype)) {
      throw this.refused(
        i,
        `is the number ${value}${found === undefined ? ', whose dtype nothing beside it says' : `, but ${found.label} is ${found.dtype}`}`,
        `a value, such as g.scalar(${value}, 'float32')`,
      );
    }
    if (found.dtype.includes('int') && !Number.isSafeInteger(value)) {
      throw this.refused(i, `is the number ${value}, but ${found.label} is ${found.dtype}`, 'an integer');
    }
    return found.dtype;
  }

  /** Where no operand shares the input's type: the only dtype that it may have, int64 for indices and sizes, else that of the first tensor. */
  private ownDType(i: number): { readonly label: string; readonly dtype: DType } | undefined {
    const p = this.parameter(i);
    if (p === undefined) return undefined;
    const [only] = p.types;
    if (p.types.size === 1 && isNumeric(only)) return { label: 'the input', dtype: only };
    if (isIndex(p)) return { label: 'the input', dtype: 'int64' };
    const first = p.variable === undefined ? undefined : this.beside(i);
    return first !== undefined && p.types.has(first.dtype) && first.dtype !== 'bool' ? first : undefined;
  }

  private vector(list: readonly number[], i: number): Tensor {
    const p = this.parameter(i);
    const shared = p?.variable === undefined ? undefined : this.beside(i, p.variable);
    const fits = shared === undefined ? p !== undefined && isIndex(p) : shared.dtype === 'int64';
    if (!fits) {
      const why = shared === undefined ? 'this input may have another dtype' : `${shared.label} is ${shared.dtype}`;
      throw this.refused(
        i,
        `is a list, which is an int64 vector, but ${why}`,
        'a value, such as g.constant(Tensor.from(dtype, list))',
      );
    }
    return Tensor.from('int64', list);
  }
}

/** Whether an input holds integers only, int64 among them: axes, shapes, starts, indices. */
function isIndex(p: Parameter): boolean {
  return p.types.has('int64') && [...p.types].every((t) => integers.has(t));
}

function isNumeric(type: string | undefined): type is DType {
  return type !== undefined && numeric.has(type);
}

function isIntegers(operand: unknown): operand is readonly number[] {
  return Array.isArray(operand) && operand.every((v) => Number.isSafeInteger(v));
}

/** Whether the last argument of a method is its attributes. */
export function isAttributes(argument: unknown): argument is object {
  return (
    typeof argument === 'object' &&
    argument !== null &&
    !(argument instanceof Value) &&
    !(argument instanceof Tensor) &&
    !Array.isArray(argument)
  );
}
