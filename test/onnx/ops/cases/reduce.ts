// Gradient cases: reductions and CumSum, with axes as attribute and as input.
import { int64 } from '../../../../src/onnx/core/tensor.js';
import { reduceBy } from '../../../../src/onnx/ops/families/reduce.js';
import { at, type Case, secondOrder, values, values32 } from '../gradient-case.js';

const ops = [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
] as const;
type Op = (typeof ops)[number];
/** Ops that ONNX Runtime has no float64 kernel for. */
const floatOnly: ReadonlySet<Op> = new Set(['ReduceProd', 'ReduceL1', 'ReduceL2', 'ReduceLogSum']);
const input = (op: Op, dims: readonly number[]) =>
  (floatOnly.has(op) ? values32 : values)(dims, op === 'ReduceLogSum' ? { from: 0.4, to: 2.4, kinks: [] } : {});

const axes: readonly (readonly number[] | 'all')[] = ['all', [1], [0, 2], [-1]];
const cases = ops.flatMap((op) =>
  axes.flatMap((over) =>
    ([0, 1] as const).flatMap((keepdims): Case[] => {
      const row: Case = {
        name: `${op} over ${JSON.stringify(over)}, keepdims ${keepdims}`,
        inputs: [input(op, [2, 3, 2])],
        build: (g, x) => reduceBy(g, op, at(x), over, keepdims),
        options: op === 'ReduceProd' ? { tolerance: 1e-2 } : {},
      };
      if (keepdims === 1 && over !== 'all') return [row];
      return [row, { ...row, name: `${row.name}, sizes unknown`, options: { ...row.options, shapes: [['N', null, 'M']] } }];
    }),
  ),
);
const atRunTime = ops.flatMap((op) =>
  ([0, 1] as const).map(
    (keepdims): Case => ({
      name: `${op}, axes at run time, keepdims ${keepdims}`,
      inputs: [input(op, [2, 3, 2]), int64([0, 2])],
      build: (g, x) => reduceBy(g, op, at(x), at(x, 1), keepdims),
      options: op === 'ReduceProd' ? { opset: 18, tolerance: 1e-2 } : { opset: 18 },
    }),
  ),
);
const nothing = (['ReduceSum', 'ReduceMean', 'ReduceMax'] as const).map(
  (op): Case => ({
    name: `${op} over no axis`,
    inputs: [input(op, [2, 3])],
    build: (g, x) => g.op(op, [at(x)], { noop_with_empty_axes: 1 })[0] ?? at(x),
    options: { opset: 18 },
  }),
);
const cumulative = [0, 1].flatMap((exclusive) =>
  [0, 1].flatMap((reverse) =>
    [0, 1, -1].map(
      (axis): Case => ({
        name: `cumSum axis ${axis}, exclusive ${exclusive}, reverse ${reverse}`,
        inputs: [values([2, 3, 2])],
        build: (g, x) => g.cumSum(at(x), g.scalar(axis, 'int64'), { exclusive, reverse }),
      }),
    ),
  ),
);
const products = [0, 1].flatMap((exclusive) =>
  [0, 1].flatMap((reverse) =>
    [0, -1].map(
      (axis): Case => ({
        name: `cumProd axis ${axis}, exclusive ${exclusive}, reverse ${reverse}`,
        // a factor of 0 among them
        inputs: [values([3, 2], { from: -1.2, to: 1.2, kinks: [] }), values([3, 1], { from: 0.5, to: 1.5, seed: 2 })],
        build: (g, x) => {
          const zero = g.where(g.less(g.abs(at(x)), g.scalar(0.25, at(x))), g.scalar(0, at(x)), at(x));
          return g.cumProd(g.mul(zero, at(x, 1)), g.scalar(axis, 'int64'), { exclusive, reverse });
        },
        options: { opset: 26 },
      }),
    ),
  ),
);
const smooth = (['ReduceMean', 'ReduceLogSumExp', 'ReduceSumSquare'] as const).map((op) =>
  secondOrder({ name: op, inputs: [values([2, 3])], build: (g, x) => reduceBy(g, op, at(x), [1]) }),
);

export const reduceCases: readonly Case[] = [...cases, ...atRunTime, ...nothing, ...cumulative, ...products, ...smooth];
