// prognet export --all --auto: the model of all tasks finds the task of a sample itself, and how often that is right is said.
import { type RouterKind, routerKinds } from '../../analysis/router/router.js';
import { UsageError } from '../../onnx/core/errors.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { convertModel, type PrecisionOptions } from '../../tasks/export-precision.js';
import { type Exported, type ExportOptions, exportedModel, writeModel } from '../../tasks/export-tasks.js';
import { fitAuto } from '../../tasks/fit-auto.js';
import type { LoadedWorkspace } from '../../tasks/load-workspace.js';
import { type FoundTasks, keepFigures, measureAuto, type Others } from '../../tasks/measure-auto.js';
import { choiceFlag, dataFlag, numberFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { count, type GlobalOptions, note, table } from '../report.js';

export interface AutoFlags extends GlobalOptions {
  readonly all?: boolean;
  readonly output: string;
  readonly halfIo?: boolean;
  readonly auto?: boolean | string;
  readonly features?: string;
  readonly noneAbove?: string;
  readonly others?: readonly string[];
}

/** What the flags ask for. */
export interface AutoAsked {
  readonly by: RouterKind | 'entropy';
  readonly features: string | undefined;
  readonly none: number | undefined;
  readonly others: readonly Others[];
}

/** Throws UsageError where it is asked of one task, for a way that there is not, and for a doubt beyond 0 to 1. */
export function autoAsked(flags: AutoFlags): AutoAsked | undefined {
  const { auto = false, noneAbove, features, others = [], all: every = false } = flags;
  if (auto === false) {
    const given = { '--none-above': noneAbove, '--features': features, '--others': others[0] };
    const [flag] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
    if (flag !== undefined) throw new UsageError(`${flag} is of --auto`, { path: flag });
    return undefined;
  }
  if (!every) throw new UsageError('--auto is of the model of all tasks, expected --all', { path: '--auto', expected: '--all' });
  if (flags.halfIo === true) throw new UsageError('--half-io is not for --auto, whose doubt is float32', { path: '--half-io' });
  const by = auto === true ? 'entropy' : choiceFlag('--auto', auto, ['entropy', ...routerKinds] as const);
  if (by === 'entropy' && features !== undefined) {
    const expected = `--auto ${routerKinds.join(', ')}`;
    throw new UsageError(`--features is of ${expected}`, { path: '--features', expected });
  }
  const none = numberFlag('--none-above', noneAbove);
  if (none !== undefined && none >= 1)
    throw new UsageError(`--none-above: found "${noneAbove}", expected a doubt below 1`, {
      path: '--none-above',
      got: String(none),
    });
  return { by, features, none, others: others.map((name) => ({ name, source: dataFlag('--others', name) })) };
}

/** Writes the model and measures it, in the precision that it is written in. */
export async function exportAuto(
  flags: AutoFlags,
  runtime: Runtime,
  loaded: LoadedWorkspace,
  options: ExportOptions,
  { by, features, none, others }: AutoAsked,
  how?: PrecisionOptions,
): Promise<{ readonly exported: Exported; readonly found: FoundTasks; readonly text: string }> {
  return await interruptible(flags, 'stopping', async (signal) => {
    const router = by === 'entropy' ? undefined : await fitAuto(runtime, loaded, options.tasks, { kind: by, features, signal });
    const own = { ...options, auto: none === undefined ? true : { none } };
    const whole = exportedModel(loaded, own, router);
    const converted = how && (await convertModel(loaded, runtime, options.tasks, whole, how));
    for (const line of converted?.notes ?? []) note(flags, line);
    const model = converted?.model ?? whole;
    const exported = writeModel(loaded, model, flags.output, own);
    const measured = { routed: router !== undefined, others, signal };
    const found = await measureAuto(runtime, loaded, options.tasks, model, measured);
    if (how === undefined) keepFigures(loaded, by, found, none);
    for (const task of found.left)
      note(flags, `${task}: its samples lack inputs of other tasks, so how often it is found is not measured`);
    return { exported, found, text: foundText(found) };
  });
}

/** How often each task is found, and what becomes of samples of none. */
function foundText({ tasks, others }: FoundTasks): string {
  const shown = (share: number | undefined) => share?.toFixed(4) ?? '-';
  const own = tasks.map(({ task, rows: n, told, found, right, none }) => [
    task,
    count(n),
    shown(told),
    shown(found),
    shown(right),
    shown(none),
  ]);
  const measured = table(['task', 'test rows', 'told the task', 'finds it', 'and answers rightly', 'none'], own);
  if (others.length === 0) return measured;
  const rows = others.map(({ source, rows: n, none, apart }) => [source, count(n), shown(none), shown(apart)]);
  return `${measured}\n\n${table(['of none of them', 'test rows', 'none', 'in more doubt'], rows)}`;
}
