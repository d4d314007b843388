// Whether targets fit a head, and the few conversions that lose nothing. Run at loading, where file and row are known, and before training.

import { dataError, formatIndex, quote } from '../formats/data-error.js';
import { type AnyHeadKind, targetKind } from '../model/heads/heads.js';
import { asClasses, columnsOf, sideBySide } from '../model/heads/several.js';
import { Tensor } from '../onnx/core/tensor.js';
import { type AnySet, classLabels, type Labelled, rows } from './dataset.js';
import type { SampleRows } from './samples.js';
import { stepTargets } from './step-targets.js';

/** What the task's head takes: a class of `size`, or `size` numbers within bounds, if any. */
export interface TargetHead {
  /** Which head it is. */
  readonly kind: AnyHeadKind;
  /** How wide it is. */
  readonly size: number;
  /** What its outputs are called. */
  readonly names?: readonly string[];
  /** Whether one number of each row stands for all outputs where there is no more. */
  readonly shared?: boolean;
  /** How many steps each sample has, of a head that answers each of them; the name of a size that is open. */
  readonly steps?: number | string;
  /** Of several heads: each. */
  readonly heads?: readonly NamedTargetHead[];
}

/** One of several heads. */
export interface NamedTargetHead extends TargetHead {
  /** What its targets are called, where nobody says otherwise. */
  readonly name: string;
}

/** The row of a file that a row of the data set is, for messages; arrays count from 0, as NumPy does. */
type RowOf = (row: number) => number;

function checkLabels(labels: BigInt64Array, classes: number, where: string, rowOf: RowOf): void {
  const limit = BigInt(classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as bigint;
    if (label >= 0n && label < limit) continue;
    throw dataError(where, `label ${label} at row ${rowOf(row)} is out of range, expected 0..${classes - 1}`, {
      expected: `0..${classes - 1}`,
      got: String(label),
    });
  }
}

/**
 * Throws a DataError unless targets as they stand in a file fit a head: while rows are counted as the file counts them.
 * @param found the array as it was read
 * @param dataset what became of it
 * @param where names the array
 * @param place how rows are counted, and what a reader may do about another kind of targets
 */
export function checkSource(
  found: Tensor,
  dataset: AnySet,
  head: TargetHead,
  where: string,
  place: { readonly rowOf?: RowOf; readonly advice?: string } = {},
): void {
  const { rowOf = (row) => row, advice = '' } = place;
  if (head.steps !== undefined) return void stepTargets(dataset.targets, { ...head, steps: head.steps }, where, rowOf(0));
  const labels = classLabels(dataset);
  const { targets } = dataset;
  const classify = targetKind(head).of === 'classes';
  const numbers = head.shared === true ? `1 number per row or ${head.size}` : `${head.size} numbers per row`;
  const expected = classify ? `whole numbers 0..${head.size - 1}, one per row` : numbers;
  const width = labels !== undefined ? 1 : targets.dims.length === 2 ? targets.dims[1] : undefined;
  if (classify ? labels === undefined : width !== head.size && !(head.shared === true && width === 1)) {
    const broken = classify && width === 1 ? targets.numbers().findIndex((v) => !Number.isInteger(v)) : -1;
    const got =
      broken < 0 ? `targets are ${found.dtype} [${found.dims.join(',')}]` : `holds ${found.data[broken]} at row ${rowOf(broken)}`;
    throw dataError(where, `${got}, a ${head.kind} head of ${head.size} needs ${expected}${advice}`, { expected, got });
  }
  if (classify && labels !== undefined) checkLabels(labels, head.size, where, rowOf);
}

/**
 * Throws a DataError unless the targets are what the head needs: classify, int64 [D] in 0..size-1; binary, float32 [D,size] in 0..1;
 * regress, float32 [D,size]. Of a head of each step [D,steps] and [D,steps,size], -100 and NaN where a step does not count.
 * @param where names the data set, e.g. `mnist train`
 */
export function checkTargets(dataset: AnySet, head: TargetHead, where: string): void {
  const { targets } = dataset;
  if (head.steps !== undefined) return void stepTargets(targets, { ...head, steps: head.steps }, where);
  const labels = classLabels(dataset);
  const found = `${targets.dtype} [${targets.dims.join(',')}]`;
  const count = rows(dataset);
  const kind = targetKind(head);
  const wanted = kind.of === 'classes' ? `int64 [${count}]` : `float32 [${count},${head.size}]`;
  const fits =
    kind.of === 'classes'
      ? labels !== undefined && targets.dims.length === 1
      : targets.data instanceof Float32Array && targets.dims.length === 2 && targets.dims[1] === head.size;
  if (!fits || targets.dims[0] !== count) {
    throw dataError(where, `targets are ${found}, a ${head.kind} head of ${head.size} needs ${wanted}`, {
      expected: wanted,
      got: found,
    });
  }
  if (labels !== undefined) checkLabels(labels, head.size, where, (row) => row);
  if (kind.of !== 'numbers' || !(targets.data instanceof Float32Array)) return;
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = kind;
  if (from === Number.NEGATIVE_INFINITY && to === Number.POSITIVE_INFINITY) return;
  for (let i = 0; i < targets.data.length; i++) {
    const value = targets.data[i] as number;
    if (value >= from && value <= to) continue;
    const at = formatIndex(i, targets.dims);
    throw dataError(where, `target ${value} at ${at} is out of range, a ${head.kind} head needs ${from}..${to}`, {
      expected: `${from}..${to}`,
      got: `${value}`,
    });
  }
}

/**
 * The data set with targets that fit the head: integer labels [D] become float32 [D,1] for binary and regress heads of size 1, and one number of
 * each row [D,1] is repeated where outputs share it. Checked.
 */
export function fitTargets<I extends SampleRows>(dataset: Labelled<I>, head: TargetHead, where: string): Labelled<I> {
  const { heads } = dataset;
  if (head.heads !== undefined) return fitHeads(dataset, head.heads, where);
  if (heads === undefined) return fitAlone(dataset, head, where);
  const [expected, got] = ['the targets of one head', heads.map(quote).join(', ')];
  throw dataError(where, `targets are those of the heads ${got}, expected ${expected}`, { expected, got });
}

/** Targets of several heads, each fitted to its own, side by side. */
function fitHeads<I extends SampleRows>(
  { targets, heads: found = [], ...given }: Labelled<I>,
  heads: readonly NamedTargetHead[],
  where: string,
): Labelled<I> {
  const own = heads.map(({ name }) => name);
  const fail = (got: string, expected: string): never => {
    throw dataError(where, `targets are ${got}, the column has the heads ${own.map(quote).join(', ')}; expected ${expected}`, {
      expected,
      got,
    });
  };
  if (found.length !== own.length || !own.every((name, i) => name === found[i]))
    fail(
      found.length === 0 ? 'those of one head' : `those of ${found.map(quote).join(', ')}`,
      `targets of ${own.join(', ')}, in this order`,
    );
  const width = heads.reduce((sum, head) => sum + widthOf(head), 0);
  if (targets.dtype !== 'float32' || targets.dims.length !== 2 || targets.dims[1] !== width)
    fail(`${targets.dtype} [${targets.dims}]`, `float32 [${targets.dims[0] ?? 0},${width}]`);
  let from = 0;
  const fitted = heads.map((head) => {
    const columns = columnsOf(targets, { from, to: from + widthOf(head) });
    from += widthOf(head);
    const place = `${where}: head ${quote(head.name)}`;
    return fitAlone({ ...given, targets: classesIn(columns, head, place) }, head, place).targets;
  });
  return { ...given, targets: sideBySide(fitted), heads: own };
}

/** Numbers that the targets of a row are. */
const widthOf = (head: TargetHead): number => (targetKind(head).of === 'classes' ? 1 : head.size);

/** Targets [D, k] as a head alone has them: of one that classifies, int64 [D]. */
function classesIn(columns: Tensor, head: TargetHead, where: string): Tensor {
  if (targetKind(head).of !== 'classes') return columns;
  const broken = columns.numbers().findIndex((v) => !Number.isSafeInteger(v));
  if (broken < 0) return asClasses(columns);
  const [expected, got] = [`whole numbers 0..${head.size - 1}`, `${columns.data[broken]} at row ${broken}`];
  throw dataError(where, `targets hold ${got}, a ${head.kind} head of ${head.size} needs ${expected}`, { expected, got });
}

function fitAlone<I extends SampleRows>(dataset: Labelled<I>, head: TargetHead, where: string): Labelled<I> {
  const labels = classLabels(dataset);
  const { classNames } = dataset;
  if (classNames !== undefined && head.names !== undefined && classNames.join('\n') !== head.names.join('\n')) {
    const [expected, got] = [JSON.stringify(head.names), JSON.stringify(classNames)];
    throw dataError(where, `the classes are ${got}, the head names them ${expected}`, { expected, got });
  }
  if (head.steps !== undefined) {
    const { classes: _, ...rest } = dataset;
    return { ...rest, targets: stepTargets(dataset.targets, { ...head, steps: head.steps }, where) };
  }
  let fitted = dataset;
  if (labels !== undefined && targetKind(head).of === 'numbers' && (head.size === 1 || head.shared === true)) {
    const { classes: _, ...rest } = dataset;
    fitted = { ...rest, targets: new Tensor('float32', [labels.length, 1], Float32Array.from(labels, Number)) };
  }
  const { data, dims } = fitted.targets;
  if (head.shared === true && data instanceof Float32Array && dims.length === 2 && dims[1] === 1) {
    const { size } = head;
    const repeated = Float32Array.from({ length: data.length * size }, (_, i) => Number(data[Math.floor(i / size)]));
    fitted = { ...fitted, targets: new Tensor('float32', [data.length, size], repeated) };
  }
  checkTargets(fitted, head, where);
  return fitted;
}
