// Answers row by row, as text, JSON Lines and CSV: what `predict` prints and writes, and pages show and save. Some rows or all of them.
import type { Tensor } from '../onnx/core/tensor.js';

/** What a task answers for some rows. */
export interface Answered {
  /** Probabilities [D, k] of classes or labels; else the numbers themselves. Of a head of each step [D, T, k]. */
  readonly values: Tensor;
  readonly kind: 'probabilities' | 'values';
  /** Classes, int64 [D]; or bool [D, k], a flag for each label; absent where the values are the answer. Of a head of each step [D, T], [D, T, k]. */
  readonly labels?: Tensor;
  /** What the outputs are called. */
  readonly names?: readonly string[];
  /** Of several heads what each answers, by its name; then `values` are the raw scores of all side by side. */
  readonly heads?: Readonly<Record<string, Answered>>;
}

/** Answers sample by sample, as they are written. */
export interface AnswerLines {
  readonly count: number;
  readonly values: readonly unknown[];
  /** As JSON has it; undefined where the values are the answer. */
  label(row: number): unknown;
  /** The same in names; undefined where there are none. */
  called(row: number): unknown;
  /** A line for each sample, without a line break behind the last. */
  text(): string;
  jsonl(): string;
  /** Of several heads what they answer for a sample, as a line of `jsonl` has it. */
  answer?(row: number): unknown;
  csvHeader(): string;
  /** @param before how many samples were written before */
  csvRows(before?: number): string;
}

/** The rows of a tensor [D, ...] as lists of numbers. */
function rowsOf(data: ArrayLike<unknown>, count: number): number[][] {
  const width = count === 0 ? 0 : data.length / count;
  return Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => Number(data[i * width + j])));
}

/** Answers row by row. */
export class AnswerRows implements AnswerLines {
  readonly count: number;
  readonly values: readonly (readonly number[])[];
  /** A class, or a flag for each label. */
  private readonly labels: readonly (readonly number[])[] | undefined;
  private readonly oneEach: boolean;

  constructor(private readonly answers: Answered) {
    const { values, labels } = answers;
    this.count = values.dims[0] ?? 0;
    this.values = rowsOf(values.data, this.count);
    this.labels = labels && rowsOf(labels.data, this.count);
    this.oneEach = labels?.dims.length === 1;
  }

  /** A class, or a flag for each label; undefined where the values are the answer. */
  label(row: number): number | readonly number[] | undefined {
    const found = this.labels?.[row];
    return this.oneEach ? found?.[0] : found;
  }

  /** The class's name, or those of the labels that are there; undefined where nothing has a name. */
  called(row: number): string | readonly string[] | undefined {
    const { names } = this.answers;
    const found = this.labels?.[row];
    if (names === undefined || found === undefined) return undefined;
    return this.oneEach ? names[found[0] ?? 0] : names.filter((_, i) => found[i] === 1);
  }

  /** A line for each row, without a line break behind the last. */
  text(): string {
    return this.values.map((_, row) => this.line(row)).join('\n');
  }

  line(row: number): string {
    const before = this.labels === undefined ? [] : [`${this.worded(row)}:`];
    return [...before, ...(this.values[row] ?? []).map((v) => v.toFixed(4))].join(' ');
  }

  /** The label in one word. */
  worded(row: number): string {
    const called = this.called(row);
    const label = called === undefined ? (this.labels?.[row]?.join('') ?? '') : [called].flat().join('+');
    return label || 'none';
  }

  jsonl(): string {
    return this.values.map((_, row) => `${JSON.stringify(this.entry(row))}\n`).join('');
  }

  /** What a line of `jsonl` holds. */
  entry(row: number): object {
    const [label, called] = [this.label(row), this.called(row)];
    return {
      ...(label !== undefined && { [this.oneEach ? 'label' : 'labels']: label }),
      ...(called !== undefined && { [this.oneEach ? 'name' : 'names']: called }),
      [this.answers.kind]: this.values[row],
    };
  }

  /** A header and a row for each answer: the label (binary: each label as 0 or 1), then the numbers. */
  csv(): string {
    return this.csvHeader() + this.csvRows();
  }

  csvHeader(): string {
    return `${this.columns().map(cell).join(',')}\n`;
  }

  /** What the cells of a row are called. */
  columns(): readonly string[] {
    const { answers, labels, oneEach } = this;
    const width = answers.values.dims[1] ?? 1;
    const names = Array.from({ length: width }, (_, i) => answers.names?.[i] ?? String(i));
    const given = (what: string) => names.map((name) => (answers.names === undefined ? `${what}_${name}` : name));
    return labels === undefined
      ? given('value')
      : [...(oneEach ? ['label'] : given('label')), ...names.map((name) => `probability_${name}`)];
  }

  /** @param lead what each row begins with */
  csvRows(_before = 0, lead = (_row: number) => ''): string {
    return this.values.map((_, row) => `${lead(row)}${this.cells(row)}\n`).join('');
  }

  /** The cells of a row, a comma between them. */
  cells(row: number): string {
    const { values, labels, oneEach } = this;
    const label = oneEach ? [this.called(row) ?? this.label(row)] : (labels?.[row] ?? []);
    return [...label, ...(values[row] ?? [])].map((v) => cell(String(v))).join(',');
  }
}

/** Quoted where it has to be. */
export const cell = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
