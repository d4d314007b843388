// Answers of a head that answers each step of a sequence, as text, JSON Lines and CSV: a line, or an entry, holds those of all steps of a sample, a row of a
// table that of one step. What a step's answer is called, answer-rows.ts says.
import type { Tensor } from '../onnx/core/tensor.js';
import { type Answered, type AnswerLines, AnswerRows } from './answer-rows.js';
import { SeveralAnswerRows } from './several-answer-rows.js';

/** Sample by sample, whatever is answered: each sample by one head or several, or each of its steps. */
export const answerLines = (answers: Answered): AnswerLines =>
  answers.heads !== undefined
    ? new SeveralAnswerRows(answers, answers.heads)
    : answers.values.dims.length === 3
      ? new StepAnswerRows(answers)
      : new AnswerRows(answers);

/** Answers [D, T, k] sample by sample. */
class StepAnswerRows implements AnswerLines {
  readonly count: number;
  private readonly steps: number;
  private readonly each: AnswerRows;

  constructor(private readonly answers: Answered) {
    const { values, labels, ...rest } = answers;
    [this.count = 0, this.steps = 0] = values.dims;
    const inRow = (t: Tensor) => t.reshape([this.count * this.steps, ...t.dims.slice(2)]);
    this.each = new AnswerRows({ ...rest, values: inRow(values), ...(labels && { labels: inRow(labels) }) });
  }

  get values(): readonly (readonly (readonly number[])[])[] {
    return Array.from({ length: this.count }, (_, row) => this.ofSteps(row, (at) => this.each.values[at] ?? []));
  }

  label(row: number): readonly unknown[] | undefined {
    return this.answers.labels && this.ofSteps(row, (at) => this.each.label(at));
  }

  called(row: number): readonly unknown[] | undefined {
    const { labels, names } = this.answers;
    return labels && names && this.ofSteps(row, (at) => this.each.called(at));
  }

  /** The labels of a sample's steps; the numbers of each where they are the answer, a stroke between steps. */
  text(): string {
    const { each } = this;
    const lines = Array.from({ length: this.count }, (_, row) => {
      if (this.answers.labels === undefined)
        return this.ofSteps(row, (at) => each.values[at]?.map((v) => v.toFixed(4)).join(' ')).join(' | ');
      return this.ofSteps(row, (at) => each.worded(at)).join(' ');
    });
    return lines.join('\n');
  }

  jsonl(): string {
    const { values, answers } = this;
    const one = answers.labels?.dims.length === 2;
    const lines = values.map((numbers, row) => {
      const [label, called] = [this.label(row), this.called(row)];
      return JSON.stringify({
        ...(label !== undefined && { [one ? 'label' : 'labels']: label }),
        ...(called !== undefined && { [one ? 'name' : 'names']: called }),
        [answers.kind]: numbers,
      });
    });
    return lines.map((line) => `${line}\n`).join('');
  }

  csvHeader(): string {
    return `row,step,${this.each.csvHeader()}`;
  }

  csvRows(before = 0): string {
    const { steps } = this;
    return this.each.csvRows(0, (at) => `${before + Math.floor(at / steps)},${at % steps},`);
  }

  private ofSteps<T>(row: number, of: (at: number) => T): T[] {
    return Array.from({ length: this.steps }, (_, step) => of(row * this.steps + step));
  }
}
