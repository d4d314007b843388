// prognet compress
import { UsageError } from '../../onnx/core/errors.js';
import { compressWorkspace } from '../../tasks/compress-workspace.js';
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
}

export async function compressCommand(flags: CompressFlags): Promise<void> {
  const { output, like } = flags;
  const [epochs, rows] = [integerFlag('--epochs', flags.epochs), integerFlag('--rows', flags.rows)];
  const [width, rate] = [numberFlag('--width', flags.width), numberFlag('--lr', flags.lr)];
  if (width !== undefined && width > 100)
    throw new UsageError(`--width: found "${flags.width}", expected a factor of at most 100`, { path: '--width' });
  const loaded = loadWorkspace(flags.workspace ?? '.');
  noteLeftOut(flags, loaded);
  const { runtime } = await openRuntime(flags);
  const progress = progressOf(flags, 'compressed');
  const found = await interruptible(flags, 'stopping', async (signal) => {
    try {
      return await compressWorkspace(runtime, loaded, output, {
        like,
        width,
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
  const shown = tasks.map(({ task, metric, before, after, parameters: own }) => {
    const change = after - before;
    return [task, `${metric} ${before.toFixed(4)}`, after.toFixed(4), `${change < 0 ? '' : '+'}${change.toFixed(4)}`, count(own)];
  });
  const said = `${output} written: parameters ${count(parameters.before)} -> ${count(parameters.after)}`;
  result(flags, found, `${said}\n${table(['task', 'before', 'after', 'change', 'parameters'], shown)}`);
}
