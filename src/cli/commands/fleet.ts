// prognet export --fleet, prognet fleet
import type { FleetTableOptions } from '../../fleet/customer-table.js';
import { listFleet, readColumn, readFleet } from '../../fleet/folder.js';
import { PrognetError, UsageError } from '../../onnx/core/errors.js';
import { addToFleet, exportFleet } from '../../tasks/export-fleet.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { takeFromFleet } from '../../tasks/take-from-fleet.js';
import { type FleetProgress, fleetJobs, type TrainedFleet, trainFleet } from '../../tasks/train-fleet.js';
import { choiceFlag, integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { noteLeftOut } from '../left-out.js';
import { partsProgress } from '../progress.js';
import { exitCodeOf, type GlobalOptions, note, result, table } from '../report.js';
import { openRuntime } from '../runtime.js';

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

export interface FleetActionFlags extends GlobalOptions {
  readonly keepGoing?: boolean;
  readonly jobs?: string;
  readonly label?: string;
  readonly header?: string;
  readonly task?: string;
}

export async function fleetCommand(
  action: string,
  folder: string,
  tasks: readonly string[],
  flags: FleetActionFlags,
): Promise<void> {
  const own = ['keep-going', 'jobs', 'label', 'header'].map((name) => `--${name}`);
  const given = [flags.keepGoing, flags.jobs, flags.label, flags.header];
  const other = own.find((_, i) => given[i] !== undefined);
  if (action !== 'train' && other !== undefined)
    throw new UsageError(`${other} is not of fleet ${action}, expected it beside fleet train alone`, { path: other });
  if (action === 'add') add(folder, tasks, flags);
  else if (action === 'list') list(folder, tasks, flags);
  else if (action === 'take') take(folder, tasks, flags);
  else if (action === 'train') await train(folder, tasks, flags);
  else {
    const expected = 'add, list, take or train';
    throw new UsageError(`unknown action "${action}", expected ${expected}`, { expected, got: action });
  }
}

function take(folder: string, names: readonly string[], flags: FleetActionFlags): void {
  const [first] = names;
  if (first === undefined)
    throw new UsageError('fleet take: no column is named, expected columns of the fleet, such as: prognet fleet take fleet dora');
  if (flags.task !== undefined && names.length > 1)
    throw new UsageError(`fleet take: found ${names.length} columns for --task ${flags.task}, expected one`, { path: '--task' });
  const records = names.map((name) => takeFromFleet(loadWorkspace(flags.workspace ?? '.'), folder, name, flags.task ?? name));
  const columns = records.map(({ task, sha256, outputs }) => ({ task, sha256: sha256.weights, outputs: outputs.sha256 }));
  result(flags, { folder, columns }, `${columns.map(({ task }) => task).join(', ')} taken from ${folder} and frozen`);
}

/** A column by its index where it is called by a whole number. */
function tableOptions({ label, header }: FleetActionFlags): FleetTableOptions {
  const asked = header === undefined ? undefined : choiceFlag('--header', header, ['true', 'false']);
  return {
    ...(label !== undefined && { label: /^-?\d{1,6}$/.test(label) ? Number(label) : label }),
    ...(asked !== undefined && { header: asked === 'true' }),
  };
}

async function train(folder: string, [data, ...more]: readonly string[], flags: FleetActionFlags): Promise<void> {
  if (data === undefined || more.length > 0)
    throw new UsageError(
      `fleet train: ${data === undefined ? 'no folder of data is named' : `found "${more[0]}"`}, expected one folder, such as: prognet fleet train fleet customers`,
    );
  const jobs = integerFlag('--jobs', flags.jobs) ?? fleetJobs(folder);
  const table = tableOptions(flags);
  const progress = partsProgress(flags, 'columns', 'column');
  const onColumn = ({ name, state, done, total, error }: FleetProgress) => {
    if (error !== undefined) progress.line(`${name}: ${error.message}`);
    progress.done(`${name} ${{ trained: 'trained', there: 'was there', failed: 'failed' }[state]}`, done, total);
  };
  let found: TrainedFleet;
  try {
    found = await interruptible(flags, 'stopping', async (signal) => {
      const { runtime } = await openRuntime(flags);
      const keepGoing = flags.keepGoing === true;
      return await trainFleet(runtime, folder, data, { jobs, table, signal, onColumn, onNote: progress.line, keepGoing });
    });
  } finally {
    progress.stop();
  }
  const { trained, there, failed, seconds } = found;
  const document = { ...found, failed: failed.map(({ name, error }) => ({ name, error: error.message })) };
  const [first] = failed;
  const missing = first === undefined ? '' : `, ${failed.length} failed, the first of them ${first.name}: ${first.error.message}`;
  result(
    flags,
    document,
    `${folder}: ${trained.length} trained in ${seconds.toFixed(1)} s, ${there.length} were there${missing}`,
  );
  if (first !== undefined) process.exitCode = Math.min(...failed.map(({ error }) => exitCodeOf(error)));
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
  const failed: PrognetError[] = [];
  const refused: { readonly name: string; readonly reason: string }[] = [];
  const columns = listFleet(folder).flatMap((name) => {
    try {
      const { seed, sha256, metrics, createdAt } = readColumn(folder, fleet, name).record;
      return [{ name, seed, sha256: sha256.weights, metrics, createdAt }];
    } catch (error) {
      if (!(error instanceof PrognetError)) throw error;
      failed.push(error);
      refused.push({ name, reason: error.message });
      return [];
    }
  });
  for (const { name, reason } of refused) note(flags, `${name} is not whole: ${reason}`);
  const rows = columns.map(({ name, sha256, createdAt }) => [name, sha256.slice(0, 12), createdAt]);
  result(flags, { folder, network: fleet.network, columns, refused }, table(['column', 'sha256', 'made at'], rows));
  if (failed.length > 0) process.exitCode = Math.min(...failed.map(exitCodeOf));
}
