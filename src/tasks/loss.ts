// Loss of raw scores on the host, in float64, for figures of finished tasks. The graph of training is model/heads/head.ts; a test compares.

import type { Head } from '../model/description/description.js';
import { headWidth } from '../model/heads/head-schema.js';
import { must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import { type Evaluation, EvaluationSum } from '../train/evaluate.js';

/** log(1 + e^x) without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Weighted cross-entropy with label smoothing, as `lowerLoss` with reduction "none". */
function crossEntropy(head: Extract<Head, { kind: 'classify' }>, scores: readonly number[], label: number): number {
  const max = Math.max(...scores);
  const logSum = max + Math.log(scores.reduce((sum, x) => sum + Math.exp(x - max), 0));
  const weight = head.class_weights === undefined ? 1 : must(head.class_weights[label], 'class weight');
  const hard = weight * (logSum - must(scores[label], 'score'));
  const s = head.label_smoothing;
  return s === 0 ? hard : (1 - s) * hard + (s * scores.reduce((sum, x) => sum + logSum - x, 0)) / scores.length;
}

/** Mean of an elementwise loss over one sample. */
function meanLoss(head: Exclude<Head, { kind: 'classify' }>, scores: readonly number[], targets: readonly number[]): number {
  const each = (x: number, t: number): number => {
    if (head.kind === 'binary') return softplus(x) - x * t;
    return head.loss === 'mse' ? (x - t) ** 2 : Math.abs(x - t);
  };
  return scores.reduce((sum, x, j) => sum + each(x, must(targets[j], 'target')), 0) / scores.length;
}

/** Loss and metric of scores [D, k] against targets that fit the head. */
export function evaluateScores(head: Head, scores: Tensor, targets: Tensor): Evaluation {
  const width = headWidth(head);
  const rows = scores.dims[0] ?? 0;
  const losses = new Float64Array(rows);
  const rowOf = (tensor: Tensor, i: number): number[] =>
    Array.from({ length: width }, (_, j) => Number(tensor.data[i * width + j]));
  for (let i = 0; i < rows; i++) {
    const row = rowOf(scores, i);
    losses[i] =
      head.kind === 'classify' ? crossEntropy(head, row, Number(targets.data[i])) : meanLoss(head, row, rowOf(targets, i));
  }
  const sum = new EvaluationSum(head);
  sum.add(scores, new Tensor('float64', [rows], losses), targets);
  return sum.result();
}
