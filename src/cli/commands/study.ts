// prognet study
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import type { Spread, StudyResult, TransferMatrix } from '../../analysis/study/result.js';
import { loadDescription } from '../../tasks/load-workspace.js';
import { type MethodName, methodNames, methods, methodsNamed } from '../../tasks/study/methods.js';
import { runStudy } from '../../tasks/study/study.js';
import { choiceFlag, integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { processRunner } from '../process-runner.js';
import { partsProgress } from '../progress.js';
import { count, type GlobalOptions, result, table } from '../report.js';
import { openRuntime } from '../runtime.js';

export interface StudyFlags extends GlobalOptions {
  readonly methods?: string;
  readonly tasks?: string;
  readonly seeds?: string;
  readonly matrix?: string;
  readonly equalParameters?: string | true;
  readonly output?: string;
  readonly jobs?: string;
  readonly threads?: string;
}

const defaultSeeds = 3;

/** `0.9123 ±0.0041`, without a deviation of one seed. */
function spreadText(spread: Spread | null, digits = 4, signed = false): string {
  if (spread === null) return '-';
  const sign = signed && spread.mean >= 0 ? '+' : '';
  const mean = `${sign}${spread.mean.toFixed(digits)}`;
  return spread.values.length < 2 ? mean : `${mean} ±${spread.deviation.toFixed(digits)}`;
}

function methodsText({ methods: found, tasks }: StudyResult): string {
  const [metric] = new Set(tasks.map((task) => task.metric));
  const rows = found.map(({ label, parameters, summary, bitIdentical }) => [
    label,
    count(parameters),
    spreadText(summary.average),
    spreadText(summary.transfer, 2),
    spreadText(summary.medianTransfer, 2),
    spreadText(summary.forwardTransfer, 3, true),
    spreadText(summary.backwardTransfer, 4, true),
    bitIdentical === null ? '-' : bitIdentical ? 'the same bits' : 'changed',
  ]);
  const header = ['method', 'parameters', `${metric} at the end`, 'transfer', 'median', 'forward', 'backward', 'earlier tasks'];
  return table(header, rows);
}

function tasksText({ methods: found, tasks }: StudyResult): string {
  const rows = tasks.map(({ task }) => [
    task,
    ...found.map(({ tasks: learned }) => spreadText(learned.find((each) => each.task === task)?.end ?? null)),
  ]);
  return table(['task at the end', ...found.map(({ label }) => label)], rows);
}

function matrixText({ label, tasks, transfer, mean, median }: TransferMatrix): string {
  const rows = tasks.map((source, i) => [source, ...tasks.map((_, j) => spreadText(transfer[i]?.[j] ?? null, 2))]);
  return `${table([`${label}, from`, ...tasks.map((task) => `to ${task}`)], rows)}\nmean ${spreadText(mean, 2)}, median ${spreadText(median, 2)}`;
}

/** The methods of the matrix that are named. */
function matrixOf(named: string): readonly MethodName[] {
  if (named === 'none') return [];
  const carrying = methodNames.filter((name) => methods[name].carries);
  return named.split(',').map((name) => choiceFlag('--matrix', name.trim(), [...carrying, 'none'] as const) as MethodName);
}

export async function study(description: string, flags: StudyFlags): Promise<void> {
  const chosen = flags.methods === undefined ? undefined : methodsNamed('--methods', flags.methods);
  const matrix = flags.matrix === undefined ? undefined : matrixOf(flags.matrix);
  const seeds = integerFlag('--seeds', flags.seeds) ?? defaultSeeds;
  const threads = integerFlag('--threads', flags.threads) ?? 1;
  const jobs = integerFlag('--jobs', flags.jobs) ?? Math.max(1, Math.floor(availableParallelism() / threads));
  const { equalParameters: rival } = flags;
  const equalTo = rival === undefined ? undefined : choiceFlag('--equal-parameters', rival === true ? 'b3' : rival, ['b1', 'b3']);
  const loaded = loadDescription(description);
  const folder = flags.output ?? join(loaded.workspace.root, 'study');
  const { runtime } = await openRuntime({ ...flags, threads: String(threads) });
  await interruptible(flags, 'stopping, finished trainings are kept', async (signal) => {
    const progress = partsProgress(flags, 'trainings', 'training');
    try {
      const found = await runStudy(runtime, loaded, {
        ...(chosen && { methods: chosen }),
        ...(flags.tasks !== undefined && { tasks: flags.tasks.split(',').map((task) => task.trim()) }),
        seeds,
        ...(matrix && { matrix }),
        ...(equalTo !== undefined && { equalTo }),
        folder,
        jobs,
        threads,
        runner: () => processRunner('study-process', loaded.workspace.description),
        signal,
        onNote: progress.line,
        onTraining: progress.done,
      });
      progress.stop();
      const where = `${relative('', join(folder, 'study.json'))} written, and its tables as .csv; ${found.seeds.length} seeds, ${found.trainings.count} trainings`;
      const parts = [methodsText(found), tasksText(found), ...found.matrices.map(matrixText), where];
      result(flags, found, parts.join('\n\n'));
    } finally {
      progress.stop();
    }
  });
}
