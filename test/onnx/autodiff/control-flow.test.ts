// Gradients through If, Loop and Scan against numeric Jacobians: captures, nesting, sequences read backwards, second order.
import { expect, it } from 'vitest';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { at, type Case, secondOrder, values } from '../ops/gradient-case.js';
import { runCases } from '../ops/run-cases.js';

const bool = (g: Ops, v: boolean) => g.constant(Tensor.from('bool', v ? 1 : 0));
const int = (g: Ops, v: number) => g.scalar(v, 'int64');

/** A name that no input of an inner graph has yet. */
function free(g: Ops, hint: string): string {
  let n = 0;
  while (g.names.has(`${hint}${n}`)) n++;
  return `${hint}${n}`;
}

/** A Loop over carried values: `body` gets the iteration and the carried values, and returns the next ones and the scan outputs. */
function loop(
  g: Ops,
  trips: number,
  initial: readonly Value[],
  body: (b: Ops, i: Value, carried: Value[]) => { next: Value[]; scans?: Value[]; condition?: Value },
  scans = 0,
): Value[] {
  const b = g.subgraph('body');
  const i = b.input(free(g, 'i'), 'int64', []);
  const condition = b.input(free(g, 'go'), 'bool', []);
  const carried = initial.map((v) => b.input(free(g, 's'), v.dtype, v.shape));
  const made = body(b, i, carried);
  b.output(b.identity(made.condition ?? condition));
  for (const v of [...made.next, ...(made.scans ?? [])]) b.output(b.identity(v));
  return g.op('Loop', [int(g, trips), bool(g, true), ...initial], { body: b.graph }, initial.length + scans);
}

function choose(g: Ops, condition: Value, then: (b: Ops) => Value, other: (b: Ops) => Value): Value {
  const [t, e] = [g.subgraph('then'), g.subgraph('else')];
  t.output(t.identity(then(t)));
  e.output(e.identity(other(e)));
  return g.if(condition, { then_branch: t.graph, else_branch: e.graph });
}

const positive = (g: Ops, x: Value) => g.greater(g.reduceSum(x, null, { keepdims: 0 }), g.scalar(0, x));

const cases: Case[] = [
  {
    name: 'If: both branches capture, the first is taken',
    inputs: [values([2, 3], { from: 0.5, to: 2 }), values([3])],
    build: (g, x) =>
      choose(
        g,
        positive(g, at(x)),
        (b) => b.mul(at(x), at(x, 1)),
        (b) => b.sub(at(x), b.exp(at(x, 1))),
      ),
  },
  {
    name: 'If: the second is taken, and reads one of two',
    inputs: [values([2, 3], { from: -2, to: -0.5 }), values([3])],
    build: (g, x) =>
      choose(
        g,
        positive(g, at(x)),
        (b) => b.mul(at(x), at(x, 1)),
        (b) => b.tanh(at(x)),
      ),
  },
  {
    name: 'If inside If, captured through both',
    inputs: [values([4], { from: 0.5, to: 2 }), values([4])],
    build: (g, x) =>
      choose(
        g,
        positive(g, at(x)),
        (b) =>
          choose(
            b,
            positive(b, at(x, 1)),
            (c) => c.mul(at(x), at(x, 1)),
            (c) => c.mul(at(x), c.sin(at(x, 1))),
          ),
        (b) => b.neg(at(x)),
      ),
  },
  {
    name: 'Loop: state, capture, scan output',
    inputs: [values([2, 3]), values([3, 3])],
    build: (g, x) =>
      loop(
        g,
        3,
        [at(x)],
        (b, _i, [s]) => {
          const next = b.tanh(b.matMul(s as Value, at(x, 1)));
          return { next: [next], scans: [b.mul(next, next)] };
        },
        1,
      ),
  },
  {
    name: 'Loop: the number of the iteration, two states, one of them made active by the other',
    inputs: [values([3]), values([3])],
    build: (g, x) =>
      loop(g, 4, [at(x), g.mul(g.scalar(0, at(x)), g.constant(Tensor.from('float64', [1, 2, 3])))], (b, i, [s, t]) => {
        const k = b.cast(i, { to: 'float64' });
        return { next: [b.sin(b.add(b.mul(s as Value, at(x, 1)), k)), b.add(t as Value, b.mul(s as Value, s as Value))] };
      }).slice(1),
  },
  {
    name: 'Loop: ends by its condition',
    inputs: [values([1], { from: 1.1, to: 1.2 })],
    build: (g, x) =>
      loop(g, 100, [at(x)], (b, _i, [s]) => {
        const next = b.mul(s as Value, b.add(at(x), b.scalar(0.5, at(x))));
        return { next: [next], condition: b.less(b.reduceSum(next, null, { keepdims: 0 }), b.scalar(20, at(x))) };
      }),
  },
  {
    name: 'Loop: no iteration',
    inputs: [values([2]), values([2])],
    build: (g, x) => loop(g, 0, [at(x)], (b, _i, [s]) => ({ next: [b.mul(s as Value, at(x, 1))] })),
  },
  {
    name: 'Loop inside Loop, captures of both levels',
    inputs: [values([2]), values([2])],
    build: (g, x) =>
      loop(g, 2, [at(x)], (b, _i, [s]) => ({
        next: loop(b, 3, [s as Value], (c, _j, [t]) => ({ next: [c.sin(c.add(c.mul(t as Value, at(x, 1)), s as Value))] })),
      })),
  },
  {
    name: 'If inside Loop',
    inputs: [values([2], { from: 0.2, to: 0.9 }), values([2], { from: 0.2, to: 0.9 })],
    build: (g, x) =>
      loop(g, 4, [at(x)], (b, i, [s]) => ({
        next: [
          choose(
            b,
            b.equal(b.mod(i, int(b, 2)), int(b, 0)),
            (c) => c.mul(s as Value, at(x, 1)),
            (c) => c.add(c.exp(s as Value), at(x, 1)),
          ),
        ],
      })),
  },
  ...([0, 1] as const).flatMap((direction) =>
    [0, 1, -1].map(
      (axis): Case => ({
        name: `Scan: a recurrent net, direction ${direction}, axis ${axis}`,
        inputs: [
          values([2, 3], { seed: 2 }),
          values([3, 3], { seed: 3 }),
          values(axis === 0 ? [4, 2, 3] : axis === 1 ? [2, 4, 3] : [2, 3, 4], { seed: 4 }),
        ],
        build: (g, x) => {
          const b = g.subgraph('body');
          const s = b.input(free(g, 's'), 'float64', [2, 3]);
          const e = b.input(free(g, 'e'), 'float64', [2, 3]);
          const next = b.tanh(b.add(b.matMul(s, at(x, 1)), e));
          b.output(next);
          b.output(b.identity(b.mul(next, next)));
          return g.op(
            'Scan',
            [at(x), at(x, 2)],
            {
              body: b.graph,
              num_scan_inputs: 1,
              scan_input_axes: [axis],
              scan_input_directions: [direction],
              scan_output_axes: [axis],
              scan_output_directions: [1 - direction],
            },
            2,
          );
        },
      }),
    ),
  ),
];

runCases(cases);
runCases(cases.filter((c) => !c.name.includes('condition') && !c.name.includes('axis 1')).map(secondOrder));

it('a body that draws at random is refused by name', async () => {
  const { ops } = await import('../../../src/onnx/ops/ops.js');
  const g = ops();
  const x = g.input('x', 'float32', [2]);
  const [y] = loop(g, 2, [x], (b, _i, [s]) => ({ next: [b.mul(s as Value, b.randomUniformLike(s as Value))] }));
  const total = g.reduceSum(y as Value, null, { keepdims: 0 });
  expect(() => gradient(g, { of: total, by: [x] })).toThrow(
    'Loop "Loop": no gradient is known, RandomUniformLike "RandomUniformLike" inside draws at random and would draw anew in the backward part',
  );
});
