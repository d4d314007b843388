// Sequences of known length become tensors: the same numbers on ONNX Runtime, and gradients run through; what cannot be followed is refused.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { type Graph, Value } from '../../../src/onnx/ir/graph.js';
import { cloneModel } from '../../../src/onnx/ir/model.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { removeUnused } from '../../../src/onnx/passes/remove-unused.js';
import { unpackSequences } from '../../../src/onnx/passes/unpack-sequences.js';
import { checkGradient } from '../../support/check-gradient.js';
import { runModel } from '../../support/run.js';
import { at, values } from '../ops/gradient-case.js';

const one = (g: Ops, op: Parameters<Ops['op']>[0], inputs: readonly Value[], attributes: Parameters<Ops['op']>[2] = {}) =>
  at(g.op(op, inputs, attributes));
const position = (g: Ops, v: number) => g.scalar(v, 'int64');

interface Row {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly build: (g: Ops, x: readonly Value[]) => Value;
}

const three = [values([2, 3]), values([1, 3], { seed: 2 }), values([2, 3], { seed: 3 })];
const p = (v: number) => Tensor.from('int64', v);

/** y_i = 0.7 x_i^2 + b, with a weight of its own, the body of a SequenceMap. */
function squares(g: Ops): Graph {
  const sub = g.subgraph('body');
  const [x, b] = ['element', 'add'].map((name) => new Value(g.names.unique(name), tensorType('float64', [null, 3]))) as [
    Value,
    Value,
  ];
  sub.graph.inputs.push(x, b);
  const scale = new Value(g.names.unique('scale'), tensorType('float64', []));
  scale.constant = Tensor.from('float64', 0.7);
  sub.graph.initializers.push(scale);
  sub.output(sub.add(sub.mul(sub.mul(x, x), scale), b));
  return sub.graph;
}

const rows: readonly Row[] = [
  { name: 'at', inputs: three, build: (g, x) => one(g, 'SequenceAt', [one(g, 'SequenceConstruct', x), position(g, -2)]) },
  {
    name: 'at, position at run time',
    inputs: [...three, p(-1)],
    build: (g, x) => one(g, 'SequenceAt', [one(g, 'SequenceConstruct', x.slice(0, 3)), at(x, 3)]),
  },
  { name: 'concat', inputs: three, build: (g, x) => one(g, 'ConcatFromSequence', [one(g, 'SequenceConstruct', x)], { axis: 0 }) },
  {
    name: 'concat, new axis',
    inputs: [values([2, 3]), values([2, 3], { seed: 3 })],
    build: (g, x) => one(g, 'ConcatFromSequence', [one(g, 'SequenceConstruct', x)], { axis: 1, new_axis: 1 }),
  },
  ...[[], [p(1)], [p(-1)]].map(
    (more): Row => ({
      name: `empty and insert ${more.map((t) => t.data[0])}`,
      inputs: [...three, ...more],
      build: (g, [a, b, c, where]) => {
        const put = (s: Value, v: Value | undefined, ...w: (Value | undefined)[]) =>
          one(
            g,
            'SequenceInsert',
            [s, v, ...w].filter((i) => i !== undefined),
          );
        const two = put(put(one(g, 'SequenceEmpty', [], { dtype: 'float64' }), a), b);
        return one(g, 'ConcatFromSequence', [put(two, c, where)], { axis: 0 });
      },
    }),
  ),
  ...[[], [p(0)], [p(-2)]].map(
    (more): Row => ({
      name: `erase ${more.map((t) => t.data[0])}`,
      inputs: [...three, ...more],
      build: (g, x) => {
        const erased = one(g, 'SequenceErase', [one(g, 'SequenceConstruct', x.slice(0, 3)), ...x.slice(3)]);
        return one(g, 'ConcatFromSequence', [erased], { axis: 0 });
      },
    }),
  ),
  {
    name: 'split by sizes',
    inputs: [values([5, 2])],
    build: (g, x) =>
      g.mul(one(g, 'SequenceAt', [one(g, 'SplitToSequence', [at(x), g.ints([2, 3])]), position(g, 1)]), g.scalar(2, at(x))),
  },
  {
    name: 'split in parts, the last smaller',
    inputs: [values([2, 5])],
    build: (g, x) => one(g, 'SequenceAt', [one(g, 'SplitToSequence', [at(x), position(g, 2)], { axis: 1 }), position(g, 2)]),
  },
  {
    name: 'split without keeping the axis',
    inputs: [values([2, 3])],
    build: (g, x) => one(g, 'SequenceAt', [one(g, 'SplitToSequence', [at(x)], { axis: -1, keepdims: 0 }), position(g, 1)]),
  },
  {
    name: 'map, and the length',
    inputs: three,
    build: (g, [a, b, c]) => {
      const sequence = one(
        g,
        'SequenceConstruct',
        [a, c].filter((v) => v !== undefined),
      );
      const mapped = one(g, 'SequenceMap', [sequence, at([b as Value])], { body: squares(g) });
      const length = g.cast(one(g, 'SequenceLength', [mapped]), { to: 'float64' });
      return g.mul(one(g, 'ConcatFromSequence', [mapped], { axis: 1 }), length);
    },
  },
  {
    name: 'optional',
    inputs: three.slice(0, 1),
    build: (g, x) => g.neg(one(g, 'OptionalGetElement', [one(g, 'Optional', x)])),
  },
];

function modelOf(row: Row) {
  const g = ops({ opset: 18 });
  const x = row.inputs.map((t, i) => g.input(`x${i}`, t.dtype, t.dims));
  g.output(row.build(g, x), 'y');
  return g.model();
}

it.each(rows.map((r) => [r.name, r] as const))('%s', async (_name, row) => {
  const model = modelOf(row);
  const feeds = Object.fromEntries(row.inputs.map((t, i) => [`x${i}`, t]));
  const want = await runModel(model, feeds);
  const plain = cloneModel(model);
  expect(unpackSequences(plain.graph, { opset: plain.opset })).toBe(true);
  inferShapes(plain.graph, { opset: plain.opset });
  removeUnused(plain.graph);
  expect(plain.graph.nodes.filter((n) => /Sequence|Optional/.test(n.opType)).map((n) => n.opType)).toEqual([]);
  expect(await runModel(plain, feeds)).toEqual(want);
  // the same tensors, now differentiated: a full Jacobian
  await checkGradient(
    (g, x) => {
      const y = row.build(g, x);
      unpackSequences(g.graph, { opset: g.opset, names: g.names });
      inferShapes(g.graph, { opset: g.opset });
      return y;
    },
    row.inputs,
    { opset: 18 },
  );
});

it('a sequence of unknown length is refused by name', () => {
  const g = ops({ opset: 17 });
  const x = g.input('x', 'float32', [4]);
  const parts = one(g, 'SplitToSequence', [x, g.input('sizes', 'int64', [null])]);
  g.output(one(g, 'SequenceAt', [parts, g.scalar(0, 'int64')]), 'y');
  expect(() => grad(g.model(), { of: 'y', by: ['x'] })).toThrow('SequenceAt "SequenceAt": no gradient is known for this op');
});
