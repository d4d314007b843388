// Heads beyond their scores: loss by head, probabilities and labels.
import { InternalError } from '../../onnx/core/errors.js';
import { float32, Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops.js';
import type { Head } from './head-schema.js';

/**
 * Loss of scores [N, k] against targets (int64 [N] for classify, float32 [N, k] else). "mean": a scalar, for classify divided by the sum of
 * the class weights met (0 where all of them are 0); "none": [N], the weight of the sample's class multiplied in. Classes as int32 take a form
 * without SoftmaxCrossEntropyLoss and OneHot, which graphics processors lack.
 */
export function lowerLoss(g: Ops, head: Head, scores: Value, targets: Value, reduction: 'mean' | 'none'): Value {
  const over = (perElement: Value): Value => {
    const perSample = reduceMean(g, perElement, [1], 0);
    return reduction === 'mean' ? reduceMean(g, perSample, [0], 0) : perSample;
  };
  switch (head.kind) {
    case 'classify': {
      const weights = head.class_weights === undefined ? undefined : g.constant(float32(head.class_weights));
      const zeros = head.class_weights?.includes(0) === true;
      const s = head.label_smoothing;
      if (targets.dtype === 'int32') return maskedCrossEntropy(g, scores, targets, weights, zeros, s, reduction);
      const hard =
        reduction === 'mean' && weights !== undefined && zeros
          ? g.div(
              g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction: 'sum' }),
              aboveZero(g, g.reduceSum(g.gather(weights, targets, { axis: 0 }), undefined, { keepdims: 0 })),
            )
          : g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction });
      if (s === 0) return hard;
      // (1 - s) CE + s mean over classes of -log p; PyTorch's label_smoothing (without class weights in the second part)
      const soft = g.neg(over(g.logSoftmax(scores, { axis: 1 })));
      return g.add(g.mul(hard, 1 - s), g.mul(soft, s));
    }
    // -[t log p + (1 - t) log(1 - p)] with p = sigmoid(x) is softplus(x) - x t
    case 'binary':
      return over(g.sub(g.softplus(scores), g.mul(scores, targets)));
    case 'regress': {
      const d = g.sub(scores, targets);
      return over(head.loss === 'mse' ? g.mul(d, d) : g.abs(d));
    }
  }
}

/**
 * A sum or mean of weights to divide by. Where all of them are 0 so is what is divided: 0 by the least normal float32 is 0, and no other weights
 * come near it.
 */
function aboveZero(g: Ops, weights: Value): Value {
  return g.clip(weights, 2 ** -126);
}

// With z = x - max x and log p = z - log sum e^z:  loss = - sum over classes of [(1 - s) w t + s / k] log p, t being 1 for the sample's class
// and else 0. Mean: the hard part over the sum of the weights met, the soft part over the samples.
function maskedCrossEntropy(
  g: Ops,
  scores: Value,
  targets: Value,
  weights: Value | undefined,
  zeros: boolean,
  smoothing: number,
  reduction: 'mean' | 'none',
): Value {
  const classes = Number(scores.shape?.[1]);
  const index = g.constant(
    Tensor.from(
      'int32',
      Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    ),
  );
  const mask = g.cast(g.equal(g.unsqueeze(targets, [1]), index), { to: 'float32' });
  const z = g.sub(scores, g.reduceMax(scores, [1], { keepdims: 1 }));
  const logP = g.sub(z, g.log(g.reduceSum(g.exp(z), [1], { keepdims: 1 })));
  const weighted = weights === undefined ? mask : g.mul(mask, weights);
  const perSample = (v: Value) => g.reduceSum(v, [1], { keepdims: 0 });
  const mean = (v: Value) => g.reduceMean(v, [0], { keepdims: 0 });
  const each = g.neg(perSample(g.mul(weighted, logP)));
  const met = weights === undefined ? undefined : mean(perSample(weighted));
  const hard = reduction === 'none' ? each : met === undefined ? mean(each) : g.div(mean(each), zeros ? aboveZero(g, met) : met);
  if (smoothing === 0) return hard;
  const softEach = g.neg(g.reduceMean(logP, [1], { keepdims: 0 }));
  const soft = reduction === 'none' ? softEach : mean(softEach);
  return g.add(g.mul(hard, 1 - smoothing), g.mul(soft, smoothing));
}

/** Probabilities [N, k] of a classify or binary head; undefined for regress. */
export function lowerProbabilities(g: Ops, head: Head, scores: Value): Value | undefined {
  if (head.kind === 'regress') return undefined;
  return head.kind === 'classify' ? g.softmax(scores, { axis: 1 }) : g.sigmoid(scores);
}

/** Labels: int64 [N] for classify, bool [N, k] for binary; undefined for regress. */
export function lowerLabel(g: Ops, head: Head, scores: Value): Value | undefined {
  if (head.kind === 'regress') return undefined;
  if (head.kind === 'classify') return g.argMax(scores, { axis: 1, keepdims: 0 });
  return g.greater(scores, 0);
}

/** Right answers per sample: the name says what is counted. */
export function metricName(head: Head): 'accuracy' | 'error' {
  return head.kind === 'regress' ? 'error' : 'accuracy';
}

/** What the metric is summed from for one sample: 1 or 0 for classify, the share of right labels for binary, mean |error| for regress. */
export function sampleMetric(head: Head, scores: ArrayLike<number>, targets: ArrayLike<number | bigint>, row: number): number {
  const width = head.kind === 'classify' ? head.classes : head.kind === 'binary' ? head.labels : head.outputs;
  const at = (j: number) => {
    const v = scores[row * width + j];
    if (v === undefined) throw new InternalError('scores are too short');
    return v;
  };
  if (head.kind === 'classify') {
    let best = 0;
    for (let j = 1; j < width; j++) if (at(j) > at(best)) best = j;
    return best === Number(targets[row]) ? 1 : 0;
  }
  let sum = 0;
  for (let j = 0; j < width; j++) {
    const target = Number(targets[row * width + j]);
    sum += head.kind === 'binary' ? Number(at(j) > 0 === target > 0.5) : Math.abs(at(j) - target);
  }
  return sum / width;
}
