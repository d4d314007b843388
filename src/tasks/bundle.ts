// A workspace's network as one file, for prognet/web: all columns that are described, the trained ones with their weights.

import { nothingTrained } from '../model/progressive/forms.js';
import { encodeNetwork } from '../network/network-file.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { refuseOutput } from '../workspace/output-path.js';
import { frozenTasks, type Project, weightsOf } from './project.js';
import { namedFiles } from './task-data.js';

export interface Bundled {
  readonly file: string;
  readonly bytes: number;
  /** The tasks whose weights are in it. */
  readonly tasks: readonly string[];
}

/** The bytes of the bundle. Throws UsageError where nothing is trained yet. */
export async function bundleOf(project: Project): Promise<Uint8Array> {
  if (frozenTasks(project).length === 0) throw nothingTrained();
  return await encodeNetwork({ description: project.description, frozen: weightsOf(project) });
}

/** Throws UsageError for a file that may not be written over, WorkspaceError where it cannot be written. */
export async function bundleWorkspace(project: Project, file: string): Promise<Bundled> {
  refuseOutput(file, namedFiles(project));
  const bytes = await bundleOf(project);
  writeFileAtomic(file, bytes);
  return { file, bytes: bytes.length, tasks: frozenTasks(project) };
}
