// What the tests of heads share: losses and answers of scores, run on the runtime.
import { answersOf, type Head, type HeadInput, headSchema, lowerLoss, targetsOf } from '../../../src/model/heads/heads.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';

export const headOf = (written: HeadInput): Head => headSchema.parse(written);

/** [N, width] of float32 */
export const matrix = (rows: readonly (readonly number[])[]): Tensor =>
  Tensor.from('float32', rows.flat(), [rows.length, rows[0]?.length ?? 0]);

/** Losses, their mean, and what the head answers beside its scores. */
export async function outputs(head: Head, scores: Tensor, targets: Tensor): Promise<Record<string, number[] | undefined>> {
  const g = ops();
  const x = g.input('scores', 'float32', ['N', scores.dims[1] ?? 1]);
  const { shape } = targetsOf(head, 'N');
  const t = g.input('targets', targets.dtype, shape);
  g.output(lowerLoss(g, head, x, t, 'none'), 'losses');
  g.output(lowerLoss(g, head, x, t, 'mean'), 'mean');
  const answers = answersOf(head);
  if (answers !== undefined) {
    g.output(answers.probabilities(g, x), 'probabilities');
    g.output(answers.label(g, x), 'label');
  }
  const found = await runModel(g.model(), { scores, targets });
  return Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, tensor.numbers()]));
}

/** Each number near its like, to 5 digits. */
export function near(found: readonly number[] | undefined, expected: readonly number[]): boolean {
  return found?.length === expected.length && found.every((v, i) => Math.abs(v - (expected[i] ?? Number.NaN)) < 1e-5);
}
