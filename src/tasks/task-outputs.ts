// What a frozen task answers, by the model that `export` writes: raw scores and their hash.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows, type Samples } from '../data/samples.js';
import { isJudged } from '../model/heads/heads.js';
import type { Columns } from '../model/progressive/column.js';
import { taskModel } from '../model/progressive/forms.js';
import { maxGraphBytes } from '../model/progressive/import-model.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { must, stopIfAborted } from '../onnx/core/errors.js';
import { bytePieces } from '../onnx/core/stored-tensor.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { sha256 } from '../onnx/files/hash.js';
import type { Model } from '../onnx/ir/model.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { maxMessageBytes, toPieces } from '../onnx/serde/to-binary.js';
import { networkFeeds } from '../train/network-input.js';
import { outputsOf } from '../train/outputs.js';

export interface TaskOutputs {
  /** float32 [D, k] */
  readonly scores: Tensor;
  /** Of the scores' bytes. */
  readonly sha256: string;
  /** sha256 of the model that gave them. */
  readonly graph: string;
  /** The provider that ran. */
  readonly provider: string;
}

/** All rows, in memory. */
const whole = (inputs: SampleRows): Samples => mapSamples(inputs, (t) => sliceRows(t, 0, countOf(inputs)));

/** Raw scores of a task over `inputs`, each [D, ...]. `also` asks the same session more. */
export async function taskOutputs(
  runtime: Runtime,
  columns: Columns,
  weights: FrozenWeights,
  task: string,
  inputs: SampleRows,
  options: SessionOptions,
  signal?: AbortSignal,
  also?: (session: Session) => Promise<void>,
): Promise<TaskOutputs> {
  const model = taskModel(columns, weights, { tasks: [task], joined: true });
  const { bytes, options: from } = sessionModel(model, runtime);
  const session = await runtime.createSession(bytes, { ...options, ...from });
  let scores: Tensor;
  try {
    // What nothing judges may be of any shape, without a row for each sample.
    scores = isJudged(columns.column(task).head)
      ? await outputsOf(session, task, columns.inputs, inputs, () => stopIfAborted(signal))
      : must((await session.run(networkFeeds(columns.inputs, whole(inputs)), [task]))[task], task);
    await also?.(session);
  } finally {
    await session.release();
  }
  // Last: the weights are read for it, which the session's memory need not stand beside.
  return { scores, sha256: sha256(scores.bytes), graph: modelHash(model), provider: session.provider };
}

/** SHA-256 of a model's bytes; of one that is beyond the 2 GB of a file, of its bytes with the hash of each weight in place of the weight. */
export function modelHash(model: Model): string {
  const { initializers } = model.graph;
  const bytes = initializers.reduce((sum, { constant }) => sum + (constant?.byteLength ?? 0), 0);
  // Beside the weights stand graphs, the largest of which a description takes.
  const place = (t: Tensor) => (t.byteLength < 4096 ? undefined : new Map([['location', sha256(bytePieces(t))]]));
  return sha256(toPieces(model, bytes > maxMessageBytes - 2 * maxGraphBytes ? place : undefined).pieces);
}
