// A column added to the text of a description, what people wrote around it left as it is.
import { isDeepStrictEqual } from 'node:util';
import { Document, isNode, isSeq, parseDocument } from 'yaml';
import { WorkspaceError } from '../onnx/core/errors.js';

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
  const inserted = insertedText(text, document, column);
  const columns: unknown = document.toJS()?.columns;
  const at = indexOf(columns, column.task);
  // Taken in again after an interruption: nothing moves.
  if (Array.isArray(columns) && at >= 0 && isDeepStrictEqual(columns[at], plain(column))) return text;
  const node = document.createNode(column);
  if (at < 0) document.addIn(['columns'], node);
  else document.setIn(['columns', at], node);
  // An empty list is written as [], and what is added to it would be as well.
  const list: unknown = document.get('columns');
  if (typeof list === 'object' && list !== null && 'flow' in list) list.flow = false;
  // The library writes the whole text anew, blanks and breaks its own way; where putting the column in comes to the same, nothing else moves.
  if (at < 0 && inserted !== undefined && same(parseDocument(inserted), document)) return inserted;
  return document.toString({ lineWidth: 120 });
}

/** Without keys that are undefined, as a text holds it. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

function same(a: Document, b: Document): boolean {
  return a.errors.length === 0 && JSON.stringify(a.toJS()) === JSON.stringify(b.toJS());
}

/** The text with the column put in behind the last one; undefined where the columns do not stand line by line. */
function insertedText(text: string, document: Document, column: object): string | undefined {
  const list = document.get('columns');
  if (!isSeq(list) || !list.range) return undefined;
  const [start, end] = list.range;
  const block = new Document([column]).toString({ lineWidth: 120 });
  const indented = (blanks: number) => block.replace(/^(?=.)/gm, ' '.repeat(blanks));
  if (list.items.length === 0) return `${text.slice(0, start).trimEnd()}\n${indented(2).trimEnd()}${text.slice(end)}`;
  const last = list.items.at(-1);
  if (list.flow || !isNode(last) || !last.range) return undefined;
  // A comment may stand behind the value.
  const line =
    text.lastIndexOf('\n', last.range[1] - 1) === last.range[1] - 1 ? last.range[1] : text.indexOf('\n', last.range[1]) + 1;
  const at = line === 0 ? text.length : line;
  const before = text.slice(0, at);
  const blanks = start - (text.lastIndexOf('\n', start - 1) + 1);
  return `${before}${before.endsWith('\n') ? '' : '\n'}${indented(blanks)}${text.slice(at)}`;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The columns as they are written. `text` is a description that parses. */
function columnsWritten(text: string): readonly Readonly<Record<string, unknown>>[] {
  const value: unknown = parseDocument(text).toJS();
  return isObject(value) && Array.isArray(value.columns) ? value.columns.filter(isObject) : [];
}

/** What is written for the graph of an imported column: a path, or the graph itself. */
export function graphWritten(text: string, task: string): string | undefined {
  const onnx = columnsWritten(text).find((column) => column.task === task)?.onnx;
  return isObject(onnx) && typeof onnx.graph === 'string' ? onnx.graph : undefined;
}

/** Names of taps of `source` that the laterals of a column name. */
export function tapsNamed(text: string, task: string, source: string): string[] {
  const laterals = columnsWritten(text).find((column) => column.task === task)?.laterals;
  if (!isObject(laterals) || !isObject(laterals.taps)) return [];
  const [from] = [laterals.from].flat();
  const own = Object.entries(laterals.taps).flatMap(([key, tap]) => {
    if (isObject(tap)) return key === source ? Object.values(tap) : [];
    // Without the name of a source they are of the only one.
    return from === undefined || from === 'all' || from === source ? [tap] : [];
  });
  return own.filter((tap) => typeof tap === 'string');
}

/** The text with other taps of an imported column, a line each, and its graph where the text holds that itself. */
export function withTaps(
  text: string,
  file: string,
  task: string,
  { taps, graph }: { readonly taps: readonly object[]; readonly graph?: string },
): string {
  if (file.endsWith('.json')) {
    const value: { columns: { task: string; onnx: object }[] } = JSON.parse(text);
    const columns = value.columns.map((column) =>
      column.task === task ? { ...column, onnx: { ...column.onnx, ...(graph !== undefined && { graph }), taps } } : column,
    );
    return `${JSON.stringify({ ...value, columns }, null, 2)}\n`;
  }
  const document = parseDocument(text);
  const path = ['columns', indexOf(document.toJS()?.columns, task), 'onnx'];
  const old = document.getIn([...path, 'taps'], true);
  document.setIn([...path, 'taps'], document.createNode(taps));
  if (graph !== undefined) document.setIn([...path, 'graph'], graph);
  // The library writes the whole text anew; where putting the lines in their place comes to the same, nothing else moves.
  if (graph === undefined && isSeq(old) && old.range) {
    const [start, end] = old.range;
    const blanks = start - (text.lastIndexOf('\n', start - 1) + 1);
    const lines = taps.map((tap) =>
      new Document(tap, { flow: true }).toString({ lineWidth: 0, flowCollectionPadding: true }).trim(),
    );
    const own = old.flow ? `[${lines.join(', ')}]` : lines.map((line) => `- ${line}`).join(`\n${' '.repeat(blanks)}`);
    const behind = text.slice(start, end);
    const put = `${text.slice(0, start)}${own}${behind.slice(behind.trimEnd().length)}${text.slice(end)}`;
    if (same(parseDocument(put), document)) return put;
  }
  return document.toString({ lineWidth: 120 });
}

/** The text without the column of a task, which stands last. */
export function withoutColumn(text: string, file: string, task: string): string {
  if (file.endsWith('.json')) {
    const value: { columns: unknown[] } = JSON.parse(text);
    value.columns.splice(indexOf(value.columns, task), 1);
    return `${JSON.stringify(value, null, 2)}\n`;
  }
  const document = parseDocument(text);
  document.deleteIn(['columns', indexOf(document.toJS()?.columns, task)]);
  return document.toString({ lineWidth: 120 });
}

/** The text of a description without columns. */
export function emptyDescription(name: string, inputs: readonly DescribedInput[]): string {
  const written = inputs.map(({ name: called, shape, dtype }) => {
    const type = dtype === 'float32' ? '' : `, dtype: ${dtype}`;
    return `{ name: ${called}, shape: [${shape.join(', ')}]${type} } # without the batch`;
  });
  const [only = ''] = written;
  const input = written.length === 1 ? ` ${only}` : written.map((line) => `\n  - ${line}`).join('');
  return `prognet: 1\nname: ${name}\ninput:${input}\ncolumns: []\n`;
}

/** An input of a network that begins. */
interface DescribedInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: string;
}
