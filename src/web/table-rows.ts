// Rows of a table as a page gets them, typed in, pasted or dropped: CSV with the names of the features above, or a row a line in their order.
import { type CsvOptions, readCsv, UnknownCategories } from '../formats/csv.js';
import { findDelimiter } from '../formats/csv-delimiter.js';
import { DataError, UsageError } from '../onnx/core/errors.js';
import { aList, anObject, text as aText, given, listOf, optional } from '../onnx/core/given.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { InputInfo } from './protocol.js';

/** Rows that a table's text holds. */
export interface TableRows {
  /** float32 [N, features] as `predict` takes them: a category is the index of its text, -1 for none, NaN a value that is missing. */
  readonly inputs: Tensor;
  /** What was passed over, and texts that are no category; a line each. */
  readonly notes: readonly string[];
}

/** How the text is written. */
export interface TableTextOptions {
  /** Names the text in errors. */
  readonly where?: string;
  /** The sign before the decimals; default a point. */
  readonly decimal?: '.' | ',';
}

/**
 * Reads rows for a network whose input has features, or is a row of numbers.
 * @throws UsageError for a network that takes neither, DataError naming row and column of what cannot be read
 */
export function tableRows(text: string, input: InputInfo, options: TableTextOptions = {}): TableRows {
  given(
    'tableRows',
    { text, input, options },
    { text: aText, input: anObject, options: anObject, 'input.features': optional(listOf(anObject)), 'input.shape': aList },
  );
  const { where = 'table', decimal = '.' } = options;
  const { features, shape } = input;
  const [size] = shape;
  const bytes = new TextEncoder().encode(text);
  const delimiter = findDelimiter(bytes, decimal === ',', where);
  const how: CsvOptions = { delimiter, decimal, missing: true, unknown: true, unlabelled: true };
  if (features !== undefined) {
    const [first = ''] = text.trimStart().split(/\r?\n/, 1);
    const cells = first.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
    const categories = new Set(features.flatMap((feature) => feature.categories ?? []));
    const named = features.some(({ name }) => cells.includes(name) && !categories.has(name));
    const header = features.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(delimiter);
    const whole = named ? bytes : new TextEncoder().encode(`${header}\n${text}`);
    const table = readCsv(whole, { ...how, header: true, features }, where);
    const unknown = new UnknownCategories().add(table.unknown ?? new Map());
    return { inputs: table.features, notes: [...table.notes, ...unknown.lines(where)] };
  }
  if (shape.length !== 1 || size === undefined)
    throw new UsageError(`tableRows: the input of this network is [${shape}], expected a row of numbers or features`, {
      path: 'features',
      got: `[${shape}]`,
    });
  const table = readCsv(bytes, how, where);
  const [expected, got] = [`${size} columns`, `${table.columns.length}`];
  if (size !== null && table.columns.length !== size)
    throw new DataError(`${where}: has ${got} columns, expected ${size}`, { path: where, expected, got });
  return { inputs: table.features, notes: table.notes };
}
