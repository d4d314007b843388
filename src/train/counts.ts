// Measures that follow of sums over samples: they can be taken batch after batch, as a training goes. Those that need all scores at one time (AUC,
// calibration) are in measures.ts, which takes these from here.
import { type Head, headWidth, isSeveral, judgedHeads, judgedRows, leading, type SingleHead } from '../model/heads/heads.js';
import { type MeasureName, measuredAs } from '../model/heads/measure-names.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';

/** Measures over all outputs, by name. */
export type ByMeasure = Readonly<Partial<Record<MeasureName, number>>>;

/** What a checkpoint holds of them. */
export interface CountState {
  /** Samples so far, or steps that count. */
  readonly rows: number;
  /** Each sum, by output. */
  readonly sums: readonly (readonly number[])[];
}

/** Sums over the samples so far. */
export interface Counts {
  /** Adds scores [n, width], or [n, T, width] of a head of each step, and targets of the head's type. */
  add(scores: Tensor, targets: Tensor): void;
  /** Over all outputs, in the order of the names; none where there were no samples. */
  overall(): ByMeasure;
  state(): CountState;
}

/** For a head, of several the first; goes on from a state that another one gave. */
export function countsOf(head: Head, from?: CountState): Counts {
  if (!isSeveral(head)) return countsOfOne(head, from);
  const counts = countsOfOne(leading(head), from);
  const add = (scores: Tensor, targets: Tensor) => {
    const first = must(judgedHeads(head, scores, targets)[0], 'head');
    counts.add(first.scores, first.targets);
  };
  return { add, overall: () => counts.overall(), state: () => counts.state() };
}

/** For a head alone. */
export function countsOfOne(head: SingleHead, from?: CountState): ClassCounts | LabelCounts | NumberCounts {
  const kind = measuredAs(head);
  return kind === 'classes'
    ? new ClassCounts(head, from)
    : kind === 'labels'
      ? new LabelCounts(head, from)
      : new NumberCounts(head, from);
}

/** Precision, recall and F1 of one class or label: answered rightly, answered at all, and there at all. What divides by 0 is 0. */
export function found(
  right: number,
  answered: number,
  support: number,
): { readonly precision: number; readonly recall: number; readonly f1: number } {
  const [precision, recall] = [answered === 0 ? 0 : right / answered, support === 0 ? 0 : right / support];
  return { precision, recall, f1: right === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? 0;

/** Sums by output. */
abstract class Sums implements Counts {
  protected rows: number;
  protected readonly width: number;
  protected readonly sums: readonly Float64Array[];

  /** @param kinds how many sums there are of each output */
  constructor(
    private readonly head: Head,
    kinds: number,
    from?: CountState,
  ) {
    const width = headWidth(head);
    this.width = width;
    this.rows = from?.rows ?? 0;
    this.sums = Array.from({ length: kinds }, (_, kind) =>
      Float64Array.from({ length: width }, (_, i) => from?.sums[kind]?.[i] ?? 0),
    );
  }

  add(scores: Tensor, targets: Tensor): void {
    const rows = judgedRows(this.head, scores, targets);
    this.addRows(rows.scores, rows.targets);
  }

  protected abstract addRows(scores: Tensor, targets: Tensor): void;
  protected abstract measured(): ByMeasure;

  overall(): ByMeasure {
    return this.rows === 0 ? {} : this.measured();
  }

  state(): CountState {
    return { rows: this.rows, sums: this.sums.map((values) => Array.from(values)) };
  }

  protected sum(kind: number): Float64Array {
    return this.sums[kind] ?? new Float64Array();
  }

  protected bump(kind: number, i: number, by = 1): void {
    const values = this.sums[kind];
    if (values !== undefined) values[i] = at(values, i) + by;
  }
}

/** Classes: right, answered, and there; and how often the class is among the five best. */
export class ClassCounts extends Sums {
  constructor(head: Head, from?: CountState) {
    super(head, 4, from);
  }

  protected addRows(scores: Tensor, targets: Tensor): void {
    const { width } = this;
    const [given, wanted] = [scores.data as Float32Array, targets.data as BigInt64Array];
    for (let n = 0; n < wanted.length; n++) {
      const from = n * width;
      let answer = 0;
      for (let c = 1; c < width; c++) if (at(given, from + c) > at(given, from + answer)) answer = c;
      const target = Number(wanted[n]);
      this.rows++;
      this.bump(1, answer);
      this.bump(2, target);
      if (answer === target) this.bump(0, target);
      if (width > 5 && isAmong(given, from, width, target, 5)) this.bump(3, target);
    }
  }

  /** One class: its samples, and how they were answered. */
  output(c: number): { readonly right: number; readonly answered: number; readonly support: number } {
    return { right: at(this.sum(0), c), answered: at(this.sum(1), c), support: at(this.sum(2), c) };
  }

  protected measured(): ByMeasure {
    const each = Array.from({ length: this.width }, (_, c) => this.output(c)).filter(({ support }) => support > 0);
    const measures = each.map(({ right, answered, support }) => found(right, answered, support));
    return {
      accuracy: total(this.sum(0)) / this.rows,
      'balanced accuracy': mean(measures.map(({ recall }) => recall)),
      'macro f1': mean(measures.map(({ f1 }) => f1)),
      ...(this.width > 5 && { 'top 5 accuracy': total(this.sum(3)) / this.rows }),
    };
  }
}

/** Labels, each there or not: rightly said to be there, said to be there, and there. */
export class LabelCounts extends Sums {
  constructor(head: Head, from?: CountState) {
    super(head, 3, from);
  }

  protected addRows(scores: Tensor, targets: Tensor): void {
    const { width } = this;
    const [given, wanted] = [scores.data as Float32Array, targets.data as Float32Array];
    for (let n = 0; n < wanted.length; n++) {
      const [said, isThere] = [at(given, n) > 0, at(wanted, n) >= 0.5];
      if (n % width === 0) this.rows++;
      if (said) this.bump(1, n % width);
      if (isThere) this.bump(2, n % width);
      if (said && isThere) this.bump(0, n % width);
    }
  }

  /** One label: its samples, how they were answered, and the parts of right answers, over all samples and as the mean of both kinds. */
  output(i: number): {
    readonly right: number;
    readonly answered: number;
    readonly support: number;
    readonly accuracy: number;
    readonly balanced: number;
  } {
    const { rows } = this;
    const [right, answered, support] = [at(this.sum(0), i), at(this.sum(1), i), at(this.sum(2), i)];
    const rightlyNot = rows - answered - support + right;
    const parts = [...(support > 0 ? [right / support] : []), ...(support < rows ? [rightlyNot / (rows - support)] : [])];
    return { right, answered, support, accuracy: (right + rightlyNot) / rows, balanced: mean(parts) };
  }

  protected measured(): ByMeasure {
    const each = Array.from({ length: this.width }, (_, i) => this.output(i));
    return {
      accuracy: mean(each.map(({ accuracy }) => accuracy)),
      'balanced accuracy': mean(each.map(({ balanced }) => balanced)),
      'macro f1': mean(each.map(({ right, answered, support }) => found(right, answered, support).f1)),
    };
  }
}

/** Numbers: absolute and squared errors, and the targets' mean and spread about it (Welford's update). */
export class NumberCounts extends Sums {
  constructor(head: Head, from?: CountState) {
    super(head, 4, from);
  }

  protected addRows(scores: Tensor, targets: Tensor): void {
    const { width } = this;
    const [given, wanted] = [scores.data as Float32Array, targets.data as Float32Array];
    for (let n = 0; n < wanted.length; n++) {
      const i = n % width;
      if (i === 0) this.rows++;
      const target = at(wanted, n);
      const error = at(given, n) - target;
      this.bump(0, i, Math.abs(error));
      this.bump(1, i, error * error);
      const off = target - at(this.sum(2), i);
      this.bump(2, i, off / this.rows);
      this.bump(3, i, off * (target - at(this.sum(2), i)));
    }
  }

  /** One number: `r2` is absent where all targets are the same. */
  output(i: number): { readonly mae: number; readonly rmse: number; readonly r2?: number } {
    const { rows } = this;
    const [squares, spread] = [at(this.sum(1), i), at(this.sum(3), i)];
    return { mae: at(this.sum(0), i) / rows, rmse: Math.sqrt(squares / rows), ...(spread > 0 && { r2: 1 - squares / spread }) };
  }

  protected measured(): ByMeasure {
    const each = Array.from({ length: this.width }, (_, i) => this.output(i));
    const fits = each.flatMap(({ r2 }) => r2 ?? []);
    return {
      mae: mean(each.map(({ mae }) => mae)),
      rmse: mean(each.map(({ rmse }) => rmse)),
      ...(fits.length > 0 && { r2: mean(fits) }),
    };
  }
}

/** Whether fewer than `count` scores of a row stand before that of `label`; of equal ones those with a lower number do. */
function isAmong(scores: Float32Array, from: number, width: number, label: number, count: number): boolean {
  const own = at(scores, from + label);
  let before = 0;
  for (let i = 0; i < width; i++) {
    const score = at(scores, from + i);
    if (score > own || (score === own && i < label)) before++;
  }
  return before < count;
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += at(values, i);
  return sum;
}

/** NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  return total(values) / values.length;
}
