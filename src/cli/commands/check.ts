// prognet check
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { sourceNames } from '../../data/sources.js';
import { elementCount } from '../../onnx/core/shape.js';
import { type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { runExists } from '../../tasks/stored-run.js';
import { dataSpecOf } from '../../tasks/task-data.js';
import { trainSettings } from '../../train/settings.js';
import { colours, count, type GlobalOptions, result, table, warn } from '../report.js';

/** What is not wrong and yet will stand in the way. */
function warningsOf(loaded: LoadedWorkspace): string[] {
  const { columns, file, frozen, workspace } = loaded;
  const found: string[] = [];
  if (columns.last === undefined) found.push(`${file}: columns: no column yet, so there is nothing to train`);
  for (const column of columns) {
    const at = `${file}: ${column.path}.data`;
    const spec = dataSpecOf(loaded, column);
    if (frozen.has(column.task)) continue;
    trainSettings(column.train, column.seed);
    if (spec === undefined) found.push(`${at}: task "${column.task}" names no data, so it cannot be trained`);
    else {
      const source = typeof spec === 'string' ? spec : spec.source;
      if (!sourceNames.includes(source) && !existsSync(resolve(workspace.root, source)))
        found.push(`${at}: ${source} does not exist (yet)`);
    }
  }
  return found;
}

/** Parameters of laterals and adapters: `<task>/<block>/lateral/...`, `<task>/<block>/adapter/...`. */
function isLateral(name: string): boolean {
  return /^[^/]+\/[^/]+\/(lateral|adapter)\//.test(name);
}

export function check(options: GlobalOptions): void {
  const loaded = loadWorkspace(options.workspace ?? '.');
  const { description, frozen, workspace } = loaded;
  let total = 0;
  const columns = [...loaded.columns].map(({ task, parameters: { count: parameters, specs, taps } }) => {
    const laterals = specs.filter((s) => isLateral(s.name)).reduce((n, s) => n + elementCount(s.shape), 0);
    total += parameters;
    const state = frozen.has(task) ? 'frozen' : runExists(workspace.root, task) ? 'unfinished' : 'new';
    return { task, parameters, laterals, total, taps, state, frozen: state === 'frozen' };
  });
  const warnings = warningsOf(loaded);
  const rows = columns.map((c) => [
    c.task,
    count(c.parameters),
    count(c.laterals),
    count(c.total),
    c.state,
    c.taps.map((t) => `[${t}]`).join(' '),
  ]);
  const paint = (text: string, row: number, column: number) =>
    column === 4 && columns[row]?.state === 'frozen' ? colours.green(text) : text;
  result(
    options,
    { name: description.name, columns, warnings },
    table(['task', 'parameters', 'laterals', 'in all', 'state', 'taps'], rows, paint),
  );
  for (const line of warnings) warn(options, line);
}
