// prognet import: a model from elsewhere, columns of another workspace, or other taps of a column that was imported.
import { statSync } from 'node:fs';
import { headKind, isJudged } from '../../model/heads/heads.js';
import { UsageError } from '../../onnx/core/errors.js';
import { type FeatureLayout, featureLayouts } from '../../onnx/features/layout.js';
import { changeTaps } from '../../tasks/change-taps.js';
import { importColumns } from '../../tasks/import-columns.js';
import { type ImportedTask, importTask } from '../../tasks/import-task.js';
import { choiceFlag, dataFlag, integerFlag } from '../flags.js';
import { note, result } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface ImportFlags extends RuntimeFlags {
  readonly task: string;
  readonly as?: string;
  readonly data?: string;
  readonly taps?: string;
  readonly scores?: string;
  readonly head?: string;
  readonly backbone?: boolean;
  readonly dim?: readonly string[];
  readonly layout?: readonly string[];
  readonly fix?: readonly string[];
  readonly input?: readonly string[];
  readonly output?: string;
}

/** How many of `auto:4`; undefined for names. */
function spreadOf(taps: string): number | undefined {
  const count = /^auto:(.*)$/.exec(taps)?.[1];
  if (count === undefined) return undefined;
  if (/^[1-9][0-9]{0,3}$/.test(count)) return Number(count);
  throw new UsageError(`--taps: found "${taps}", expected auto:4 or names of values`, { path: '--taps', got: taps });
}

/** Each by what stands before the last `=`. */
function pairs<T>(flag: string, given: readonly string[], like: string, read: (text: string) => T | undefined): Map<string, T> {
  return new Map(
    given.map((text): [string, T] => {
      const at = text.lastIndexOf('=');
      const value = at > 0 && at + 1 < text.length ? read(text.slice(at + 1)) : undefined;
      if (value !== undefined) return [text.slice(0, at), value];
      throw new UsageError(`${flag}: found "${text}", expected ${like}`, { path: flag, got: text });
    }),
  );
}

/** `features=NHWC`, each by the name of a tap. */
function layoutsOf(given: readonly string[]): ReadonlyMap<string, FeatureLayout> {
  return new Map(
    given.map((text) => {
      const at = text.lastIndexOf('=');
      const layout = featureLayouts.find((name) => name === text.slice(at + 1));
      if (at > 0 && layout !== undefined) return [text.slice(0, at), layout];
      const expected = `the name of a tap and one of ${featureLayouts.join(', ')}, such as features=NHWC`;
      throw new UsageError(`--layout: found "${text}", expected ${expected}`, { path: '--layout', got: text, expected });
    }),
  );
}
const dimsOf = (given: readonly string[]) =>
  pairs('--dim', given, 'a name and a size such as height=48', (text) => {
    const size = Number(text);
    return Number.isSafeInteger(size) && size > 0 ? size : undefined;
  });

const numbersOf = (given: readonly string[]) =>
  pairs('--fix', given, 'an input and a number such as rate=16000', (text) =>
    Number.isFinite(Number(text)) ? Number(text) : undefined,
  );

const namesOf = (given: readonly string[]) =>
  pairs('--input', given, "an input of the model and one of the network's such as input_ids=ids", (text) => text);

export async function importCommand(model: string | undefined, flags: ImportFlags): Promise<void> {
  if (model === undefined) return changeTapsOf(flags);
  return isFolder(model) ? importFromWorkspace(model, flags) : importFromModel(model, flags);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What is said of a model alone. */
const ofModel = ['data', 'scores', 'dim', 'fix', 'input', 'head', 'backbone'] as const;

/** How its taps are said. */
function tapsAsked({ taps, layout }: ImportFlags) {
  const spread = taps === undefined ? undefined : spreadOf(taps);
  return {
    ...(spread !== undefined && { spread }),
    ...(taps !== undefined && spread === undefined && { taps: taps.split(',').map((name) => name.trim()) }),
    ...(layout !== undefined && { layouts: layoutsOf(layout) }),
  };
}

/** Without a model: the taps of a column that is here. */
async function changeTapsOf(flags: ImportFlags): Promise<void> {
  const { task, taps, layout } = flags;
  if (taps === undefined && layout === undefined)
    throw new UsageError('found no model, expected an ONNX model or a workspace; or --taps, other taps of a task that is here', {
      expected: 'a model, or --taps',
    });
  const given = (['as', 'output', ...ofModel] as const).find((name) => flags[name] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given}: found without a model, expected --taps and --layout alone`, { path: `--${given}` });
  const threads = integerFlag('--threads', flags.threads);
  const asked = tapsAsked(flags);
  const open = await openRuntime(flags);
  const changed = await changeTaps(open.runtime, flags.workspace ?? '.', task, {
    ...asked,
    onNote: (line) => note(flags, line),
    ...chosen(open),
    ...(threads !== undefined && { threads }),
  });
  const lines = changed.readers.map((reader) => `${reader.task} reads ${reader.taps.join(', ')}`);
  result(flags, changed, [`${task} has the taps ${shown(changed.taps)}`, ...lines].join('\n'));
}

const shown = (taps: ImportedTask['taps']): string => taps.map(({ name, shape }) => `${name} [${shape}]`).join(', ');

/** Columns of another workspace bring with them all that is said of a model here. */
async function importFromWorkspace(from: string, flags: ImportFlags): Promise<void> {
  const given = (['taps', 'layout', 'provider', 'threads', ...ofModel] as const).find((name) => flags[name] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given}: is for an ONNX model, ${from} is a folder, whose columns bring it`, { path: `--${given}` });
  const { runtime } = await openRuntime(flags);
  const { workspace, columns } = await importColumns(
    runtime,
    flags.output ?? flags.workspace ?? '.',
    flags.output !== undefined,
    from,
    {
      task: flags.task,
      ...(flags.as !== undefined && { as: flags.as }),
      onNote: (line) => note(flags, line),
    },
  );
  const lines = columns.map(({ task, was, state, parameters, identical }) => {
    const name = task === was ? task : `${task} (${was} there)`;
    const told = state === 'here' ? 'was here already' : identical === true ? 'answers bit for bit as it did' : 'brought';
    return `${name}: ${told}, ${parameters} parameters`;
  });
  result(flags, { workspace, columns }, `brought from ${from} to ${workspace}\n${lines.join('\n')}`);
}

async function importFromModel(model: string, flags: ImportFlags): Promise<void> {
  if (flags.as !== undefined)
    throw new UsageError(`--as: is for a column of another workspace, ${model} is no folder; --task names the column`, {
      path: '--as',
    });
  const head = flags.backbone === true ? 'none' : choiceFlag('--head', flags.head ?? 'classify', headKind.options);
  const judged = isJudged({ kind: head });
  if (flags.backbone === true && flags.head !== undefined)
    throw new UsageError('--head: found beside --backbone, which has none', { path: '--head' });
  if (!judged && flags.data !== undefined)
    throw new UsageError('--data: nothing judges what the column gives, expected none', { path: '--data' });
  if (judged && flags.data === undefined)
    throw new UsageError('--data: is missing, expected what the task is tested and verified on, such as mnist', {
      path: '--data',
    });
  const threads = integerFlag('--threads', flags.threads);
  const data = flags.data === undefined ? undefined : dataFlag('--data', flags.data);
  const asked = tapsAsked(flags);
  const open = await openRuntime(flags);
  const folder = flags.output ?? flags.workspace ?? '.';
  const taken = await importTask(open.runtime, folder, flags.output !== undefined, model, {
    task: flags.task,
    head,
    data,
    ...asked,
    ...(flags.backbone === true && { backbone: true }),
    ...(flags.scores !== undefined && { scores: flags.scores }),
    ...(flags.dim !== undefined && { dims: dimsOf(flags.dim) }),
    ...(flags.fix !== undefined && { fixed: numbersOf(flags.fix) }),
    ...(flags.input !== undefined && { inputs: namesOf(flags.input) }),
    onNote: (line) => note(flags, line),
    ...chosen(open),
    ...(threads !== undefined && { threads }),
  });
  const { record, ...document } = taken;
  const { metrics } = record;
  const told = Object.entries(metrics).filter(([name]) => name !== 'seconds' && name !== 'epochs');
  const measured = told.map(([name, v]) => `${name} ${v.toFixed(4)}`).join(', ');
  result(
    flags,
    { ...document, metrics: Object.fromEntries(told) },
    `${taken.task} imported and frozen in ${taken.workspace}${judged ? `: ${measured} on the test data` : ''}\n` +
      `${taken.parameters} parameters, taps ${shown(taken.taps)}${taken.open.length > 0 ? `; ${taken.open.join(', ')} open` : ''}`,
  );
}
