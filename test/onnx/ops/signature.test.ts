// The generated signatures as they are read: the version in force, what changed between versions, arity and types.
import { expect, test } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { type Form, findSignature, formAt } from '../../../src/onnx/ops/signature.js';
import { signatures } from '../../../src/onnx/ops/signatures.js';
import { findOp } from '../../../src/onnx/ops/table.js';

function form(op: string, opset: number, domain = ''): Form {
  return must(formAt(must(findSignature(op, domain), op), opset), `${op} at ${opset}`);
}

const names = (f: Form) => f.inputs.map((p) => `${p.name}${p.variadic ? '*' : ''}${p.optional ? '?' : ''}`).join(' ');

test('an attribute that became an input belongs to the older version alone', () => {
  expect(names(form('ReduceSum', 12))).toBe('data');
  expect(form('ReduceSum', 12).attributes.get('axes')).toEqual({ kind: 'ints' });
  expect(names(form('ReduceSum', 13))).toBe('data axes?');
  expect([...form('ReduceSum', 13).attributes.keys()]).toEqual(['keepdims', 'noop_with_empty_axes']);
});

test('defaults are those of the version in force', () => {
  expect(form('Softmax', 12).attributes.get('axis')).toEqual({ kind: 'int', default: 1 });
  expect(form('Softmax', 13).attributes.get('axis')).toEqual({ kind: 'int', default: -1 });
  expect(form('Cast', 13).attributes.get('to')).toEqual({ kind: 'int', required: true });
  expect(form('LeakyRelu', 16).attributes.get('alpha')).toEqual({ kind: 'float', default: 0.01 });
});

test('types belong to variables that parameters share', () => {
  const { inputs, outputs } = form('Gather', 13);
  expect(inputs.map((p) => p.variable)).toEqual(['T', 'Tind']);
  expect([...must(inputs[1], 'indices').types]).toEqual(['int32', 'int64']);
  expect(outputs[0]?.variable).toBe('T');
  expect(form('Relu', 13).inputs[0]?.types.has('int32')).toBe(false);
  expect(form('Relu', 14).inputs[0]?.types.has('int32')).toBe(true);
});

test('variadic parameters tell whether none is allowed and whether their types are one', () => {
  expect(names(form('Concat', 13))).toBe('inputs*');
  expect(form('Concat', 13).inputs[0]?.variable).toBe('T');
  expect(names(form('Loop', 10))).toBe('M? cond? v_initial*');
  expect(names(form('Loop', 11))).toBe('M? cond? v_initial*?');
  expect(form('Loop', 11).inputs[2]?.variable).toBeUndefined();
});

test('an op is not there before its first version nor from its deprecation on', () => {
  const upsample = must(findSignature('Upsample'), 'Upsample');
  expect(formAt(upsample, 9)).toBeDefined();
  expect(formAt(upsample, 10)).toBeUndefined();
  expect(formAt(must(findSignature('Gelu'), 'Gelu'), 19)).toBeUndefined();
});

test('ops are found by domain, and words that every object knows are no ops', () => {
  expect(findSignature('Relu', 'ai.onnx')).toBe(findSignature('Relu'));
  expect(names(form('ZipMap', 1, 'ai.onnx.ml'))).toBe('X');
  expect(form('FusedMatMul', 1, 'com.microsoft').attributes.get('alpha')).toEqual({ kind: 'float', default: 1 });
  for (const name of ['constructor', '__proto__', 'toString']) expect(findSignature(name), name).toBeUndefined();
});

/** Ops of ai.onnx up to opset 26 without rules, and why. test/generated.test.ts holds the signatures to onnx.defs. */
const withoutRules: Readonly<Record<string, string>> = {
  Scatter: 'ended at opset 11; the opset pass makes it ScatterElements',
  Upsample: 'ended at opset 10; the opset pass makes it Resize',
};

/** Ops whose rules begin later than the version in force at opset 7, where ONNX Runtime begins: the opset pass brings older ones there. */
const beginLater: Readonly<Record<string, number>> = {
  Pad: 11,
  Resize: 13,
  Scan: 9,
  Slice: 10,
  Split: 13,
  Squeeze: 13,
  TopK: 10,
  Unsqueeze: 13,
};

test('every op of the schemas has rules from its first version on, but for those listed with their reason', () => {
  const names = Object.keys(signatures);
  expect(names).toHaveLength(200);
  expect(names.filter((name) => findOp(name) === undefined)).toEqual(Object.keys(withoutRules));
  const later = names.flatMap((name) => {
    const def = findOp(name);
    const first = def?.signature.versions.findLast((v) => v <= 7) ?? def?.signature.versions[0];
    return def === undefined || def.since === first ? [] : [[name, def.since] as const];
  });
  expect(Object.fromEntries(later)).toEqual(beginLater);
});
