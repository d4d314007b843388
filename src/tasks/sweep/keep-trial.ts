// The best of a sweep becomes the trained column of its task: it is trained once more, to the same bits, and tested; the description must say what it is.

import { must } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { type LoadedWorkspace, withText } from '../load-workspace.js';
import { type TrainedTask, type TrainTaskOptions, trainLoaded } from '../train-task.js';
import { linesOf, type PlannedTrial } from './plan.js';

/** A trial that was kept. */
export interface KeptTrial {
  readonly trained: TrainedTask;
  /** What the description must say before the column can be frozen, `train.lr: 0.01`; none where it says so, or was written. */
  readonly lines: readonly string[];
}

/** Trains the trial as the task's column, not frozen. With `write` the description's text says it from then on. Throws as `trainTask`. */
export async function keepTrial(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  { text, values }: PlannedTrial,
  { write, ...options }: TrainTaskOptions & { readonly write: boolean },
): Promise<KeptTrial> {
  const { trained } = await trainLoaded(runtime, withText(loaded, text), task, { ...options, freeze: false, resume: true });
  if (write) writeFileAtomic(loaded.workspace.description, new TextEncoder().encode(text));
  return { trained, lines: write ? [] : linesOf(must(loaded.text, 'description'), task, values) };
}
