// Calibration: the float32 model over sample inputs, and the range of every value that static quantization asks for.
import { must, UsageError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { cloneModel, type Model } from '../ir/model.js';
import type { Runtime } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import type { Range } from './integers.js';
import { RangeObserver } from './observer.js';
import { calibratedValues } from './static-int8.js';

/** What the model is fed in one run, by input. */
export type Batch = Readonly<Record<string, Tensor>>;

/**
 * Ranges by name for `toStaticInt8`. `percentile`: the share of the values that a range holds, in per cent, half of the rest cut at each end;
 * undefined: the extremes. Throws UsageError for no samples, for numbers that are not finite, and where nothing can be quantized.
 */
export async function calibrate(
  runtime: Runtime,
  model: Model,
  batches: readonly Batch[],
  percentile?: number,
): Promise<Map<string, Range>> {
  if (batches.length === 0) throw new UsageError('int8: there are no samples to calibrate on');
  const names = calibratedValues(model);
  if (names.length === 0) return new Map();
  const observers = names.map((name) => new RangeObserver(name));
  const session = await runtime.createSession(toBinary(observed(model, names)));
  try {
    const pass = async (use: (o: RangeObserver, values: Float32Array) => void) => {
      for (const batch of batches) {
        const found = { ...(await session.run(batch)), ...batch };
        for (const o of observers) use(o, must(found[o.name], o.name).data as Float32Array);
      }
    };
    await pass((o, values) => o.see(values));
    if (percentile !== undefined) await pass((o, values) => o.tally(values));
  } finally {
    await session.release();
  }
  return new Map(observers.map((o) => [o.name, percentile === undefined ? o.range : o.percentile(percentile)]));
}

/** The model with the values as outputs, those that are no inputs. */
function observed(model: Model, names: readonly string[]): Model {
  const copy = cloneModel(model);
  const wanted = new Set(names);
  const there = new Set([...copy.graph.outputs, ...copy.graph.inputs]);
  for (const v of copy.graph.values()) if (wanted.has(v.name) && !there.has(v)) copy.graph.outputs.push(v);
  return copy;
}
