// Comparisons, logic and bits: no gradient flows through any of them. Specification: Operators.md.
import type { DType } from '../../core/dtype.js';
import { formatType, tensorType } from '../../ir/types.js';
import type { NodeContext, OpDef } from '../op-def.js';
import { foldToBool } from '../rules/fold.js';
import { broadcastType, requireFloat, sameType } from './elementwise.js';

export type LogicOp =
  | 'Equal'
  | 'Greater'
  | 'GreaterOrEqual'
  | 'Less'
  | 'LessOrEqual'
  | 'And'
  | 'Or'
  | 'Xor'
  | 'Not'
  | 'IsNaN'
  | 'IsInf'
  | 'BitShift'
  | 'BitwiseAnd'
  | 'BitwiseOr'
  | 'BitwiseXor'
  | 'BitwiseNot';

type Element = number | bigint;

function comparison(versions: readonly number[], f: (a: Element, b: Element) => boolean): OpDef {
  return {
    versions,
    inputs: 'A B',
    outputs: 'C',
    infer: (c) => [tensorType('bool', broadcastType(c).shape)],
    gradient: 'zero',
    fold: foldToBool((a = 0, b = 0) => f(a, b)),
  };
}

function requireBool(c: NodeContext): void {
  for (let i = 0; i < c.inputCount; i++) {
    if (c.dtype(i) !== 'bool') {
      c.fail(`input ${i} must be bool, it is ${formatType(c.type(i))}`, { expected: 'bool', got: c.dtype(i) });
    }
  }
}

function connective(f: (a: boolean, b: boolean) => boolean): OpDef {
  return {
    versions: [7],
    inputs: 'A B',
    outputs: 'C',
    infer: (c) => {
      requireBool(c);
      return [broadcastType(c)];
    },
    gradient: 'zero',
    fold: foldToBool((a = 0, b = 0) => f(Boolean(a), Boolean(b))),
  };
}

const predicate = (versions: readonly number[], attributes: NonNullable<OpDef['attributes']>): OpDef => ({
  versions,
  inputs: 'X',
  outputs: 'Y',
  attributes,
  infer: (c) => {
    requireFloat(c, 0);
    return [tensorType('bool', c.shape(0))];
  },
  gradient: 'zero',
});

const integers: ReadonlySet<DType> = new Set<DType>(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64']);

function requireInteger(c: NodeContext): void {
  if (!integers.has(c.dtype(0))) c.fail(`input 0 must be an integer tensor, it is ${formatType(c.type(0))}`, { got: c.dtype(0) });
}

const bitwise = (versions: readonly number[], names: Pick<OpDef, 'inputs' | 'outputs' | 'attributes'>): OpDef => ({
  versions,
  ...names,
  infer: (c) => {
    requireInteger(c);
    return c.inputCount === 1 ? sameType(c) : [broadcastType(c)];
  },
  gradient: 'zero',
});

export const logic: Readonly<Record<LogicOp, OpDef>> = {
  Equal: comparison([7, 11, 13, 19], (a, b) => a === b),
  Greater: comparison([7, 9, 13], (a, b) => a > b),
  GreaterOrEqual: comparison([12, 16], (a, b) => a >= b),
  Less: comparison([7, 9, 13], (a, b) => a < b),
  LessOrEqual: comparison([12, 16], (a, b) => a <= b),

  And: connective((a, b) => a && b),
  Or: connective((a, b) => a || b),
  Xor: connective((a, b) => a !== b),
  Not: {
    versions: [1],
    inputs: 'X',
    outputs: 'Y',
    infer: (c) => {
      requireBool(c);
      return sameType(c);
    },
    gradient: 'zero',
    fold: foldToBool((x) => !x),
  },

  IsNaN: predicate([9, 13, 20], {}),
  IsInf: predicate([10, 20], { detect_negative: 'int', detect_positive: 'int' }),

  BitShift: bitwise([11], { inputs: 'X Y', outputs: 'Z', attributes: { direction: 'string' } }),
  BitwiseAnd: bitwise([18], { inputs: 'A B', outputs: 'C' }),
  BitwiseOr: bitwise([18], { inputs: 'A B', outputs: 'C' }),
  BitwiseXor: bitwise([18], { inputs: 'A B', outputs: 'C' }),
  BitwiseNot: bitwise([18], { inputs: 'X', outputs: 'Y' }),
};
