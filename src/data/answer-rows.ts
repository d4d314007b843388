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
    const { values, labels } = this;
    const before = (row: number) => (labels === undefined ? [] : [`${this.worded(row)}:`]);
    return values.map((numbers, row) => [...before(row), ...numbers.map((v) => v.toFixed(4))].join(' ')).join('\n');
  }

  /** The label in one word. */
  worded(row: number): string {
    const called = this.called(row);
    const label = called === undefined ? (this.labels?.[row]?.join('') ?? '') : [called].flat().join('+');
    return label || 'none';
  }

  jsonl(): string {
    const { values, answers } = this;
    const lines = values.map((numbers, row) => {
      const [label, called] = [this.label(row), this.called(row)];
      return JSON.stringify({
        ...(label !== undefined && { [this.oneEach ? 'label' : 'labels']: label }),
        ...(called !== undefined && { [this.oneEach ? 'name' : 'names']: called }),
        [answers.kind]: numbers,
      });
    });
    return lines.map((line) => `${line}\n`).join('');
  }

  /** A header and a row for each answer: the label (binary: each label as 0 or 1), then the numbers. */
  csv(): string {
    return this.csvHeader() + this.csvRows();
  }

  csvHeader(): string {
    const { answers, labels, oneEach } = this;
    const width = answers.values.dims[1] ?? 1;
    const names = Array.from({ length: width }, (_, i) => answers.names?.[i] ?? String(i));
    const given = (what: string) => names.map((name) => (answers.names === undefined ? `${what}_${name}` : name));
    const header =
      labels === undefined
        ? given('value')
        : [...(oneEach ? ['label'] : given('label')), ...names.map((name) => `probability_${name}`)];
    return `${header.map(cell).join(',')}\n`;
  }

  /** @param lead what each row begins with */
  csvRows(_before = 0, lead = (_row: number) => ''): string {
    const { values, labels, oneEach } = this;
    const rows = values.map((numbers, row) => {
      const label = oneEach ? [this.called(row) ?? this.label(row)] : (labels?.[row] ?? []);
      return `${lead(row)}${[...label, ...numbers].map((v) => cell(String(v))).join(',')}\n`;
    });
    return rows.join('');
  }
}

/** Quoted where it has to be. */
const cell = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
