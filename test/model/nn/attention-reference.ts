// Attention by its formula in float64: what the layers that look from step to step are compared with.
import type { Tensor } from '../../../src/onnx/core/tensor.js';

/** Steps by features. */
export type Matrix = number[][];

/** [rows, ...] as one matrix for each row. */
export const matrices = (t: Tensor): Matrix[] => {
  const [n = 1, s = 1, f = 1] = t.dims;
  const flat = t.numbers();
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: s }, (_, j) => flat.slice((i * s + j) * f, (i * s + j + 1) * f)),
  );
};

export interface AttentionOptions {
  readonly heads: number;
  readonly kv?: number;
  readonly causal?: boolean;
  readonly rotary?: number;
  readonly present?: readonly (readonly boolean[])[];
}

/** Pairs (i, i + half) of a head turned as complex numbers. */
function turned(v: readonly number[], step: number, base: number): number[] {
  const half = v.length / 2;
  return v.map((_, i) => {
    const angle = step * base ** ((-2 * (i % half)) / v.length);
    const [re = 0, im = 0] = [v[i % half], v[(i % half) + half]];
    return i < half ? re * Math.cos(angle) - im * Math.sin(angle) : re * Math.sin(angle) + im * Math.cos(angle);
  });
}

/** v W + b at each step; no bias where there is none. */
export function affineOf(v: Matrix, weights: Readonly<Record<string, Tensor>>, prefix: string): Matrix {
  const [w, b] = [weights[`${prefix}weight`], weights[`${prefix}bias`]];
  const units = w?.dims[1] ?? 0;
  const [m = [], bias = new Array<number>(units).fill(0)] = [w?.numbers(), b?.numbers()];
  return v.map((r) => bias.map((start, u) => r.reduce((sum, value, i) => sum + value * (m[i * units + u] ?? 0), start)));
}

/** What each step of x gives, by parameters named under `prefix`; `row` is the sample, whose steps may be masked. */
export function attentionOf(
  x: Matrix,
  source: Matrix,
  weights: Readonly<Record<string, Tensor>>,
  prefix: string,
  o: AttentionOptions,
  row: number,
): Matrix {
  const { heads, kv = heads, causal, rotary, present } = o;
  const project = (v: Matrix, what: string) => affineOf(v, weights, `${prefix}${what}/`);
  const size = (x[0]?.length ?? 0) / heads;
  const [q, k, v] = [project(x, 'query'), project(source, 'key'), project(source, 'value')];
  const part = (r: readonly number[] | undefined, head: number) => (r ?? []).slice(head * size, (head + 1) * size);
  const place = (r: number[], step: number) => (rotary === undefined ? r : turned(r, step, rotary));
  const merged = q.map((r, t) =>
    Array.from({ length: heads }, (_, head) => {
      const group = Math.floor(head / (heads / kv));
      const from = place(part(r, head), t);
      const scores = k.map((key, s) => {
        if ((causal === true && s > t) || present?.[row]?.[s] === false) return Number.NEGATIVE_INFINITY;
        return place(part(key, group), s).reduce((sum, value, i) => sum + value * (from[i] ?? 0), 0) / Math.sqrt(size);
      });
      const exps = scores.map((s) => Math.exp(s));
      const total = exps.reduce((a, b) => a + b, 0);
      return Array.from({ length: size }, (_, i) =>
        v.reduce((sum, value, s) => sum + ((exps[s] ?? 0) / total) * (part(value, group)[i] ?? 0), 0),
      );
    }).flat(),
  );
  return project(merged, 'output');
}
