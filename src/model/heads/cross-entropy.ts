// The loss of classes: softmax cross-entropy and focal loss, over classes as int64 or int32, weighted by class.
import { float32, Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { meanOf, over, type Reduction } from './head.js';
import type { ChanceLoss } from './losses.js';
import { type Weighting, weightList } from './weights.js';

interface ClassLoss {
  readonly classes: number;
  readonly names?: readonly string[] | undefined;
  readonly loss?: ChanceLoss | undefined;
  readonly class_weights?: Weighting | undefined;
  readonly label_smoothing: number;
}

/** What is made of the losses of rows. */
interface Part {
  /** Of each class. */
  readonly weights: Value | undefined;
  /** Whether the weights met may add up to 0. */
  readonly zeros: boolean;
  readonly reduction: Reduction;
  readonly counted: Value | undefined;
}

/**
 * "mean" is divided by the sum of the class weights met (0 where all of them are 0); under "none" the weight of a sample's class is multiplied in.
 * Classes as int32, and rows of which some do not count, take a form without SoftmaxCrossEntropyLoss and OneHot, which graphics processors lack.
 */
export function crossEntropy(g: Ops, o: ClassLoss, scores: Value, targets: Value, reduction: Reduction, counted?: Value): Value {
  const numbers = o.class_weights === undefined ? undefined : weightList('class_weights', o.class_weights, o, o.classes);
  const weights = numbers && g.constant(float32(numbers));
  const zeros = numbers?.includes(0) === true || counted !== undefined;
  const part = { weights, zeros, reduction, counted };
  const s = o.label_smoothing;
  if (typeof o.loss === 'object') return focal(g, scores, targets, o.loss.gamma, part);
  if (targets.dtype === 'int32' || counted !== undefined) return maskedCrossEntropy(g, scores, targets, s, part);
  const hard =
    reduction === 'mean' && weights !== undefined && zeros
      ? g.div(
          g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction: 'sum' }),
          aboveZero(g, g.reduceSum(g.gather(weights, targets, { axis: 0 }), undefined, { keepdims: 0 })),
        )
      : g.softmaxCrossEntropyLoss(scores, targets, weights, { reduction });
  if (s === 0) return hard;
  // (1 - s) CE + s mean over classes of -log p; PyTorch's label_smoothing (without class weights in the second part)
  const soft = g.neg(meanOf(g, g.logSoftmax(scores, { axis: 1 }), reduction));
  return g.add(g.mul(hard, 1 - s), g.mul(soft, s));
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
  smoothing: number,
  { weights, zeros, reduction, counted }: Part,
): Value {
  const mask = classMask(g, scores, targets);
  const z = g.sub(scores, g.reduceMax(scores, [1], { keepdims: 1 }));
  const logP = g.sub(z, g.log(g.reduceSum(g.exp(z), [1], { keepdims: 1 })));
  const weighted = weights === undefined ? mask : g.mul(mask, weights);
  const perSample = (v: Value) => g.reduceSum(v, [1], { keepdims: 0 });
  const mean = (v: Value) => over(g, v, 'mean', counted);
  const each = g.neg(perSample(g.mul(weighted, logP)));
  const met = weights === undefined ? undefined : mean(perSample(weighted));
  const hard =
    reduction === 'none'
      ? over(g, each, reduction, counted)
      : met === undefined
        ? mean(each)
        : g.div(mean(each), zeros ? aboveZero(g, met) : met);
  if (smoothing === 0) return hard;
  const softEach = g.neg(g.reduceMean(logP, [1], { keepdims: 0 }));
  const soft = over(g, softEach, reduction, counted);
  return g.add(g.mul(hard, 1 - smoothing), g.mul(soft, smoothing));
}

/** float32 [N, k]: 1 for each sample's class, else 0. */
function classMask(g: Ops, scores: Value, targets: Value): Value {
  const classes = Number(scores.shape?.[1]);
  const index = g.constant(
    Tensor.from(
      targets.dtype === 'int32' ? 'int32' : 'int64',
      Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    ),
  );
  return g.cast(g.equal(g.unsqueeze(targets, [1]), index), { to: 'float32' });
}

// -w (1 - p)^gamma log p, p being the chance of the sample's class (arXiv 1708.02002). 1 - p is the sum of the other chances: no digits are
// lost where p is near 1, and its power is taken through the logarithm, whose gradient is finite for every gamma.
function focal(g: Ops, scores: Value, targets: Value, gamma: number, { weights, zeros, reduction, counted }: Part): Value {
  const mask = classMask(g, scores, targets);
  const z = g.sub(scores, g.reduceMax(scores, [1], { keepdims: 1 }));
  const e = g.exp(z);
  const perSample = (v: Value) => g.reduceSum(v, [1], { keepdims: 0 });
  const all = g.log(perSample(e));
  const logP = g.sub(perSample(g.mul(mask, z)), all);
  const others = g.sub(g.log(aboveZero(g, perSample(g.mul(e, g.sub(1, mask))))), all);
  const plain = g.neg(g.mul(g.exp(g.mul(others, gamma)), logP));
  const counts = weights && perSample(g.mul(mask, weights));
  const each = counts === undefined ? plain : g.mul(plain, counts);
  if (reduction === 'none') return over(g, each, reduction, counted);
  const mean = (v: Value) => over(g, v, 'mean', counted);
  if (counts === undefined) return mean(each);
  return g.div(mean(each), zeros ? aboveZero(g, mean(counts)) : mean(counts));
}
