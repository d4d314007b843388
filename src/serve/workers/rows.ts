// Batches of several requests: their inputs one below the other, their outputs cut apart again.
import { must } from '../../onnx/core/errors.js';
import { allocate, Tensor } from '../../onnx/core/tensor.js';
import type { Tensors } from '../served-model.js';

/** Tensors of one name, one below the other along the first axis. */
function below(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  const { dtype, dims } = must(first, 'a tensor');
  const rows = tensors.reduce((sum, t) => sum + (t.dims[0] ?? 0), 0);
  const all = [rows, ...dims.slice(1)];
  if (dtype === 'string')
    return new Tensor(
      dtype,
      all,
      tensors.flatMap((t) => t.data as readonly string[]),
    );
  const data = allocate(
    dtype,
    all.reduce((a, b) => a * b, 1),
  );
  let at = 0;
  for (const t of tensors) {
    // The elements are of one type: it was looked at before the requests were joined.
    (data as Float32Array).set(t.data as Float32Array, at);
    at += t.data.length;
  }
  return new Tensor(dtype, all, data);
}

/** The inputs of several requests as one. */
export function joined(requests: readonly Tensors[]): Tensors {
  const [first = {}] = requests;
  if (requests.length === 1) return first;
  const names = Object.keys(first);
  return Object.fromEntries(names.map((name) => [name, below(requests.map((r) => must(r[name], name)))]));
}

/** The tensors of each request, of so many rows; they look into the memory of the whole. */
export function cut(all: Tensors, rows: readonly number[]): Tensors[] {
  if (rows.length === 1) return [all];
  const tensors = Object.entries(all);
  let begin = 0;
  return rows.map((count) => {
    const from = begin;
    begin += count;
    return Object.fromEntries(
      tensors.map(([name, { dtype, dims, data }]) => {
        const [height = 1, ...rest] = dims;
        const row = data.length / height;
        const [first, end] = [from * row, (from + count) * row];
        return [
          name,
          new Tensor(dtype, [count, ...rest], ArrayBuffer.isView(data) ? data.subarray(first, end) : data.slice(first, end)),
        ];
      }),
    );
  });
}
