// Several heads of one column: one dense layer over the tap gives the raw scores of all of them side by side, [N, all widths], and their targets stand
// side by side too, float32 [N, ...], a class as its number. What is asked of a head whatever it is, heads.ts answers for them as well.
import { InternalError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** What the outputs of one of several heads begin with, as `outputNames` takes it. */
export const outputsBegin = (task: string, name: string): string => `${task}_${name}`;

/** The columns of a head among scores and among targets of several. */
export interface Place {
  readonly scores: Columns;
  readonly targets: Columns;
}

/** Columns [from, to). */
export interface Columns {
  readonly from: number;
  readonly to: number;
}

/** Heads in their places. @param widths of scores and targets of a head */
export function placed<T>(
  heads: readonly T[],
  widths: (head: T) => { readonly scores: number; readonly targets: number },
): readonly (T & Place)[] {
  let [scores, targets] = [0, 0];
  return heads.map((each) => {
    const own = widths(each);
    const at = { scores: { from: scores, to: scores + own.scores }, targets: { from: targets, to: targets + own.targets } };
    [scores, targets] = [at.scores.to, at.targets.to];
    return { ...each, ...at };
  });
}

/** Columns of a value [N, width]. */
export function sliceColumns(g: Ops, value: Value, { from, to }: Columns): Value {
  if (from === 0 && value.shape?.at(-1) === to) return value;
  return g.slice(value, [from], [to], [1]);
}

/** Columns of a tensor [N, width]. */
export function columnsOf({ data, dims }: Tensor, { from, to }: Columns): Tensor {
  const [rows = 0, width = 0] = dims;
  if (!(data instanceof Float32Array)) throw new InternalError('columns of what is not float32');
  const own = to - from;
  const out = new Float32Array(rows * own);
  for (let row = 0; row < rows; row++) out.set(data.subarray(row * width + from, row * width + to), row * own);
  return new Tensor('float32', [rows, own], out);
}

/** Numbers of classes, float32 [N, 1], as classes, int64 [N]. */
export const asClasses = ({ data }: Tensor): Tensor =>
  new Tensor(
    'int64',
    [data.length],
    BigInt64Array.from({ length: data.length }, (_, i) => BigInt(data[i] ?? 0)),
  );

/** Tensors [N] and [N, k] side by side, float32. */
export function sideBySide(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  const rows = first?.dims[0] ?? 0;
  const widths = tensors.map(({ size }) => size / Math.max(1, rows));
  const width = widths.reduce((a, b) => a + b, 0);
  const out = new Float32Array(rows * width);
  let from = 0;
  tensors.forEach(({ data }, i) => {
    const own = widths[i] ?? 0;
    for (let row = 0; row < rows; row++) for (let j = 0; j < own; j++) out[row * width + from + j] = Number(data[row * own + j]);
    from += own;
  });
  return new Tensor('float32', [rows, width], out);
}
