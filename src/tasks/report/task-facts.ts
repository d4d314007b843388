// What a report says of each task before any picture: what it is now, what it was measured at, what it was trained from, what was recorded of its freezing.
import { layerText } from '../../model/nn/layer-text.js';
import type { Column } from '../../model/progressive/column.js';
import type { Cell, Section, Table } from '../../report/report.js';
import { trainSettings } from '../../train/settings.js';
import { inspectTask } from '../inspect-task.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { dataSpecOf } from '../task-data.js';
import { isTrained, trainedOf } from '../trained-column.js';

const orNone = (value: number | string | undefined): Cell => value ?? null;

/** The state of every task, and what its record says of the test data. */
export function tasksSection(loaded: LoadedWorkspace): Section {
  const found = loaded.columns.tasks.map((task) => inspectTask(loaded, task));
  const rows = found.map(({ task, state, head, parameters, shared, reads, changed, training }) => {
    const { test } = training ?? {};
    return [
      task,
      changed === undefined ? state : `${state}, from another description`,
      head,
      orNone(test?.accuracy),
      orNone(test?.error),
      orNone(test?.loss),
      parameters,
      shared ?? 0,
      orNone(training?.rows),
      orNone(training?.epochs),
      orNone(training?.epoch),
      orNone(training?.seconds),
      reads.join(', ') || null,
    ];
  });
  const errors = found.some(({ training }) => training?.test.error !== undefined);
  const shares = found.some(({ shared }) => shared !== undefined);
  const columns: Table['columns'] = [
    { key: 'task', name: 'task', as: 'text' },
    { key: 'state', name: 'state', as: 'text' },
    { key: 'head', name: 'head', as: 'text' },
    { key: 'test_accuracy', name: 'test accuracy', as: 'measure' },
    { key: 'test_error', name: 'test error', as: 'measure' },
    { key: 'test_loss', name: 'test loss', as: 'measure' },
    { key: 'parameters', name: 'parameters', as: 'count' },
    { key: 'shared_parameters', name: 'of the base', as: 'count' },
    { key: 'training_rows', name: 'training rows', as: 'count' },
    { key: 'epochs', name: 'epochs', as: 'count' },
    { key: 'kept_epoch', name: 'epoch kept', as: 'count' },
    { key: 'seconds', name: 'trained in', as: 'seconds' },
    { key: 'reads', name: 'reads', as: 'text' },
  ];
  const hidden = new Set([...(errors ? [] : ['test_error']), ...(shares ? [] : ['shared_parameters'])]);
  const kept = columns.map(({ key }) => !hidden.has(key));
  const table: Table = {
    name: 'tasks',
    caption: 'The tasks, in the order in which they are learned',
    columns: columns.filter((_, i) => kept[i]),
    rows: rows.map((row) => row.filter((_, i) => kept[i])),
  };
  const says =
    found.length === 0
      ? ['The description has no column yet.']
      : [
          'What each column is now. Accuracy and loss are those of the test data, measured when the column was trained, and kept in its record.',
        ];
  return { id: 'tasks', heading: 'The tasks', says, figures: [], tables: found.length === 0 ? [] : [table] };
}

/** The record of a task that is trained, frozen or not. */
const recordOf = (loaded: LoadedWorkspace, task: string) =>
  (loaded.frozen.get(task) ?? (isTrained(loaded, task) ? trainedOf(loaded, task) : undefined))?.record;

/** Hashes of what is frozen. They were compared when the workspace was loaded. */
export function recordedProof(loaded: LoadedWorkspace): Table {
  const rows = [...loaded.frozen].map(([task, { record }]) => {
    const { outputs, sha256, versions, createdAt } = record;
    const judged = outputs.count > 0;
    return [
      task,
      createdAt,
      sha256.weights,
      judged ? outputs.sha256 : null,
      outputs.count,
      `${outputs.provider}, ${outputs.threads} ${outputs.threads === 1 ? 'thread' : 'threads'}`,
      `${versions.onnxruntime}, ${versions.processor ?? 'unknown processor'}`,
    ];
  });
  return {
    name: 'proof',
    caption: 'What was recorded of each frozen column',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'frozen_at', name: 'frozen at', as: 'when' },
      { key: 'weights_sha256', name: 'SHA-256 of its weights', as: 'hash' },
      { key: 'outputs_sha256', name: 'SHA-256 of its outputs', as: 'hash' },
      { key: 'test_rows', name: 'test rows', as: 'count' },
      { key: 'ran_on', name: 'ran on', as: 'text' },
      { key: 'machine', name: 'ONNX Runtime, machine', as: 'text' },
    ],
    rows,
  };
}

/** Layers by blocks; of an imported column its taps, of one that tunes none of its own. */
function blocksText({ blocks, imported, tuned }: Column): Cell {
  if (imported !== undefined) return `taps ${imported.taps.join(', ')}`;
  if (tuned !== undefined || blocks.length === 0) return null;
  return blocks.map((layers) => layers.map(layerText).join(', ')).join(' | ');
}

function lateralsText({ laterals, blocks, tuned, imported }: Column): Cell {
  if (tuned !== undefined) return `low-rank updates of ${tuned.base.task}`;
  if (imported !== undefined) return 'imported graph';
  if (laterals.kind === 'none') return null;
  const into = laterals.into.map((block) => (block === blocks.length ? 'head' : `block ${block}`)).join(', ');
  const rank = laterals.kind === 'adapter' && laterals.rank !== undefined ? ` of rank ${JSON.stringify(laterals.rank)}` : '';
  return `${laterals.kind}${rank} from ${laterals.from.join(', ')} into ${into}`;
}

function dataText(loaded: LoadedWorkspace, column: Column): Cell {
  const spec = dataSpecOf(loaded, column);
  if (spec === undefined) return null;
  if (typeof spec === 'string') return spec;
  const { source, ...options } = spec;
  return Object.keys(options).length === 0 ? source : `${source} ${JSON.stringify(options)}`;
}

/** What each column is made of, and what it is trained on and how, as the description says it. */
export function settingsSection(loaded: LoadedWorkspace): Section {
  const base = { id: 'settings', heading: 'Parameters and data', figures: [] };
  if (loaded.columns.last === undefined) return { ...base, says: ['There is nothing to tell yet.'], tables: [] };
  const columns = [...loaded.columns];
  const made: Table = {
    name: 'columns',
    caption: 'What each column is made of',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'blocks', name: 'blocks', as: 'text' },
      { key: 'laterals', name: 'laterals', as: 'text' },
    ],
    rows: columns.map((column) => [column.task, blocksText(column), lateralsText(column)]),
  };
  const trained: Table = {
    name: 'settings',
    caption: 'What each column is trained on, and how',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'data', name: 'data', as: 'text' },
      { key: 'epochs', name: 'epochs', as: 'count' },
      { key: 'batch', name: 'batch', as: 'count' },
      { key: 'rate', name: 'rate', as: 'short' },
      { key: 'optimizer', name: 'optimizer', as: 'text' },
      { key: 'schedule', name: 'schedule', as: 'text' },
      { key: 'validation', name: 'validation', as: 'short' },
      { key: 'seed', name: 'seed', as: 'count' },
      { key: 'data_sha256', name: 'SHA-256 of its training data', as: 'hash' },
    ],
    rows: columns.map((column) => {
      const { task, head, train, seed } = column;
      const hash = recordOf(loaded, task)?.data.fingerprint ?? null;
      if (column.imported !== undefined) return [task, dataText(loaded, column), ...Array.from({ length: 7 }, () => null), hash];
      const { epochs, batch, rate, optimizer, schedule, validation } = trainSettings(train, seed, head);
      const rates = schedule.kind === 'constant' ? 'constant' : JSON.stringify(schedule);
      return [task, dataText(loaded, column), epochs, batch, rate, optimizer.kind, rates, validation, seed, hash];
    }),
  };
  return {
    ...base,
    says: [
      'As the description says it now; epochs are those at most, validation is the part of the training data set aside. The SHA-256 is of the data that a trained column was trained on.',
    ],
    tables: [made, trained],
  };
}
