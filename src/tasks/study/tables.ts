// The files that a study leaves: all of it as JSON, and each table as CSV with a row for each number and seed's mean.
import type { Spread, StudyResult } from '../../analysis/study/result.js';
import { stableJson } from '../../workspace/json.js';

type Cell = string | number | boolean | null;

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (header: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [header, ...rows].map((row) => `${row.map((cell) => (cell === null ? '' : quoted(String(cell)))).join(',')}\n`).join('');
const both = (spread: Spread | null): Cell[] => [spread?.mean ?? null, spread?.deviation ?? null];
const pair = (name: string): string[] => [name, `${name} deviation`];

/** By name, the text of each file. */
export function studyTables(result: StudyResult): [name: string, text: string][] {
  const { methods, matrices } = result;
  return [
    ['methods.csv', methodsTable(methods)],
    [
      'tasks.csv',
      csv(
        [
          'method',
          'task',
          'trained parameters',
          'network parameters',
          ...['area', 'transfer', 'learned', 'end', 'seconds'].flatMap(pair),
        ],
        methods.flatMap(({ method, tasks }) =>
          tasks.map(({ task, parameters: p, area, transfer, learned, end, seconds }) => [
            method,
            task,
            p.trained,
            p.network,
            ...[area, transfer, learned, end, seconds].flatMap(both),
          ]),
        ),
      ),
    ],
    [
      'curves.csv',
      csv(
        ['method', 'task', 'epoch', ...pair('value')],
        methods.flatMap(({ method, tasks }) =>
          tasks.flatMap(({ task, curve }) => curve.map(({ epoch, value }) => [method, task, epoch, ...both(value)])),
        ),
      ),
    ],
    [
      'after.csv',
      csv(
        ['method', 'after task', 'task', ...pair('value')],
        methods.flatMap(({ method, sequence, after }) =>
          after.flatMap((row, i) => row.map((value, j) => [method, sequence[i] ?? '', sequence[j] ?? '', ...both(value)])),
        ),
      ),
    ],
    [
      'matrix.csv',
      csv(
        ['method', 'source', 'target', ...pair('transfer'), ...pair('learned')],
        matrices.flatMap(({ method, tasks, transfer, learned }) =>
          tasks.flatMap((source, i) =>
            tasks.map((target, j) => [
              method,
              source,
              target,
              ...both(transfer[i]?.[j] ?? null),
              ...both(learned[i]?.[j] ?? null),
            ]),
          ),
        ),
      ),
    ],
    // Last: where it is there, all is.
    ['study.json', `${stableJson(result, 1)}\n`],
  ];
}

function methodsTable(methods: StudyResult['methods']): string {
  const scores = ['average', 'transfer', 'medianTransfer', 'forwardTransfer', 'backwardTransfer', 'forgetting', 'gain'] as const;
  return csv(
    ['method', 'parameters', 'bit-identical', ...scores.flatMap(pair)],
    methods.map(({ method, parameters, bitIdentical, summary }) => [
      method,
      parameters,
      bitIdentical,
      ...scores.flatMap((name) => both(summary[name])),
    ]),
  );
}
