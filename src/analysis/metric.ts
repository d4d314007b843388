// How well a column answers the samples that are analysed.
import { joinRows } from '../data/rows.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { meanMetric } from '../train/evaluate.js';
import { type Analysed, batchesOf, withSession } from './analysed.js';
import { scoresOutput, taskGraph } from './task-graph.js';

/** The metric of a column with these weights. */
export async function metricOf(analysed: Analysed): Promise<{ readonly metric: number; readonly scores: Tensor }> {
  const parts: Tensor[] = [];
  await withSession(analysed, taskGraph(analysed), async (session) => {
    for (const { feeds } of batchesOf(analysed))
      parts.push(must((await session.run(feeds, [scoresOutput]))[scoresOutput], 'scores'));
  });
  const scores = joinRows(parts);
  return { metric: meanMetric(analysed.column.head, scores, analysed.data.targets), scores };
}
