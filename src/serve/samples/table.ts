// Rows of a table as they come in JSON: {"inputs": [{"age": 30, "city": "Bern"}, ...]}, or lists in the order of the features. Numbers and categories
// come out apart, as the model takes them; null is a value that is not there. Not a reader of anything else.

import type { Wrong } from './wrong.js';

const noList = 'expected {"inputs": [...]}, a list of rows, and nothing beside it';
/** Unknown texts that an answer tells of at most. */
const mostTold = 100;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** A column: of texts where it has categories. */
export interface TableFeature {
  readonly name: string;
  readonly categories?: readonly string[] | undefined;
}

/** A text that is none of its categories. */
export interface UnknownText {
  readonly row: number;
  readonly feature: string;
  readonly text: string;
}

/** Rows apart: numbers one row after another, texts likewise. */
export interface TableRows {
  readonly rows: number;
  readonly numbers: Float32Array;
  readonly texts: readonly string[];
  readonly unknown: readonly UnknownText[];
}

interface Found {
  readonly numbers: number[];
  readonly texts: string[];
  readonly unknown: UnknownText[];
}

export class TableReader {
  private readonly features: readonly { readonly name: string; readonly categories: ReadonlySet<string> | undefined }[];
  private readonly names: ReadonlySet<string>;

  /**
   * @param missing whether a number may be null
   * @param most rows at most
   * @param tooMany the error for more
   */
  constructor(
    features: readonly TableFeature[],
    private readonly missing: boolean,
    private readonly most: number,
    private readonly tooMany: Error,
    private readonly wrong: Wrong,
  ) {
    this.features = features.map(({ name, categories }) => ({ name, categories: categories && new Set(categories) }));
    this.names = new Set(features.map(({ name }) => name));
  }

  /** Of a whole body. */
  read(body: Buffer): TableRows {
    let document: unknown;
    try {
      document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      throw this.wrong('the body is no JSON');
    }
    if (!isObject(document) || Object.keys(document).length !== 1 || !Array.isArray(document.inputs)) throw this.wrong(noList);
    return this.rows(document.inputs, noList);
  }

  /** Of the list of rows alone; `expected` is what a client is told of any other value. */
  rows(inputs: unknown, expected = 'expected a list of rows'): TableRows {
    if (!Array.isArray(inputs)) throw this.wrong(expected);
    // one row may stand alone
    const rows: readonly unknown[] =
      inputs.length > 0 && inputs.every((row) => !isObject(row) && !Array.isArray(row)) ? [inputs] : inputs;
    if (rows.length === 0) throw this.wrong(expected);
    if (rows.length > this.most) throw this.tooMany;
    const found: Found = { numbers: [], texts: [], unknown: [] };
    rows.forEach((row, i) => {
      this.row(row, i, found);
    });
    return { ...found, rows: rows.length, numbers: Float32Array.from(found.numbers) };
  }

  private row(row: unknown, at: number, found: Found): void {
    const names = this.features.map(({ name }) => name).join(', ');
    if (Array.isArray(row)) {
      if (row.length !== this.features.length)
        throw this.wrong(`row ${at} has ${row.length} values, expected ${this.features.length}: ${names}`);
    } else if (isObject(row)) {
      const odd = Object.keys(row).find((key) => !this.names.has(key));
      if (odd !== undefined) throw this.wrong(`row ${at} has ${show(odd)}, expected ${names}`);
      const absent = this.features.find(({ name }) => !Object.hasOwn(row, name));
      if (absent !== undefined) throw this.wrong(`row ${at} has no ${show(absent.name)}, expected ${names}`);
    } else throw this.wrong(`row ${at} is ${show(row)}, expected an object or a list`);
    this.features.forEach(({ name, categories }, i) => {
      const value: unknown = Array.isArray(row) ? row[i] : Object(row)[name];
      if (categories === undefined) found.numbers.push(this.number(value, name, at));
      else found.texts.push(this.text(value, name, categories, at, found.unknown));
    });
  }

  private number(value: unknown, name: string, at: number): number {
    if (value === null && this.missing) return Number.NaN;
    if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return value;
    throw this.wrong(`row ${at} has ${show(value)} as ${show(name)}, expected a finite number${this.missing ? ' or null' : ''}`);
  }

  private text(value: unknown, name: string, categories: ReadonlySet<string>, at: number, unknown: UnknownText[]): string {
    const text = value ?? '';
    if (typeof text !== 'string') throw this.wrong(`row ${at} has ${show(value)} as ${show(name)}, expected a text`);
    if (!categories.has(text) && unknown.length < mostTold) unknown.push({ row: at, feature: name, text: text.slice(0, 100) });
    return text;
  }
}
