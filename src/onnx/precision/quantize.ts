// A model in another precision than float32, by the names of `export --precision`: the one function over float16.ts, static-int8.ts and
// dynamic-int8.ts, with what they need done before.

import { UsageError } from '../core/errors.js';
import { anObject, given, listOf, optional } from '../core/given.js';
import { aModel, cloneModel, type Model } from '../ir/model.js';
import { isStandard } from '../ops/definition.js';
import { foldBatchNormalization } from '../passes/fuse/fold-batch-normalization.js';
import { inferShapes } from '../passes/infer-shapes.js';
import { modernise } from '../passes/modernise.js';
import { removeUnused } from '../passes/remove-unused.js';
import type { Runtime } from '../runtime/session.js';
import { type Batch, calibrate } from './calibrate.js';
import { toDynamicInt8 } from './dynamic-int8.js';
import { type Float16Options, toFloat16 } from './float16.js';
import { foldMovements } from './fold-movements.js';
import { remaining } from './large-weights.js';
import { isProduct, leftOut } from './placement.js';
import { toStaticInt8 } from './static-int8.js';
import { isRecurrent, leastRow } from './stored-int8.js';

export const precisions = ['fp32', 'fp16', 'int8', 'int8-dynamic'] as const;
/** `fp32` is what a model is in before. */
export type PrecisionName = (typeof precisions)[number];

/** float16: weights and nodes, with Casts around what must stay float32. Needs no runtime. */
export interface QuantizeFloat16 extends Float16Options {
  /** Half precision. */
  readonly precision: 'fp16';
}

/** 8-bit integers with fixed scales (QuantizeLinear and DequantizeLinear), found by running `samples`. */
export interface QuantizeInt8 {
  /** Weights and activations as int8, by calibration. */
  readonly precision: 'int8';
  /** What the model is fed, by input: the more like later inputs, the better the scales. */
  readonly samples: readonly Batch[];
  /** The share of the values that a range holds, in per cent, half of the rest cut at each end. Default: the extremes. */
  readonly percentile?: number;
  /** Weights of 7 bits, for x86 processors without VNNI. Default false. */
  readonly reduceRange?: boolean;
}

/** 8-bit integers with scales found anew at each run. Needs neither samples nor a runtime. */
export interface QuantizeDynamicInt8 {
  /** Weights as int8, activations at the run. */
  readonly precision: 'int8-dynamic';
  /** Weights of 7 bits, for x86 processors without VNNI. Default false. */
  readonly reduceRange?: boolean;
}

/** The precision of a model. */
export type QuantizeOptions = QuantizeFloat16 | QuantizeInt8 | QuantizeDynamicInt8;

/** A model of a lower precision. */
export interface Quantized {
  /** The model. */
  readonly model: Model;
  /** What the user should know: nodes that stayed float32, weights that vanished. */
  readonly notes: readonly string[];
}

/**
 * A new model in another precision, of opset 17 where the one given is older; the one given stays as it is. `runtime` runs the samples of int8 and may be
 * undefined for the others. Throws UsageError where there is nothing to quantize or nothing to calibrate with, and for numbers that are not finite;
 * ModelError for a node that has no equal at opset 17.
 */
export async function quantize(runtime: Runtime | undefined, model: Model, options: QuantizeOptions): Promise<Quantized> {
  given('quantize', { runtime, model, options }, quantizeKinds);
  const notes: string[] = [];
  const ready = readyForPrecision(model, (line) => notes.push(line));
  switch (options.precision) {
    case 'fp16': {
      const converted = convertFloat16(ready, options);
      return { ...converted, notes: [...notes, ...converted.notes] };
    }
    case 'int8-dynamic': {
      const converted = toDynamicInt8(ready, options);
      return { model: converted, notes: [...notes, ...leftOut(ready.graph), ...withoutInt8(converted)] };
    }
    case 'int8': {
      const { samples = [], percentile, reduceRange = false } = options;
      if (runtime === undefined) throw new UsageError('int8: a runtime is missing, expected one to run the samples on');
      const ranges = await calibrate(runtime, ready, samples, percentile);
      const converted = toStaticInt8(ready, { ranges, reduceRange });
      return { model: converted, notes: [...notes, ...leftOut(ready.graph), ...withoutInt8(converted)] };
    }
  }
}

const quantizeKinds = {
  runtime: optional(anObject),
  model: aModel,
  options: anObject,
  'options.precision': {
    what: 'fp16, int8 or int8-dynamic',
    holds: (v: unknown) => v !== 'fp32' && precisions.some((p) => p === v),
  },
  'options.samples': optional(listOf(anObject)),
};

/**
 * A copy made ready for another precision: it stands at the working opset, where every rule holds and QuantizeLinear has an axis, functions are inlined, types
 * are known, weights stand as they are read, normalizations go into them.
 */
export function readyForPrecision(model: Model, onNote?: (line: string) => void): Model {
  const copy = cloneModel(model);
  modernise(copy);
  inferShapes(copy.graph, { opset: copy.opset, ...(onNote !== undefined && { onNote }) });
  if (foldMovements(copy.graph, copy.opset)) removeUnused(copy.graph);
  foldBatchNormalization(copy.graph);
  return copy;
}

/** Large weights that int8 left float32; products are told by `leftOut`. */
function withoutInt8({ graph }: Model): string[] {
  return remaining(graph, ({ reader, at }) => {
    // the biases of a recurrent layer are no more than a vector for each direction
    if ((isProduct(reader) && at < 2) || (isRecurrent(reader) && at === 3)) return undefined;
    const table = isStandard(reader) && reader.opType === 'Gather' && at === 0;
    return table ? `its rows hold fewer than ${leastRow} numbers` : 'integers are for products, tables and recurrent layers';
  });
}

/** float16 with what it could not convert as notes. */
export function convertFloat16(model: Model, options: Float16Options): Quantized {
  const { model: converted, kept, vanished } = toFloat16(model, options);
  return {
    model: converted,
    notes: [
      ...remaining(converted.graph, ({ reader }) => {
        if (kept.some(({ node }) => node === reader.name)) return undefined;
        return isStandard(reader) ? 'it computes in float32' : `"${reader.domain}" may have no float16 of it`;
      }),
      ...kept.map((k) => `${k.op} "${k.node}" stays float32: ${k.reason}`),
      ...(vanished === 0 ? [] : [`${vanished} weight${vanished === 1 ? ' is' : 's are'} too small for float16 and became zero`]),
    ],
  };
}
