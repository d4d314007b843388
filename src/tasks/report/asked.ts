// What every trained task answers now, for a report: its test data are run through its model, which proves that nothing moved and gives all measures.
import { heatPicture } from '../../chart/heat-map.js';
import { count } from '../../chart/numbers.js';
import { outputsBegin } from '../../model/heads/several.js';
import { PrognetError } from '../../onnx/core/errors.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import type { Cell, Figure, Section, Table } from '../../report/report.js';
import { Evaluator } from '../../train/evaluate.js';
import type { MeasuredOutput, Measures } from '../../train/measures.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { isTrained, withTrained } from '../trained-column.js';
import { outcomeOf, type Verified, type VerifyOptions, verifyWith } from '../verify.js';

/** A task that was asked; without `verified` its data could not be read, or its column is of another description. */
export interface Asked {
  readonly task: string;
  readonly frozen: boolean;
  readonly verified?: Verified;
  readonly reason?: string;
}

/** Asks every trained task on its test data. Throws InterruptedError on abort. */
export async function askTasks(
  runtime: Runtime,
  loaded: LoadedWorkspace,
  options: VerifyOptions & { readonly onTask?: (task: string) => void } = {},
): Promise<readonly Asked[]> {
  const { frozen, columns } = loaded;
  const evaluator = new Evaluator(runtime);
  const found: Asked[] = [];
  try {
    for (const task of columns.tasks.filter((name) => frozen.has(name) || isTrained(loaded, name))) {
      options.onTask?.(task);
      const of = { task, frozen: frozen.has(task) };
      try {
        const verified = await verifyWith(evaluator, runtime, withTrained(loaded, task), task, { ...options, measures: true });
        found.push({ ...of, verified, ...(verified.reason !== undefined && { reason: verified.reason }) });
      } catch (error) {
        if (!(error instanceof PrognetError) || options.signal?.aborted) throw error;
        found.push({ ...of, reason: error.statement });
      }
    }
  } finally {
    await evaluator.release();
  }
  return found;
}

/** The verdict on each task, as `verify` gives it. */
export function verdictTable(asked: readonly Asked[]): Table {
  return {
    name: 'verified',
    caption: 'Outputs over the test data, now and when the column was frozen',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'outputs', name: 'outputs', as: 'text' },
      { key: 'test_rows', name: 'test rows', as: 'count' },
      { key: 'then', name: 'metric then', as: 'measure' },
      { key: 'now', name: 'now', as: 'measure' },
      { key: 'outputs_sha256', name: 'SHA-256 of the outputs now', as: 'hash' },
      { key: 'reason', name: 'why', as: 'text' },
    ],
    rows: asked.map(({ task, frozen, verified, reason }) => [
      task,
      `${outcomeOf(verified)}${frozen ? '' : ', not frozen'}`,
      verified?.rows ?? null,
      verified?.metric?.atFreeze ?? null,
      verified?.metric?.now ?? null,
      verified?.sha256 ?? null,
      reason ?? null,
    ]),
  };
}

/** Classes whose confusion is drawn at most. */
const mostClasses = 30;
/** Classes, labels or numbers that the page shows of a task. */
const mostOutputs = 40;
const key = (name: string): string => name.replaceAll(' ', '_');

interface Measured {
  readonly task: string;
  readonly measures: Measures;
}

function overallTable(measured: readonly Measured[]): Table {
  const names = [...new Set(measured.flatMap(({ measures }) => Object.keys(measures.overall)))];
  return {
    name: 'measures',
    caption: 'Measures of each task on its test data',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      ...names.map((name) => ({
        key: key(name),
        name: name === 'balanced accuracy' ? 'balanced accuracy (macro recall)' : name,
        as: 'measure' as const,
      })),
    ],
    rows: measured.map(({ task, measures: { overall } }): Cell[] => [
      task,
      ...names.map((name) => new Map(Object.entries(overall)).get(name) ?? null),
    ]),
  };
}

function outputsTable(task: string, outputs: readonly MeasuredOutput[]): Table {
  const names = [...new Set(outputs.flatMap(({ measures }) => Object.keys(measures)))];
  return {
    name: `measures-${task}`,
    caption: `${task}, by what it answers`,
    columns: [
      { key: 'answer', name: 'answer', as: 'text' },
      { key: 'samples', name: 'samples', as: 'count' },
      ...names.map((name) => ({ key: key(name), name, as: 'measure' as const })),
    ],
    rows: outputs.map(({ name, support, measures }): Cell[] => [name, support, ...names.map((n) => measures[n] ?? null)]),
    most: mostOutputs,
  };
}

type Confusion = NonNullable<Measures['confusion']>;

function confusionFigure(task: string, names: readonly string[], confusion: Confusion): Figure {
  const total = confusion.map((row) => row.reduce((a, b) => a + b, 0));
  const picture = heatPicture({
    title: `Confusion of ${task}`,
    rowsAre: 'what samples are',
    columnsAre: 'what they were taken for',
    rows: names,
    columns: names,
    cells: confusion.map((row, i) => row.map((n) => ({ value: n / Math.max(1, total[i] ?? 0), said: count(n) }))),
    scale: { most: 1 },
    unit: 'share of the row',
  });
  const says = `Test samples of ${task} by what they are and what they were taken for, counted when this report was made. What lies off the diagonal is wrong.`;
  return { name: `confusion-${task}`, picture, says };
}

function confusionTable(task: string, names: readonly string[], confusion: Confusion): Table {
  return {
    name: `confusion-${task}`,
    caption: `Confusion of ${task}`,
    columns: [
      { key: 'is', name: 'is', as: 'text' },
      { key: 'taken_for', name: 'taken for', as: 'text' },
      { key: 'samples', name: 'samples', as: 'count' },
    ],
    rows: confusion.flatMap((row, i) => row.flatMap((n, j): Cell[][] => (n === 0 ? [] : [[names[i] ?? i, names[j] ?? j, n]]))),
    folded: true,
    most: 200,
  };
}

/** How good the answers are. `asked` is undefined where nobody asked for it. */
export function measuresSection(asked: readonly Asked[] | undefined): Section {
  const base = { id: 'measures', heading: 'How good the answers are' };
  if (asked === undefined)
    return {
      ...base,
      says: [
        'Measures of each class and the confusion of classes are taken by running the test data: prognet report --verify does it.',
      ],
      figures: [],
      tables: [],
    };
  const measured = asked.flatMap(({ task, verified }): Measured[] => {
    const several = Object.entries(verified?.heads ?? {}).map(([name, head]) => [outputsBegin(task, name), head] as const);
    const each = [[task, verified] as const, ...several];
    return each.flatMap(([name, own]) => (own?.measures === undefined ? [] : [{ task: name, measures: own.measures }]));
  });
  if (measured.length === 0) return { ...base, says: ['No trained task could be measured.'], figures: [], tables: [] };
  const confused = measured.flatMap(({ task, measures: { outputs, confusion } }) =>
    confusion === undefined ? [] : [{ task, names: outputs.map(({ name }) => name), confusion }],
  );
  const many = confused.filter(({ names }) => names.length > mostClasses).map(({ task }) => task);
  const says = [
    'Measured when this report was made, on the test data of each task.',
    ...measured.flatMap(({ task, measures: { constant } }) => (constant === undefined ? [] : [`${task}: ${constant}.`])),
    ...(many.length > 0
      ? [`Over ${mostClasses} classes, so that the confusion stands in the table alone: ${many.join(', ')}.`]
      : []),
  ];
  return {
    ...base,
    says,
    figures: confused
      .filter(({ task }) => !many.includes(task))
      .map(({ task, names, confusion }) => confusionFigure(task, names, confusion)),
    tables: [
      overallTable(measured),
      ...measured.map(({ task, measures }) => outputsTable(task, measures.outputs)),
      ...confused.map(({ task, names, confusion }) => confusionTable(task, names, confusion)),
    ],
  };
}
