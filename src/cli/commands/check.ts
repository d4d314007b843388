// prognet check
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { sourceNames } from '../../data/sources.js';
import { columnSeed } from '../../model/progressive/lowering.js';
import { columnParameters } from '../../model/progressive/parameters.js';
import { elementCount } from '../../onnx/core/shape.js';
import { openProject, type Project } from '../../tasks/project.js';
import { runExists } from '../../tasks/stored-run.js';
import { dataSpecOf } from '../../tasks/task-data.js';
import { trainSettings } from '../../train/settings.js';
import { colours, count, type GlobalOptions, result, table, warn } from '../report.js';

/** What is not wrong and yet will stand in the way. */
function warningsOf(project: Project): string[] {
  const { description, file, frozen, workspace } = project;
  const found: string[] = [];
  if (description.columns.length === 0) found.push(`${file}: columns: no column yet, so there is nothing to train`);
  description.columns.forEach((column, index) => {
    const at = `${file}: columns[${index}].data`;
    const spec = dataSpecOf(project, index);
    if (frozen[index] !== undefined) return;
    trainSettings(column.train, columnSeed(description, column));
    if (spec === undefined) found.push(`${at}: task "${column.task}" names no data, so it cannot be trained`);
    else {
      const source = typeof spec === 'string' ? spec : spec.source;
      if (!sourceNames.includes(source) && !existsSync(resolve(workspace.root, source)))
        found.push(`${at}: ${source} does not exist (yet)`);
    }
  });
  return found;
}

/** Parameters of laterals and adapters: `<task>/<block>/lateral/...`, `<task>/<block>/adapter/...`. */
function isLateral(name: string): boolean {
  return /^[^/]+\/[^/]+\/(lateral|adapter)\//.test(name);
}

export function check(options: GlobalOptions): void {
  const project = openProject(options.workspace ?? '.');
  const { description, frozen, workspace } = project;
  let total = 0;
  const columns = description.columns.map(({ task }, index) => {
    const { count: parameters, specs, taps } = columnParameters(description, index);
    const laterals = specs.filter((s) => isLateral(s.name)).reduce((n, s) => n + elementCount(s.shape), 0);
    total += parameters;
    const state = frozen[index] !== undefined ? 'frozen' : runExists(workspace.root, task) ? 'unfinished' : 'new';
    return { task, parameters, laterals, total, taps, state, frozen: state === 'frozen' };
  });
  const warnings = warningsOf(project);
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
