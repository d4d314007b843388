// Compares a vector-Jacobian product with a full numeric Jacobian (central differences, in float32 of fourth order) on ONNX Runtime, element by element.

import { gradient } from '../../src/onnx/autodiff/gradient.js';
import { isFloat } from '../../src/onnx/core/dtype.js';
import type { Shape } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { sessionOf } from './run.js';

export interface CheckOptions {
  /** Inputs to differentiate by; default: all of a float dtype. */
  readonly by?: readonly number[];
  /** Largest |analytic - numeric| / max(1, |numeric|). Default 1e-6 in float64, 1e-3 in float32. */
  readonly tolerance?: number;
  /** Half the difference step; default 1e-5 in float64, 1e-2 in float32. */
  readonly step?: number;
  /** Shapes to declare for the inputs instead of the static ones. */
  readonly shapes?: readonly (Shape | undefined)[];
  readonly opset?: number;
}

/** Throws with the place of the largest difference. Returns how many Jacobian entries were compared. */
export async function checkGradient(
  build: (g: Ops, x: Value[]) => Value | Value[],
  inputs: readonly Tensor[],
  options: CheckOptions = {},
): Promise<number> {
  const by = options.by ?? inputs.flatMap((t, i) => (isFloat(t.dtype) ? [i] : []));
  const float64 = by.every((i) => inputs[i]?.dtype === 'float64');
  const tolerance = options.tolerance ?? (float64 ? 1e-6 : 1e-3);
  const step = options.step ?? (float64 ? 1e-5 : 1e-2);

  const declare = (g: Ops) => inputs.map((t, i) => g.input(`x${i}`, t.dtype, options.shapes?.[i] ?? t.dims));
  const make = () => ops(options.opset === undefined ? {} : { opset: options.opset });
  const asList = (v: Value | Value[]) => (Array.isArray(v) ? v : [v]);

  const forward = make();
  const outputs = asList(build(forward, declare(forward)));
  outputs.forEach((v, i) => {
    forward.output(v, `y${i}`);
  });
  const forwardSession = await sessionOf(forward.model());
  const feeds = Object.fromEntries(inputs.map((t, i) => [`x${i}`, t]));
  const base = await forwardSession.run(feeds);

  const backward = make();
  const x = declare(backward);
  const y = asList(build(backward, x));
  const seeds = y.map((v, i) => backward.input(`seed${i}`, v.dtype, v.shape));
  const wrt = by.map((i) => x[i] as Value);
  gradient(backward, { of: y, by: wrt, seed: seeds }).forEach((v, i) => {
    backward.output(v, `dx${by[i]}`);
  });
  const backwardSession = await sessionOf(backward.model());

  // numeric[i][element of x_i] = flat outputs
  const flat = (r: Record<string, Tensor>) =>
    y.flatMap((_, i) => Array.from((r[`y${i}`] as Tensor).data as ArrayLike<number>, Number));
  const numeric = new Map<number, number[][]>();
  for (const i of by) {
    const t = inputs[i] as Tensor;
    const columns: number[][] = [];
    for (let e = 0; e < t.size; e++) {
      const shifted = (delta: number) => {
        const copy = (t.data as Float64Array | Float32Array).slice();
        copy[e] = (copy[e] as number) + delta;
        return forwardSession.run({ ...feeds, [`x${i}`]: new Tensor(t.dtype, t.dims, copy) });
      };
      const up = flat(await shifted(step));
      const down = flat(await shifted(-step));
      const near = up.map((v, k) => (v - (down[k] as number)) / (2 * step));
      if (float64) columns.push(near);
      else {
        // float32 allows no small step: two of them cancel the error of third order
        const up2 = flat(await shifted(2 * step));
        const down2 = flat(await shifted(-2 * step));
        columns.push(near.map((v, k) => (4 * v - ((up2[k] as number) - (down2[k] as number)) / (4 * step)) / 3));
      }
    }
    numeric.set(i, columns);
  }

  let compared = 0;
  let row = 0;
  let worst = { error: -1, text: '' };
  for (let o = 0; o < y.length; o++) {
    const out = base[`y${o}`] as Tensor;
    for (let e = 0; e < out.size; e++, row++) {
      const seedFeeds = Object.fromEntries(
        y.map((_, k) => {
          const like = base[`y${k}`] as Tensor;
          const seed = Tensor.zeros(like.dtype, like.dims);
          if (k === o && isFloat(like.dtype)) (seed.data as Float64Array)[e] = 1;
          return [`seed${k}`, seed];
        }),
      );
      const grads = await backwardSession.run({ ...feeds, ...seedFeeds });
      for (const i of by) {
        const d = grads[`dx${i}`] as Tensor;
        const t = inputs[i] as Tensor;
        if (d.dims.join() !== t.dims.join())
          throw new Error(`gradient by x${i} has shape [${d.dims}], the input has [${t.dims}]`);
        (numeric.get(i) as number[][]).forEach((column, j) => {
          const want = column[row] as number;
          const got = Number((d.data as Float64Array)[j]);
          const error = Math.abs(got - want) / Math.max(1, Math.abs(want));
          compared++;
          if (!(error <= worst.error)) worst = { error, text: `d y${o}[${e}] / d x${i}[${j}]: analytic ${got}, numeric ${want}` };
        });
      }
    }
  }
  await forwardSession.release();
  await backwardSession.release();
  if (!(worst.error <= tolerance)) throw new Error(`gradient differs by ${worst.error}: ${worst.text}`);
  return compared;
}
