// prognet check
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { sourceNames } from '../../data/sources.js';
import { differences } from '../../model/description/differences.js';
import { metricName } from '../../model/heads/heads.js';
import { PrognetError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { heavyLaterals, isLateral } from '../../tasks/heavy-laterals.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { runExists, toJson } from '../../tasks/stored-run.js';
import { dataSpecOf } from '../../tasks/task-data.js';
import { changedSince, isTrained, trainedOf } from '../../tasks/trained-column.js';
import { checkAugment } from '../../train/augment/fit.js';
import { trainSettings } from '../../train/settings.js';
import { colours, count, type GlobalOptions, note, result, table, warn } from '../report.js';

/** What is not wrong and yet will stand in the way. */
function warningsOf(loaded: LoadedWorkspace): string[] {
  const { columns, file, frozen, workspace } = loaded;
  const found: string[] = [];
  if (columns.last === undefined) found.push(`${file}: columns: no column yet, so there is nothing to train`);
  for (const column of columns) {
    const at = `${file}: ${column.path}.data`;
    const spec = dataSpecOf(loaded, column);
    const record = frozen.get(column.task)?.record;
    if (record !== undefined) {
      // What only training needed may be another; it says nothing of the column then.
      const told = record.data.train === undefined ? undefined : { train: record.data.train };
      const other = told && differences(told, toJson({ train: column.train }), 'frozen');
      if (other !== undefined)
        found.push(
          `${file}: ${column.path}: ${other}; a frozen column is not trained again: put it back, or take the column back with prognet reset ${column.task}`,
        );
      const loss = loaded.otherLosses.get(column.task);
      if (loss !== undefined)
        found.push(`${file}: ${column.path}: ${loss}; the column is measured by the loss that it was trained for`);
      continue;
    }
    checkAugment(column, trainSettings(column.train, column.seed, column.head).augment);
    if (spec === undefined) found.push(`${at}: task "${column.task}" names no data, so it cannot be trained`);
    else {
      const source = typeof spec === 'string' ? spec : spec.source;
      if (!sourceNames.includes(source) && !existsSync(resolve(workspace.root, source)))
        found.push(`${at}: ${source} does not exist (yet)`);
    }
  }
  return found;
}

/** What a trained column that is not frozen measured on its test data; undefined where there is none. What is wrong with it becomes a warning. */
function keptOf(
  loaded: LoadedWorkspace,
  task: string,
  warnings: string[],
): { test: { metric: string; value: number } } | undefined {
  if (!isTrained(loaded, task)) return undefined;
  try {
    const trained = trainedOf(loaded, task);
    const changed = changedSince(loaded, trained);
    if (changed !== undefined) warnings.push(`task "${task}" was trained from something else: ${changed}`);
    const metric = metricName(loaded.columns.column(task).head);
    return { test: { metric, value: trained.record.metrics[metric] ?? Number.NaN } };
  } catch (error) {
    if (!(error instanceof PrognetError)) throw error;
    warnings.push(error.statement);
    return undefined;
  }
}

export function check(options: GlobalOptions): void {
  const loaded = loadWorkspace(options.workspace ?? '.');
  const { description, frozen, workspace } = loaded;
  const warnings = warningsOf(loaded);
  let total = 0;
  const columns = [...loaded.columns].map(({ task, parameters: { count: parameters, shared, specs, taps } }) => {
    const laterals = specs.filter((s) => isLateral(s.name)).reduce((n, s) => n + elementCount(s.shape), 0);
    total += parameters;
    const kept = keptOf(loaded, task, warnings);
    const state = frozen.has(task) ? 'frozen' : kept ? 'trained' : runExists(workspace.root, task) ? 'unfinished' : 'new';
    return { task, parameters, laterals, ...(shared > 0 && { shared }), total, taps, state, frozen: state === 'frozen', ...kept };
  });
  const notes = [...loaded.columns].filter(({ task }) => !frozen.has(task)).flatMap((column) => heavyLaterals(column) ?? []);
  const sharing = columns.some((c) => c.shared !== undefined);
  const rows = columns.map((c) => [
    c.task,
    count(c.parameters),
    count(c.laterals),
    ...(sharing ? [count(c.shared ?? 0)] : []),
    count(c.total),
    c.test === undefined ? c.state : `trained, not frozen (${c.test.metric} ${c.test.value.toFixed(4)})`,
    c.taps.map((t) => `[${t}]`).join(' '),
  ]);
  const paint = (text: string, row: number, column: number) =>
    column === (sharing ? 5 : 4) && columns[row]?.state === 'frozen' ? colours.green(text) : text;
  result(
    options,
    { name: description.name, columns, warnings, ...(notes.length > 0 && { notes }) },
    table(['task', 'parameters', 'laterals', ...(sharing ? ['shared'] : []), 'in all', 'state', 'taps'], rows, paint),
  );
  for (const line of warnings) warn(options, line);
  if (!options.json) for (const line of notes) note(options, line);
}
