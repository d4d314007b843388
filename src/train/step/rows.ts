// Rows of tensors whose first axis counts samples: views of neighbours, copies in any order.
import { ModelError } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';

/** Rows [from, to) as a view; of texts a copy. */
export function sliceRows(t: Tensor, from: number, to: number): Tensor {
  const width = elementCount(t.dims.slice(1));
  const [begin, end] = [from * width, to * width];
  const part = ArrayBuffer.isView(t.data) ? t.data.subarray(begin, end) : t.data.slice(begin, end);
  return new Tensor(t.dtype, [to - from, ...t.dims.slice(1)], part);
}

/** The rows at `indices`, copied. */
export function gatherRows(t: Tensor, indices: Uint32Array): Tensor {
  const { bytes, dims } = t;
  const width = bytes.length / (dims[0] ?? 1);
  const out = new Uint8Array(width * indices.length);
  indices.forEach((row, i) => {
    out.set(bytes.subarray(row * width, (row + 1) * width), i * width);
  });
  return Tensor.fromBytes(t.dtype, [indices.length, ...dims.slice(1)], out);
}

/** Throws ModelError for a result that has not one row for each sample, which only a graph from elsewhere can give. */
export function checkRows(result: Tensor, name: string, rows: number): void {
  const [got] = result.dims;
  if (got === rows) return;
  throw new ModelError(`"${name}" is [${result.dims}] for ${rows} samples, expected one row for each`, {
    expected: `${rows} rows`,
    got: String(got),
  });
}
