// prognet export
import { type LoraForm, loraForms, routable } from '../../model/progressive/forms.js';
import { UsageError } from '../../onnx/core/errors.js';
import { type PrecisionName, precisions } from '../../onnx/precision/quantize.js';
import {
  defaultCalibration,
  type ExportedPrecision,
  exportWithPrecision,
  type PrecisionOptions,
} from '../../tasks/export-precision.js';
import { type Exported, type ExportOptions, exportTasks } from '../../tasks/export-tasks.js';
import { type LoadedWorkspace, loadWorkspace, someFrozen } from '../../tasks/load-workspace.js';
import { prunedWorkspace } from '../../tasks/prune-task.js';
import { integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { noteLeftOut } from '../left-out.js';
import { partsProgress, progressOf } from '../progress.js';
import { note, result, table } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';
import { type AutoFlags, autoAsked, exportAuto } from './export-auto.js';
import { exportFleetCommand } from './fleet.js';
import { type GoalFlags, goalOf, prunedText } from './prune.js';

export interface ExportFlags extends RuntimeFlags, GoalFlags, AutoFlags {
  readonly task?: string;
  readonly all?: boolean;
  readonly routed?: boolean;
  readonly fleet?: boolean;
  readonly training?: boolean;
  readonly fused?: boolean;
  readonly lora?: string;
  readonly output: string;
  readonly opset?: string;
  readonly externalData?: boolean;
  readonly probabilities?: boolean;
  readonly labelNames?: boolean;
  readonly categoryIndices?: boolean;
  readonly preparedInput?: boolean;
  readonly precision: string;
  readonly halfIo?: boolean;
  readonly calibration?: string;
  readonly percentile?: string;
  readonly reduceRange?: boolean;
  readonly card?: boolean;
  readonly prune?: boolean;
}

export async function exportCommand(flags: ExportFlags): Promise<void> {
  const {
    routed = false,
    fused = false,
    externalData = false,
    probabilities = false,
    labelNames = false,
    categoryIndices = false,
    preparedInput = false,
    card = false,
  } = flags;
  if (flags.fleet === true) return exportFleetCommand(flags);
  if (flags.training === true) throw new UsageError('--training is of --fleet', { path: '--training' });
  const forms = [flags.task !== undefined, flags.all === true, routed].filter(Boolean).length;
  if (forms !== 1) throw new UsageError('name one task with --task, or give --all, --routed or --fleet');
  const precision = precisionFlag(flags.precision);
  if (categoryIndices && precision !== 'fp32')
    throw new UsageError('--category-indices is for --precision fp32', { path: '--category-indices', got: precision });
  if (preparedInput && precision !== 'fp32')
    throw new UsageError('--prepared-input is for --precision fp32', { path: '--prepared-input', got: precision });
  if (flags.halfIo && precision !== 'fp16') throw new UsageError('--half-io is for --precision fp16', { path: '--half-io' });
  if (routed && precision === 'int8')
    throw new UsageError('--precision int8 does not go into the branches of a routed model, expected fp16 or int8-dynamic', {
      path: '--precision',
      expected: 'fp16, int8-dynamic',
      got: precision,
    });
  const how = int8Flags(flags, precision);
  const auto = autoAsked(flags);
  const opset = integerFlag('--opset', flags.opset);
  const lora = loraFlag(flags.lora);
  const opened = loadWorkspace(flags.workspace ?? '.');
  const loaded = await prunedFor(flags, opened);
  const frozen = () => (routed ? routable(loaded.columns, someFrozen(loaded)) : someFrozen(loaded));
  const tasks = flags.task === undefined ? frozen() : [flags.task];
  if (flags.task === undefined) noteLeftOut(flags, loaded);
  const options: ExportOptions = {
    tasks,
    externalData,
    probabilities,
    labelNames,
    categoryIndices,
    preparedInput,
    routed,
    fused,
    card,
    ...(lora === undefined ? {} : { lora }),
    ...(opset === undefined ? {} : { opset }),
  };
  if (auto !== undefined) {
    const { runtime } = await openRuntime(flags);
    const other = precision === 'fp32' ? undefined : { precision, ...how };
    const { exported, found, text } = await exportAuto(flags, runtime, loaded, options, auto, other);
    const about = { auto: found.tasks, ...(found.others.length > 0 && { others: found.others }) };
    result(flags, { ...exported, ...about }, `${exported.file} written: ${tasks.join(', ')}${besideText(exported)}\n${text}`);
    return;
  }
  if (precision === 'fp32') {
    const exported = exportTasks(loaded, flags.output, options);
    result(flags, exported, `${exported.file} written: ${tasks.join(', ')}${besideText(exported)}`);
    return;
  }
  const { runtime } = await openRuntime(flags);
  const exported = await exportWithPrecision(loaded, runtime, flags.output, options, {
    precision,
    halfIo: flags.halfIo ?? false,
    ...how,
  });
  for (const line of exported.notes) note(flags, line);
  result(
    flags,
    exported,
    `${exported.file} written: ${tasks.join(', ')}, ${precision}${besideText(exported)}\n${cost(exported)}`,
  );
}

/** The workspace as it is exported: with `--prune` the task's column without what it does not need, which is said. */
async function prunedFor(flags: ExportFlags, opened: LoadedWorkspace): Promise<LoadedWorkspace> {
  const { task, prune = false } = flags;
  if (!prune) {
    const [name] = (['threshold', 'keepAccuracy', 'keepError'] as const).filter((key) => flags[key] !== undefined);
    const flag = name?.replace(/[A-Z]/, (c) => `-${c.toLowerCase()}`);
    if (flag !== undefined) throw new UsageError(`--${flag} is of --prune`, { path: `--${flag}` });
    return opened;
  }
  if (task === undefined)
    throw new UsageError('--prune is of one task, expected --task', { path: '--prune', expected: '--task' });
  const { head, blocks } = opened.columns.column(task);
  const goal = goalOf(flags, head);
  const { runtime } = await openRuntime(flags);
  const parts = partsProgress(flags, task);
  const reading = progressOf(flags, task);
  const { loaded, report } = await interruptible(flags, 'stopping', async (signal) => {
    try {
      return await prunedWorkspace(runtime, opened, task, { goal, signal, onProgress: parts.done, onReading: reading.reading });
    } finally {
      parts.stop();
      reading.stop();
    }
  });
  note(flags, prunedText(report, blocks.length));
  return loaded;
}

/** Where the weights went, if a file beside the model was asked for. */
function besideText({ externalData, dataFile, card }: Exported): string {
  const written = card === undefined ? '' : `, its card ${card}`;
  if (dataFile !== undefined) return `, weights in ${dataFile}${written}`;
  return `${externalData ? ', weights inside: none has 1024 bytes or more' : ''}${written}`;
}

/** Throws UsageError for a name that is no precision. */
export function precisionFlag(text: string): PrecisionName {
  const found = precisions.find((p) => p === text);
  if (found !== undefined) return found;
  const expected = precisions.join(', ');
  throw new UsageError(`--precision: found "${text}", expected one of ${expected}`, { path: '--precision', expected, got: text });
}

/** Throws UsageError for a form that low-rank updates do not have. */
function loraFlag(text: string | undefined): LoraForm | undefined {
  const found = loraForms.find((form) => form === text);
  if (found !== undefined || text === undefined) return found;
  const expected = loraForms.join(' or ');
  throw new UsageError(`--lora: found "${text}", expected ${expected}`, { path: '--lora', expected, got: text });
}

/** The flags of int8. */
function int8Flags(flags: ExportFlags, precision: PrecisionName): Partial<PrecisionOptions> {
  const [samples, reduceRange] = [integerFlag('--calibration', flags.calibration), flags.reduceRange ?? false];
  if ((samples !== undefined || flags.percentile !== undefined) && precision !== 'int8')
    throw new UsageError('--calibration and --percentile are for --precision int8', { path: '--calibration' });
  if (reduceRange && !precision.startsWith('int8'))
    throw new UsageError('--reduce-range is for --precision int8 and int8-dynamic', { path: '--reduce-range' });
  const percentile = percentileFlag(flags.percentile);
  return {
    reduceRange,
    calibration: {
      samples: samples ?? defaultCalibration.samples,
      ...(percentile === 100 ? {} : { percentile }),
    },
  };
}

function percentileFlag(text: string | undefined): number {
  const percentile = text === undefined ? defaultCalibration.percentile : Number(text);
  if (percentile !== undefined && percentile > 50 && percentile <= 100) return percentile;
  const expected = 'a number over 50, at most 100 (100: the extremes)';
  throw new UsageError(`--percentile: found "${text}", expected ${expected}`, {
    path: '--percentile',
    expected,
    got: text ?? '',
  });
}

/** What the precision costs, as a table. */
function cost({ measured, precision }: ExportedPrecision): string {
  const { size } = measured;
  const rows = measured.tasks.map((t) => [
    t.task,
    String(t.rows),
    t.metric?.float32.toFixed(4) ?? '-',
    t.metric?.now.toFixed(4) ?? '-',
    t.metric === undefined ? '-' : `${t.metric.difference >= 0 ? '+' : ''}${t.metric.difference.toFixed(4)}`,
    `${t.largestDifference.toPrecision(3)} of ${t.largestScore.toPrecision(3)}`,
  ]);
  const metric = measured.tasks.every((t) => t.metric?.name === 'accuracy') ? 'accuracy' : 'metric';
  const header = ['task', 'test rows', `${metric} fp32`, precision, 'difference', 'largest difference of a score'];
  const part = ((100 * size.now) / size.float32).toFixed(0);
  return `${table(header, rows)}\n${size.now} bytes, ${part} % of the ${size.float32} at float32`;
}
