// Loss and metric of a column over a data set.

import type { Head } from '../model/description/description.js';
import { sampleMetric } from '../model/heads/head.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';

export interface Evaluation {
  /** Mean over samples; with class weights divided by the sum of the weights met, where that is not 0. */
  readonly loss: number;
  /** Fraction of right answers (classify), of right labels (binary), or mean absolute error (regress). */
  readonly metric: number;
  readonly rows: number;
}

/** Adds up batches of scores [n, k], losses [n] and targets. */
export class EvaluationSum {
  private loss = 0;
  private weight = 0;
  private metric = 0;
  private rows = 0;

  constructor(private readonly head: Head) {}

  add(scores: Tensor, losses: Tensor, targets: Tensor): void {
    const { head } = this;
    const weights = head.kind === 'classify' ? head.class_weights : undefined;
    const n = scores.dims[0] ?? 0;
    const scoreData = scores.data as Float32Array;
    const targetData = targets.data as Float32Array | BigInt64Array;
    for (let i = 0; i < n; i++) {
      this.loss += Number(losses.data[i]);
      this.weight += weights === undefined ? 1 : must(weights[Number(targetData[i])], 'class weight');
      this.metric += sampleMetric(head, scoreData, targetData, i);
    }
    this.rows += n;
  }

  result(): Evaluation {
    return { loss: this.loss / (this.weight || this.rows), metric: this.metric / this.rows, rows: this.rows };
  }
}
