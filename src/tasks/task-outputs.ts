// What a frozen task answers, by the model that `export` writes: raw scores and their hash.

import { sliceRows } from '../data/rows.js';
import { countOf, mapSamples, type SampleRows, type Samples } from '../data/samples.js';
import { isJudged } from '../model/heads/heads.js';
import type { Columns } from '../model/progressive/column.js';
import { taskModel } from '../model/progressive/forms.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { must, stopIfAborted } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { sha256 } from '../onnx/files/hash.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
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

/** Raw scores of a task over `inputs`, each [D, ...]. */
export async function taskOutputs(
  runtime: Runtime,
  columns: Columns,
  weights: FrozenWeights,
  task: string,
  inputs: SampleRows,
  options: SessionOptions,
  signal?: AbortSignal,
): Promise<TaskOutputs> {
  const model = toBinary(taskModel(columns, weights, { tasks: [task] }));
  const session = await runtime.createSession(model, options);
  try {
    // What nothing judges may be of any shape, without a row for each sample.
    const scores = isJudged(columns.column(task).head)
      ? await outputsOf(session, task, columns.inputs, inputs, () => stopIfAborted(signal))
      : must((await session.run(networkFeeds(columns.inputs, whole(inputs)), [task]))[task], task);
    return { scores, sha256: sha256(scores.bytes), graph: sha256(model), provider: session.provider };
  } finally {
    await session.release();
  }
}
