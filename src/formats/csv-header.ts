// Whether the first row of a CSV file is a header, where nobody has said so. What the row cannot decide is refused, with the option that does.
import { dataError, quote } from './data-error.js';

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** What tables write for a number that is missing. */
const absent = /^(?:[+-]?nan|n\/?a|null|none|nil|missing|[+-]?inf(?:inity)?|[?.-]*)$/i;

/** Whether a cell is a decimal number as CSV files write it; NaN and infinities are none. */
export function isNumber(text: string): boolean {
  return number.test(text);
}

/** 0,1,2,... or 2019,2020,...: what pandas writes above a table without column names, and years for names. */
function counts(cells: readonly string[]): boolean {
  const first = Number(cells[0]);
  const known = first === 0 || (first >= 1000 && Number.isInteger(first));
  return known && cells.length > 1 && cells.every((text, i) => Number(text) === first + i);
}

/**
 * @returns true for names, false for numbers
 * @throws DataError for a row of both, for one that counts its columns, and for one without any number or name
 */
export function looksLikeHeader(cells: readonly string[], row: number, where: string): boolean {
  const refused = (what: string) =>
    dataError(where, `row ${row} ${what}; "header" in the data entry decides, true or false`, {
      expected: 'header: true or false',
      got: cells.slice(0, 8).map(quote).join(','),
    });
  const named = cells.findIndex((text) => !isNumber(text));
  if (named < 0) {
    if (counts(cells))
      throw refused(`is ${cells.slice(0, 3).join(',')}${cells.length > 3 ? ',...' : ''}, data or the numbers of the columns`);
    return false;
  }
  const numbered = cells.findIndex(isNumber);
  if (numbered >= 0) {
    const [text, other] = [cells[named] ?? '', cells[numbered] ?? ''];
    throw refused(`holds ${quote(text)} beside the number ${quote(other)}, data or names of columns`);
  }
  if (cells.every((text) => absent.test(text))) throw refused(`holds neither numbers nor names, ${quote(cells[0] ?? '')} first`);
  return true;
}
