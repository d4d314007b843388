// Answers of several heads, as text, JSON Lines and CSV: a line, an entry or a row holds those of all heads for a sample, each under its name. What a head's
// answer is called, answer-rows.ts says.
import { type Answered, type AnswerLines, AnswerRows, cell } from './answer-rows.js';

export class SeveralAnswerRows implements AnswerLines {
  readonly count: number;
  readonly values: readonly unknown[];
  private readonly heads: readonly (readonly [name: string, rows: AnswerRows])[];

  constructor({ values }: Answered, heads: NonNullable<Answered['heads']>) {
    this.count = values.dims[0] ?? 0;
    this.heads = Object.entries(heads).map(([name, own]) => [name, new AnswerRows(own)]);
    this.values = this.lines((row) => this.answer(row));
  }

  label(row: number): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.heads.flatMap(([name, rows]) => this.there(name, rows.label(row))));
  }

  called(row: number): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.heads.flatMap(([name, rows]) => this.there(name, rows.called(row))));
  }

  answer(row: number): Readonly<Record<string, object>> {
    return Object.fromEntries(this.heads.map(([name, rows]) => [name, rows.entry(row)]));
  }

  /** `group 2: 0.1000 0.2000 0.7000 | age 33.1000` */
  text(): string {
    return this.lines((row) => this.heads.map(([name, rows]) => `${name} ${rows.line(row)}`).join(' | ')).join('\n');
  }

  jsonl(): string {
    return this.lines((row) => `${JSON.stringify(this.answer(row))}\n`).join('');
  }

  csvHeader(): string {
    const columns = this.heads.flatMap(([name, rows]) => rows.columns().map((column) => cell(`${name}_${column}`)));
    return `${columns.join(',')}\n`;
  }

  csvRows(): string {
    return this.lines((row) => `${this.heads.map(([, rows]) => rows.cells(row)).join(',')}\n`).join('');
  }

  private lines<T>(of: (row: number) => T): T[] {
    return Array.from({ length: this.count }, (_, row) => of(row));
  }

  private there(name: string, value: unknown): readonly (readonly [string, unknown])[] {
    return value === undefined ? [] : [[name, value]];
  }
}
