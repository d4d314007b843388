// Classification losses over integer labels. Specification: Operators.md.
import { compatibleDim, type Dim, formatShape, product, type Shape } from '../../core/shape.js';
import type { Value } from '../../ir/graph.js';
import { formatType, type Type } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { numbered, sizesOf } from '../rules/shape-like.js';
import { requireFloat } from './elementwise.js';
import { reduceSum } from './reduce.js';

type LossOp = 'SoftmaxCrossEntropyLoss' | 'NegativeLogLikelihoodLoss';

type Reduction = 'none' | 'sum' | 'mean';

function reductionOf(c: NodeContext): Reduction {
  const r = c.string('reduction');
  if (r === 'none' || r === 'sum' || r === 'mean') return r;
  return c.fail(`reduction must be "none", "sum" or "mean", it is "${r}"`, { expected: 'none, sum, mean', got: r });
}

/** Scores are [N, C, d1, ...], labels [N, d1, ...], weights [C]. */
function inferLoss(c: NodeContext): Type[] {
  requireFloat(c, 0);
  const [scores, labels, weights] = [c.shape(0), c.shape(1), c.has(2) ? c.shape(2) : undefined];
  if (c.dtype(1) !== 'int64' && c.dtype(1) !== 'int32') {
    c.fail(`labels must be int32 or int64, they are ${formatType(c.type(1))}`, { expected: 'int64', got: c.dtype(1) });
  }
  if (scores !== undefined && scores.length < 2) c.fail(`scores must be [N, C, ...], they are ${formatShape(scores)}`);
  const want: Shape | undefined = scores?.filter((_, i) => i !== 1);
  if (want !== undefined && labels !== undefined) {
    if (want.length !== labels.length || want.some((d, i) => !compatibleDim(d, labels[i] ?? null))) {
      c.fail(`labels of scores ${formatShape(scores)} must have shape ${formatShape(want)}, they have ${formatShape(labels)}`, {
        expected: formatShape(want),
        got: formatShape(labels),
      });
    }
  }
  const classes: Dim = scores?.[1] ?? null;
  if (weights !== undefined && (weights.length !== 1 || !compatibleDim(weights[0] ?? null, classes))) {
    c.fail(`weights must have shape [${classes ?? '?'}], they have ${formatShape(weights)}`, {
      expected: `[${classes ?? '?'}]`,
      got: formatShape(weights),
    });
  }
  return [c.like(0, reductionOf(c) === 'none' ? (labels ?? want) : []), c.like(0, scores)];
}

/** What both losses have in common; all values broadcast against the scores [N, C, d1, ...]. */
interface Picked {
  /** 1 at the label's class. */
  readonly onehot: Value;
  /** Gradient by each element's -log p: dy times its weight (0 where ignored) over the sum of the weights ("mean"). [N, 1, d1, ...] or a scalar. */
  readonly coefficient: Value;
  /** The same without the class weights: dy over the sum of the weights, 0 where ignored. */
  readonly unweighted: Value;
}

/** Class numbers in the labels' dtype as [C, 1, ...]. */
function classNumbers(c: GradientContext): Value {
  const { g } = c;
  const labels = c.x(1);
  const scores = c.x(0);
  const rank = c.rank(0) ?? c.fail('the rank of the scores must be known for a gradient');
  const classes = scores.shape?.[1];
  let numbers: Value;
  if (typeof classes === 'number') {
    numbers = numbered(g, classes);
  } else {
    const count = g.squeeze(sizesOf(g, scores, 1, 2), [0]);
    numbers = g.range(0, count, 1);
  }
  if (labels.dtype !== 'int64') numbers = g.cast(numbers, { to: labels.dtype });
  return rank === 2
    ? numbers
    : g.unsqueeze(
        numbers,
        Array.from({ length: rank - 2 }, (_, i) => i + 1),
      );
}

/** `dy` over the number of labels, which may pass the largest float16. */
function overLabels(c: GradientContext, dy: Value, labels: Value): Value {
  const { g } = c;
  const count = product(c.shape(1) ?? [null]);
  const half = dy.dtype === 'float16';
  if (count !== null) return half ? g.mul(dy, 1 / count) : g.div(dy, count);
  const to = half ? 'float32' : dy.dtype;
  const wide = g.div(half ? g.cast(dy, { to }) : dy, g.cast(g.size(labels), { to }));
  return half ? g.cast(wide, { to: 'float16' }) : wide;
}

function pick(c: GradientContext): Picked {
  const { g } = c;
  const scores = c.x(0);
  const to = scores.dtype;
  const labels = g.unsqueeze(c.x(1), [1]);
  const onehot = g.cast(g.equal(labels, classNumbers(c)), { to });
  const ignore = c.node.attributes.has('ignore_index') ? g.equal(labels, c.int('ignore_index')) : undefined;
  const zero = g.scalar(0, scores);

  let weight: Value | undefined;
  if (c.has(2)) {
    const rank = c.rank(0) ?? 2;
    const perClass =
      rank === 2
        ? c.x(2)
        : g.unsqueeze(
            c.x(2),
            Array.from({ length: rank - 2 }, (_, i) => i + 1),
          );
    weight = reduceSum(g, g.mul(onehot, perClass), [1]);
  }
  if (ignore !== undefined) weight = g.where(ignore, zero, weight ?? 1);

  const reduction = reductionOf(c);
  let dy = reduction === 'none' ? g.unsqueeze(c.dy(), [1]) : c.dy();
  if (reduction === 'mean') {
    dy = weight === undefined ? overLabels(c, dy, labels) : g.div(dy, reduceSum(g, weight, 'all', 0));
  }
  return {
    onehot,
    coefficient: weight === undefined ? dy : g.mul(dy, weight),
    unweighted: ignore === undefined ? dy : g.where(ignore, zero, dy),
  };
}

/** Gradient by the class weights: sum over the elements of a class of -log p (minus the loss when it is the weighted mean) times dy / total. */
function byWeights(c: GradientContext, p: Picked, logp: Value): Value {
  const { g } = c;
  const rank = c.rank(0) ?? 2;
  const each = reductionOf(c) === 'mean' ? g.add(logp, c.y()) : logp;
  const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  return g.neg(reduceSum(g, g.mul(g.mul(p.onehot, p.unweighted), each), axes, 0));
}

export const loss: Readonly<Record<LossOp, OpRules>> = {
  // l = -w_label log p_label, p = softmax(scores) over axis 1: dscores = (p - onehot) w / total dy; log p has LogSoftmax's gradient
  SoftmaxCrossEntropyLoss: {
    infer: inferLoss,
    gradient: (c) => {
      const { g } = c;
      const logp = c.output(1, c.type(0));
      const p = c.dyOrNull(0) === null ? null : pick(c);
      const dlogp = c.dyOrNull(1);
      const prob = g.exp(logp);
      const parts: Value[] = [];
      if (c.needs(0) && p !== null) parts.push(g.mul(g.sub(prob, p.onehot), p.coefficient));
      if (c.needs(0) && dlogp !== null) parts.push(g.sub(dlogp, g.mul(prob, reduceSum(g, dlogp, [1]))));
      const dx = parts.length === 0 ? null : parts.reduce((a, b) => g.add(a, b));
      return [dx, null, c.needs(2) && p !== null ? byWeights(c, p, logp) : null];
    },
  },
  // l = -w_label x_label: dx = -onehot w / total dy
  NegativeLogLikelihoodLoss: {
    infer: (c) => inferLoss(c).slice(0, 1),
    gradient: (c) => {
      const p = pick(c);
      return [c.needs(0) ? c.g.neg(c.g.mul(p.onehot, p.coefficient)) : null, null, c.needs(2) ? byWeights(c, p, c.x(0)) : null];
    },
  },
};
