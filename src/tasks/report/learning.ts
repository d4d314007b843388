// The learning curves of a report: a picture for each task, and its epochs as a table.
import { curvesPicture } from '../../chart/curves.js';
import { measureNames } from '../../model/heads/measure-names.js';
import type { Cell, Section, Table } from '../../report/report.js';
import type { EpochRecord } from '../../train/checkpoint.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { runsOf, type TaskRun, taskCurves } from '../task-curves.js';

/** Epochs of a task that the page shows as numbers. */
const mostRows = 40;

function epochsTable(task: string, runs: readonly TaskRun[]): Table {
  const epochs = runs.flatMap(({ history }) => history);
  const validated = epochs.some(({ validation }) => validation !== undefined);
  const measured = (of: (epoch: EpochRecord) => EpochRecord['measures']) =>
    measureNames.filter((name) => epochs.some((epoch) => of(epoch)?.[name] !== undefined));
  const [training, validation] = [measured((e) => e.measures), measured((e) => e.validation?.measures)];
  const key = (name: string) => name.replaceAll(' ', '_');
  const rows = runs.flatMap(({ name, history }) =>
    history.map((epoch): Cell[] => [
      name,
      epoch.epoch,
      epoch.rate,
      epoch.loss,
      ...training.map((measure) => epoch.measures?.[measure] ?? null),
      ...(validated ? [epoch.validation?.loss ?? null] : []),
      ...validation.map((measure) => epoch.validation?.measures?.[measure] ?? null),
    ]),
  );
  return {
    name: `curves-${task}`,
    caption: `Epochs of ${task}`,
    columns: [
      { key: 'training', name: 'training', as: 'text' },
      { key: 'epoch', name: 'epoch', as: 'count' },
      { key: 'rate', name: 'rate', as: 'short' },
      { key: 'loss', name: 'loss', as: 'measure' },
      ...training.map((name) => ({ key: key(name), name, as: 'measure' as const })),
      ...(validated ? [{ key: 'validation_loss', name: 'validation loss', as: 'measure' as const }] : []),
      ...validation.map((name) => ({ key: `validation_${key(name)}`, name: `validation ${name}`, as: 'measure' as const })),
    ],
    rows,
    folded: true,
    most: mostRows,
  };
}

/** Curves of all tasks that have some. */
export function learningSection(loaded: LoadedWorkspace): Section {
  const found = loaded.columns.tasks.map((task) => ({ task, runs: runsOf(loaded, task) }));
  const drawn = found.filter(({ runs }) => runs.length > 0);
  const without = found.filter(({ runs }) => runs.length === 0).map(({ task }) => task);
  const says =
    drawn.length === 0
      ? ['No task has a training whose epochs are kept. prognet train <task> makes one.']
      : [
          'How each column learned, epoch by epoch. Training values are taken as the epoch goes, with dropout; validation values after it, on the part set aside.',
        ];
  if (drawn.length > 0 && without.length > 0)
    says.push(`Without curves, since no epoch of theirs is kept: ${without.join(', ')}.`);
  const figures = drawn.map(({ task }) => {
    const curves = taskCurves(loaded, [task]);
    return {
      name: `curves-${task}`,
      picture: curvesPicture(curves),
      says: `Learning curves of ${task}: ${curves.runs.map(({ about, result }) => [about, result].filter(Boolean).join('; ')).join('. ')}. The numbers are those of the epochs that the training kept.`,
    };
  });
  return {
    id: 'learning',
    heading: 'Learning curves',
    says,
    figures,
    tables: drawn.map(({ task, runs }) => epochsTable(task, runs)),
  };
}
