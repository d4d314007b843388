// prognet inspect <task>: a column of a workspace, frozen or not.
import { existsSync } from 'node:fs';
import { type InspectedTask, inspectTask } from '../../tasks/inspect-task.js';
import { type LoadedWorkspace, loadForTask } from '../../tasks/load-workspace.js';
import type { ByMeasure } from '../../train/counts.js';
import { headFigures } from '../../train/evaluate.js';
import { findWorkspace } from '../../workspace/workspace.js';
import { colours, count, type GlobalOptions, result } from '../report.js';

/** The workspace where `name` is a task of it and no file. */
export function workspaceWith(name: string, { workspace }: GlobalOptions): LoadedWorkspace | undefined {
  if (existsSync(name) || findWorkspace(workspace ?? '.') === undefined) return undefined;
  const loaded = loadForTask(workspace ?? '.', name);
  return loaded.columns.tasks.includes(name) ? loaded : undefined;
}

const states: Readonly<Record<InspectedTask['state'], (task: string) => string>> = {
  new: (task) => `not trained: prognet train ${task}`,
  unfinished: (task) => `its training is unfinished: prognet train ${task} --resume`,
  trained: (task) => `trained, not frozen: prognet freeze ${task} makes it final, prognet train ${task} trains it anew`,
  frozen: () => 'frozen',
};

function measures(loss: number | undefined, by: ByMeasure | Readonly<Record<string, number>> = {}): string {
  const all = { ...(loss !== undefined && { loss }), ...by };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${Number(value).toFixed(4)}`)
    .join(', ');
}

function rowsOf({
  task,
  state,
  head,
  parameters,
  reads,
  unfinished,
  changed,
  training,
  tunable = [],
}: InspectedTask): [string, string][] {
  const rows: [string, string][] = [
    ['state', states[state](task)],
    ...(unfinished ? [['', `a further training is unfinished: prognet train ${task} --resume`] as [string, string]] : []),
    ...(changed === undefined ? [] : [['changed', changed] as [string, string]]),
    ['head', head],
    ['parameters', count(parameters)],
    ['reads', reads.length === 0 ? '-' : reads.join(', ')],
  ];
  rows.push(
    ...tunable.map(({ name, shape, op, node }, i): [string, string] => [
      i === 0 ? 'lora.on' : '',
      `${name} [${shape}], ${op} ${node}`,
    ]),
  );
  if (training === undefined) return rows;
  const { epochs, epoch, seconds, at, rows: samples, test, measured } = training;
  const kept = epochs > 0 && epoch !== undefined && epoch !== epochs ? `, weights of epoch ${epoch}` : '';
  const took = seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`;
  const on = samples === undefined ? '' : ` on ${count(samples)} rows`;
  rows.push([
    'trained',
    `${epochs === 0 ? 'elsewhere' : `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`}${took}${on}${kept}; ${at}`,
  ]);
  if (measured !== undefined)
    rows.push(['training', `${measures(measured.loss, measured.measures)} (as epoch ${measured.epoch} went)`]);
  if (measured?.validation !== undefined)
    rows.push([
      'validation',
      measures(measured.validation.loss, { ...measured.validation.measures, ...headFigures(measured.validation.heads) }),
    ]);
  if (Object.keys(test).length > 0) rows.push(['test', `${measures(undefined, test)}; more by prognet eval ${task}`]);
  return rows;
}

export function inspectColumn(loaded: LoadedWorkspace, task: string, flags: GlobalOptions): void {
  const found = inspectTask(loaded, task);
  const rows = rowsOf(found);
  const width = Math.max(...rows.map(([name]) => name.length));
  const text = [colours.bold(task), ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n');
  result(flags, found, text);
}
