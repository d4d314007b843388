// Which task is this, as a part of a report: how often each way finds the task of a sample, which tasks are taken for which, and how much doubt there is.
import { barsPicture } from '../../chart/bars.js';
import { heatPicture } from '../../chart/heat-map.js';
import type { Cell, Figure, Section, Table } from '../../report/report.js';
import { type KeptAuto, readAuto } from '../../workspace/kept-figures.js';
import type { LoadedWorkspace } from '../load-workspace.js';

const kinds: Readonly<Record<string, string>> = {
  entropy: 'lowest entropy',
  mean: 'nearest mean',
  autoencoder: 'autoencoders',
  trained: 'trained router',
};
const called = ({ kind }: KeptAuto): string => kinds[kind] ?? kind;

/** Over all samples of all tasks that were asked. */
function overAll({ tasks }: KeptAuto) {
  const rows = tasks.reduce((sum, task) => sum + task.rows, 0);
  const mean = (of: (task: KeptAuto['tasks'][number]) => number | undefined) => {
    const known = tasks.map((task) => ({ value: of(task), rows: task.rows }));
    if (known.some(({ value }) => value === undefined)) return undefined;
    return known.reduce((sum, { value = 0, rows: n }) => sum + value * n, 0) / rows;
  };
  return { found: mean(({ found }) => found), right: mean(({ right }) => right), told: mean(({ told }) => told) };
}

function overviewFigure(all: readonly KeptAuto[]): Figure {
  const panel = (name: string, unit: string, of: (kept: KeptAuto) => number | undefined) => ({
    name,
    unit,
    rows: all.map((kept) => {
      const value = of(kept);
      return {
        name: called(kept),
        values: value === undefined ? [] : [value],
        ...(value !== undefined && { said: value.toFixed(3) }),
      };
    }),
  });
  return {
    name: 'routers',
    picture: barsPicture({
      title: 'How often the task is found',
      parts: [],
      panels: [
        panel('finds the task', 'share of all test samples', (kept) => overAll(kept).found),
        panel('and answers rightly', 'share of all test samples', (kept) => overAll(kept).right),
      ],
    }),
    says: 'The share of all test samples that are given to their own task, and of those that are answered rightly as well, by each way that was measured.',
  };
}

interface Asked {
  readonly name: string;
  readonly rows: number;
  readonly given: readonly number[];
  readonly doubts: readonly number[];
}

const askedOf = ({ tasks, others }: KeptAuto): Asked[] => [
  ...tasks.map(({ task, ...rest }) => ({ name: task, ...rest })),
  ...others.map(({ source, ...rest }) => ({ name: source, ...rest })),
];

/** Samples that a row gives to each candidate, and to none. */
const withNone = ({ given, rows }: Asked): number[] => [...given, rows - given.reduce((a, b) => a + b, 0)];

const share = (n: number, of: number) => ({ value: n / of, said: (n / of).toFixed(2) });

function givenFigure(kept: KeptAuto): Figure {
  const rows = askedOf(kept);
  return {
    name: `routers-given-${kept.kind}`,
    picture: heatPicture({
      title: `What is taken for what: ${called(kept)}`,
      rowsAre: 'the task of the sample',
      columnsAre: 'what it is given to',
      rows: rows.map(({ name }) => name),
      columns: [...kept.candidates, 'none'],
      cells: rows.map((row) => withNone(row).map((n) => share(n, row.rows))),
      scale: { most: 1 },
      unit: 'share of the samples of a row',
    }),
    says: `By ${called(kept)}: the share of the test samples of each task that is given to each task${kept.none === undefined ? '' : `, or to none where the doubt is above ${kept.none}`}.`,
  };
}

const partName = (part: number, parts: number): string => (part / parts).toFixed(1);

function doubtFigure(kept: KeptAuto): Figure {
  const rows = askedOf(kept);
  // Two parts of the table in one column: more do not fit a phone.
  const parts = Math.ceil((rows[0]?.doubts.length ?? 0) / 2);
  const pairs = (doubts: readonly number[]) =>
    Array.from({ length: parts }, (_, part) => (doubts[2 * part] ?? 0) + (doubts[2 * part + 1] ?? 0));
  return {
    name: `routers-doubt-${kept.kind}`,
    picture: heatPicture({
      title: `How much doubt there is: ${called(kept)}`,
      rowsAre: 'the task of the sample',
      columnsAre: 'the doubt',
      rows: rows.map(({ name }) => name),
      columns: Array.from({ length: parts }, (_, part) => `${partName(part, parts)}-${partName(part + 1, parts)}`),
      cells: rows.map((row) => pairs(row.doubts).map((n) => share(n, row.rows))),
      scale: { most: 1 },
      unit: 'share of the samples of a row',
    }),
    says: `By ${called(kept)}: how the doubt of the samples of each task spreads, from 0, certain, to 1.`,
  };
}

function tables(all: readonly KeptAuto[]): Table[] {
  const overview: Table = {
    name: 'routers',
    caption: 'How often each task is found',
    columns: [
      { key: 'router', name: 'by', as: 'text' },
      { key: 'task', name: 'task', as: 'text' },
      { key: 'rows', name: 'test rows', as: 'count' },
      { key: 'told', name: 'told the task', as: 'measure' },
      { key: 'found', name: 'finds it', as: 'measure' },
      { key: 'right', name: 'and answers rightly', as: 'measure' },
      { key: 'none', name: 'none', as: 'measure' },
      { key: 'apart', name: 'in more doubt', as: 'measure' },
    ],
    rows: all.flatMap((kept): Cell[][] => [
      ...kept.tasks.map(({ task, rows, told, found, right, none }): Cell[] => [
        called(kept),
        task,
        rows,
        told,
        found,
        right ?? null,
        none,
        null,
      ]),
      ...kept.others.map(({ source, rows, none, apart }): Cell[] => [called(kept), source, rows, null, null, null, none, apart]),
    ]),
  };
  const given: Table = {
    name: 'routers-given',
    caption: 'What is taken for what',
    columns: [
      { key: 'router', name: 'by', as: 'text' },
      { key: 'task', name: 'task', as: 'text' },
      { key: 'given_to', name: 'given to', as: 'text' },
      { key: 'samples', name: 'samples', as: 'count' },
      { key: 'share', name: 'share', as: 'share' },
    ],
    rows: all.flatMap((kept) =>
      askedOf(kept).flatMap((row) =>
        withNone(row).map((n, i): Cell[] => [called(kept), row.name, kept.candidates[i] ?? 'none', n, n / row.rows]),
      ),
    ),
    folded: true,
  };
  const doubt: Table = {
    name: 'routers-doubt',
    caption: 'How much doubt there is',
    columns: [
      { key: 'router', name: 'by', as: 'text' },
      { key: 'task', name: 'task', as: 'text' },
      { key: 'doubt_from', name: 'doubt from', as: 'text' },
      { key: 'samples', name: 'samples', as: 'count' },
      { key: 'share', name: 'share', as: 'share' },
    ],
    rows: all.flatMap((kept) =>
      askedOf(kept).flatMap((row) =>
        row.doubts.map((n, i): Cell[] => [called(kept), row.name, partName(i, row.doubts.length), n, n / row.rows]),
      ),
    ),
    folded: true,
  };
  return [overview, given, doubt];
}

/** None where nothing was measured; what was measured of other weights is left out. */
export function findingSections({ workspace, frozen }: LoadedWorkspace): Section[] {
  const kept = readAuto(workspace.root);
  const all = kept.filter(({ weights }) =>
    Object.entries(weights).every(([task, hash]) => frozen.get(task)?.record.sha256.weights === hash),
  );
  if (kept.length === 0) return [];
  const stale = kept.filter((each) => !all.includes(each));
  const left = [...new Set(all.flatMap((each) => each.left))];
  return [
    {
      id: 'routers',
      heading: 'Which task a sample is of',
      says: [
        'How often the model of all tasks finds the task of a sample by itself, on the test data of each task. Doubt is 0 where it is certain and 1 where it knows nothing.',
        ...(left.length === 0 ? [] : [`Not asked, since their samples lack inputs that others read: ${left.join(', ')}.`]),
        ...(stale.length === 0
          ? []
          : [
              `Measured of other columns than those of now, so left out: ${stale.map(called).join(', ')}. What measures it again: ${stale.map(({ kind }) => `prognet export --all --auto ${kind}`).join(', ')}.`,
            ]),
      ],
      figures: all.length === 0 ? [] : [overviewFigure(all), ...all.flatMap((each) => [givenFigure(each), doubtFigure(each)])],
      tables: all.length === 0 ? [] : tables(all),
    },
  ];
}
