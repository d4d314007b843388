// Transfer in the report of a study: scores of the methods, and the matrix over all ordered pairs of tasks as a heat map.
import type { StudyResult, TransferMatrix } from '../../analysis/study/result.js';
import { barsPicture } from '../../chart/bars.js';
import { heatPicture } from '../../chart/heat-map.js';
import type { Cell, Figure, Section, Table } from '../../report/report.js';
import { barPanel, column, mostMethods, said, spreadCells, spreadColumns, spreadText } from './study-text.js';

function matrixFigure(matrix: TransferMatrix): Figure {
  const { method, label, tasks, transfer } = matrix;
  const reach = Math.max(1e-9, ...transfer.flatMap((row) => row.map((cell) => Math.abs((cell?.mean ?? 1) - 1))));
  const picture = heatPicture({
    title: `Transfer by ${label}`,
    rowsAre: 'the task learned first',
    columnsAre: 'the task learned after it',
    rows: tasks,
    columns: tasks,
    cells: transfer.map((row) =>
      row.map((cell) => (cell === null ? undefined : { value: cell.mean, said: cell.mean.toFixed(3) })),
    ),
    scale: { around: 1, reach },
    unit: 'transfer score, 1: no help',
  });
  const [mean, median] = [matrix.mean, matrix.median].map((spread) => (spread === null ? 'not known' : said(spread, 3)));
  return {
    name: `transfer-matrix-${method}`,
    picture,
    says: `How much each task helps each other one, by ${label}: the area under the learning curve in relation to that of baseline 1. Blue, above 1, helps; orange, below 1, harms. Mean over all pairs ${mean}, median ${median}.`,
  };
}

/** Whether earlier tasks helped. */
export function transferSection(study: StudyResult): Section {
  const { methods, matrices } = study;
  const scored = methods.filter(({ summary }) => summary.transfer !== null).slice(0, mostMethods);
  const pairs: Table = {
    name: 'transfer-matrix',
    caption: 'Transfer of every ordered pair of tasks',
    columns: [
      column('method', 'method', 'text'),
      column('source', 'learned first', 'text'),
      column('target', 'learned after it', 'text'),
      ...spreadColumns('transfer', 'transfer'),
      ...spreadColumns('metric', 'metric'),
    ],
    rows: matrices.flatMap(({ label, tasks, transfer, learned }) =>
      tasks.flatMap((source, i) =>
        tasks.flatMap((target, j): Cell[][] => {
          const [score, metric] = [transfer[i]?.[j] ?? null, learned[i]?.[j] ?? null];
          return i === j ? [] : [[label, source, target, ...spreadCells(score), ...spreadCells(metric)]];
        }),
      ),
    ),
    folded: true,
  };
  const learned: Table = {
    name: 'learned',
    caption: 'What each method made of each task',
    columns: [
      column('method', 'method', 'text'),
      column('task', 'task', 'text'),
      ...spreadColumns('area', 'area'),
      ...spreadColumns('transfer', 'transfer'),
      ...spreadColumns('learned', 'metric when learned'),
      ...spreadColumns('end', 'metric at the end'),
      column('trained_parameters', 'parameters trained', 'count'),
      column('network_parameters', 'in all', 'count'),
      column('seconds', 'seconds', 'seconds'),
    ],
    rows: methods.flatMap(({ label, tasks }) =>
      tasks.map((t): Cell[] => [
        label,
        t.task,
        ...spreadCells(t.area),
        ...spreadCells(t.transfer),
        ...spreadCells(t.learned),
        ...spreadCells(t.end),
        t.parameters.trained,
        t.parameters.network,
        t.seconds.mean,
      ]),
    ),
  };
  const scores: Figure = {
    name: 'transfer-scores',
    picture: barsPicture({
      title: 'Transfer scores',
      parts: [],
      panels: [
        barPanel('transfer', 'mean over the tasks after the first', scored, ({ summary }) => summary.transfer),
        barPanel('gain', 'of the metric over baseline 1', scored, ({ summary }) => summary.gain),
      ],
    }),
    says: `Area under the learning curves in relation to that of baseline 1, and what was gained on the test data. ${spreadText(study)}`,
  };
  return {
    id: 'transfer',
    heading: 'Transfer',
    says: [
      'Whether earlier tasks help to learn later ones. A transfer score above 1 says that the area under the learning curve is larger than that of a network that learns the task alone.',
      ...(matrices.length === 0 ? ['The study has no transfer matrix: it was not asked for.'] : []),
    ],
    figures: [...(scored.length > 0 ? [scores] : []), ...matrices.map(matrixFigure)],
    tables: [learned, ...(matrices.length > 0 ? [pairs] : [])],
  };
}
