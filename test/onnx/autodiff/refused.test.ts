// An op without a gradient is named with its node, never taken for zero: also where integers would hide it.
import { expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Node, Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { at } from '../ops/gradient-case.js';

const float = { to: 'float32' } as const;
const rows: readonly (readonly [string, number, (g: Ops, x: Value) => Value, string])[] = [
  ['Bernoulli', 17, (g, x) => g.bernoulli(x), 'Bernoulli "Bernoulli": no gradient is known for this op'],
  [
    'Bernoulli that draws integers',
    17,
    (g, x) => g.cast(g.bernoulli(x, { dtype: 'int64' }), float),
    'Bernoulli "Bernoulli": no gradient is known for this op',
  ],
  [
    'bits of a number',
    26,
    (g, x) => g.bitCast(g.bitwiseAnd(g.bitCast(x, { to: 'uint32' }), g.bitCast(x, { to: 'uint32' })), float),
    'BitCast "BitCast": no gradient is known for this op',
  ],
  [
    'a window of keys',
    25,
    (g, x) => {
      const heads = g.reshape(x, g.ints([1, 1, 3, 1]));
      return g.reshape(at(g.op('Attention', [heads, heads, heads], { left_window_size: 1 })), [3]);
    },
    'Attention "Attention": no gradient is known for left_window_size 1',
  ],
  [
    'an op of another domain',
    17,
    (g, x) => {
      // the builder infers no types of other domains: the node is put in by hand
      const y = new Value('white', x.type);
      g.graph.nodes.push(new Node('Whiten', [x], [y], new Map(), 'Whiten', 'org.example'));
      return g.neg(y);
    },
    'org.example::Whiten "Whiten": no gradient is known for this op',
  ],
  [
    'an op of another domain whose output has no type',
    17,
    (g, x) => {
      const y = new Value('white');
      g.graph.nodes.push(new Node('Whiten', [x], [y], new Map(), '', 'org.example'));
      const z = new Value('z', x.type);
      g.graph.nodes.push(new Node('ReduceSum', [y], [z], new Map(), 'sum'));
      return z;
    },
    'org.example::Whiten of "white": no gradient is known for this op',
  ],
];

it.each(rows)('%s', (_name, opset, build, message) => {
  const g = ops({ opset });
  const x = g.input('x', 'float32', [3]);
  const y = build(g, x);
  expect(() => gradient(g, { of: y, by: [x], seed: g.input('seed', 'float32', [3]) })).toThrow(message);
});

it('beside the path it is no matter', () => {
  const g = ops();
  const x = g.input('x', 'float32', [3]);
  const mask = g.bernoulli(g.input('p', 'float32', [3]));
  expect(() => gradient(g, { of: g.mul(x, mask), by: [x], seed: g.input('seed', 'float32', [3]) })).not.toThrow();
});
