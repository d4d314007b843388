// A network that a program holds, written to disk: as a workspace, its columns frozen there, or as one .prognet file.

import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { rows, type SampleSet } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { toInput } from '../model/description/parse.js';
import { metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import type { ColumnFacts } from '../model/progressive/facts.js';
import { notFrozen, taskModel } from '../model/progressive/forms.js';
import type { GivenData } from '../network/growing.js';
import { Network } from '../network/network.js';
import { must, UsageError, WorkspaceError } from '../onnx/core/errors.js';
import { anObject, given, instance, optional, text } from '../onnx/core/given.js';
import { writeFileAtomic, writeNewFile } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { sha256 } from '../onnx/files/hash.js';
import { removeQuietly, removeStale, temporaryName } from '../onnx/files/temporary.js';
import { defaultThreads } from '../onnx/runtime/node.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { evaluateScores, headFigures } from '../train/evaluate.js';
import { fitData } from '../train/prepare-data.js';
import type { ColumnDraft } from '../workspace/column-record.js';
import { freezeColumn } from '../workspace/column-store.js';
import { parseJson } from '../workspace/json.js';
import { refuseOutput } from '../workspace/output-path.js';
import { versionsNow } from './machine.js';
import { toJson } from './stored-run.js';
import { modelHash, taskOutputs } from './task-outputs.js';
import { tokenizerFiles } from './tokenizer-file.js';

/** What a workspace keeps beside the weights. */
export interface SaveOptions {
  /** Test data by task: a workspace keeps the hash of the outputs over them, which `verify` compares over the same data. */
  readonly test?: Readonly<Record<string, GivenData>>;
  /** What runs the test data; needed with `test`. */
  readonly on?: Runtime;
}

/**
 * Writes a network: to a path that ends in .prognet as one file, else as a new workspace in a folder that is not there or is empty. All or nothing.
 * @throws UsageError for a folder that is not empty, WorkspaceError for what the disk does not take
 */
export async function save(network: Network, path: string, options: SaveOptions = {}): Promise<void> {
  given(
    'save',
    { network, path, options },
    { network: instance(Network, 'a Network'), path: text, options: anObject, 'options.test': optional(anObject) },
  );
  for (const task of network.unfrozen.keys()) throw notFrozen(task);
  refuseOutput(path);
  if (path.endsWith('.prognet')) {
    if (options.test !== undefined)
      throw new UsageError(`save: "test" is for a workspace, ${path} is one file`, { path: 'test' });
    return writeFileAtomic(path, await network.save());
  }
  const folder = resolve(path);
  refuseTaken(folder);
  const [parent, name] = [dirname(folder), basename(folder)];
  makeFolder(parent);
  removeStale(parent, name);
  const made = join(parent, temporaryName(name));
  try {
    mkdirSync(made);
    await writeWorkspace(network, made, options);
    renameSync(made, folder);
  } catch (cause) {
    removeQuietly(made);
    if (errorCode(cause) === 'ENOTEMPTY' || errorCode(cause) === 'EEXIST') refuseTaken(folder);
    if (errorCode(cause) === undefined) throw cause;
    throw fileError('write', folder, cause);
  }
}

function refuseTaken(folder: string): void {
  try {
    const [first] = readdirSync(folder);
    if (first === undefined) return;
    throw new UsageError(`save: ${folder} holds ${JSON.stringify(first)}, expected a folder that is not there or is empty`, {
      path: folder,
      got: first,
    });
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return;
    if (errorCode(cause) === 'ENOTDIR')
      throw new WorkspaceError(`cannot write ${folder}: it is a file, expected a folder`, { path: folder });
    throw cause;
  }
}

async function writeWorkspace(network: Network, root: string, { test = {}, on }: SaveOptions): Promise<void> {
  for (const task of Object.keys(test)) {
    if (!network.trained(task)) throw new UsageError(`save: test data of task "${task}", which is not trained`, { got: task });
  }
  const written = toInput(network.description);
  const input = tokenizerFiles([written.input].flat(), (name, bytes) => writeNewFile(join(root, name), bytes));
  const text = stringify({ ...written, input }, { lineWidth: 120 });
  writeNewFile(join(root, 'prognet.yaml'), new TextEncoder().encode(text));
  const hashes = new Map<string, string>();
  for (const column of network.columns) {
    const { task } = column;
    const weights = network.weights(task);
    if (weights === undefined) continue;
    const given = test[task];
    const set = given && fitData(column, given, `test data of task "${task}"`);
    const sources = Object.fromEntries(
      column.foundation.map((source) => [source.task, must(hashes.get(source.task), source.task)]),
    );
    const draft = { task, description: column.canonical, sources, seed: column.seed };
    const proof = set === undefined ? unproved(network, column) : await proved(network, column, set, on);
    const { record } = { record: freezeColumn(root, { ...draft, ...proof }, weights) };
    hashes.set(task, record.sha256.weights);
  }
}

type Proof = Pick<ColumnDraft, 'data' | 'metrics' | 'outputs' | 'versions' | 'sha256'>;

/** Of a column whose test data nobody gave: its weights alone are proved. */
function unproved({ columns, frozen, facts }: Network, { task }: Column): Proof {
  const graph = modelHash(taskModel(columns, frozen, { tasks: [task], joined: true }));
  return {
    data: known(facts.get(task)),
    metrics: {},
    outputs: { sha256: sha256(new Uint8Array()), count: 0, provider: 'none', threads: 0 },
    versions: versionsNow(undefined),
    sha256: { graph },
  };
}

/** What a record says of data that are not at hand. */
function known({ decoding, trained }: ColumnFacts = {}, test?: SampleSet): ColumnDraft['data'] {
  return {
    fingerprint: trained?.data?.sha256 ?? 'not recorded',
    ...(test !== undefined && { test: fingerprint(test) }),
    ...(trained !== undefined && { trained: toJson(trained) }),
    ...(decoding !== undefined && { decoding: parseJson(decoding, 'decoding') }),
  };
}

async function proved(
  { columns, frozen, facts }: Network,
  column: Column,
  test: SampleSet,
  on: Runtime | undefined,
): Promise<Proof> {
  if (on === undefined)
    throw new UsageError('save: "on" is missing, expected the runtime that runs the test data', {
      path: 'on',
      expected: 'a runtime',
    });
  const { task, head } = column;
  const threads = defaultThreads();
  const ran = await taskOutputs(on, columns, frozen, task, test.inputs, { providers: ['cpu'], threads });
  const { loss, metric, heads } = await evaluateScores(on, head, ran.scores, test.targets);
  return {
    data: known(facts.get(task), test),
    metrics: { [metricName(head)]: metric, loss, ...headFigures(heads) },
    outputs: { sha256: ran.sha256, count: rows(test), provider: ran.provider, threads },
    versions: versionsNow(on),
    sha256: { graph: ran.graph },
  };
}
