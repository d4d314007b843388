// A frozen task's raw outputs on a data set, by its exported model: for evaluation, prediction, and the proof that nothing moved.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows } from '../data/samples.js';
import { must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Session } from '../onnx/runtime/session.js';
import { networkFeeds, type TakenInputs } from './network-input.js';
import { checkRows } from './step/check-rows.js';

/** Rows per run; fixed, since the bits of a product may depend on the batch. */
export const rowsPerRun = 500;

/** What of a session is used here. */
export type RunningSession = Pick<Session, 'inputNames' | 'run'>;

/** Runs `samples` of a network's inputs, each [D, ...], through the session in batches; joins each of the outputs, [D, ...]. */
export async function allOutputsOf(
  session: RunningSession,
  names: readonly string[],
  inputs: TakenInputs,
  samples: SampleRows,
  onRows?: (done: number, total: number) => void,
): Promise<ReadonlyMap<string, Tensor>> {
  const total = countOf(samples);
  const joined = new Map<string, Tensor>();
  for (let from = 0; from < total; from += rowsPerRun) {
    const to = Math.min(from + rowsPerRun, total);
    const results = await session.run(
      networkFeeds(
        inputs,
        mapSamples(samples, (t) => sliceRows(t, from, to)),
      ),
      names,
    );
    for (const name of names) {
      const part = must(results[name], name);
      checkRows(part, name, to - from);
      const whole = joined.get(name) ?? Tensor.zeros(part.dtype, [total, ...part.dims.slice(1)]);
      sliceRows(whole, from, to).bytes.set(part.bytes);
      joined.set(name, whole);
    }
    onRows?.(to, total);
  }
  return joined;
}

/** The same for one output, [D, k] float32. */
export async function outputsOf(
  session: RunningSession,
  name: string,
  inputs: TakenInputs,
  samples: SampleRows,
  onRows?: (done: number, total: number) => void,
): Promise<Tensor> {
  return (await allOutputsOf(session, [name], inputs, samples, onRows)).get(name) ?? Tensor.zeros('float32', [0]);
}
