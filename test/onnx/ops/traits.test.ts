// Traits agree with each other and with the signatures.
import { expect, test } from 'vitest';
import { Node, Value } from '../../../src/onnx/ir/graph.js';
import { hasTrait } from '../../../src/onnx/ops/definition.js';
import { findOp, table } from '../../../src/onnx/ops/table.js';
import type { Trait } from '../../../src/onnx/ops/traits.js';

const having = (trait: Trait) => Object.keys(table).filter((name) => findOp(name)?.traits?.includes(trait));

test('no op is said to compute in float16 and to compute nothing, nor to choose among integers and to compute on them', () => {
  expect(having('half').filter((name) => having('anyPrecision').includes(name))).toEqual([]);
  expect(having('int8').filter((name) => having('int8InPlace').includes(name))).toEqual([]);
});

test('arithmetic is elementwise, what reshapes keeps its integers and precision', () => {
  for (const name of having('arithmetic')) expect(having('elementwise')).toContain(name);
  for (const name of having('reshapes')) {
    expect(having('int8InPlace')).toContain(name);
    expect(having('anyPrecision')).toContain(name);
  }
});

test('an op has its traits in ai.onnx alone, under both spellings', () => {
  const node = (op: string, domain: string) => new Node(op, [], [new Value('y')], new Map(), '', domain);
  expect(hasTrait(node('Relu', ''), 'activation')).toBe(true);
  expect(hasTrait(node('Relu', 'ai.onnx'), 'activation')).toBe(true);
  expect(hasTrait(node('Relu', 'my.domain'), 'activation')).toBe(false);
  expect(hasTrait(node('Gemm', ''), 'activation')).toBe(false);
  expect(hasTrait(node('Nothing', ''), 'half')).toBe(false);
});
