// The values of CSV cells: numbers, categories, and texts that are numbered as they come. What cannot be read is refused with its row and column.
import { isNumber } from './csv-header.js';
import { type Line, lines } from './csv-lines.js';
import { dataError, quote } from './data-error.js';

/** How cells are read. */
export interface CellOptions {
  /** The sign before the decimals. */
  readonly decimal: '.' | ',';
  /** Whether an empty cell is NaN, rather than refused. */
  readonly missing: boolean;
}

/** What tables write for a number that is not there. */
const absent = /^(?:nan|n\/?a|null)?$/i;

/** Whether a cell is empty, or what tables write for a number that is not there. */
export const isAbsent = (text: string): boolean => absent.test(text);

const asNumber = (text: string, decimal: '.' | ','): string =>
  decimal === ',' ? (text.includes('.') ? 'no number' : text.replace(',', '.')) : text;

/** What a cell is called in errors: `row 3, column 2 ("age")`. */
export function cellName(row: number, cell: number, names: readonly string[] | undefined): string {
  return `row ${row}, column ${cell + 1}${names === undefined ? '' : ` (${quote(names[cell] ?? '')})`}`;
}

/** The finite number in a cell, or NaN for what is missing; runs of up to 15 digits are read without making a string. Undefined: neither. */
export function numberIn(line: Line, cell: number, { decimal, missing }: CellOptions): number | undefined {
  const start = line.starts[cell] as number;
  const end = line.ends[cell] as number;
  if (end > start && end - start <= 15) {
    let value = 0;
    let at = start;
    for (; at < end; at++) {
      const digit = (line.bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === end) return value;
  }
  const text = line.text(cell);
  if (missing && absent.test(text)) return Number.NaN;
  const plain = asNumber(text, decimal);
  const value = isNumber(plain) ? Number(plain) : Number.NaN;
  return Number.isFinite(Math.fround(value)) ? value : undefined;
}

/** The number that a text writes, undefined for any other text. */
export function numberOf(text: string, decimal: '.' | ','): number | undefined {
  const plain = asNumber(text, decimal);
  return isNumber(plain) ? Number(plain) : undefined;
}

/** Most values that a message lists. */
const mostListed = 100;

/** The file that cells stand in, for errors. */
export interface CsvFile {
  readonly bytes: Uint8Array;
  readonly delimiter: string;
  readonly where: string;
  readonly names: readonly string[] | undefined;
  /** The first line of data. */
  readonly firstRow: number;
  /** Lines that come before its bytes. */
  readonly before: number;
}

/** The different texts of a column, sorted, and how many of its cells are no numbers. */
function valuesOf({ bytes, delimiter, where, firstRow, before }: CsvFile, cell: number, decimal: '.' | ',') {
  const found = new Set<string>();
  let [texts, all] = [0, 0];
  for (const line of lines(bytes, delimiter, where, before)) {
    if (line.row < firstRow || line.cells <= cell) continue;
    const text = line.text(cell);
    all++;
    if (numberOf(text, decimal) === undefined && !absent.test(text)) texts++;
    if (found.size <= mostListed) found.add(text);
  }
  return { values: [...found].sort(), texts, all };
}

/** The error for a cell that is no number: of a column of texts, how it would be described. */
export function noNumber(file: CsvFile, line: Line, cell: number, options: CellOptions, kind: 'feature' | 'label') {
  const { names, where } = file;
  const text = line.text(cell);
  const found = text === '' ? 'is empty' : `holds ${quote(text)}`;
  return dataError(where, `${cellName(line.row, cell, names)} ${found}, expected a number${advice()}`, {
    expected: 'a number',
    got: text,
  });

  function advice(): string {
    if (kind === 'label') return '';
    if (absent.test(text)) return ', or a step of "prepare" that fills it, such as { fill: median }';
    // the other decimal sign
    const other = options.decimal === '.' ? ',' : '.';
    if (text.includes(other) && numberOf(text, other) !== undefined)
      return other === ',' ? "; decimal: ',' in the data entry reads decimal commas" : '';
    const { values, texts, all } = valuesOf(file, cell, options.decimal);
    if (texts * 2 < all || values.length > mostListed || values.some((v) => v.length > 100)) return '';
    const category = JSON.stringify({ [names?.[cell] ?? `column ${cell + 1}`]: values.filter((v) => v !== '') });
    return `; a column of texts is a category, ${category} among the "features" of the input`;
  }
}

/** The error for a text that is not among the categories, with all that the column holds. */
export function noCategory(file: CsvFile, line: Line, cell: number, categories: readonly string[]) {
  const { names, where } = file;
  const { values } = valuesOf(file, cell, '.');
  const more = values.length > mostListed ? `more than ${mostListed} values` : JSON.stringify(values);
  const text = line.text(cell);
  const found = text === '' ? 'is empty' : `holds ${quote(text)}`;
  const expected = `one of ${JSON.stringify(categories.slice(0, mostListed))}`;
  return dataError(where, `${cellName(line.row, cell, names)} ${found}, expected ${expected}; the column holds ${more}`, {
    expected,
    got: text,
  });
}

/** Texts numbered in the order in which they come. */
export class Interned {
  private readonly known = new Map<string, number>();
  /** The different texts. */
  readonly texts: string[] = [];

  id(text: string): number {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    this.known.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}
