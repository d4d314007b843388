// Which columns of a CSV file are features, which are labels and which are left alone. Knows names and indices, nothing of cells.
import { dataError, quote } from './data-error.js';

/** A column by its name in the header or by its index from 0; negative indices count from the end. */
export type CsvColumn = string | number;

/** A feature that is looked for by its name. With categories its cells are texts, and each is the index of its own. */
export interface CsvFeature {
  readonly name: string;
  readonly categories?: readonly string[] | undefined;
  /** Its cells are read as text: they stand among `texts` and not among the numbers. */
  readonly text?: boolean | undefined;
}

export interface ColumnOptions {
  /** Label column, or several. Default: the last that is no feature. */
  readonly label?: CsvColumn | readonly CsvColumn[];
  /** What the targets are called: the label columns, where `label` says nothing and the header has all of them. */
  readonly targets?: readonly string[];
  /** Features by name, in this order; else all columns but the labels. */
  readonly features?: readonly CsvFeature[];
  /** The features where they are not named beforehand, in this order. */
  readonly columns?: readonly CsvColumn[];
  /** Columns that are no features. */
  readonly drop?: readonly CsvColumn[];
  /** No column is a label. */
  readonly unlabelled?: boolean;
  /** One column is read, as text: this one where it is there, unless `columns` says another; else the only one that is no label. */
  readonly text?: string;
}

export interface Chosen {
  /** In the order of the result. */
  readonly features: readonly ({ readonly cell: number } & Omit<CsvFeature, 'name'>)[];
  readonly labels: readonly number[];
  /** Columns that nothing reads and that nobody said to drop. */
  readonly unused: readonly number[];
}

const listed = (names: readonly string[]): string => names.slice(0, 20).map(quote).join(', ');

/** Finds columns by name or index in a file of `width` columns. */
class Columns {
  constructor(
    readonly names: readonly string[] | undefined,
    readonly width: number,
    private readonly where: string,
  ) {}

  /** @param what how the option is called, in errors */
  find(wanted: CsvColumn, what: string): number {
    const { names, width, where } = this;
    if (typeof wanted === 'number') {
      const index = wanted < 0 ? wanted + width : wanted;
      if (Number.isInteger(wanted) && index >= 0 && index < width) return index;
      throw dataError(where, `${what} column ${wanted} is out of range, expected ${-width}..${width - 1}`, {
        expected: `${-width}..${width - 1}`,
        got: String(wanted),
      });
    }
    if (names === undefined) throw dataError(where, `${what} ${quote(wanted)} needs a header, the file is read without one`);
    const index = names.indexOf(wanted);
    if (index < 0)
      throw dataError(where, `no column is named ${quote(wanted)}, expected one of ${listed(names)}`, {
        expected: listed(names),
        got: wanted,
      });
    if (names.lastIndexOf(wanted) !== index)
      throw dataError(where, `two columns are named ${quote(wanted)}, give the ${what}'s index`);
    return index;
  }

  list(wanted: readonly CsvColumn[], what: string): number[] {
    const found = wanted.map((column) => this.find(column, what));
    if (new Set(found).size !== found.length) throw dataError(this.where, `a ${what} column is given twice`);
    return found;
  }

  /** All features by name. Throws a DataError that names those that are missing. */
  features(wanted: readonly CsvFeature[]): number[] {
    const { names } = this;
    const missing = names && wanted.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
    if (names !== undefined && missing !== undefined && missing.length > 0) {
      const plural = missing.length === 1 ? `the feature ${listed(missing)} is` : `the features ${listed(missing)} are`;
      throw dataError(this.where, `${plural} not in the header, which has ${listed(names)}`, {
        expected: listed(missing),
        got: listed(names),
      });
    }
    return this.list(
      wanted.map(({ name }) => name),
      'feature',
    );
  }
}

function labelsOf(columns: Columns, options: ColumnOptions, taken: readonly number[] | undefined, where: string): number[] {
  const { names, width } = columns;
  const { label, targets = [] } = options;
  if (label !== undefined) {
    const wanted = typeof label === 'object' ? label : [label];
    if (wanted.length === 0) throw dataError(where, 'no label column is given, expected at least one');
    return columns.list(wanted, 'label');
  }
  if (targets.length > 0 && names !== undefined && targets.every((name) => names.includes(name)))
    return columns.list(targets, 'label');
  if (taken === undefined) return [width - 1];
  const free = Array.from({ length: width }, (_, cell) => cell).filter((cell) => !taken.includes(cell));
  const [only] = free;
  if (free.length === 1 && only !== undefined) return [only];
  if (free.includes(width - 1)) return [width - 1];
  const found = free.length === 0 ? 'every column is a feature' : `the last column is a feature`;
  throw dataError(where, `${found}, "label" in the data entry says which column is the label`, { expected: 'label' });
}

/** @throws DataError for columns that are not there, labels that are features, and a file without features */
export function chooseColumns(
  names: readonly string[] | undefined,
  width: number,
  options: ColumnOptions,
  where: string,
): Chosen {
  const { features, unlabelled = false, text } = options;
  // Who is asked about texts may have fewer columns than who trained.
  const spare = text !== undefined && unlabelled;
  const drop = (options.drop ?? []).filter((column) => !spare || typeof column === 'number' || names?.includes(column));
  const columns = options.columns ?? (text !== undefined && names?.includes(text) ? [text] : undefined);
  const all = new Columns(names, width, where);
  const named = features && all.features(features);
  const chosen = named ?? (columns && all.list(columns, 'feature'));
  const dropped = all.list(drop, 'drop');
  const labels = unlabelled ? [] : labelsOf(all, options, named ?? (columns && chosen), where);
  const twice = chosen?.find((cell) => labels.includes(cell));
  if (twice !== undefined) {
    const name = names === undefined ? '' : ` (${quote(names[twice] ?? '')})`;
    throw dataError(where, `column ${twice + 1}${name} is a feature and the label, expected another label`, {
      expected: 'label',
    });
  }
  const rest = Array.from({ length: width }, (_, cell) => cell).filter(
    (cell) => !labels.includes(cell) && !dropped.includes(cell),
  );
  const cells = chosen ?? rest;
  if (cells.length === 0)
    throw dataError(where, `has ${width} column${width === 1 ? '' : 's'} and no features beside the label`, {
      expected: 'at least one feature column',
      got: `${width} columns`,
    });
  if (text !== undefined && cells.length > 1) {
    const found = cells.map((cell) => (names === undefined ? String(cell) : quote(names[cell] ?? '')));
    throw dataError(
      where,
      `which of ${found.slice(0, 20).join(', ')} is the text nobody says, expected a column ${quote(text)}, or "columns" in the data entry`,
      { expected: text, got: found.join(', ') },
    );
  }
  return {
    features: cells.map((cell, i) => ({ cell, categories: features?.[i]?.categories, text: features?.[i]?.text })),
    labels,
    unused: chosen === undefined ? [] : rest.filter((cell) => !chosen.includes(cell)),
  };
}
