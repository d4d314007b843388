// Answers row by row, as text, JSON, JSON Lines, CSV and .npy: what `predict` prints and writes, and pages show and save.
import { writeNpy } from '../formats/npy.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** What a task answers for some rows. */
export interface Answered {
  /** Probabilities [D, k] of classes or labels; else the numbers themselves. */
  readonly values: Tensor;
  readonly kind: 'probabilities' | 'values';
  /** Classes, int64 [D]; or bool [D, k], a flag for each label; absent where the values are the answer. */
  readonly labels?: Tensor;
  /** What the outputs are called. */
  readonly names?: readonly string[];
}

/** The rows of a tensor [D, ...] as lists of numbers. */
function rowsOf(data: ArrayLike<unknown>, count: number): number[][] {
  const width = count === 0 ? 0 : data.length / count;
  return Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => Number(data[i * width + j])));
}

/** Answers row by row. */
export class AnswerRows {
  readonly count: number;
  readonly values: readonly (readonly number[])[];
  /** A class, or a flag for each label. */
  private readonly labels: readonly (readonly number[])[] | undefined;
  private readonly oneEach: boolean;

  constructor(
    private readonly task: string,
    private readonly answers: Answered,
    private readonly frozen: boolean,
    /** What was said in reading the inputs. */
    private readonly notes: readonly string[] = [],
  ) {
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

  /** One document; without the numbers where they stand in a file. */
  document(output?: string): Readonly<Record<string, unknown>> {
    const { task, frozen, count, answers, labels } = this;
    const all = <T>(of: (row: number) => T) => Array.from({ length: count }, (_, row) => of(row));
    return {
      task,
      frozen,
      rows: count,
      ...(this.notes.length > 0 && { notes: this.notes }),
      ...(labels !== undefined && { labels: all((row) => this.label(row)) }),
      ...(labels !== undefined && answers.names !== undefined && { names: all((row) => this.called(row)) }),
      ...(answers.names !== undefined && { classes: answers.names }),
      ...(output === undefined ? { [answers.kind]: this.values } : { output }),
    };
  }

  text(): string {
    const { values, labels } = this;
    const before = (row: number) => {
      if (labels === undefined) return [];
      const called = this.called(row);
      const label = called === undefined ? (labels[row]?.join('') ?? '') : [called].flat().join('+');
      return [`${label || 'none'}:`];
    };
    return values.map((numbers, row) => [...before(row), ...numbers.map((v) => v.toFixed(4))].join(' ')).join('\n');
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
    const { values, answers, labels, oneEach } = this;
    const width = answers.values.dims[1] ?? 1;
    const names = Array.from({ length: width }, (_, i) => answers.names?.[i] ?? String(i));
    const given = (what: string) => names.map((name) => (answers.names === undefined ? `${what}_${name}` : name));
    const header =
      labels === undefined
        ? given('value')
        : [...(oneEach ? ['label'] : given('label')), ...names.map((name) => `probability_${name}`)];
    const rows = values.map((numbers, row) => {
      const label = oneEach ? [this.called(row) ?? this.label(row)] : (labels?.[row] ?? []);
      return [...label, ...numbers].map((v) => cell(String(v))).join(',');
    });
    return [header.map(cell).join(','), ...rows].map((line) => `${line}\n`).join('');
  }

  bytes(format: 'json' | 'jsonl' | 'csv' | 'npy'): Uint8Array {
    if (format === 'npy') return writeNpy(this.answers.values);
    const text = format === 'csv' ? this.csv() : format === 'jsonl' ? this.jsonl() : `${JSON.stringify(this.document())}\n`;
    return new TextEncoder().encode(text);
  }
}

/** Quoted where it has to be. */
const cell = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
