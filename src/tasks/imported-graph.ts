// The graphs of imported columns: files of the workspace that the description names, read into it when it is opened.
import { join } from 'node:path';
import { maxGraphBytes } from '../model/progressive/import-model.js';
import { graphUrl, type ImportedDescription, isGraphUrl } from '../model/progressive/imported-graph.js';
import { DescriptionError } from '../onnx/core/errors.js';
import { readWithin } from './workspace-file.js';

/** Where the graph of a task is kept, relative to the workspace. */
export const importedFile = (task: string): string => `imported/${task}.onnx`;

/** Of all graphs of a description, in bytes. */
const maxAllGraphs = 16 * maxGraphBytes;

/** An imported column as it is to be read, its graph within, in place of what is written. */
export interface Instead {
  readonly task: string;
  readonly onnx: ImportedDescription;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The plain value of a description with each `onnx.graph` that is a path replaced by what the file holds; `files` are those paths. */
export function withGraphs(
  value: unknown,
  root: string,
  file: string,
  instead?: Instead,
): { readonly value: unknown; readonly files: readonly string[] } {
  if (!isObject(value) || !Array.isArray(value.columns)) return { value, files: [] };
  // Each file is read once, and all together are bounded: a description from elsewhere may name one a thousand times.
  const read = new Map<string, string>();
  let bytes = 0;
  const urlOf = (graph: string, path: string): string => {
    const known = read.get(graph);
    if (known !== undefined) return known;
    const content = readWithin(root, graph, path, maxGraphBytes);
    bytes += content.length;
    if (bytes > maxAllGraphs) {
      const expected = `at most ${maxAllGraphs} bytes`;
      throw new DescriptionError(`${path}: the imported graphs are over ${maxAllGraphs} bytes together`, { path, expected });
    }
    const url = graphUrl(content);
    read.set(graph, url);
    return url;
  };
  const columns = value.columns.map((column: unknown, i) => {
    if (!isObject(column) || !isObject(column.onnx)) return column;
    if (instead !== undefined && column.task === instead.task) return { ...column, onnx: instead.onnx };
    const { graph } = column.onnx;
    if (typeof graph !== 'string' || isGraphUrl(graph)) return column;
    return { ...column, onnx: { ...column.onnx, graph: urlOf(graph, `${file}: columns[${i}].onnx.graph`) } };
  });
  return { value: { ...value, columns }, files: [...read.keys()].map((graph) => join(root, graph)) };
}
