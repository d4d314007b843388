// What parts the cells of a CSV file, found by looking at its first lines.
import { dataError } from './data-error.js';

const candidates = [',', ';', '\t', '|'] as const;
const lines = 20;

/** What a delimiter is called, for people. */
export const delimiterName = (delimiter: string): string => (delimiter === '\t' ? 'tabs' : `"${delimiter}"`);

/** How often each candidate stands outside of quotes in each of the first lines that are not blank. */
function countsOf(bytes: Uint8Array): number[][] {
  const text = new TextDecoder().decode(bytes.subarray(0, 1 << 16));
  const all = text.split(/\r?\n/);
  // the last one may be cut
  const whole = bytes.length > 1 << 16 ? all.slice(0, -1) : all;
  const used = whole.filter((line) => line.trim() !== '').slice(0, lines);
  return used.map((line) => {
    const bare = line.replace(/"(?:[^"]|"")*"/g, '');
    return candidates.map((c) => bare.split(c).length - 1);
  });
}

/**
 * The character that stands equally often in each of the first lines; a comma where none does. A comma is none where numbers have decimal commas.
 * @throws DataError where several do, which nobody can tell apart
 */
export function findDelimiter(bytes: Uint8Array, decimalComma: boolean, where: string): string {
  const counts = countsOf(bytes);
  const fit = candidates.filter((c, i) => {
    const [first = 0] = counts.map((line) => line[i] ?? 0);
    return first > 0 && !(c === ',' && decimalComma) && counts.every((line) => line[i] === first);
  });
  const [only] = fit;
  if (fit.length > 1)
    throw dataError(
      where,
      `its lines can be parted at ${fit.map(delimiterName).join(' or ')}; "delimiter" in the data entry decides`,
      {
        expected: 'delimiter',
      },
    );
  return only ?? (decimalComma ? ';' : ',');
}
