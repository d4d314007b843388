// What another precision costs: the tasks' test data through the float32 model and through the other, metric by metric.

import { taskIdName } from '../model/description/description.js';
import { type Head, isJudged, isSeveral, metricName } from '../model/heads/heads.js';
import { routedNames } from '../model/heads/output-names.js';
import { outputsBegin, sideBySide } from '../model/heads/several.js';
import { must } from '../onnx/core/errors.js';
import { int64, type Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import { fromHalf, toHalf } from '../onnx/precision/half.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { sessionModel } from '../onnx/serde/session-model.js';
import { toPieces } from '../onnx/serde/to-binary.js';
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

/** The two models, written anew each time that a session is made of one. */
export interface Compared {
  /** As exported. */
  readonly float32: Model;
  /** In the other precision. */
  readonly now: Model;
  /** Whether inputs and outputs of `now` are float16. */
  readonly halfIo: boolean;
  /** Whether they are routed models. */
  readonly routed: boolean;
}

/** Runs both models over each task's test data. One of them is in memory at a time. */
export async function measurePrecision(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  tasks: readonly string[],
  models: Compared,
  options: SessionOptions = {},
): Promise<Measured> {
  const sessions = new OneSession(runtime, models, options);
  try {
    const found: TaskLoss[] = [];
    for (const [id, task] of tasks.entries()) {
      const { test } = await loadTaskData(loaded, task);
      const { head } = loaded.columns.column(task);
      const scoresOf = async (name: ModelName) => {
        const session = await sessions.of(name);
        const asked = models.halfIo && name === 'now' ? halfSession(session) : session;
        const own = joinedSession(models.routed ? routedSession(asked, id) : asked, task, namesOf(task, head, models.routed));
        return await outputsOf(own, task, loaded.columns.inputs, test.inputs);
      };
      // The model that answered last answers the next task first.
      const first = sessions.name ?? 'float32';
      const scores = { [first]: await scoresOf(first) };
      const second = first === 'now' ? 'float32' : 'now';
      scores[second] = await scoresOf(second);
      const [float32, now] = [must(scores.float32, 'float32'), must(scores.now, 'now')];
      const metric = isJudged(head) && metricOf(head, float32, now, test.targets);
      found.push({
        task,
        rows: float32.dims[0] ?? 0,
        ...(metric && { metric }),
        ...differences(float32, now),
      });
    }
    const { float32, now } = models;
    const size = { float32: toPieces(float32).length, now: toPieces(now).length };
    return { tasks: found, size, provider: sessions.provider };
  } finally {
    await sessions.release();
  }
}

type ModelName = 'float32' | 'now';

/** A session of one of the models; it is released before one of the other is made. */
class OneSession {
  /** The execution provider that ran last. */
  provider = '';
  /** The model whose session there is. */
  name: ModelName | undefined;
  private session: Session | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly models: Compared,
    private readonly options: SessionOptions,
  ) {}

  async of(name: ModelName): Promise<Session> {
    if (this.session !== undefined && this.name === name) return this.session;
    await this.release();
    const { bytes, options } = sessionModel(this.models[name], this.runtime);
    const session = await this.runtime.createSession(bytes, { ...this.options, ...options });
    this.session = session;
    this.name = name;
    this.provider = session.provider;
    return session;
  }

  async release(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    this.name = undefined;
    await session?.release();
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

/** The scores of a task, of several heads those of each. */
function namesOf(task: string, head: Head, routed: boolean): readonly string[] {
  const heads = isSeveral(head) ? head.heads.map(({ name }) => name) : [undefined];
  return heads.map((name) => (routed ? routedNames(name).scores : name === undefined ? task : outputsBegin(task, name)));
}

/** A session of a routed model as one of the task `id`. */
function routedSession(session: RunningSession, id: number): RunningSession {
  return {
    inputNames: session.inputNames,
    run: (feeds, fetches) => session.run({ ...feeds, [taskIdName]: int64([id]) }, fetches),
  };
}

/** A session whose outputs of these names, side by side, are the scores under the task's name. */
function joinedSession(session: RunningSession, task: string, names: readonly string[]): RunningSession {
  return {
    inputNames: session.inputNames,
    run: async (feeds) => {
      const found = await session.run(feeds, names);
      const scores = names.map((name) => must(found[name], name));
      return { [task]: scores.length === 1 ? must(scores[0], task) : sideBySide(scores) };
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
