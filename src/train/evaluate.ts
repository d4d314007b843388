// Loss and metric of a column over a data set.

import type { Head } from '../model/description/description.js';
import {
  eachOf,
  isSeveral,
  judgedHeads,
  judgedRows,
  lowerLoss,
  metricName,
  type SeveralHeads,
  sampleMetric,
  sampleWeight,
  targetsOf,
} from '../model/heads/heads.js';
import { columnsOf } from '../model/heads/several.js';
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
  /** Of several heads each by its name: then `loss` is the sum of theirs by their weights, and `metric` that of the first. */
  readonly heads?: Readonly<Record<string, HeadEvaluation>>;
}

/** One of several heads. */
export interface HeadEvaluation {
  /** As of a head alone: not weighed. */
  readonly loss: number;
  /** Its own: accuracy, or mean absolute error. */
  readonly metric: { readonly name: 'accuracy' | 'error'; readonly value: number };
}

/** Loss and metric of several heads as one list of numbers by name, `group/loss`, `group/accuracy`; none of a head alone. */
export function headFigures(heads: Evaluation['heads'] = {}): Record<string, number> {
  const of = ([name, { loss, metric }]: [string, HeadEvaluation]) => [
    [`${name}/loss`, loss] as const,
    [`${name}/${metric.name}`, metric.value] as const,
  ];
  return Object.fromEntries(Object.entries(heads).flatMap(of));
}

/** The same back, of numbers by name among others; undefined where there are none. */
export function headsInFigures(figures: Readonly<Record<string, unknown>>): Evaluation['heads'] {
  const found = new Map<string, { loss: number; metric?: HeadEvaluation['metric'] }>();
  for (const [key, value] of Object.entries(figures)) {
    const [, head, name] = /^([^/]+)\/(loss|accuracy|error)$/.exec(key) ?? [];
    if (head === undefined || typeof value !== 'number') continue;
    const known = found.get(head) ?? { loss: Number.NaN };
    if (name === 'accuracy' || name === 'error') found.set(head, { ...known, metric: { name, value } });
    else found.set(head, { ...known, loss: value });
  }
  const whole = [...found].flatMap(([name, { loss, metric }]) =>
    metric === undefined ? [] : [[name, { loss, metric }] as const],
  );
  return whole.length === 0 ? undefined : Object.fromEntries(whole);
}

/** The same in the order of a column's heads; records have theirs by the alphabet. */
export function inOrderOf(head: Head, heads: Evaluation['heads']): Evaluation['heads'] {
  if (heads === undefined || !isSeveral(head)) return heads;
  return Object.fromEntries(head.heads.flatMap(({ name }) => (heads[name] === undefined ? [] : [[name, heads[name]]])));
}

/** Adds up batches of scores, losses and targets: [n, k] and [n]; of heads of each step [n, T, k] and [n T]; of several heads losses [n, heads]. */
export interface EvaluationSum {
  add(scores: Tensor, losses: Tensor, targets: Tensor): void;
  result(): Evaluation;
}

export const evaluationSum = (head: Head): EvaluationSum => (isSeveral(head) ? new SumOfHeads(head) : new SumOfHead(head));

class SumOfHeads implements EvaluationSum {
  private readonly sums: readonly SumOfHead[];

  constructor(private readonly several: SeveralHeads) {
    this.sums = several.heads.map(({ head }) => new SumOfHead(head));
  }

  add(scores: Tensor, losses: Tensor, targets: Tensor): void {
    judgedHeads(this.several, scores, targets).forEach((own, i) => {
      this.sums[i]?.add(own.scores, columnsOf(losses, { from: i, to: i + 1 }), own.targets);
    });
  }

  result(): Evaluation {
    const found = this.several.heads.map(({ name, weight, head }, i) => {
      const { loss, metric, rows } = must(this.sums[i], name).result();
      return { name, weight, rows, loss, metric: { name: metricName(head), value: metric } };
    });
    const first = must(found[0], 'head');
    const heads = Object.fromEntries(found.map(({ name, loss, metric }) => [name, { loss, metric }]));
    const loss = found.reduce((sum, own) => sum + own.weight * own.loss, 0);
    return { loss, metric: first.metric.value, rows: first.rows, heads };
  }
}

class SumOfHead implements EvaluationSum {
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
    const sum = evaluationSum(head);
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
