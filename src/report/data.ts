// The numbers of a report as files: all tables in one JSON, each as a CSV.
import { type Cell, type Report, type Table, tablesOf } from './report.js';

const objectOf = ({ columns }: Table, row: readonly Cell[]) =>
  Object.fromEntries(columns.map(({ key }, i) => [key, row[i] ?? null]));

/** The tables by their names, each a list of rows. */
export function reportJson(report: Report): object {
  const { of, title, about, created, version } = report;
  const tables = Object.fromEntries(tablesOf(report).map((table) => [table.name, table.rows.map((row) => objectOf(table, row))]));
  return { format: 1, of, title, about, created, prognet: version, tables };
}

/** Texts that programs for tables would take as formulas begin with a quote: names of tasks and classes come from anywhere. */
function field(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180, a header first; what is not known is empty. */
export function tableCsv({ columns, rows }: Table): string {
  return [columns.map(({ key }) => key), ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** The files of `--data`, by name. */
export function dataFiles(report: Report): ReadonlyMap<string, Uint8Array> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return new Map([
    ['report.json', bytes(`${JSON.stringify(reportJson(report), null, 1)}\n`)],
    ...tablesOf(report).map((table) => [`${table.name}.csv`, bytes(tableCsv(table))] as const),
  ]);
}
