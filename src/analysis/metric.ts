// How well a column answers the samples that are analysed, head by head.
import { joinRows } from '../data/rows.js';
import {
  type Head,
  isSeveral,
  judgedHeads,
  judgedRows,
  metricRises,
  type SingleHead,
  sampleMetric,
} from '../model/heads/heads.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { type Analysed, batchesOf, withSession } from './analysed.js';
import { scoresOutput, taskGraph } from './task-graph.js';

/** A head of a column, of several each by its name. */
export interface OneHead {
  readonly name?: string;
  readonly head: SingleHead;
}

/** The heads of a column in their order. */
export const headsOf = (head: Head): readonly OneHead[] =>
  isSeveral(head) ? head.heads.map(({ name, head: own }) => ({ name, head: own })) : [{ head }];

/** Scores and targets of each head, rows that count alone: samples, or steps with a target. */
export function judgedOf(
  head: Head,
  scores: Tensor,
  targets: Tensor,
): readonly (OneHead & { scores: Tensor; targets: Tensor })[] {
  if (isSeveral(head)) return judgedHeads(head, scores, targets);
  const rows = judgedRows(head, scores, targets);
  return [{ head, scores: rows.scores, targets: rows.targets }];
}

/** The sum of a head's metric over rows that all count. */
export function sumOfRows(head: SingleHead, { data, dims }: Tensor, targets: Tensor): number {
  const [given, wanted] = [data as Float32Array, targets.data as Float32Array];
  let sum = 0;
  for (let row = 0; row < (dims[0] ?? 0); row++) sum += sampleMetric(head, given, wanted, row);
  return sum;
}

/** Metrics of the heads over batches: means over samples, or over all steps that count. */
export class MetricSum {
  private readonly sums: { sum: number; rows: number }[];

  constructor(private readonly head: Head) {
    this.sums = headsOf(head).map(() => ({ sum: 0, rows: 0 }));
  }

  add(scores: Tensor, targets: Tensor): void {
    judgedOf(this.head, scores, targets).forEach((own, i) => {
      const to = must(this.sums[i], 'head');
      to.sum += sumOfRows(own.head, own.scores, own.targets);
      to.rows += own.scores.dims[0] ?? 0;
    });
  }

  /** In the order of the heads. */
  values(): readonly number[] {
    return this.sums.map(({ sum, rows }) => sum / rows);
  }
}

/** Metrics of scores, in the order of the heads. */
export function metricsOf(head: Head, scores: Tensor, targets: Tensor): readonly number[] {
  const sum = new MetricSum(head);
  sum.add(scores, targets);
  return sum.values();
}

/** The metrics of a column with these weights, in the order of its heads. */
export async function measured(analysed: Analysed): Promise<{ readonly metrics: readonly number[]; readonly scores: Tensor }> {
  const parts: Tensor[] = [];
  await withSession(analysed, taskGraph(analysed), async (session) => {
    for (const { feeds } of batchesOf(analysed))
      parts.push(must((await session.run(feeds, [scoresOutput]))[scoresOutput], 'scores'));
  });
  const scores = joinRows(parts);
  return { metrics: metricsOf(analysed.column.head, scores, analysed.data.targets), scores };
}

/** Whether a metric of a head is better than another. */
export const better = (head: SingleHead, value: number, than: number): boolean =>
  metricRises(head) ? value > than : value < than;
