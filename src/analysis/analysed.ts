// What an analysis is of: a task's column with all weights, some samples with their targets, and where graphs run.

import type { Labelled } from '../data/dataset.js';
import { gatherRows, sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows, type Samples } from '../data/samples.js';
import type { Column } from '../model/progressive/column.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { stopIfAborted } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { dataFeeds } from '../train/network-input.js';
import { rowsPerRun } from '../train/outputs.js';

/** What is analysed. */
export interface Analysed {
  /** The task's column. */
  readonly column: Column;
  /** Of the column and of all that it stands on, by task. */
  readonly weights: FrozenWeights;
  /** Samples with their targets, as the head takes them. */
  readonly data: Labelled<Samples>;
  /** What runs the graphs, and how. */
  readonly runtime: Runtime;
  readonly session?: SessionOptions;
  /** What noise and drawn labels follow from. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** At most so many samples, drawn by the seed, in their order. */
export function someSamples(data: Labelled<SampleRows>, most: number, seed: number): Labelled<Samples> {
  const count = countOf(data.inputs);
  const all = count <= most;
  const numbers = all ? undefined : new Random(seed, 'analysed samples').permutation(count).subarray(0, most).sort();
  const { inputs, targets } = data;
  if (numbers === undefined) return { ...data, inputs: mapSamples(inputs, (rows) => sliceRows(rows, 0, count)) };
  return { ...data, inputs: mapSamples(inputs, (rows) => gatherRows(rows, numbers)), targets: gatherRows(targets, numbers) };
}

/** A session of a graph for one piece of work. */
export async function withSession<T>(
  { runtime, session: options }: Analysed,
  model: Model,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { bytes, options: from } = sessionModel(model, runtime);
  const session = await runtime.createSession(bytes, { ...options, ...from });
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}

/** A batch of the samples, as the graphs of an analysis take it. */
export interface Batch {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly targets: Tensor;
  readonly rows: number;
}

/** The samples in batches; stops where it is asked to. */
export function* batchesOf({ data: { inputs, targets }, signal }: Analysed): Generator<Batch> {
  const total = countOf(inputs);
  for (let from = 0; from < total; from += rowsPerRun) {
    stopIfAborted(signal);
    const to = Math.min(from + rowsPerRun, total);
    const part = mapSamples(inputs, (rows) => sliceRows(rows, from, to));
    yield { feeds: dataFeeds(part), targets: sliceRows(targets, from, to), rows: to - from };
  }
}
