// Whether a graph gave a row for each sample.
import { ModelError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';

/** Throws ModelError for a result that has not one row for each sample, which only a graph from elsewhere can give. */
export function checkRows(result: Tensor, name: string, rows: number): void {
  const [got] = result.dims;
  if (got === rows) return;
  throw new ModelError(`"${name}" is [${result.dims}] for ${rows} samples, expected one row for each`, {
    expected: `${rows} rows`,
    got: String(got),
  });
}
