// The rows of a customer as a table: NAME.csv, .tsv or .parquet, read as the data of the column that the fleet was exported with, if nothing else is asked.
import { extname } from 'node:path';
import type { TargetHead } from '../data/checks.js';
import type { AnySet } from '../data/dataset.js';
import { isRows } from '../data/samples.js';
import { csvFile } from '../data/sources/csv-file.js';
import { parquetFile } from '../data/sources/parquet-file.js';
import { targetKind } from '../model/heads/heads.js';
import { DataError, must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { FleetTraining } from './training-folder.js';

/** How tables of customers are read. */
export interface FleetTableOptions {
  /** The column of the targets by name or index, negative from the end; default: as the column that the fleet was exported with has it, else the last. */
  readonly label?: string | number;
  /** Whether the first row is a header; default: as there, else where none of its cells is a number. */
  readonly header?: boolean;
}

/** Endings of tables. */
export const tableEndings = ['.csv', '.tsv', '.parquet'] as const;
export const isTable = (path: string): boolean => tableEndings.some((ending) => path.endsWith(ending));

const refused = (path: string, got: string, expected: string): DataError =>
  new DataError(`${path}: ${got}, expected ${expected}`, { path, expected, got });

/**
 * The input and the targets of a table.
 * @param onNote hears what was taken for granted, in one line
 * @throws DataError for a fleet whose columns no table gives, cells that are no numbers, rows of unequal length, labels that are names where the fleet has none
 */
export async function readTable(
  path: string,
  { inputs, table: known = {} }: FleetTraining,
  head: TargetHead,
  asked: FleetTableOptions,
  onNote: (line: string) => void,
): Promise<{ readonly input: Tensor; readonly targets: Tensor }> {
  const arrays = 'arrays, NAME.npz or a folder NAME of .npy files';
  const [input, ...more] = inputs;
  const { name, dtype, shape, columns } = must(input, 'input');
  if (more.length > 0) throw refused(path, `a table gives one input, and this fleet takes ${inputs.length}`, arrays);
  const { transform, ...entry } = known;
  if (transform) throw refused(path, 'the column that the fleet was exported with has "transform" beside its table', arrays);
  const extension = extname(path).slice(1);
  const source = extension === 'parquet' ? parquetFile : csvFile;
  const options = { ...entry, ...asked, source: path };
  const found = await source.read({ source: path, path, kind: 'file', extension }, textual(options, extension), {
    baseDir: '.',
    head,
    missing: false,
    inputs: [{ name, dtype, shape }],
    ...(columns !== undefined && { features: columns.map((column) => ({ name: column })) }),
    onNote,
  });
  const { inputs: rows, targets, classNames } = whole(found);
  if (classNames !== undefined && head.names === undefined)
    throw refused(
      path,
      `the label column holds the names ${JSON.stringify(classNames.slice(0, 5))}`,
      targetKind(head).of === 'classes' ? `whole numbers 0..${head.size - 1}: the fleet's columns name no classes` : 'numbers',
    );
  if (!isRows(rows) || !('data' in rows)) throw refused(path, 'is no table of numbers', `${shape.join()} of them in a row`);
  const width = rows.dims.slice(1).join(', ');
  if (width !== shape.join(', ')) {
    const expected = shape.length === 1 ? `${shape[0]}, as "${name}" has` : `${arrays}: "${name}" is [${shape.join(', ')}]`;
    throw refused(path, `has ${width} columns beside the label`, expected);
  }
  return { input: rows, targets };
}

const whole = (found: { readonly whole: AnySet } | { readonly split: unknown }): AnySet =>
  must('whole' in found ? found.whole : undefined, 'table');

/** Parquet says itself where its columns and numbers are. */
function textual<T extends { readonly header?: unknown; readonly delimiter?: unknown; readonly decimal?: unknown }>(
  options: T,
  extension: string,
) {
  if (extension !== 'parquet') return options;
  const { header: _header, delimiter: _delimiter, decimal: _decimal, ...rest } = options;
  return rest;
}
