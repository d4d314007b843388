// prognet export --fleet, prognet fleet
import { listFleet, readColumn, readFleet } from '../../fleet/folder.js';
import { UsageError } from '../../onnx/core/errors.js';
import { addToFleet, exportFleet } from '../../tasks/export-fleet.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { integerFlag } from '../flags.js';
import { noteLeftOut } from '../left-out.js';
import { type GlobalOptions, note, result, table } from '../report.js';

/** Options of export that a fleet has none of. */
const others = [
  'all',
  'routed',
  'fused',
  'lora',
  'externalData',
  'probabilities',
  'labelNames',
  'categoryIndices',
  'preparedInput',
  'card',
  'prune',
  'auto',
  'halfIo',
  'calibration',
  'percentile',
  'reduceRange',
] as const;

interface FleetFlags extends GlobalOptions {
  readonly output: string;
  readonly task?: string;
  readonly opset?: string;
  readonly precision: string;
  readonly training?: boolean;
}

export function exportFleetCommand(flags: FleetFlags): void {
  const other =
    others.find((name) => Reflect.get(flags, name) !== undefined) ?? (flags.precision === 'fp32' ? undefined : 'precision');
  if (other !== undefined) {
    const flag = `--${other.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    throw new UsageError(`${flag} is not of --fleet, expected --task, --opset and --training alone beside it`, { path: flag });
  }
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const opset = integerFlag('--opset', flags.opset);
  const exported = exportFleet(loaded, flags.output, {
    ...(flags.task !== undefined && { like: flags.task }),
    ...(opset !== undefined && { opset }),
    training: flags.training === true,
  });
  noteLeftOut(flags, loaded);
  const { folder, columns, base, bytesOfColumn, unstacked } = exported;
  if (unstacked !== undefined) note(flags, `mixed batches take a run for each column; ${unstacked}`);
  result(flags, exported, `${folder} written: ${columns.join(', ')} over ${base.join(', ')}, ${bytesOfColumn} bytes each`);
}

export function fleetCommand(action: string, folder: string, tasks: readonly string[], flags: GlobalOptions): void {
  if (action === 'add') add(folder, tasks, flags);
  else if (action === 'list') list(folder, tasks, flags);
  else throw new UsageError(`unknown action "${action}", expected add or list`, { expected: 'add, list', got: action });
}

function add(folder: string, tasks: readonly string[], flags: GlobalOptions): void {
  if (tasks.length === 0)
    throw new UsageError('fleet add: no task is named, expected frozen columns, such as: prognet fleet add fleet ann');
  addToFleet(loadWorkspace(flags.workspace ?? '.'), folder, tasks);
  result(flags, { folder, columns: tasks }, `${folder}: ${tasks.join(', ')} added`);
}

function list(folder: string, tasks: readonly string[], flags: GlobalOptions): void {
  if (tasks.length > 0) throw new UsageError(`fleet list: found "${tasks[0]}", expected the folder alone`);
  const fleet = readFleet(folder);
  const columns = listFleet(folder).map((name) => {
    const { seed, sha256, metrics, createdAt } = readColumn(folder, fleet, name).record;
    return { name, seed, sha256: sha256.weights, metrics, createdAt };
  });
  const rows = columns.map(({ name, sha256, createdAt }) => [name, sha256.slice(0, 12), createdAt]);
  result(flags, { folder, network: fleet.network, columns }, table(['column', 'sha256', 'made at'], rows));
}
