// What answers are worth, by the names that the field has for it: of scores against targets, outside any graph. What sums over samples give is
// counts.ts's, the loss evaluate.ts's.
import type { Head } from '../model/description/description.js';
import {
  eachOf,
  headWidth,
  isSeveral,
  judgedHeads,
  judgedRows,
  outputLabels,
  type SingleHead,
  weighableBy,
} from '../model/heads/heads.js';
import { type MeasureName, measureNames } from '../model/heads/measure-names.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { ClassCounts, countsOfOne, found, type LabelCounts, mean, NumberCounts } from './counts.js';

/** One class, label or number: a row of what `eval` prints. What cannot be computed (no such sample) is absent. */
export interface MeasuredOutput {
  /** Its name, else its number. */
  readonly name: string;
  /** Samples, or steps of a head of each step, that are of it. */
  readonly support: number;
  /** By name, each once: precision, recall, f1, auc; or mae, rmse, r2. */
  readonly measures: Readonly<Record<string, number>>;
}

/** Measures of a task on a data set. */
export interface Measures {
  /** What is counted: samples, or of a head of each step the steps whose target is there. */
  readonly of: 'samples' | 'steps';
  /** Over all, by name. */
  readonly overall: Readonly<Partial<Record<MeasureName, number>>>;
  /** Each class, label or number. */
  readonly outputs: readonly MeasuredOutput[];
  /** Samples or steps of class i (row) that were taken for class j (column); of classes alone. */
  readonly confusion?: readonly (readonly number[])[];
  /** What a constant answer would do as well, if one would. */
  readonly constant?: string;
}

/** Bins of the calibration error: equal parts of 0..1, as in Guo et al. 2017 (arXiv 1706.04599). */
const bins = 15;

/** Measures of each of several heads by its name; undefined for a head alone. */
export function measuresOfHeads(head: Head, given: Tensor, wanted: Tensor): Readonly<Record<string, Measures>> | undefined {
  if (!isSeveral(head)) return undefined;
  const each = judgedHeads(head, given, wanted);
  return Object.fromEntries(each.map((own) => [own.name, measuresOf(own.head, own.scores, own.targets)]));
}

/** Measures of scores [D, k], or [D, T, k] of a head of each step, against targets that fit the head; of several heads those of the first. */
export function measuresOf(head: Head, given: Tensor, wanted: Tensor): Measures {
  if (isSeveral(head)) {
    const first = must(judgedHeads(head, given, wanted)[0], 'head');
    return measuresOf(first.head, first.scores, first.targets);
  }
  return { of: eachOf(head) === undefined ? 'samples' : 'steps', ...measured(head, given, wanted) };
}

function measured(head: SingleHead, given: Tensor, wanted: Tensor): Omit<Measures, 'of'> {
  const { scores, targets } = judgedRows(head, given, wanted);
  const width = headWidth(head);
  const names = outputLabels(head) ?? Array.from({ length: width }, (_, i) => String(i));
  const rows = scores.dims[0] ?? 0;
  const counts = countsOfOne(head);
  counts.add(scores, targets);
  // A score of column i stands at n * width + i, as a target of labels and numbers does.
  const column = (i: number, of: ArrayLike<number>) => Float64Array.from({ length: rows }, (_, n) => of[n * width + i] ?? 0);
  const advice = adviceFor(head);
  if (counts instanceof ClassCounts)
    return ofClasses(names, advice, counts, scores.data as Float32Array, Array.from(targets.data, Number));
  const labels = names.map((name, i) => ({
    name,
    given: column(i, scores.data as Float32Array),
    wanted: column(i, targets.data as Float32Array),
  }));
  return counts instanceof NumberCounts ? ofNumbers(labels, counts) : ofLabels(labels, advice, counts);
}

/** What may help against constant answers, where a head weighs all alike. */
function adviceFor(head: Head): string {
  const option = weighableBy(head);
  return option === undefined ? '' : `; ${option}: balanced in the head makes what is rare count more`;
}

/** In the order of the names. */
function inOrder(measures: Readonly<Partial<Record<MeasureName, number>>>): Measures['overall'] {
  return Object.fromEntries(measureNames.flatMap((name) => (measures[name] === undefined ? [] : [[name, measures[name]]])));
}

function ofClasses(
  names: readonly string[],
  advice: string,
  counts: ClassCounts,
  scores: Float32Array,
  wanted: readonly number[],
): Omit<Measures, 'of'> {
  const width = names.length;
  const chances = softmaxOfRows(scores, width);
  const answers = wanted.map((_, n) => bestOf(scores, n * width, width));
  const confusion = names.map(() => names.map(() => 0));
  wanted.forEach((t, n) => {
    const row = confusion[t];
    const answer = answers[n] ?? 0;
    if (row !== undefined) row[answer] = (row[answer] ?? 0) + 1;
  });
  const outputs = names.map((name, c): MeasuredOutput => {
    const { right, answered, support } = counts.output(c);
    const auc = areaUnderRoc(
      wanted.length,
      (n) => chances[n * width + c] ?? 0,
      (n) => wanted[n] === c,
    );
    return { name, support, measures: { ...found(right, answered, support), ...(auc !== undefined && { auc }) } };
  });
  const met = outputs.filter(({ support }) => support > 0);
  const counted = counts.overall();
  const overall = inOrder({
    ...counted,
    ...(met.length > 1 && { 'macro auc': mean(met.map(({ measures }) => measures.auc ?? 0)) }),
    'calibration error': calibrationError(
      wanted.map((_, n) => chances[n * width + (answers[n] ?? 0)] ?? 0),
      wanted.map((t, n) => (answers[n] === t ? 1 : 0)),
    ),
  });
  const most = met.reduce<MeasuredOutput | undefined>((a, b) => (a === undefined || b.support > a.support ? b : a), undefined);
  const constant =
    most !== undefined && names.length > 1 && (counted.accuracy ?? 0) <= most.support / wanted.length
      ? alwaysThis(most, met.length, wanted.length, advice)
      : undefined;
  return { overall, outputs, confusion, ...(constant !== undefined && { constant }) };
}

/** `advice` is for classes of which one has far more samples than its share. */
function alwaysThis({ name, support }: MeasuredOutput, classes: number, rows: number, advice: string): string {
  const said = `always "${name}" has an accuracy of ${(support / rows).toFixed(4)} and a balanced accuracy of ${(1 / classes).toFixed(4)}`;
  return support * classes >= 1.5 * rows ? said + advice : said;
}

interface OutputColumn {
  readonly name: string;
  readonly given: Float64Array;
  readonly wanted: Float64Array;
}

function ofLabels(columns: readonly OutputColumn[], advice: string, counts: LabelCounts): Omit<Measures, 'of'> {
  const outputs = columns.map(({ name, given, wanted }, i): MeasuredOutput => {
    const { right, answered, support, accuracy } = counts.output(i);
    const auc = areaUnderRoc(
      given.length,
      (n) => given[n] ?? 0,
      (n) => (wanted[n] ?? 0) >= 0.5,
    );
    return { name, support, measures: { accuracy, ...found(right, answered, support), ...(auc !== undefined && { auc }) } };
  });
  const rows = columns[0]?.wanted.length ?? 0;
  const idle = outputs.filter(({ support, measures }) => (measures.accuracy ?? 0) <= Math.max(support, rows - support) / rows);
  const chances = columns.flatMap(({ given }) => Array.from(given, (s) => 1 / (1 + Math.exp(-s))));
  const overall = inOrder({
    ...counts.overall(),
    ...(outputs.every(({ measures }) => measures.auc !== undefined) && {
      'macro auc': mean(outputs.map(({ measures }) => measures.auc ?? 0)),
    }),
    'calibration error': calibrationError(
      chances,
      columns.flatMap(({ wanted }) => Array.from(wanted)),
    ),
  });
  const rare = idle.some(({ support }) => support * 3 < rows);
  const constant =
    idle.length > 0
      ? `a constant answer is right as often for ${idle.map(({ name }) => `"${name}"`).join(', ')}${rare ? advice : ''}`
      : undefined;
  return { overall, outputs, ...(constant !== undefined && { constant }) };
}

function ofNumbers(columns: readonly OutputColumn[], counts: NumberCounts): Omit<Measures, 'of'> {
  const outputs = columns.map(
    ({ name, given }, i): MeasuredOutput => ({ name, support: given.length, measures: { ...counts.output(i) } }),
  );
  const idle = outputs.filter(({ measures }) => measures.r2 !== undefined && measures.r2 <= 0).map(({ name }) => `"${name}"`);
  return {
    overall: inOrder(counts.overall()),
    outputs,
    ...(idle.length > 0 && { constant: `the mean of the test data is as near for ${idle.join(', ')}` }),
  };
}

/** The share of pairs of one sample that is there and one that is not which the scores order rightly, ties by half; absent without pairs. */
export function areaUnderRoc(rows: number, score: (n: number) => number, isThere: (n: number) => boolean): number | undefined {
  const [there, not] = [new Float64Array(rows), new Float64Array(rows)];
  let count = 0;
  for (let n = 0; n < rows; n++) {
    if (isThere(n)) there[count++] = score(n);
    else not[n - count] = score(n);
  }
  const pairs = count * (rows - count);
  if (pairs === 0) return undefined;
  const others = not.subarray(0, rows - count).sort();
  let [below, upTo, right] = [0, 0, 0];
  for (const own of there.subarray(0, count).sort()) {
    while (below < others.length && (others[below] ?? 0) < own) below++;
    upTo = Math.max(upTo, below);
    while (upTo < others.length && (others[upTo] ?? 0) === own) upTo++;
    right += (below + upTo) / 2;
  }
  return right / pairs;
}

/** The mean distance between what was said (0..1) and how often it was so, over bins, each weighed by its samples. */
function calibrationError(said: readonly number[], was: readonly number[]): number {
  const gaps = new Float64Array(bins);
  said.forEach((p, n) => {
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(p * bins) - 1));
    gaps[bin] = (gaps[bin] ?? 0) + p - (was[n] ?? 0);
  });
  return gaps.reduce((a, b) => a + Math.abs(b), 0) / said.length;
}

/** The first of the highest scores of a row. */
function bestOf(scores: Float32Array, from: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) if ((scores[from + i] ?? 0) > (scores[from + best] ?? 0)) best = i;
  return best;
}

function softmaxOfRows(scores: Float32Array, width: number): Float64Array {
  const chances = new Float64Array(scores.length);
  for (let from = 0; from < scores.length; from += width) {
    const top = scores[from + bestOf(scores, from, width)] ?? 0;
    let total = 0;
    for (let i = from; i < from + width; i++) total += chances[i] = Math.exp((scores[i] ?? 0) - top);
    for (let i = from; i < from + width; i++) chances[i] = (chances[i] ?? 0) / total;
  }
  return chances;
}
