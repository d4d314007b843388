// What a frozen task answers, by the model that `export` writes: raw scores, their hash, and how good they are.
import type { Tensor } from '../core/tensor.js';
import { taskModel } from '../progressive/forms.js';
import { sampleMetric } from '../progressive/head.js';
import type { Weights } from '../progressive/parameters.js';
import type { Description, Head } from '../progressive/description/description.js';
import type { Runtime, SessionOptions } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { outputsOf } from '../train/outputs.js';
import { sha256 } from '../workspace/hash.js';

export interface TaskOutputs {
  /** float32 [D, k] */
  readonly scores: Tensor;
  readonly sha256: string;
  readonly provider: string;
}

/** Raw scores of a task over `inputs` [D, ...]. */
export async function taskOutputs(
  runtime: Runtime,
  description: Description,
  weights: readonly (Weights | undefined)[],
  task: string,
  inputs: Tensor,
  options: SessionOptions,
): Promise<TaskOutputs> {
  const session = await runtime.createSession(toBinary(taskModel(description, weights, { tasks: [task] })), options);
  try {
    const scores = await outputsOf(session, task, inputs);
    return { scores, sha256: sha256(scores.bytes), provider: session.provider };
  } finally {
    await session.release();
  }
}

/** Mean metric of scores: accuracy, or mean absolute error for regress. */
export function meanMetric(head: Head, scores: Tensor, targets: Tensor): number {
  const rows = scores.dims[0] ?? 0;
  const s = scores.data as Float32Array;
  const t = targets.data as Float32Array | BigInt64Array;
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += sampleMetric(head, s, t, i);
  return sum / rows;
}
