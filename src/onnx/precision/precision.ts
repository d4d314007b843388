// The precisions that a model can be exported in, by the names of `export --precision`.
import { cloneModel, type Model } from '../ir/model.js';
import { foldBatchNormalization } from '../passes/fuse/fold-batch-normalization.js';
import { type Float16Options, toFloat16 } from './float16.js';

export const precisions = ['fp32', 'fp16', 'int8', 'int8-dynamic'] as const;
export type PrecisionName = (typeof precisions)[number];

export interface Converted {
  readonly model: Model;
  /** What the user should know: nodes that stayed float32, weights that vanished. */
  readonly notes: readonly string[];
}

/** A copy made ready for another precision: normalizations go into the weights. */
export function prepared(model: Model): Model {
  const copy = cloneModel(model);
  foldBatchNormalization(copy.graph);
  return copy;
}

/** float16 with what it could not convert as notes. */
export function convertFloat16(model: Model, options: Float16Options): Converted {
  const { model: converted, kept, vanished } = toFloat16(model, options);
  return {
    model: converted,
    notes: [
      ...kept.map((k) => `${k.op} "${k.node}" stays float32: ${k.reason}`),
      ...(vanished === 0 ? [] : [`${vanished} weight${vanished === 1 ? ' is' : 's are'} too small for float16 and became zero`]),
    ],
  };
}
