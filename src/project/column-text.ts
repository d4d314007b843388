// A column added to the text of a description, what people wrote around it left as it is.
import { parseDocument } from 'yaml';
import { WorkspaceError } from '../core/errors.js';

const indexOf = (columns: unknown, task: string): number =>
  Array.isArray(columns)
    ? columns.findIndex((c: unknown) => typeof c === 'object' && c !== null && 'task' in c && c.task === task)
    : -1;

/** The text with that column at the end, or in the place of the one with its task. `text` is a description that parses. */
export function withColumn(text: string, file: string, column: { readonly task: string }): string {
  if (file.endsWith('.json')) {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('columns' in value) || !Array.isArray(value.columns)) {
      throw new WorkspaceError(`${file}: has no list of columns`, { path: file });
    }
    const at = indexOf(value.columns, column.task);
    value.columns.splice(at < 0 ? value.columns.length : at, at < 0 ? 0 : 1, column);
    return `${JSON.stringify(value, null, 2)}\n`;
  }
  const document = parseDocument(text);
  const at = indexOf(document.toJS()?.columns, column.task);
  const node = document.createNode(column);
  if (at < 0) document.addIn(['columns'], node);
  else document.setIn(['columns', at], node);
  // An empty list is written as [], and what is added to it would be as well.
  const list: unknown = document.get('columns');
  if (typeof list === 'object' && list !== null && 'flow' in list) list.flow = false;
  return document.toString({ lineWidth: 120 });
}

/** The text of a description without columns. */
export function emptyDescription(name: string, input: { readonly name: string; readonly shape: readonly number[] }): string {
  return `prognet: 1\nname: ${name}\ninput: { name: ${input.name}, shape: [${input.shape.join(', ')}] } # without the batch\ncolumns: []\n`;
}
