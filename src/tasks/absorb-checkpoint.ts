// A checkpoint that was trained elsewhere (Python, a phone, a custom build of ONNX Runtime) becomes the frozen column of its task. Nothing
// is written before every parameter was found to fit.

import { readCheckpoint } from '../artifacts/checkpoint/read-checkpoint.js';
import type { TrainingCheckpoint } from '../artifacts/checkpoint/schema.js';
import type { Column } from '../model/progressive/column.js';
import { ModelError, UsageError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { readWhole } from '../onnx/files/read-file.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { learnBalance, withNumbers } from '../train/balance.js';
import { partition } from '../train/prepare-data.js';
import { trainSettings } from '../train/settings.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { clearRun } from '../workspace/run-store.js';
import { createFolders } from '../workspace/workspace.js';
import { frozenOf, type LoadedWorkspace, requireSources } from './load-workspace.js';
import { loadTaskData } from './task-data.js';
import { testAndFreeze } from './test-column.js';

/** The column's weights in a checkpoint. Throws ModelError, in one line, for what is missing, foreign, of another shape or moved. */
export function weightsIn(
  loaded: LoadedWorkspace,
  column: Column,
  checkpoint: TrainingCheckpoint,
  file: string,
): Map<string, Tensor> {
  const fail = (message: string): never => {
    throw new ModelError(`${file}: ${message}`, { path: file });
  };
  if (checkpoint.nominal) fail('is a nominal checkpoint, which has names and no weights');
  const all = new Map([...checkpoint.trainable, ...checkpoint.frozen]);
  const weights = new Map<string, Tensor>();
  for (const { name, shape } of column.parameters.specs) {
    const tensor = all.get(name) ?? fail(`has no ${JSON.stringify(name)}, which task "${column.task}" needs`);
    if (tensor.dtype !== 'float32' || tensor.dims.join() !== shape.join()) {
      fail(`${JSON.stringify(name)} is ${tensor.dtype}[${tensor.dims}], expected float32[${shape}]`);
    }
    const data = tensor.data as Float32Array;
    const bad = data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) fail(`${JSON.stringify(name)} is ${data[bad]} at ${bad}, expected finite numbers`);
    weights.set(name, tensor);
    all.delete(name);
  }
  for (const { task } of column.foundation) {
    for (const [name, frozen] of frozenOf(loaded, task).tensors) {
      const tensor = all.get(name);
      if (tensor === undefined) continue;
      if (Buffer.compare(tensor.bytes, frozen.bytes) !== 0) fail(`${JSON.stringify(name)} of a frozen column was moved`);
      all.delete(name);
    }
  }
  for (const name of all.keys()) fail(`has ${JSON.stringify(name)}, which is no parameter of this task`);
  return weights;
}

/** Reads, checks, tests and freezes. Throws before anything is written when the checkpoint does not fit. */
export async function absorbCheckpoint(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  task: string,
  file: string,
  options: { readonly provider?: string; readonly threads?: number; readonly onNote?: (line: string) => void } = {},
): Promise<ColumnRecord> {
  const column = loaded.columns.column(task);
  if (loaded.frozen.has(task)) {
    throw new UsageError(`task "${task}" is trained and frozen for good; add a new task to the description to absorb more`);
  }
  requireSources(loaded, column);
  const weights = weightsIn(loaded, column, readCheckpoint(readWhole(file), file), file);
  const { provider = 'cpu', threads = defaultThreads() } = options;
  const data = await loadTaskData(loaded, task, { onNote: options.onNote });
  const where = `train data of task "${task}"`;
  const part = partition(data.train, trainSettings(column.train, column.seed), where).train;
  createFolders(loaded.workspace);
  const record = await testAndFreeze({
    runtime,
    loaded,
    column: withNumbers(column, learnBalance(column, part)),
    seed: column.seed,
    data,
    session: { providers: [provider], threads },
    trained: { weights, history: [] },
    seconds: 0,
    trainer: 'a checkpoint of ONNX Runtime training',
  });
  clearRun(loaded.workspace.root, task);
  return record;
}
