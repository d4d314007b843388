// What another precision costs: the tasks' test data through the float32 model and through the other, metric by metric.

import { taskIdName } from '../model/description/description.js';
import { type Head, isJudged, metricName } from '../model/heads/heads.js';
import { routedNames } from '../model/progressive/forms.js';
import { must } from '../onnx/core/errors.js';
import { int64, type Tensor } from '../onnx/core/tensor.js';
import { fromHalf, toHalf } from '../onnx/precision/half.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { meanMetric } from '../train/evaluate.js';
import { outputsOf, type RunningSession } from '../train/outputs.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { loadTaskData } from './task-data.js';

/** What a precision cost a task. */
export interface TaskLoss {
  /** The task. */
  readonly task: string;
  /** Test samples. */
  readonly rows: number;
  /** The metric; absent where nothing judges what the column gives. */
  readonly metric?: { readonly name: string; readonly float32: number; readonly now: number; readonly difference: number };
  /** Largest difference of a raw score, and the largest magnitude of the float32 scores to read it by. */
  readonly largestDifference: number;
  /** The largest absolute score, to hold differences against. */
  readonly largestScore: number;
}

/** What a precision changed, over test data. */
export interface Measured {
  /** Each task. */
  readonly tasks: readonly TaskLoss[];
  /** Bytes of the models, weights included. */
  readonly size: { readonly float32: number; readonly now: number };
  /** The execution provider that ran. */
  readonly provider: string;
}

/** Runs both models over each task's test data. */
export async function measurePrecision(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  tasks: readonly string[],
  models: { readonly float32: Uint8Array; readonly now: Uint8Array; readonly halfIo: boolean; readonly routed: boolean },
  options: SessionOptions = {},
): Promise<Measured> {
  const before = await runtime.createSession(models.float32, options);
  const after = await runtime.createSession(models.now, options);
  try {
    const found: TaskLoss[] = [];
    for (const [id, task] of tasks.entries()) {
      const asked = (session: RunningSession) => (models.routed ? routedSession(session, task, id) : session);
      const { test } = await loadTaskData(loaded, task);
      const { head } = loaded.columns.column(task);
      const float32 = await outputsOf(asked(before), task, loaded.columns.inputs, test.inputs);
      const now = await outputsOf(asked(models.halfIo ? halfSession(after) : after), task, loaded.columns.inputs, test.inputs);
      const metric = isJudged(head) && metricOf(head, float32, now, test.targets);
      found.push({
        task,
        rows: float32.dims[0] ?? 0,
        ...(metric && { metric }),
        ...differences(float32, now),
      });
    }
    return { tasks: found, size: { float32: models.float32.length, now: models.now.length }, provider: after.provider };
  } finally {
    await before.release();
    await after.release();
  }
}

function metricOf(head: Head, before: Tensor, after: Tensor, targets: Tensor): NonNullable<TaskLoss['metric']> {
  const [float32, now] = [meanMetric(head, before, targets), meanMetric(head, after, targets)];
  return { name: metricName(head), float32, now, difference: now - float32 };
}

function differences(float32: Tensor, now: Tensor): { largestDifference: number; largestScore: number } {
  let [largestDifference, largestScore] = [0, 0];
  for (let i = 0; i < float32.data.length; i++) {
    const v = Number(float32.data[i]);
    const d = Math.abs(v - Number(now.data[i]));
    // NaN is the largest of differences
    if (!(d <= largestDifference)) largestDifference = d;
    largestScore = Math.max(largestScore, Math.abs(v));
  }
  return { largestDifference, largestScore };
}

/** A session of a routed model as one of the task `id`, its scores under the task's name. */
function routedSession(session: RunningSession, task: string, id: number): RunningSession {
  return {
    inputNames: session.inputNames,
    run: async (feeds) => {
      const [scores] = routedNames;
      const found = await session.run({ ...feeds, [taskIdName]: int64([id]) }, [scores]);
      return { [task]: must(found[scores], scores) };
    },
  };
}

/** A session whose inputs and outputs are float16, as one of float32. */
function halfSession(session: Session): Session {
  const each = (tensors: Readonly<Record<string, Tensor>>, f: (t: Tensor) => Tensor) =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, f(t)]));
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    provider: session.provider,
    run: async (feeds, fetches) =>
      each(
        await session.run(
          each(feeds, (t) => (t.dtype === 'float32' ? toHalf(t) : t)),
          fetches,
        ),
        fromHalf,
      ),
    release: () => session.release(),
  };
}
