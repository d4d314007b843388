// prognet study
import { join, relative } from 'node:path';
import type { Spread, StudyResult, TransferMatrix } from '../../analysis/study/result.js';
import { carrying, methodsNamed } from '../../tasks/study/methods.js';
import { study as runStudy, studyFolder } from '../../tasks/study/study.js';
import { choiceFlag, integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { partsProgress } from '../progress.js';
import { count, type GlobalOptions, result, table } from '../report.js';

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

/** Names with commas; undefined stays undefined. */
const listed = (text: string | undefined) => text?.split(',').map((name) => name.trim());

export async function study(description: string, flags: StudyFlags): Promise<void> {
  const [methods, matrix, tasks] = [listed(flags.methods), listed(flags.matrix), listed(flags.tasks)];
  const [seeds, jobs] = [integerFlag('--seeds', flags.seeds), integerFlag('--jobs', flags.jobs)];
  const threads = integerFlag('--threads', flags.threads);
  const { equalParameters: rival, output } = flags;
  const to = rival === undefined ? undefined : choiceFlag('--equal-parameters', rival === true ? 'b3' : rival, ['b1', 'b3']);
  await interruptible(flags, 'stopping, finished trainings are kept', async (signal) => {
    const progress = partsProgress(flags, 'trainings', 'training');
    try {
      const found = await runStudy(description, {
        ...(methods && { methods: methodsNamed('--methods', methods) }),
        ...(matrix && { matrix: matrix.join() === 'none' ? [] : methodsNamed('--matrix', matrix, carrying) }),
        ...(tasks && { tasks }),
        ...(to !== undefined && { equalParameters: to }),
        ...(output !== undefined && { output }),
        ...(seeds !== undefined && { seeds }),
        ...(jobs !== undefined && { jobs }),
        ...(threads !== undefined && { threads }),
        signal,
        onNote: progress.line,
        onProgress: ({ training, done, total }) => progress.done(training, done, total),
      });
      progress.stop();
      const where = `${relative('', join(studyFolder(description, output), 'study.json'))} written, and its tables as .csv; ${found.seeds.length} seeds, ${found.trainings.count} trainings`;
      const parts = [methodsText(found), tasksText(found), ...found.matrices.map(matrixText), where];
      result(flags, found, parts.join('\n\n'));
    } finally {
      progress.stop();
    }
  });
}
