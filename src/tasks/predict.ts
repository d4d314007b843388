// Answers of a frozen or trained task for inputs, one sample or many.

import type { Answered } from '../data/answer-rows.js';
import type { Samples } from '../data/samples.js';
import { answersOf, outputLabels } from '../model/heads/heads.js';
import { outputNames } from '../model/heads/output-names.js';
import { taskModel } from '../model/progressive/forms.js';
import { must } from '../onnx/core/errors.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { outputsOf } from '../train/outputs.js';
import { fitInputs } from '../train/prepare-data.js';
import { besideSeen } from '../train/seen.js';
import { factsOf } from './facts-of.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { withTrained } from './trained-column.js';

/** What a task answers, and what was seen of its inputs. */
export interface Predicted extends Answered {
  /** Which numbers are far from all that the column was trained on, a line each. */
  readonly notes: readonly string[];
}

/** Runs the model that the task is or would be exported as over `inputs`, each [D, ...]. */
export async function predict(
  runtime: Runtime,
  opened: LoadedWorkspace,
  task: string,
  inputs: Samples,
  options: SessionOptions,
): Promise<Predicted> {
  const loaded = withTrained(opened, task);
  const column = loaded.columns.column(task);
  const where = `inputs of task "${task}"`;
  const seen = factsOf(loaded).get(task)?.trained?.seen ?? {};
  const notes = besideSeen(fitInputs(column, inputs, where), column.inputs, seen, where);
  const model = taskModel(loaded.columns, weightsOf(loaded), { tasks: [task], probabilities: true });
  const session = await runtime.createSession(toBinary(model), options);
  try {
    const called = outputLabels(column.head);
    const told = { notes, ...(called !== undefined && { names: called }) };
    if (answersOf(column.head) === undefined)
      return { kind: 'values', values: await outputsOf(session, task, column.inputs, inputs), ...told };
    const { probabilities, label } = outputNames(task);
    const values = await outputsOf(session, probabilities, column.inputs, inputs);
    const labels = must(await outputsOf(session, label, column.inputs, inputs), 'labels');
    return { kind: 'probabilities', values, labels, ...told };
  } finally {
    await session.release();
  }
}
