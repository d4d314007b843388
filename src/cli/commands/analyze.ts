// prognet analyze
import type { Analysis } from '../../analysis/analyze.js';
import { UsageError } from '../../onnx/core/errors.js';
import { analyzeTask } from '../../tasks/analyze-task.js';
import { growthOf } from '../../tasks/growth.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { integerFlag } from '../flags.js';
import { interruptible } from '../interruptible.js';
import { partsProgress, progressOf } from '../progress.js';
import { count, type GlobalOptions, note, result, table } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface AnalyzeFlags extends GlobalOptions, RuntimeFlags {
  readonly rows?: string;
  readonly seed?: string;
}

/** A number to so many places, or a dash. */
const shown = (value: number | undefined, places: number): string => value?.toFixed(places) ?? '-';

/** What is lost, or won, by a lateral: `0.8123 (-0.0312)`. */
function off(without: number | undefined, value: number): string {
  if (without === undefined) return '-';
  const change = without - value;
  return `${without.toFixed(4)} (${change < 0 ? '' : '+'}${change.toFixed(4)})`;
}

function text(analysis: Analysis, blocks: number): string {
  const { task, rows, metric, value, constant, heads, drawn, taps, correlation } = analysis;
  const judged = heads === undefined ? [['', { metric, value, constant }] as const] : Object.entries(heads);
  const called = (name: string, of: string) => (name === '' ? of : `${name} ${of}`);
  const header = [
    'into',
    'reads',
    'tap',
    'fisher',
    'perturbation',
    'half at',
    'alpha',
    'gain',
    ...judged.map(([name, own]) => `${called(name, own.metric)} without`),
  ];
  const lines = taps.map((tap, i) => [
    taps[i - 1]?.into === tap.into ? '' : tap.into === blocks ? 'head' : `block ${tap.into}`,
    tap.source === task ? `${task} itself` : tap.source,
    String(tap.tap),
    tap.fisher.toFixed(3),
    tap.perturbation.toFixed(3),
    tap.halvingVariance?.toPrecision(2) ?? '-',
    tap.alpha?.toPrecision(3) ?? '-',
    shown(tap.gain, 3),
    ...judged.map(([name, own]) => off(name === '' ? tap.without : tap.withoutByHead?.[name], own.value)),
  ]);
  const [first, ...others] = judged.map(
    ([name, own]) =>
      `${called(name, own.metric)} ${own.value.toFixed(4)} on ${count(rows)} test samples, ${own.constant.toFixed(4)} by one answer for all`,
  );
  const of = [`${task}: ${first}`, ...others].join('\n');
  const notes = [
    ...(drawn ? ['the head is wide or answers steps: the Fisher information is of drawn directions'] : []),
    ...(correlation === undefined ? [] : [`rank correlation of both sensitivities: ${correlation.toFixed(2)}`]),
  ];
  return [of, '', table(header, lines), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

/** Of all trained columns: what each adds, and what its task's model holds and computes. */
function growth(flags: AnalyzeFlags): void {
  const [sample] = (['rows', 'seed'] as const).filter((name) => flags[name] !== undefined);
  if (sample !== undefined)
    throw new UsageError(`--${sample} is of one task, expected prognet analyze <task>`, { path: `--${sample}` });
  const found = growthOf(loadWorkspace(flags.workspace ?? '.'));
  const first = found[0]?.model.multiplyAdds;
  const rows = found.map(({ task, parameters, model }) => [
    task,
    count(parameters),
    count(model.parameters),
    count(model.bytes),
    `${model.uncounted === undefined ? '' : 'over '}${count(model.multiplyAdds)}`,
    first === undefined || first === 0 ? '-' : `${(model.multiplyAdds / first).toFixed(2)} times`,
  ]);
  const header = ['task', 'parameters', 'its model', 'bytes', 'multiply-adds', 'the first'];
  const open = [...new Set(found.flatMap(({ model }) => model.open ?? []))];
  if (open.length > 0) note(flags, `multiply-adds count open sizes as 1: ${open.join(', ')}`);
  result(flags, { tasks: found }, rows.length === 0 ? 'no task is trained yet' : table(header, rows));
}

export async function analyzeCommand(task: string | undefined, flags: AnalyzeFlags): Promise<void> {
  if (task === undefined) {
    growth(flags);
    return;
  }
  const [rows, seed, threads] = (['rows', 'seed', 'threads'] as const).map((name) => integerFlag(`--${name}`, flags[name]));
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const { blocks } = loaded.columns.column(task);
  const opened = await openRuntime(flags);
  const { provider } = chosen(opened);
  const reading = progressOf(flags, task);
  const parts = partsProgress(flags, task);
  const analysis = await interruptible(flags, 'stopping', async (signal) => {
    try {
      return await analyzeTask(opened.runtime, loaded, task, {
        ...(rows !== undefined && { rows }),
        ...(seed !== undefined && { seed }),
        ...(threads !== undefined && { threads }),
        ...(provider !== undefined && { providers: [provider] }),
        signal,
        onReading: reading.reading,
        onProgress: ({ what, done, total }) => parts.done(what, done, total),
      });
    } finally {
      reading.stop();
      parts.stop();
    }
  });
  result(flags, analysis, text(analysis, blocks.length));
}
