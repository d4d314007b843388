// prognet prune

import { headsOf } from '../../analysis/metric.js';
import type { PruneGoal } from '../../analysis/prune/prune.js';
import { type Head, isSeveral, metricName } from '../../model/heads/heads.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { type Change, type PrunedTask, pruneTask } from '../../tasks/prune-task.js';
import { integerFlag, numberFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { partsProgress, progressOf } from '../progress.js';
import { count, type GlobalOptions, note, result, table } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';

export interface PruneFlags extends GlobalOptions, RuntimeFlags, GoalFlags {
  readonly rows?: string;
  readonly epochs?: string;
  readonly lr?: string;
  readonly dryRun?: boolean;
}

/** How much may go, as flags. */
export interface GoalFlags {
  readonly threshold?: string;
  readonly keepAccuracy?: string;
  readonly keepError?: string;
}

const keepFlags = { accuracy: '--keep-accuracy', error: '--keep-error' } as const;

/** Throws UsageError unless a share is there or what is to be kept of each metric of the heads, and no other. */
export function goalOf({ threshold, keepAccuracy, keepError }: GoalFlags, head: Head): PruneGoal {
  const given = { accuracy: keepAccuracy, error: keepError };
  const metrics = [...new Set(headsOf(head).map(({ head: own }) => metricName(own)))];
  const asked = (['accuracy', 'error'] as const).filter((metric) => given[metric] !== undefined);
  if ((threshold === undefined) === (asked.length === 0) || asked.length > metrics.length)
    throw new UsageError('say how much may go: --threshold, or --keep-accuracy (of numbers --keep-error)');
  const share = numberFlag('--threshold', threshold);
  if (share !== undefined) return { threshold: share };
  if (metrics.some((metric) => given[metric] === undefined)) {
    const expected = metrics.map((metric) => keepFlags[metric]).join(' and ');
    throw new UsageError(`the task is measured by its ${metrics.join(' and its ')}, expected ${expected}`, { expected });
  }
  const kept = Object.fromEntries(asked.map((metric) => [metric, keptOf(keepFlags[metric], given[metric], metric)]));
  return { keep: isSeveral(head) ? kept : must(kept[metricName(head)], 'bound') };
}

function keptOf(name: string, text: string | undefined, metric: 'accuracy' | 'error'): number | undefined {
  const keep = numberFlag(name, text);
  if (keep === undefined || metric === 'error' || keep <= 1) return keep;
  throw new UsageError(`${name}: found "${keep}", expected a share of the samples, at most 1`, { path: name, got: String(keep) });
}

const changed = ({ before, after }: Change, shown: (n: number) => string): string => `${shown(before)} -> ${shown(after)}`;
const metric = (n: number): string => n.toFixed(4);

/** What went, and what it cost. */
export function prunedText(report: PrunedTask, blocks: number): string {
  const { task, parts, parameters, model, measured, test, epochs } = report;
  const rows = parts.map(({ kind, block, before, after }) => {
    const place = block === blocks ? 'head' : `block ${block}`;
    return [kind === 'units' ? `units of ${place}` : `${kind} into ${place}`, count(before), count(after)];
  });
  const further = epochs === 0 ? '' : ` after ${epochs} further ${epochs === 1 ? 'epoch' : 'epochs'}`;
  const first = epochs === 0 ? '' : ' before them';
  return [
    `${task}: parameters ${changed(parameters, count)}, of its exported model ${changed(model, count)}`,
    ...Object.entries(test.heads ?? { '': test }).map(([name, own]) => {
      const there = measured.heads?.[name] ?? measured;
      const called = name === '' ? own.metric : `${name} ${own.metric}`;
      return `${called} on the test data ${changed(own, metric)}${further}; on the ${measured.on} (${count(measured.rows)} samples) ${changed(there, metric)}${first}`;
    }),
    '',
    table(['what', 'before', 'after'], rows),
  ].join('\n');
}

export async function pruneCommand(task: string, flags: PruneFlags): Promise<void> {
  const [rows, epochs] = [integerFlag('--rows', flags.rows), integerFlag('--epochs', flags.epochs)];
  const rate = numberFlag('--lr', flags.lr);
  if (rate !== undefined && epochs === undefined) throw new UsageError('--lr is of --epochs', { path: '--lr' });
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const { blocks, head } = loaded.columns.column(task);
  const goal = goalOf(flags, head);
  const { runtime } = await openRuntime(flags);
  const progress = progressOf(flags, task);
  const parts = partsProgress(flags, task);
  const dry = flags.dryRun === true;
  const report = await interruptible(flags, 'stopping', async (signal) => {
    try {
      return await pruneTask(runtime, flags.workspace ?? '.', task, {
        goal,
        dry,
        ...(rows !== undefined && { rows }),
        ...(epochs !== undefined && { epochs }),
        ...(rate !== undefined && { rate }),
        signal,
        onReading: progress.reading,
        onEvent: progress.event,
        onProgress: parts.done,
      });
    } finally {
      progress.stop();
      parts.stop();
    }
  });
  result(flags, report, prunedText(report, blocks.length));
  if (dry) note(flags, 'nothing was written (--dry-run)');
  else if (report.parameters.after === report.parameters.before) note(flags, `nothing could go: ${task} stays as it is`);
}
