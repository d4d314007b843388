// Writes the folder of a fleet: the models of one base, and the columns over it, a file each. Further columns are added to it, or copied into it.
import { type Fleet, fleetFile, modelFiles, readFleet } from '../fleet/folder.js';
import { fleetModel, fleetOutputs, fleetWeights, refuseUnfit } from '../fleet/forms.js';
import { trainingFiles } from '../fleet/training.js';
import { columnFiles, settleFleet, writeFleetFiles } from '../fleet/write-column.js';
import { describeDifference } from '../model/description/canonical.js';
import type { Column } from '../model/progressive/column.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { version } from '../onnx/core/version.js';
import { sha256 } from '../onnx/files/hash.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import { stableJson } from '../workspace/json.js';
import { writeOutputFolder } from '../workspace/output-folder.js';
import { refuseOutput } from '../workspace/output-path.js';
import { aLoadedWorkspace, frozenOf, frozenTasks, type LoadedWorkspace, sourceHashes, weightsOf } from './load-workspace.js';

/** Which columns a fleet has, and how its models are. */
export interface ExportFleetOptions {
  /** A column whose shape all have; when absent, all columns that no other reads have one shape. */
  readonly like?: string;
  /** Of ai.onnx; 17 when absent. */
  readonly opset?: number;
  /** Adds the graphs that train further columns by ONNX Runtime alone, in training/. */
  readonly training?: boolean;
}

/** What was written of a fleet. */
export interface ExportedFleet {
  /** Where it was written. */
  readonly folder: string;
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** The columns that they stand on. */
  readonly base: readonly string[];
  /** Every file, from the folder. */
  readonly files: readonly string[];
  /** Bytes of the weights of one column. */
  readonly bytesOfColumn: number;
  /** Why there is no stacked form; absent where there is one. */
  readonly unstacked?: string;
}

/**
 * The frozen columns of a workspace that have one shape over one base, as a fleet.
 * @throws UsageError where they have no shape in common or no fleet can be made of them, WorkspaceError for a folder that is not ours
 */
export function exportFleet(loaded: LoadedWorkspace, folder: string, options: ExportFleetOptions = {}): ExportedFleet {
  given('exportFleet', { loaded, folder, options }, { loaded: aLoadedWorkspace, folder: text, options: anObject });
  refuseOutput(folder);
  const members = membersOf(loaded, options.like);
  const [first] = members;
  if (first === undefined)
    throw new UsageError('fleet: no column is frozen over another, expected columns that read a frozen base');
  refuseUnfit(first);
  const made = modelsOf(loaded, first, options.opset);
  const files = new Map<string, Uint8Array>([
    [fleetFile, new TextEncoder().encode(`${stableJson(made.fleet, 2)}\n`)],
    ...made.files,
  ]);
  for (const { task } of members)
    for (const [name, bytes] of columnFiles(frozenOf(loaded, task), made.fleet)) files.set(name, bytes);
  if (options.training === true) for (const [name, bytes] of trainingFiles(first, weightsOf(loaded))) files.set(name, bytes);
  writeOutputFolder(folder, files);
  const { unstacked } = made.fleet;
  return {
    folder,
    columns: members.map(({ task }) => task),
    base: first.foundation.map(({ task }) => task),
    files: [...files.keys()].sort(),
    bytesOfColumn: 4 * first.parameters.count,
    ...(unstacked !== undefined && { unstacked }),
  };
}

/** Writes frozen columns of a workspace into the folder of a fleet; those that are there are written anew. Throws UsageError, and DataError for a column of another shape or base. */
export function addToFleet(loaded: LoadedWorkspace, folder: string, tasks: readonly string[]): void {
  given('addToFleet', { loaded, folder }, { loaded: aLoadedWorkspace, folder: text });
  const fleet = readFleet(folder);
  settleFleet(folder);
  writeFleetFiles(folder, new Map(tasks.flatMap((task) => [...columnFiles(frozenOf(loaded, task), fleet)])));
  settleFleet(folder);
}

/** The frozen columns that make the fleet. */
function membersOf(loaded: LoadedWorkspace, like: string | undefined): readonly Column[] {
  const frozen = frozenTasks(loaded).map((task) => loaded.columns.column(task));
  if (like !== undefined) {
    frozenOf(loaded, like);
    const pattern = loaded.columns.column(like);
    return frozen.filter((column) => difference(pattern, column) === undefined);
  }
  const read = new Set(frozen.flatMap(({ foundation }) => foundation));
  const members = frozen.filter((column) => column.foundation.length > 0 && !read.has(column));
  const [first] = members;
  for (const column of members) {
    const found = first && difference(first, column);
    if (first === undefined || found === undefined) continue;
    throw new UsageError(
      `fleet: the columns "${first.task}" and "${column.task}" are of two shapes: ${found}; expected one shape, or one of them with --task`,
      { expected: 'columns of one shape', got: column.task },
    );
  }
  return members;
}

/** In what two columns differ; undefined where they are of one shape over one base. */
function difference(a: Column, b: Column): string | undefined {
  if (a.canonical !== b.canonical) return describeDifference(b.canonical, a.canonical);
  const [one, other] = [a, b].map(({ foundation }) => foundation.map(({ task }) => task).join(', '));
  return one === other ? undefined : `one stands on ${one}, the other on ${other}`;
}

function modelsOf(loaded: LoadedWorkspace, column: Column, opset: number | undefined) {
  const frozen = weightsOf(loaded);
  const required = fleetModel(column, frozen, 'required', opset);
  const binaries = { required: toBinary(required), adapter: toBinary(fleetModel(column, frozen, 'adapter', opset)) };
  const stacked = stackedOf(() => toBinary(fleetModel(column, frozen, 'stacked', opset)));
  const outputs = required.graph.outputs.map(({ name }) => name);
  const weights = fleetWeights(column);
  const fleet: Fleet = {
    format: 1,
    version,
    network: loaded.description.name,
    column: column.canonical,
    sources: sourceHashes(loaded, column),
    weights,
    inputs: required.graph.inputs.map(({ name }) => name).filter((name) => weights.every((w) => w.name !== name)),
    outputs: fleetOutputs.filter((name) => outputs.includes(name)),
    models: {
      required: sha256(binaries.required),
      adapter: sha256(binaries.adapter),
      ...('bytes' in stacked && { stacked: sha256(stacked.bytes) }),
    },
    ...('why' in stacked && { unstacked: stacked.why }),
  };
  const files: [string, Uint8Array][] = [
    [modelFiles.required, binaries.required],
    [modelFiles.adapter, binaries.adapter],
    ...('bytes' in stacked ? [[modelFiles.stacked, stacked.bytes] satisfies [string, Uint8Array]] : []),
  ];
  return { fleet, files };
}

/** The stacked form, or why there is none. */
function stackedOf(make: () => Uint8Array): { readonly bytes: Uint8Array } | { readonly why: string } {
  try {
    return { bytes: make() };
  } catch (error) {
    if (error instanceof UsageError) return { why: error.message };
    throw error;
  }
}
