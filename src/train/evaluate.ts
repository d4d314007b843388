// Loss and metric of a column over a data set.

import type { Head } from '../model/description/description.js';
import { eachOf, judgedRows, lowerLoss, sampleMetric, sampleWeight, targetsOf } from '../model/heads/heads.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { ops } from '../onnx/ops/ops.js';
import type { Runtime, Session } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';

export interface Evaluation {
  /** Mean over samples, or over the steps that count; with class weights divided by the sum of the weights met, where that is not 0. */
  readonly loss: number;
  /** Fraction of right answers (classify), of right labels (binary), or mean absolute error (regress). */
  readonly metric: number;
  readonly rows: number;
}

/** Adds up batches of scores, losses and targets: [n, k] and [n]; of heads of each step [n, T, k] and [n T]. */
export class EvaluationSum {
  private loss = 0;
  private weight = 0;
  private metric = 0;
  private rows = 0;
  private judged = 0;

  constructor(private readonly head: Head) {}

  add(scores: Tensor, losses: Tensor, targets: Tensor): void {
    const { head } = this;
    const rows = judgedRows(head, scores, targets);
    const n = rows.scores.dims[0] ?? 0;
    const scoreData = rows.scores.data as Float32Array;
    const targetData = rows.targets.data as Float32Array | BigInt64Array;
    for (let i = 0; i < n; i++) {
      this.loss += Number(losses.data[rows.places?.[i] ?? i]);
      this.weight += sampleWeight(head, targetData[i]);
      this.metric += sampleMetric(head, scoreData, targetData, i);
    }
    this.judged += n;
    this.rows += scores.dims[0] ?? 0;
  }

  result(): Evaluation {
    return { loss: this.loss / (this.weight || this.judged), metric: this.metric / this.judged, rows: this.rows };
  }
}

/** Metric of scores [D, k], or [D, T, k] of a head of each step, against targets that fit the head. */
export function meanMetric(head: Head, scores: Tensor, targets: Tensor): number {
  const judged = judgedRows(head, scores, targets);
  const rows = judged.scores.dims[0] ?? 0;
  const [given, wanted] = [judged.scores.data as Float32Array, judged.targets.data as Float32Array];
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += sampleMetric(head, given, wanted, i);
  return sum / rows;
}

/** Loss and metric of scores, task after task: heads of one kind share the session of their loss. */
export class Evaluator {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly runtime: Runtime) {}

  /** Of scores [D, k] or [D, T, k] against targets that fit the head: the loss by the head's own graph, each sample's in float32. */
  async evaluate(head: Head, scores: Tensor, targets: Tensor): Promise<Evaluation> {
    const session = await this.session(head, scores.dims.at(-1) ?? 1);
    const { losses } = await session.run({ scores, targets });
    const sum = new EvaluationSum(head);
    sum.add(scores, must(losses, 'losses'), targets);
    return sum.result();
  }

  private async session(head: Head, width: number): Promise<Session> {
    const key = JSON.stringify([head, width]);
    const known = this.sessions.get(key);
    if (known !== undefined) return known;
    const g = ops({ name: 'loss' });
    const wanted = targetsOf(head, 'N');
    const from = g.input('scores', 'float32', ['N', ...(eachOf(head) ? ['steps'] : []), width]);
    g.output(lowerLoss(g, head, from, g.input('targets', wanted.dtype, wanted.shape), 'none'), 'losses');
    const alone = this.runtime.sharedThreads === true ? {} : { threads: 1 };
    const session = await this.runtime.createSession(toBinary(g.model()), { providers: ['cpu'], ...alone });
    this.sessions.set(key, session);
    return session;
  }

  /** Gives its sessions back. */
  async release(): Promise<void> {
    for (const session of this.sessions.values()) await session.release();
    this.sessions.clear();
  }
}

/** The same once. */
export async function evaluateScores(runtime: Runtime, head: Head, scores: Tensor, targets: Tensor): Promise<Evaluation> {
  const evaluator = new Evaluator(runtime);
  try {
    return await evaluator.evaluate(head, scores, targets);
  } finally {
    await evaluator.release();
  }
}
