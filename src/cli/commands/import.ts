// prognet import
import { parseDocument } from 'yaml';
import { headKind } from '../../model/heads/heads.js';
import { UsageError } from '../../onnx/core/errors.js';
import { importTask } from '../../tasks/import-task.js';
import { choiceFlag, integerFlag } from '../flags.js';
import { note, result } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface ImportFlags extends RuntimeFlags {
  readonly task: string;
  readonly data: string;
  readonly taps?: string;
  readonly scores?: string;
  readonly head: string;
  readonly output?: string;
}

/** A source, or the flow form of YAML: `{ source: a.csv, header: false }`. */
function dataOf(text: string): unknown {
  const document = parseDocument(text);
  try {
    if (document.errors.length === 0) return document.toJS();
  } catch {
    // An alias that leads nowhere, as `*.csv` reads in YAML.
  }
  throw new UsageError(`--data: found "${text}", expected a source such as mnist, or { source: a.csv, header: false }`, {
    path: '--data',
    got: text,
  });
}

export async function importCommand(model: string, flags: ImportFlags): Promise<void> {
  const head = choiceFlag('--head', flags.head, headKind.options);
  const threads = integerFlag('--threads', flags.threads);
  const data = dataOf(flags.data);
  const open = await openRuntime(flags);
  const folder = flags.output ?? flags.workspace ?? '.';
  const taken = await importTask(open.runtime, folder, flags.output !== undefined, model, {
    task: flags.task,
    head,
    data,
    ...(flags.taps !== undefined && { taps: flags.taps.split(',').map((name) => name.trim()) }),
    ...(flags.scores !== undefined && { scores: flags.scores }),
    onNote: (line) => note(flags, line),
    ...chosen(open),
    ...(threads !== undefined && { threads }),
  });
  const { record, ...document } = taken;
  const { metrics } = record;
  const told = Object.entries(metrics).filter(([name]) => name !== 'seconds' && name !== 'epochs');
  const taps = taken.taps.map(({ name, shape }) => `${name} [${shape}]`).join(', ');
  result(
    flags,
    { ...document, metrics: Object.fromEntries(told) },
    `${taken.task} imported and frozen in ${taken.workspace}: ${told.map(([name, v]) => `${name} ${v.toFixed(4)}`).join(', ')} on the test data\n` +
      `${taken.parameters} parameters, taps ${taps}`,
  );
}
