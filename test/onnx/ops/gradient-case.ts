// Rows of the gradient tables: inputs, a graph, and what to compare; and values that keep away from kinks and ties.
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { Random } from '../../../src/onnx/core/random.js';
import { elementCount } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { AttributeInputs } from '../../../src/onnx/ops/attribute-inputs.js';
import { reduceSum } from '../../../src/onnx/ops/families/reduce.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { table } from '../../../src/onnx/ops/table.js';
import type { CheckOptions } from '../../support/check-gradient.js';

export interface Case {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly build: (g: Ops, x: readonly Value[]) => Value | Value[];
  readonly options?: CheckOptions;
}

export interface Spread {
  readonly from?: number;
  readonly to?: number;
  /** Values keep 0.06 away from these. */
  readonly kinks?: readonly number[];
  readonly dtype?: 'float64' | 'float32';
  readonly seed?: number;
}

/** All different, evenly spread over [from, to) in random order; default -2..2 away from 0. */
export function values(dims: readonly number[], options: Spread = {}): Tensor {
  const { from = -2, to = 2, kinks = [0], dtype = 'float64', seed = 1 } = options;
  const count = elementCount(dims);
  const order = new Random(seed, ...dims).permutation(count);
  const list = Array.from(order, (k) => from + ((to - from) * (k + 0.37)) / Math.max(count, 1));
  return Tensor.from(
    dtype,
    list.map((v) => kinks.reduce((w, kink) => (Math.abs(w - kink) < 0.06 ? kink + (w < kink ? -0.06 : 0.06) : w), v)),
    dims,
  );
}

/** The same in float32, for ops without a float64 kernel in ONNX Runtime. */
export const values32 = (dims: readonly number[], options: Spread = {}): Tensor => values(dims, { dtype: 'float32', ...options });

/** For what is linear in each input: a large step leaves no error but that of rounding. */
export const linear: CheckOptions = { step: 0.25, tolerance: 1e-4 };

/** Input i of a row; a row that has fewer is wrong. */
export function at(x: readonly Value[], i = 0): Value {
  const v = x[i];
  if (v === undefined) throw new Error(`the row has no input ${i}`);
  return v;
}

/** The first output of an op over the inputs of a row. `op` is its name or its method's. */
export function one(g: Ops, op: string, x: readonly Value[], attributes: AttributeInputs = {}): Value {
  const opType = (Object.keys(table) as OpName[]).find((name) => name.toLowerCase() === op.toLowerCase());
  const [y] = opType === undefined ? [] : g.op(opType, x, attributes);
  if (y === undefined) throw new Error(`no op ${op}`);
  return y;
}

/** The op types of the graph that a case builds. */
export function opsOf(c: Case): Set<string> {
  const g = ops(c.options?.opset === undefined ? {} : { opset: c.options.opset });
  c.build(
    g,
    c.inputs.map((t, i) => g.input(`x${i}`, t.dtype, c.options?.shapes?.[i] ?? t.dims)),
  );
  return new Set(g.graph.nodes.map((n) => n.opType));
}

/** The row for the second derivative: the gradient of sum(f(x)^2) by the inputs, differentiated once more. */
export function secondOrder(c: Case): Case {
  return {
    name: `${c.name}, second order`,
    inputs: c.inputs,
    options: { tolerance: 1e-5, ...c.options },
    build: (g, x) => {
      const y = c.build(g, x);
      const outputs = Array.isArray(y) ? y : [y];
      const terms = outputs.map((v) => reduceSum(g, g.mul(v, v), 'all', 0));
      const by = (c.options?.by ?? x.map((_, i) => i)).map((i) => at(x, i)).filter((v) => v.dtype.startsWith('float'));
      return gradient(g, { of: terms.reduce((a, b) => g.add(a, b)), by });
    },
  };
}
