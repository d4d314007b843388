// prognet check
import { openProject } from '../../project/project.js';
import { columnParameters } from '../../progressive/parameters.js';
import { type GlobalOptions, result, table } from '../report.js';

export function check(options: GlobalOptions): void {
  const { description, frozen } = openProject(options.workspace ?? '.');
  let total = 0;
  const columns = description.columns.map(({ task }, index) => {
    const { count, taps } = columnParameters(description, index);
    total += count;
    return { task, parameters: count, total, taps, frozen: frozen[index] !== undefined };
  });
  const rows = columns.map((c) => [
    c.task,
    String(c.parameters),
    String(c.total),
    c.frozen ? 'frozen' : '-',
    c.taps.map((t) => `[${t}]`).join(' '),
  ]);
  result(options, { name: description.name, columns }, table([['task', 'parameters', 'in all', 'state', 'taps'], ...rows]));
}
