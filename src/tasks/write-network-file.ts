// A workspace's network as one file, for prognet/web: all columns that are described, the trained ones with their weights.

import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { refuseOutput } from '../workspace/output-path.js';
import { frozenTasks, type LoadedWorkspace, someFrozen } from './load-workspace.js';
import { networkOf } from './network-of.js';
import { namedFiles } from './task-data.js';

export interface WrittenNetwork {
  readonly file: string;
  readonly bytes: number;
  /** The tasks whose weights are in it. */
  readonly tasks: readonly string[];
}

/** Throws UsageError where nothing is trained yet and for a file that may not be written over, WorkspaceError where it cannot be written. */
export async function writeNetworkFile(loaded: LoadedWorkspace, file: string): Promise<WrittenNetwork> {
  refuseOutput(file, namedFiles(loaded));
  someFrozen(loaded);
  const bytes = await networkOf(loaded).save();
  writeFileAtomic(file, bytes);
  return { file, bytes: bytes.length, tasks: frozenTasks(loaded) };
}
