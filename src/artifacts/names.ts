// Names that ONNX Runtime's training API looks for, or that its Python tool would give (onnxruntime 1.19.2, generate_artifacts).

import { type Head, targetKind } from '../model/heads/heads.js';
import { UsageError } from '../onnx/core/errors.js';

/** First output of the training and the eval model, a scalar. */
export const lossOutput = 'loss';
/** int64 scalar, a user input of the training model of a column with dropout: the seed of this step's masks. */
export const seedInput = 'dropout_seed';
export const resetInput = 'lazy_reset_grad';
export const bufferInput = (parameter: string): string => `${parameter}_grad.accumulation.buffer`;
export const accumulatedOutput = (parameter: string): string => `${parameter}_grad.accumulation.out`;
/** The flag that a running statistic was moved. */
export const movedOutput = (statistic: string): string => `${statistic}.moved`;

/** All parameters one after another, float32, as the third output of the eval model, where that is asked for. */
export const parametersOutput = 'parameters';

/** int64 `labels` where targets are classes, float32 `target` where they are numbers, or those of several heads side by side. */
export const targetInput = (head: Head): 'labels' | 'target' => (targetKind(head).of === 'classes' ? 'labels' : 'target');

/** Inputs are classified by their names: a network input must not look like one of the others. */
export function checkInputName(name: string): void {
  const taken = ['labels', 'target', resetInput, seedInput, lossOutput].includes(name) || name.endsWith('_grad');
  if (!taken) return;
  throw new UsageError(`input "${name}": training artifacts give that name another meaning, choose another`, {
    path: 'input.name',
    got: name,
    expected: 'a name that is not labels, target, loss, lazy_reset_grad, dropout_seed and does not end in _grad',
  });
}
