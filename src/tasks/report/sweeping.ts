// Sweeps as a part of a report: all trials as a table, the best first, and what each value of each setting reached.
import { meanOf, spreadOf } from '../../analysis/study/scores.js';
import { type BarPanel, barsPicture } from '../../chart/bars.js';
import { metricName, metricRises } from '../../model/heads/heads.js';
import { measureNames, rises } from '../../model/heads/measure-names.js';
import type { Cell, Figure, Section, Table } from '../../report/report.js';
import type { Json } from '../../workspace/json.js';
import { readSweep, type SweepTable, type SweepTrial } from '../../workspace/sweep-store.js';
import type { LoadedWorkspace } from '../load-workspace.js';

/** Values of a setting that the picture shows; the table has all. */
const mostValues = 12;
const mostRows = 40;

const shown = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** A sweep of a task whose trials are of one measure, the best first. */
interface Swept {
  readonly task: string;
  readonly metric: string;
  readonly rises: boolean;
  readonly trials: readonly SweepTrial[];
}

function sweptOf(loaded: LoadedWorkspace, task: string, { metric, trials }: SweepTable): Swept {
  const { head } = loaded.columns.column(task);
  const measure = measureNames.find((name) => name === metric);
  const up = measure === undefined ? metricRises(head) : rises(measure);
  const value = ({ metric: measured }: SweepTrial) =>
    measured === undefined ? Number.POSITIVE_INFINITY : up ? -measured : measured;
  const alike = trials.filter(({ measure: own = metricName(head) }) => own === metric);
  const apart = (a: number, b: number) => (a === b ? 0 : a - b);
  return {
    task,
    metric,
    rises: up,
    trials: [...alike].sort((a, b) => apart(value(a), value(b)) || apart(a.loss ?? 0, b.loss ?? 0)),
  };
}

const settingsOf = (trials: readonly SweepTrial[]): string[] => [
  ...new Set(trials.flatMap(({ settings }) => Object.keys(settings))),
];

function trialsTable({ task, metric, trials }: Swept): Table {
  const names = settingsOf(trials);
  return {
    name: `sweep-${task}`,
    caption: `Trials of ${task}`,
    columns: [
      ...names.map((name) => ({ key: name.replaceAll(/[^A-Za-z0-9]+/g, '_'), name, as: 'text' as const })),
      { key: 'seed', name: 'seed', as: 'count' },
      { key: 'metric', name: `validation ${metric}`, as: 'measure' },
      { key: 'loss', name: 'loss', as: 'measure' },
      { key: 'epoch', name: 'epoch', as: 'count' },
      { key: 'seconds', name: 'time', as: 'seconds' },
      { key: 'state', name: 'state', as: 'text' },
    ],
    rows: trials.map((trial): Cell[] => [
      ...names.map((name) => (name in trial.settings ? shown(trial.settings[name]) : null)),
      trial.seed,
      trial.metric ?? null,
      trial.loss ?? null,
      trial.epoch ?? null,
      trial.seconds ?? null,
      trial.state === 'done' ? 'done' : `${trial.state}: ${trial.reason ?? ''}`,
    ]),
    most: mostRows,
  };
}

/** A bar for each value of each setting that has several: the mean of all trials that had it. */
function valuesFigure({ task, metric, trials }: Swept): Figure[] {
  const done = trials.filter((trial) => trial.metric !== undefined);
  const panels = settingsOf(done).flatMap((name): BarPanel[] => {
    const by = new Map<string, number[]>();
    for (const { settings, metric: measured } of done)
      if (name in settings && measured !== undefined) {
        const value = shown(settings[name]);
        by.set(value, [...(by.get(value) ?? []), measured]);
      }
    if (by.size < 2) return [];
    const best = [...by].sort(([, a], [, b]) => meanOf(b) - meanOf(a)).slice(0, mostValues);
    const kept = new Set(best.map(([value]) => value));
    const inOrder = [...by].filter(([value]) => kept.has(value)).sort(([a], [b]) => Number(a) - Number(b) || 0);
    return [
      {
        name,
        unit: `mean validation ${metric} of its trials`,
        rows: inOrder.map(([value, measured]) => {
          const { mean, deviation } = spreadOf(measured);
          return { name: value, values: [mean], said: mean.toFixed(4), ...(measured.length > 1 && { spread: deviation }) };
        }),
      },
    ];
  });
  if (panels.length === 0) return [];
  return [
    {
      name: `sweep-${task}`,
      picture: barsPicture({ title: `What each setting reached: ${task}`, parts: [], panels }),
      says: `The mean over all trials that had a value, whatever else they had; lines are one standard deviation over them. ${done.length} trials of ${task}.`,
    },
  ];
}

/** Of all tasks that have a sweep; none where no task has. */
export function sweepSections(loaded: LoadedWorkspace): Section[] {
  const found = loaded.columns.tasks.flatMap((task) => {
    const table = readSweep(loaded.workspace.root, task);
    return table === undefined || table.trials.length === 0 ? [] : [sweptOf(loaded, task, table)];
  });
  if (found.length === 0) return [];
  const bests = found.flatMap(({ task, metric, trials }) => {
    const [best] = trials;
    if (best?.metric === undefined) return [];
    const settings = Object.entries(best.settings).map(([name, value]) => `${name} ${shown(value)}`);
    return [`The best trial of ${task} had ${settings.join(', ')}: validation ${metric} ${best.metric.toFixed(4)}.`];
  });
  return [
    {
      id: 'sweeps',
      heading: 'Sweeps',
      says: [
        'Settings that were tried, each measured on the part of the training data that was set aside. The test data were not looked at.',
        ...bests,
      ],
      figures: found.flatMap(valuesFigure),
      tables: found.map(trialsTable),
    },
  ];
}
