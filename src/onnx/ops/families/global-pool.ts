// Pooling over all spatial axes at once. Specification: onnx/docs/Operators.md, GlobalAveragePool and the like. Layout [N, C, spatial...].
import type { Value } from '../../ir/graph.js';
import { type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { expandLike } from '../rules/shape-like.js';
import { requireFloat } from './elementwise.js';
import { lpGradient } from './pool.js';
import { overCount, reduceSum } from './reduce.js';

type GlobalPoolOp = 'GlobalAveragePool' | 'GlobalMaxPool' | 'GlobalLpPool';

function reduced(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  return [
    tensorType(
      c.dtype(0),
      c.shape(0)?.map((d, i) => (i < 2 ? d : 1)),
    ),
  ];
}

function spatialAxes(c: NodeContext): number[] {
  const rank = c.rank(0) ?? c.fail('the gradient needs an input of known rank');
  return Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => i + 2);
}

export const globalPool: Readonly<Record<GlobalPoolOp, OpRules>> = {
  // dx = dy / n
  GlobalAveragePool: {
    traits: ['int8'],
    infer: reduced,
    gradient: (c) => [expandLike(c.g, overCount(c.g, c.dy(), c.x(0), c.y(), spatialAxes(c)), c.x(0))],
  },
  // dy on the elements that are the maximum; ties share it equally, as in ReduceMax
  GlobalMaxPool: {
    traits: ['half', 'int8InPlace'],
    infer: reduced,
    gradient: (c) => {
      const { g } = c;
      const hit = g.cast(g.equal(c.x(0), c.y()), { to: c.dtype(0) });
      return [g.mul(hit, g.div(c.dy(), reduceSum(g, hit, spatialAxes(c))))];
    },
  },
  GlobalLpPool: {
    infer: reduced,
    gradient: (c: GradientContext): Value[] => [
      lpGradient(c.g, { p: c.int('p'), x: c.x(0), y: c.y(), dy: c.dy(), spread: (t) => t }),
    ],
  },
};
