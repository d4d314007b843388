// The cells of CSV lines as byte ranges, with no string made per cell. Knows quotes and line ends, nothing of numbers.
import { dataError, quote } from './data-error.js';

const lf = 10;
const cr = 13;
const space = 32;
const quoteByte = 34;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** One line. `lines` reuses the same object for the next line. */
export class Line {
  /** Line number in the file, from 1. */
  row = 0;
  cells = 0;
  /** Byte range of each cell, without blanks around it and without its quotes. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  constructor(
    readonly bytes: Uint8Array,
    private readonly where: string,
  ) {}

  /** @throws DataError for bytes that are no UTF-8: read otherwise, different texts would become the same */
  text(cell: number): string {
    const { bytes, starts, ends, where, row } = this;
    try {
      return decoder.decode(bytes.subarray(starts[cell], ends[cell])).replaceAll('""', '"');
    } catch (cause) {
      throw dataError(where, `row ${row}, column ${cell + 1} is not valid UTF-8, expected a file in UTF-8`, {
        expected: 'UTF-8',
        cause,
      });
    }
  }
}

function delimiterByte(delimiter: string, where: string): number {
  const code = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || code > 126 || code === lf || code === cr || code === quoteByte || /[0-9.+\-eE]/.test(delimiter)) {
    throw dataError(
      where,
      `delimiter ${quote(delimiter)} cannot be used, expected one ASCII character such as "," ";" or "\\t"`,
      {
        got: delimiter,
      },
    );
  }
  return code;
}

/** Index just behind the closing quote of the cell whose opening quote is at `open`. */
function closing(bytes: Uint8Array, open: number, end: number, row: number, cell: number, where: string): number {
  for (let at = open + 1; at < end; at++) {
    if (bytes[at] !== quoteByte) continue;
    if (at + 1 < end && bytes[at + 1] === quoteByte) at++;
    else return at + 1;
  }
  throw dataError(where, `row ${row}, column ${cell + 1} opens a quote and does not close it on its line`, {
    expected: 'a closing "',
  });
}

function split(line: Line, begin: number, end: number, delimiter: number, where: string): void {
  const { bytes, starts, ends } = line;
  const blank = (at: number): boolean => bytes[at] === space || (bytes[at] === 9 && delimiter !== 9);
  let cell = 0;
  let at = begin;
  for (;;) {
    while (at < end && blank(at)) at++;
    const quoted = at < end && bytes[at] === quoteByte;
    let from = at;
    let to = at;
    if (quoted) {
      at = closing(bytes, from++, end, line.row, cell, where);
      to = at - 1;
      while (at < end && blank(at)) at++;
      if (at < end && bytes[at] !== delimiter) {
        throw dataError(where, `row ${line.row}, column ${cell + 1} goes on after its closing quote`, {
          expected: 'a delimiter',
        });
      }
    } else {
      while (at < end && bytes[at] !== delimiter) at++;
      to = at;
      while (to > from && blank(to - 1)) to--;
    }
    starts[cell] = from;
    ends[cell] = to;
    cell++;
    if (at >= end) break;
    at++;
  }
  line.cells = cell;
}

/**
 * The lines that are not blank, split at `delimiter`; LF and CRLF, a UTF-8 byte order mark is passed over. `before`: lines of the file that are not in `bytes`.
 * @throws DataError for UTF-16, an open quote, an impossible delimiter
 */
export function* lines(bytes: Uint8Array, delimiter: string, where: string, before = 0): Generator<Line> {
  const separator = delimiterByte(delimiter, where);
  const [a, b, c] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    throw dataError(where, 'is UTF-16, expected UTF-8', { expected: 'UTF-8', got: 'UTF-16' });
  }
  const line = new Line(bytes, where);
  line.row = before;
  let begin = a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
  while (begin < bytes.length) {
    const found = bytes.indexOf(lf, begin);
    const next = found < 0 ? bytes.length : found;
    const end = next > begin && bytes[next - 1] === cr ? next - 1 : next;
    line.row++;
    if (end > begin) {
      split(line, begin, end, separator, where);
      if (line.cells > 1 || line.ends[0] !== line.starts[0]) yield line;
    }
    begin = next + 1;
  }
}
