// What a frozen task answers, by the model that `export` writes: raw scores and their hash.

import type { SampleRows } from '../data/samples.js';
import type { Columns } from '../model/progressive/column.js';
import { taskModel } from '../model/progressive/forms.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { stopIfAborted } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { sha256 } from '../onnx/files/hash.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
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
    const scores = await outputsOf(session, task, columns.inputs, inputs, () => stopIfAborted(signal));
    return { scores, sha256: sha256(scores.bytes), graph: sha256(model), provider: session.provider };
  } finally {
    await session.release();
  }
}
