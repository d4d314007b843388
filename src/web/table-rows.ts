// Rows of a table as a page gets them, typed in, pasted or dropped: CSV with the names of the features above, or a row a line in their order.
import { readCsv } from '../formats/csv.js';
import { findDelimiter } from '../formats/csv-delimiter.js';
import { UsageError } from '../onnx/core/errors.js';
import { anObject, text as aText, given, listOf, optional } from '../onnx/core/given.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { NetworkInfo } from './protocol.js';

/** Rows that a table's text holds. */
export interface TableRows {
  /** float32 [N, features] as `predict` takes them: a category is the index of its text, -1 for none, NaN a value that is missing. */
  readonly inputs: Tensor;
  /** What was passed over, and texts that are no category; a line each. */
  readonly notes: readonly string[];
}

/**
 * Reads rows for a network whose input has features.
 * @param where names the text in errors
 * @throws UsageError for a network without features, DataError naming row and column of what cannot be read
 */
export function tableRows(text: string, input: NetworkInfo['input'], where = 'table'): TableRows {
  given(
    'tableRows',
    { text, input, where },
    { text: aText, input: anObject, where: aText, 'input.features': optional(listOf(anObject)) },
  );
  const { features } = input;
  if (features === undefined)
    throw new UsageError('tableRows: the input of this network has no features, expected a tensor', { path: 'features' });
  const bytes = new TextEncoder().encode(text);
  const delimiter = findDelimiter(bytes, false, where);
  const [first = ''] = text.trimStart().split(/\r?\n/, 1);
  const cells = first.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const named = features.every(({ name }) => cells.includes(name));
  const header = features.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(delimiter);
  const how = { delimiter, header: true, features, missing: true, unknown: true, unlabelled: true };
  const table = readCsv(named ? bytes : new TextEncoder().encode(`${header}\n${text}`), how, where);
  return { inputs: table.features, notes: table.notes };
}
