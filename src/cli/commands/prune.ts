// prognet prune
import type { PruneGoal } from '../../analysis/prune/prune.js';
import { metricName } from '../../model/heads/heads.js';
import { UsageError } from '../../onnx/core/errors.js';
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

/** Throws UsageError unless one of them is there, and where it is of another metric than the head's. */
export function goalOf({ threshold, keepAccuracy, keepError }: GoalFlags, metric: 'accuracy' | 'error'): PruneGoal {
  const asked = [threshold, keepAccuracy, keepError].filter((flag) => flag !== undefined).length;
  if (asked !== 1) throw new UsageError('say how much may go: --threshold, or --keep-accuracy (of numbers --keep-error)');
  const share = numberFlag('--threshold', threshold);
  if (share !== undefined) return { threshold: share };
  const [name, other] = metric === 'accuracy' ? ['--keep-accuracy', keepError] : ['--keep-error', keepAccuracy];
  if (other !== undefined) throw new UsageError(`the task is measured by its ${metric}, expected ${name}`, { expected: name });
  const keep = numberFlag(name, keepAccuracy ?? keepError);
  if (keep !== undefined && metric === 'accuracy' && keep > 1)
    throw new UsageError(`${name}: found "${keep}", expected a share of the samples, at most 1`, {
      path: name,
      got: String(keep),
    });
  return { keep: keep ?? 0 };
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
    `${test.metric} on the test data ${changed(test, metric)}${further}; on the ${measured.on} (${count(measured.rows)} samples) ${changed(measured, metric)}${first}`,
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
  const goal = goalOf(flags, metricName(head));
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
