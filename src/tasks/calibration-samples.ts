// What calibration runs on: samples of the tasks' own training data, transforms applied.

import { gatherRows } from '../data/rows.js';
import { countOf, mapSamples } from '../data/samples.js';
import { UsageError } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import type { Batch } from '../onnx/precision/calibrate.js';
import { networkFeeds } from '../train/network-input.js';
import type { LoadedWorkspace } from './load-workspace.js';
import { loadTaskData } from './task-data.js';

const rowsPerBatch = 64;

/** `count` samples of each task (all where it has fewer), drawn by the description's seed, as the network takes them. */
export async function calibrationSamples(loaded: LoadedWorkspace, tasks: readonly string[], count: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (const task of tasks) {
    const { inputs } = (await loadTaskData(loaded, task)).train;
    const rows = countOf(inputs);
    if (rows === 0) throw new UsageError(`int8: the training data of task "${task}" hold no samples to calibrate on`);
    const drawn = new Random(loaded.description.seed, `calibration/${task}`).permutation(rows).subarray(0, count);
    for (let at = 0; at < drawn.length; at += rowsPerBatch) {
      const chosen = drawn.slice(at, at + rowsPerBatch);
      batches.push(
        networkFeeds(
          loaded.columns.inputs,
          mapSamples(inputs, (t) => gatherRows(t, chosen)),
        ),
      );
    }
  }
  return batches;
}
