// One value of a column in the text of a description: where it stands, and the text with another one there, all around it left as it is.
import { isDeepStrictEqual } from 'node:util';
import { Document, isCollection, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { optionOf } from '../model/heads/heads.js';
import { UsageError } from '../onnx/core/errors.js';
import { valueAt } from '../onnx/core/value-at.js';

/** Keys and indices below a column: `['train', 'lr']`, `['blocks', 0, 0, 'dense']`. */
export type ValuePath = readonly (string | number)[];

type Plain = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);

function columnsIn(text: string): readonly Plain[] {
  const columns: unknown = parseDocument(text).toJS()?.columns;
  return Array.isArray(columns) ? columns.filter(isObject) : [];
}

/** What a column takes from the one that it is like, written out: its blocks and head where it states none itself. */
function taken(columns: readonly Plain[], column: Plain): Plain {
  const { like } = column;
  const source = like === undefined ? undefined : columns.find(({ task }) => task === like);
  if (source === undefined || column.onnx !== undefined) return {};
  const own = { ...taken(columns, source), ...source };
  const headed = column.head !== undefined || column.heads !== undefined;
  const lacking = ['blocks', 'head', 'heads'].filter((key) => column[key] === undefined && !(headed && key.startsWith('head')));
  return Object.fromEntries(lacking.flatMap((key) => (own[key] === undefined && key === 'heads' ? [] : [[key, own[key]]])));
}

/** A column as it is written, with what it takes from the one that it is like. `text` is a description that parses. */
export function writtenColumn(text: string, task: string): Plain {
  const columns = columnsIn(text);
  const column = columns.find((c) => c.task === task) ?? {};
  return { ...taken(columns, column), ...column };
}

/** Tasks that take their blocks from the column of this one. */
export function tasksLike(text: string, like: string): string[] {
  return columnsIn(text).flatMap((c) => (c.like === like && c.blocks === undefined ? String(c.task) : []));
}

/** `blocks[0][0].dense` */
export function pathText(path: ValuePath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** The text with this value of a column in the place of the one that stands there, or added. Throws UsageError where the path leads nowhere. */
export function withValue(text: string, file: string, task: string, path: ValuePath, value: unknown): string {
  const columns = columnsIn(text);
  const index = columns.findIndex((c) => c.task === task);
  const [key = ''] = path;
  const own = columns[index] ?? {};
  // What is taken from another column is written out before a value of it is another.
  const inherited = path.length > 1 ? taken(columns, own)[key] : undefined;
  if (inherited !== undefined && own[key] === undefined)
    return withValue(withValue(text, file, task, [key], inherited), file, task, path, value);
  // An option of a head that is written by its width alone.
  const { head } = (path[0] === 'head' && optionOf(own.head, String(path.at(-1)))) || { head: own.head };
  if (head !== own.head) return withValue(withValue(text, file, task, ['head'], head), file, task, path, value);
  refuseNowhere(own, task, path);
  const document = parseDocument(text);
  const full = ['columns', index, ...path];
  const node = document.createNode(value);
  // A list of blocks: each of them in a line.
  if (isSeq(node)) for (const item of node.items) if (isCollection(item)) item.flow = true;
  document.setIn(full, node);
  const wanted: unknown = document.toJS();
  for (const candidate of [replaced(text, full, value, file), inserted(text, full, value, file)]) {
    if (candidate === undefined) continue;
    const read = parseDocument(candidate);
    if (read.errors.length === 0 && isDeepStrictEqual(read.toJS(), wanted)) return candidate;
  }
  return file.endsWith('.json') ? `${JSON.stringify(wanted, null, 2)}\n` : document.toString({ lineWidth: 120 });
}

/** Each part but the last leads to an object or a list; an index is one of the list. */
function refuseNowhere(column: Plain, task: string, path: ValuePath): void {
  path.forEach((part, i) => {
    const at = path.slice(0, i);
    const there = valueAt(column, at);
    const fits = typeof part === 'number' ? Array.isArray(there) && part < there.length : there === undefined || isObject(there);
    if (fits && !(there === undefined && typeof part === 'number')) return;
    const found = there === undefined ? 'nothing' : JSON.stringify(there);
    throw new UsageError(
      `${pathText(path)}: task "${task}" has ${found} at ${pathText(at)}, where ${JSON.stringify(part)} cannot be set`,
      {
        path: pathText(path),
        got: found,
      },
    );
  });
}

const rendered = (value: unknown, file: string): string =>
  file.endsWith('.json') || Array.isArray(value)
    ? JSON.stringify(value)
    : new Document(value, { flow: true }).toString({ lineWidth: 0 }).trimEnd();

/** The text with the value put in where one stands; undefined where none does. */
function replaced(text: string, path: ValuePath, value: unknown, file: string): string | undefined {
  const node = parseDocument(text).getIn(path, true);
  if (!isNode(node) || !node.range || (!isScalar(node) && typeof value !== 'object')) return undefined;
  return text.slice(0, node.range[0]) + rendered(value, file) + text.slice(node.range[1]);
}

/** The text with the value behind the others of a map that stands in braces; undefined where it does not. */
function inserted(text: string, path: ValuePath, value: unknown, file: string): string | undefined {
  const map = parseDocument(text).getIn(path.slice(0, -1), true);
  const last = isMap(map) && map.flow ? map.items.at(-1)?.value : undefined;
  if (!isNode(last) || !last.range) return undefined;
  const key = file.endsWith('.json') ? JSON.stringify(path.at(-1)) : String(path.at(-1));
  return `${text.slice(0, last.range[1])}, ${key}: ${rendered(value, file)}${text.slice(last.range[1])}`;
}
