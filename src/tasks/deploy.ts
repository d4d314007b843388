// Deployments from a workspace: the models of the tasks, in any precision, as a folder for Triton, KServe, MLServer or Node.

import type { ServedFiles, ServedModel } from '../deploy/deployment.js';
import { kserveFiles, kubernetesName } from '../deploy/kserve.js';
import { mlserverFiles } from '../deploy/mlserver.js';
import { nodeService } from '../deploy/node-service.js';
import { askPage } from '../deploy/page.js';
import { tritonDefaults, tritonRepository } from '../deploy/triton.js';
import type { Form } from '../model/progressive/forms.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, given, names, text } from '../onnx/core/given.js';
import { loadRuntime } from '../onnx/runtime/load.js';
import { webPackageFolder } from '../onnx/runtime/node-package.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { filledInputs } from '../train/prepare-data.js';
import { mostOf } from '../train/whole-bounds.js';
import { writeOutputFolder } from '../workspace/output-folder.js';
import { refuseOutput } from '../workspace/output-path.js';
import { convertModel, type PrecisionOptions } from './export-precision.js';
import { exportedModel } from './export-tasks.js';
import { aLoadedWorkspace, frozenTasks, type LoadedWorkspace } from './load-workspace.js';
import { pageNetwork } from './page-network.js';

export const targets = ['triton', 'kserve', 'mlserver', 'node', 'web'] as const;
export type Target = (typeof targets)[number];

/** What to write for serving. */
export interface DeployOptions {
  /** What serves it. */
  readonly target: Target;
  /** Which tasks; every trained one when absent. */
  readonly tasks: readonly string[];
  /** A model per task; one model for all, which computes shared columns once; one that computes the task asked for. */
  readonly form: Form;
  /** Triton, KServe: samples of a batch at most. */
  readonly maxBatch?: number;
  /** KServe: where the cluster finds the models. */
  readonly storageUri?: string;
  /** undefined: float32. Needs a runtime. */
  readonly precision?: PrecisionOptions & { readonly runtime: Runtime };
  /** web: what lies beside the network. */
  readonly page?: PageOptions;
}

/** What a page has beside the network. */
export interface PageOptions {
  /** What the tasks are asked on for the statistics of their own samples; default: whatever runs here. */
  readonly runtime?: Runtime;
  /** Whether ONNX Runtime's files for WebGPU lie in the folder, three times the size of the others together. */
  readonly webgpu?: boolean;
  /** Whether a handful of samples of the test data goes with it; it does by default. */
  readonly samples?: boolean;
  /** What goes with the page of the data, a line each. */
  readonly onNote?: (line: string) => void;
}

/** What was written for serving. */
export interface Deployed {
  /** What it is for. */
  readonly target: Target;
  /** Where it was written. */
  readonly folder: string;
  /** The models' names. */
  readonly models: readonly string[];
  /** Every file, from the folder. */
  readonly files: readonly string[];
}

/** Throws UsageError for tasks that are unknown or not trained and for a folder of the workspace, WorkspaceError for one that is not ours. */
export async function deployTasks(loaded: LoadedWorkspace, folder: string, options: DeployOptions): Promise<Deployed> {
  given(
    'deployTasks',
    { loaded, folder, options },
    { loaded: aLoadedWorkspace, folder: text, options: anObject, 'options.tasks': names },
  );
  const { target, tasks, form } = options;
  refuseOutput(folder);
  if (target === 'web') refuseForPage(loaded);
  const routed = form === 'routed';
  const ordered = frozenTasks(loaded).filter((task) => tasks.includes(task));
  const groups =
    form === 'task' ? tasks.map((task) => ({ name: task, tasks: [task] })) : [{ name: loaded.description.name, tasks: ordered }];
  if (target === 'web') {
    // The network itself, which grows in the page: not a model for each task.
    const { runtime, webgpu = false, samples = true, onNote } = options.page ?? {};
    const onnxruntime = webPackageFolder();
    const own = await pageNetwork(loaded, runtime ?? (await loadRuntime()).runtime, { samples, onNote });
    const page = askPage(loaded.description.name, { onnxruntime, webgpu, own });
    writeOutputFolder(folder, page);
    return { target, folder, models: frozenTasks(loaded), files: [...page.keys()].sort() };
  }
  const models: ServedModel[] = [];
  for (const group of groups) {
    const float32 = exportedModel(loaded, { tasks: group.tasks, probabilities: true, routed });
    const { precision } = options;
    const model =
      precision === undefined ? float32 : (await convertModel(loaded, precision.runtime, group.tasks, float32, precision)).model;
    const filled = new Map(group.tasks.map((task) => [task, filledInputs(loaded.columns.column(task))]));
    const most = new Map(group.tasks.map((task) => [task, mostOf(loaded.columns.column(task))]));
    models.push({ ...group, filled, most, routed, name: folderName(group.name), model });
  }
  const files = filesOf(loaded, target, models, options);
  writeOutputFolder(folder, files);
  return { target, folder, models: models.map((m) => m.name), files: [...files.keys()].sort() };
}

/** What tokenises nothing would be asked with texts. */
function refuseForPage({ columns }: LoadedWorkspace): void {
  const expected = 'node, triton, kserve or mlserver';
  if (columns.inputs.every(({ tokens }) => tokens === undefined)) return;
  throw new UsageError(`web: the network takes text, which the page cannot tokenise, expected ${expected}`, {
    expected,
    got: 'web',
  });
}

function filesOf(
  loaded: LoadedWorkspace,
  target: Exclude<Target, 'web'>,
  models: readonly ServedModel[],
  options: DeployOptions,
): ServedFiles {
  const { name } = loaded.description;
  const triton = { ...tritonDefaults, ...(options.maxBatch === undefined ? {} : { maxBatch: options.maxBatch }) };
  switch (target) {
    case 'triton':
      return tritonRepository(models, triton);
    case 'kserve':
      return kserveFiles(models, { name, storageUri: options.storageUri ?? `pvc://models/${kubernetesName(name)}`, triton });
    case 'mlserver':
      return mlserverFiles(models);
    case 'node':
      return nodeService(models, loaded.columns.inputs);
  }
}

/** A name that may be a folder and a part of a URL. */
function folderName(name: string): string {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  throw new UsageError(`the name "${name}" cannot be a model's: expected letters, digits, "-", "_" and "."`, {
    expected: 'letters, digits, "-", "_", "."',
    got: name,
  });
}
