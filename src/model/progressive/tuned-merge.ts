// A low-rank update added to its weight.
import { Tensor } from '../../onnx/core/tensor.js';

/** Of a weight [...lead, outputs, inputs], or turned [...lead, inputs, outputs]. */
export interface Update {
  readonly lead: readonly number[];
  readonly outputs: number;
  readonly inputs: number;
  readonly turned: boolean;
  readonly rank: number;
  /** What B A is multiplied by. */
  readonly scale: number;
}

/** W + scale B A: sums in float64, rounded once. A is [...lead, rank, inputs], B [...lead, outputs, rank]. */
export function withUpdate(weight: Tensor, a: Tensor, b: Tensor, update: Update): Tensor {
  const { lead, outputs, inputs, turned, rank, scale } = update;
  const [w, left, right] = [weight, b, a].map((t) => Float32Array.from(t.numbers()));
  const result = new Float32Array(weight.size);
  const row = new Float64Array(inputs);
  const count = lead.reduce((x, y) => x * y, 1);
  for (let k = 0; k < count; k++) {
    for (let o = 0; o < outputs; o++) {
      row.fill(0);
      for (let r = 0; r < rank; r++) {
        const factor = scale * (left?.[(k * outputs + o) * rank + r] ?? 0);
        const from = (k * rank + r) * inputs;
        for (let i = 0; i < inputs; i++) row[i] = (row[i] ?? 0) + factor * (right?.[from + i] ?? 0);
      }
      const begin = k * outputs * inputs;
      for (let i = 0; i < inputs; i++) {
        const at = begin + (turned ? i * outputs + o : o * inputs + i);
        result[at] = (w?.[at] ?? 0) + (row[i] ?? 0);
      }
    }
  }
  return new Tensor('float32', weight.dims, result);
}
