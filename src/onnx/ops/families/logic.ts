// Comparisons, logic and bits: no gradient flows through any of them. Specification: Operators.md.
import type { DType } from '../../core/dtype.js';
import { formatType, tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import { foldToBool } from '../rules/fold.js';
import { broadcastType, requireFloat, sameType } from './elementwise.js';

type LogicOp =
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

function comparison(f: (a: Element, b: Element) => boolean): OpRules {
  return {
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

function connective(f: (a: boolean, b: boolean) => boolean): OpRules {
  return {
    infer: (c) => {
      requireBool(c);
      return [broadcastType(c)];
    },
    gradient: 'zero',
    fold: foldToBool((a = 0, b = 0) => f(Boolean(a), Boolean(b))),
  };
}

const predicate: OpRules = {
  infer: (c) => {
    requireFloat(c, 0);
    return [tensorType('bool', c.shape(0))];
  },
  gradient: 'zero',
};

const integers: ReadonlySet<DType> = new Set<DType>(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64']);

function requireInteger(c: NodeContext): void {
  if (!integers.has(c.dtype(0))) c.fail(`input 0 must be an integer tensor, it is ${formatType(c.type(0))}`, { got: c.dtype(0) });
}

const bitwise: OpRules = {
  infer: (c) => {
    requireInteger(c);
    return c.inputCount === 1 ? sameType(c) : [broadcastType(c)];
  },
  gradient: 'zero',
};

export const logic: Readonly<Record<LogicOp, OpRules>> = {
  Equal: { ...comparison((a, b) => a === b), traits: ['elementwise', 'anyPrecision', 'labels'] },
  Greater: { ...comparison((a, b) => a > b), traits: ['elementwise', 'anyPrecision', 'labels'] },
  GreaterOrEqual: { ...comparison((a, b) => a >= b), traits: ['elementwise', 'anyPrecision', 'labels'] },
  Less: { ...comparison((a, b) => a < b), traits: ['elementwise', 'anyPrecision', 'labels'] },
  LessOrEqual: { ...comparison((a, b) => a <= b), traits: ['elementwise', 'anyPrecision', 'labels'] },

  And: { ...connective((a, b) => a && b), traits: ['elementwise', 'keepsAnswers'] },
  Or: { ...connective((a, b) => a || b), traits: ['elementwise', 'keepsAnswers'] },
  Xor: { ...connective((a, b) => a !== b), traits: ['elementwise', 'keepsAnswers'] },
  Not: {
    traits: ['elementwise', 'keepsAnswers'],
    infer: (c) => {
      requireBool(c);
      return sameType(c);
    },
    gradient: 'zero',
    fold: foldToBool((x) => !x),
  },

  IsNaN: predicate,
  IsInf: predicate,

  BitShift: bitwise,
  BitwiseAnd: bitwise,
  BitwiseOr: bitwise,
  BitwiseXor: bitwise,
  BitwiseNot: bitwise,
};
