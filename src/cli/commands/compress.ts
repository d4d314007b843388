// prognet compress

import type { Consolidation } from '../../analysis/compress/in-turn.js';
import { UsageError } from '../../onnx/core/errors.js';
import { type ComparedMetric, compressWorkspace } from '../../tasks/compress-workspace.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { integerFlag, numberFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { noteLeftOut } from '../left-out.js';
import { progressOf } from '../progress.js';
import { count, type GlobalOptions, result, table } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';

export interface CompressFlags extends GlobalOptions, RuntimeFlags {
  readonly output: string;
  readonly like?: string;
  readonly width?: string;
  readonly epochs?: string;
  readonly lr?: string;
  readonly rows?: string;
  readonly inTurn?: boolean;
  readonly strength?: string;
  readonly decay?: string;
}

export async function compressCommand(flags: CompressFlags): Promise<void> {
  const { output, like } = flags;
  const [epochs, rows] = [integerFlag('--epochs', flags.epochs), integerFlag('--rows', flags.rows)];
  const [width, rate] = [numberFlag('--width', flags.width), numberFlag('--lr', flags.lr)];
  if (width !== undefined && width > 100)
    throw new UsageError(`--width: found "${flags.width}", expected a factor of at most 100`, { path: '--width' });
  const inTurn = consolidationOf(flags);
  const loaded = loadWorkspace(flags.workspace ?? '.');
  noteLeftOut(flags, loaded);
  const { runtime } = await openRuntime(flags);
  const progress = progressOf(flags, 'compressed');
  const found = await interruptible(flags, 'stopping', async (signal) => {
    try {
      return await compressWorkspace(runtime, loaded, output, {
        like,
        width,
        inTurn,
        epochs,
        rate,
        rows,
        signal,
        onEvent: progress.event,
      });
    } finally {
      progress.stop();
    }
  });
  const { parameters, tasks } = found;
  const row = (name: string, { metric, before, after }: ComparedMetric, own = '') => {
    const change = after - before;
    return [name, `${metric} ${before.toFixed(4)}`, after.toFixed(4), `${change < 0 ? '' : '+'}${change.toFixed(4)}`, own];
  };
  const shown = tasks.flatMap(({ task, heads, parameters: own, ...figures }) => {
    if (heads === undefined) return [row(task, figures, count(own))];
    return Object.entries(heads).map(([name, each], i) => row(`${task}/${name}`, each, i === 0 ? count(own) : ''));
  });
  const said = `${output} written: parameters ${count(parameters.before)} -> ${count(parameters.after)}`;
  result(flags, found, `${said}\n${table(['task', 'before', 'after', 'change', 'parameters'], shown)}`);
}

function consolidationOf({ inTurn, strength, decay }: CompressFlags): Consolidation | undefined {
  const given = { '--strength': strength, '--decay': decay };
  const stray = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (inTurn !== true) {
    if (stray === undefined) return undefined;
    throw new UsageError(`${stray}: found without --in-turn, expected both`, { path: stray });
  }
  const [held, left] = [numberFlag('--strength', strength), numberFlag('--decay', decay)];
  if (left !== undefined && left > 1)
    throw new UsageError(`--decay: found "${decay}", expected a number of at most 1`, { path: '--decay' });
  return { ...(held !== undefined && { strength: held }), ...(left !== undefined && { decay: left }) };
}
