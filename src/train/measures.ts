// What answers are worth, by the names that the field has for it: of scores against targets, outside any graph. The loss is evaluate.ts's.
import type { Head } from '../model/description/description.js';
import { answersOf, headWidth, outputLabels, targetKind } from '../model/heads/heads.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** One class, label or number: a row of what `eval` prints. What cannot be computed (no such sample) is absent. */
export interface MeasuredOutput {
  /** Its name, else its number. */
  readonly name: string;
  /** Samples that are of it. */
  readonly support: number;
  /** By name, each once: precision, recall, f1, auc; or mae, rmse, r2. */
  readonly measures: Readonly<Record<string, number>>;
}

/** Measures of a task on a data set. */
export interface Measures {
  /** Over all, by name. */
  readonly overall: Readonly<Record<string, number>>;
  /** Each class, label or number. */
  readonly outputs: readonly MeasuredOutput[];
  /** Samples of class i (row) that were taken for class j (column); of classes alone. */
  readonly confusion?: readonly (readonly number[])[];
  /** What a constant answer would do as well, if one would. */
  readonly constant?: string;
}

/** Bins of the calibration error: equal parts of 0..1, as in Guo et al. 2017 (arXiv 1706.04599). */
const bins = 15;

/** Measures of scores [D, k] against targets that fit the head. */
export function measuresOf(head: Head, scores: Tensor, targets: Tensor): Measures {
  const width = headWidth(head);
  const names = outputLabels(head) ?? Array.from({ length: width }, (_, i) => String(i));
  const flat = scores.numbers();
  const rows = Array.from({ length: scores.dims[0] ?? 0 }, (_, n) => flat.slice(n * width, (n + 1) * width));
  const wanted = targets.numbers();
  if (targetKind(head).of === 'classes') return ofClasses(names, rows, wanted);
  const columns = names.map((name, i) => ({
    name,
    given: rows.map((r) => r[i] ?? 0),
    wanted: rows.map((_, n) => wanted[n * width + i] ?? 0),
  }));
  return answersOf(head)?.each === 'flags' ? ofLabels(columns) : ofNumbers(columns);
}

function ofClasses(names: readonly string[], rows: readonly number[][], wanted: readonly number[]): Measures {
  const chances = rows.map(softmax);
  const answers = rows.map((row) => row.indexOf(Math.max(...row)));
  const confusion = names.map(() => names.map(() => 0));
  wanted.forEach((t, n) => {
    const row = confusion[t];
    const answer = answers[n] ?? 0;
    if (row !== undefined) row[answer] = (row[answer] ?? 0) + 1;
  });
  const outputs = names.map((name, c): MeasuredOutput => {
    const support = sum(confusion[c] ?? []);
    const right = confusion[c]?.[c] ?? 0;
    const auc = areaUnderRoc(
      chances.map((p) => p[c] ?? 0),
      wanted.map((t) => t === c),
    );
    return {
      name,
      support,
      measures: { ...found(right, sum(confusion.map((row) => row[c] ?? 0)), support), ...(auc !== undefined && { auc }) },
    };
  });
  const met = outputs.filter(({ support }) => support > 0);
  const accuracy = share(wanted, (t, n) => answers[n] === t);
  const overall = {
    accuracy,
    'balanced accuracy': mean(met.map(({ measures }) => measures.recall ?? 0)),
    'macro f1': mean(met.map(({ measures }) => measures.f1 ?? 0)),
    ...(met.length > 1 && { 'macro auc': mean(met.map(({ measures }) => measures.auc ?? 0)) }),
    ...(names.length > 5 && { 'top 5 accuracy': share(wanted, (t, n) => isAmong(rows[n] ?? [], t, 5)) }),
    'calibration error': calibrationError(
      chances.map((p) => Math.max(...p)),
      wanted.map((t, n) => (answers[n] === t ? 1 : 0)),
    ),
  };
  const most = met.reduce<MeasuredOutput | undefined>((a, b) => (a === undefined || b.support > a.support ? b : a), undefined);
  const constant =
    most !== undefined && names.length > 1 && accuracy <= most.support / wanted.length
      ? `always "${most.name}" has an accuracy of ${(most.support / wanted.length).toFixed(4)}`
      : undefined;
  return { overall, outputs, confusion, ...(constant !== undefined && { constant }) };
}

interface OutputColumn {
  readonly name: string;
  readonly given: readonly number[];
  readonly wanted: readonly number[];
}

function ofLabels(columns: readonly OutputColumn[]): Measures {
  const outputs = columns.map(({ name, given, wanted }): MeasuredOutput => {
    const isThere = wanted.map((t) => t >= 0.5);
    const answers = given.map((s) => s > 0);
    const right = answers.filter((a, n) => a && isThere[n]).length;
    const support = isThere.filter(Boolean).length;
    const auc = areaUnderRoc(given, isThere);
    const accuracy = share(isThere, (t, n) => t === answers[n]);
    return {
      name,
      support,
      measures: { accuracy, ...found(right, answers.filter(Boolean).length, support), ...(auc !== undefined && { auc }) },
    };
  });
  const rows = columns[0]?.wanted.length ?? 0;
  const idle = outputs.filter(({ support, measures }) => (measures.accuracy ?? 0) <= Math.max(support, rows - support) / rows);
  const of = (name: string) => mean(outputs.map(({ measures }) => measures[name] ?? 0));
  const chances = columns.flatMap(({ given }) => given.map((s) => 1 / (1 + Math.exp(-s))));
  const overall = {
    accuracy: of('accuracy'),
    'balanced accuracy': mean(columns.map(({ given, wanted }) => balanced(given, wanted))),
    'macro f1': of('f1'),
    ...(outputs.every(({ measures }) => measures.auc !== undefined) && { 'macro auc': of('auc') }),
    'calibration error': calibrationError(
      chances,
      columns.flatMap(({ wanted }) => wanted),
    ),
  };
  const constant =
    idle.length > 0 ? `a constant answer is right as often for ${idle.map(({ name }) => `"${name}"`).join(', ')}` : undefined;
  return { overall, outputs, ...(constant !== undefined && { constant }) };
}

/** The mean of both recalls, of those that are there. */
function balanced(given: readonly number[], wanted: readonly number[]): number {
  const sides = [true, false].map((side) =>
    given.filter((_, n) => (wanted[n] ?? 0) >= 0.5 === side).map((s) => (s > 0 === side ? 1 : 0)),
  );
  return mean(sides.filter((side) => side.length > 0).map(mean));
}

function ofNumbers(columns: readonly OutputColumn[]): Measures {
  const outputs = columns.map(({ name, given, wanted }): MeasuredOutput => {
    const errors = given.map((v, n) => v - (wanted[n] ?? 0));
    const centre = mean(wanted);
    const spread = sum(wanted.map((t) => (t - centre) ** 2));
    const squares = sum(errors.map((e) => e * e));
    const mae = mean(errors.map(Math.abs));
    const rmse = Math.sqrt(squares / errors.length);
    return { name, support: errors.length, measures: { mae, rmse, ...(spread > 0 && { r2: 1 - squares / spread }) } };
  });
  const measured = (name: string) => outputs.flatMap(({ measures }) => measures[name] ?? []);
  const overall = Object.fromEntries(
    ['mae', 'rmse', 'r2'].flatMap((name) => (measured(name).length > 0 ? [[name, mean(measured(name))]] : [])),
  );
  const idle = outputs.filter(({ measures }) => measures.r2 !== undefined && measures.r2 <= 0).map(({ name }) => `"${name}"`);
  return {
    overall,
    outputs,
    ...(idle.length > 0 && { constant: `the mean of the test data is as near for ${idle.join(', ')}` }),
  };
}

function found(right: number, answered: number, support: number): Record<string, number> {
  const [precision, recall] = [answered === 0 ? 0 : right / answered, support === 0 ? 0 : right / support];
  return { precision, recall, f1: right === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** The share of pairs of one sample that is there and one that is not which the scores order rightly, ties by half; absent without pairs. */
function areaUnderRoc(scores: readonly number[], isThere: readonly boolean[]): number | undefined {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  const there = isThere.filter(Boolean).length;
  const pairs = there * (isThere.length - there);
  if (pairs === 0) return undefined;
  let ranks = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to] ?? 0] === scores[order[from] ?? 0]) to++;
    for (let i = from; i < to; i++) if (isThere[order[i] ?? 0]) ranks += (from + 1 + to) / 2;
    from = to;
  }
  return (ranks - (there * (there + 1)) / 2) / pairs;
}

/** The mean distance between what was said (0..1) and how often it was so, over bins, each weighed by its samples. */
function calibrationError(said: readonly number[], was: readonly number[]): number {
  const gaps = new Float64Array(bins);
  said.forEach((p, n) => {
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(p * bins) - 1));
    gaps[bin] = (gaps[bin] ?? 0) + p - (was[n] ?? 0);
  });
  return sum(Array.from(gaps, Math.abs)) / said.length;
}

function isAmong(row: readonly number[], label: number, count: number): boolean {
  const own = row[label] ?? 0;
  return row.filter((s, i) => s > own || (s === own && i < label)).length < count;
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((s) => Math.exp(s - top));
  const total = sum(powers);
  return powers.map((p) => p / total);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const share = <T>(of: readonly T[], is: (value: T, n: number) => boolean): number => of.filter(is).length / of.length;
