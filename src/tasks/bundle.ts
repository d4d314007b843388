// A workspace's network as one file, for prognet/web: all columns that are described, the trained ones with their weights.

import { toInput } from '../model/description/parse.js';
import { nothingTrained } from '../model/progressive/forms.js';
import { writeBundle } from '../network/bundle.js';
import { Network } from '../network/network.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { refuseOutput } from '../workspace/output-path.js';
import { frozenTasks, type Project } from './project.js';
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
  let network = new Network(toInput(project.description));
  for (const [task, { tensors }] of project.frozen) network = network.withWeights(task, tensors);
  return await writeBundle(network);
}

/** Throws UsageError for a file that may not be written over, WorkspaceError where it cannot be written. */
export async function bundleWorkspace(project: Project, file: string): Promise<Bundled> {
  refuseOutput(file, namedFiles(project));
  const bytes = await bundleOf(project);
  writeFileAtomic(file, bytes);
  return { file, bytes: bytes.length, tasks: frozenTasks(project) };
}
