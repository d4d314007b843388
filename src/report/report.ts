// What a report is, before it is a page or files: sections of sentences, pictures and tables. Every number that a page shows stands in a table, so that the page,
// JSON and CSV cannot differ.
import { count, short } from '../chart/numbers.js';
import type { Picture } from '../chart/picture.js';

/** What a cell holds: `null` where nothing is known. */
export type Cell = string | number | null;

/** How the numbers of a column are written in the page. Data files have them in full. A deviation stands in the cell of the column before it. */
export type Written =
  | 'text'
  | 'count'
  | 'share'
  | 'measure'
  | 'deviation'
  | 'change'
  | 'short'
  | 'seconds'
  | 'times'
  | 'hash'
  | 'when';

/** A column of a table. */
export interface TableColumn {
  /** Its name in data files. */
  readonly key: string;
  /** Its heading in the page. */
  readonly name: string;
  readonly as: Written;
}

/** Rows of numbers and texts. */
export interface Table {
  /** Of its file, of letters, digits and dashes. Each of a report has another. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
  /** Stands folded in the page, under the picture that it is of. */
  readonly folded?: boolean;
  /** Rows that the page shows at most, evenly spread, the last among them; data files have all. */
  readonly most?: number;
}

/** A picture with what it shows and where its numbers are from. */
export interface Figure {
  /** Of its file, of letters, digits and dashes. Each of a report has another. */
  readonly name: string;
  readonly picture: Picture;
  readonly says: string;
  /** Has a row of the page for itself. */
  readonly alone?: boolean;
}

/** A part of a report. */
export interface Section {
  /** Of letters and dashes. */
  readonly id: string;
  readonly heading: string;
  /** Paragraphs before the figures. */
  readonly says: readonly string[];
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}

/** All of it. */
export interface Report {
  /** What it is of. */
  readonly of: 'workspace' | 'study';
  readonly title: string;
  /** What it is about, in a sentence or two. */
  readonly about: string;
  /** ISO 8601. */
  readonly created: string;
  /** The version that wrote it. */
  readonly version: string;
  readonly sections: readonly Section[];
}

const writers: Readonly<Record<Written, (value: number) => string>> = {
  text: String,
  hash: String,
  count,
  share: (v) => v.toFixed(3),
  measure: (v) => v.toFixed(4),
  deviation: (v) => `± ${v.toFixed(4)}`,
  change: (v) => `${v < 0 ? '' : '+'}${v.toFixed(4)}`,
  short,
  seconds: (v) => `${v.toFixed(1)} s`,
  times: (v) => `${v.toFixed(2)} times`,
  when: String,
};

/** A cell as the page has it. */
export function written(cell: Cell, as: Written): string {
  if (cell === null) return '-';
  if (typeof cell === 'number') return writers[as](cell);
  return as === 'when' ? `${cell.slice(0, 10)} ${cell.slice(11, 16)} UTC` : cell;
}

/** Every figure of a report. */
export const figuresOf = ({ sections }: Report): readonly Figure[] => sections.flatMap(({ figures }) => figures);

/** Every table of a report. */
export const tablesOf = ({ sections }: Report): readonly Table[] => sections.flatMap(({ tables }) => tables);

/** The rows that a page shows. */
export function shownRows({ rows, most = Number.POSITIVE_INFINITY }: Table): readonly (readonly Cell[])[] {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (most - 1))] ?? []);
}
