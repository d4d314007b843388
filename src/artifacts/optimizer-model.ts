// optimizer_model.onnx: one com.microsoft optimizer over sequences of tensors. Inputs are checked by ONNX Runtime by name and order.

import type { Clip } from '../model/description/train-schema.js';
import { UsageError } from '../onnx/core/errors.js';
import { float32 } from '../onnx/core/tensor.js';
import { version } from '../onnx/core/version.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { tensorType } from '../onnx/ir/types.js';
import { ops } from '../onnx/ops/ops.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import type { OptimizerOptions } from '../train/optim/optimizer.js';

export type OfficialOptimizer =
  | { readonly kind: 'sgd' }
  | {
      readonly kind: 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
      /** 0: torch.optim.AdamW; 1: Hugging Face's, which Python's generate_artifacts emits. */
      readonly mode: 0 | 1;
    };

/** The moments that an optimizer keeps for each parameter, under the names of checkpoints. */
export const momentNames = (optimizer: OfficialOptimizer): readonly string[] =>
  optimizer.kind === 'adamw' ? ['momentum0', 'momentum1'] : ['momentum0'];

/**
 * The official optimizer with the same formula. adam without weight decay is adamw without; its L2 decay, sgd's momentum and rmsprop have no
 * official counterpart: UsageError.
 */
export function officialOptimizer(options: OptimizerOptions, mode: 0 | 1 = 0): OfficialOptimizer {
  const refuse = (what: string, instead: string): never => {
    throw new UsageError(`${what} is not among ONNX Runtime's training optimizers, ${instead}`, { got: what, expected: instead });
  };
  switch (options.kind) {
    case 'rmsprop':
      return refuse('rmsprop', 'take adam, adamw or sgd');
    case 'sgd':
      if ((options.momentum ?? 0) !== 0) return refuse('sgd with momentum', 'leave momentum out, or take adamw');
      if ((options.weightDecay ?? 0) !== 0) return refuse('sgd with weight_decay', 'leave weight_decay out, or take adamw');
      return { kind: 'sgd' };
    case 'adam':
    case 'adamw': {
      const decay = options.weightDecay ?? (options.kind === 'adamw' ? 0.01 : 0);
      if (options.kind === 'adam' && decay !== 0) return refuse('adam with weight_decay (L2)', 'take adamw');
      const { beta1 = 0.9, beta2 = 0.999, epsilon = mode === 1 ? 1e-6 : 1e-8 } = options;
      return { kind: 'adamw', beta1, beta2, epsilon, weightDecay: decay, mode };
    }
  }
}

/** A factor on the learning rate: one number, or one for each step from the first on (the last one stays). */
export type RateScale = number | readonly number[];

export interface OptimizerModelRequest {
  readonly optimizer: OfficialOptimizer;
  readonly clip?: Clip;
  readonly rateScale?: RateScale;
}

export function optimizerModel(request: OptimizerModelRequest): Model {
  const { optimizer, clip, rateScale = 1 } = request;
  const g = ops({ name: 'optimizer' });
  const rate = g.input('learning_rate', 'float32', [1]);
  const step = g.input('step', 'int64', [1]);
  const tensors = (name: string) => g.inputOf(name, { kind: 'sequence', element: tensorType('float32') });
  const params = tensors('params');
  const raw = tensors('gradients');
  const first = tensors('first_order_moments');
  const gradients =
    clip?.kind === 'norm' ? g.microsoft('InplaceClipGradNorm', [raw], { max_norm: clip.limit, norm_type: 'fro' }) : raw;
  const scaled = scaledRate(g, rate, step, rateScale);
  if (optimizer.kind === 'sgd') {
    g.output(g.microsoft('SGDOptimizerV2', [scaled, params, gradients]), 'update_completed');
  } else {
    const { beta1: alpha, beta2: beta, epsilon, weightDecay: weight_decay, mode: adam_mode } = optimizer;
    const second = tensors('second_order_moments');
    const attributes = { alpha, beta, epsilon, weight_decay, correct_bias: 1, adam_mode };
    g.output(g.microsoft('AdamWOptimizer', [scaled, step, params, gradients, first, second], attributes), 'update_completed');
  }
  const model = g.model();
  model.producerVersion = version;
  return model;
}

/** A schedule is looked up by the step, since nothing but these inputs may come in and JavaScript cannot set the rate. */
function scaledRate(g: Ops, rate: Value, step: Value, scale: RateScale): Value {
  if (typeof scale === 'number') return scale === 1 ? rate : g.mul(rate, g.constant(float32([scale]), 'rate_scale'));
  // The first update has step 1.
  const index = g.min(g.sub(step, [1]), [scale.length - 1]);
  return g.mul(rate, g.gather(g.constant(float32(scale), 'rate_scale'), index, { axis: 0 }));
}
