// What compressing a network to one column cost, as a part of the report of the workspace that it gave.
import { barsPicture } from '../../chart/bars.js';
import { count } from '../../chart/numbers.js';
import type { Figure, Section, Table } from '../../report/report.js';
import { type KeptCompression, readCompression } from '../../workspace/kept-figures.js';
import type { LoadedWorkspace } from '../load-workspace.js';

/** A head's metric before and after. */
interface Row {
  readonly name: string;
  readonly metric: 'accuracy' | 'error';
  readonly before: number;
  readonly after: number;
}

const rowsOf = ({ tasks }: KeptCompression): Row[] =>
  tasks.flatMap(({ task, metric, before, after, heads }): Row[] =>
    heads === undefined
      ? [{ name: task, metric, before, after }]
      : Object.entries(heads).map(([name, own]) => ({ name: `${task}/${name}`, ...own })),
  );

function figureOf(metric: Row['metric'], rows: readonly Row[]): Figure {
  const change = metric === 'accuracy' ? 'what was lost' : 'what was added';
  const picture = barsPicture({
    title: `Compression: ${metric} before and after`,
    parts: [metric === 'accuracy' ? 'compressed' : 'before', change],
    panels: [
      {
        name: metric,
        unit: 'on the test data, before and after',
        rows: rows.map(({ name, before, after }) => ({
          name,
          values: [metric === 'accuracy' ? after : before, Math.max(0, metric === 'accuracy' ? before - after : after - before)],
          said: `${before.toFixed(3)}, ${after.toFixed(3)}`,
        })),
      },
    ],
  });
  return {
    name: `compression-${metric}`,
    picture,
    says: `The ${metric} of each task on its test data, of the column that it had and of the compressed one. An outline is ${change}.`,
  };
}

/** None where the workspace is not a compressed one; tasks that were trained anew since are left out. */
export function compressionSections({ workspace, frozen }: LoadedWorkspace): Section[] {
  const kept = readCompression(workspace.root);
  if (kept === undefined) return [];
  const same = (task: string) => frozen.get(task)?.record.sha256.weights === kept.weights[task];
  const others = kept.tasks.filter(({ task }) => !same(task)).map(({ task }) => task);
  const tasks = kept.tasks.filter(({ task }) => same(task));
  const rows = rowsOf({ ...kept, tasks });
  const table: Table = {
    name: 'compression',
    caption: 'Each task before and after',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'metric', name: 'measure', as: 'text' },
      { key: 'before', name: 'before', as: 'measure' },
      { key: 'after', name: 'after', as: 'measure' },
      { key: 'change', name: 'change', as: 'change' },
      { key: 'parameters', name: 'parameters', as: 'count' },
    ],
    rows: rows.map(({ name, metric, before, after }) => [
      name,
      metric,
      before,
      after,
      after - before,
      tasks.find(({ task }) => name === task || name.startsWith(`${task}/`))?.parameters ?? null,
    ]),
  };
  const { before, after } = kept.parameters;
  return [
    {
      id: 'compression',
      heading: 'What compression cost',
      says: [
        `This network was made by prognet compress out of all columns of ${kept.from}${kept.inTurn ? ', one task after another' : ''}: ${count(before)} parameters became ${count(after)}.`,
        ...(others.length === 0 ? [] : [`No longer the columns that compression gave, so left out: ${others.join(', ')}.`]),
      ],
      figures: (['accuracy', 'error'] as const).flatMap((metric) => {
        const own = rows.filter((row) => row.metric === metric);
        return own.length === 0 ? [] : [figureOf(metric, own)];
      }),
      tables: rows.length === 0 ? [] : [table],
    },
  ];
}
