// For each op with a gradient one model that other providers can run too: the op's case in float32, its outputs and the vector-Jacobian product
// from fixed seeds, with the numbers that Node's CPU gives.
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { isFloat } from '../../../src/onnx/core/dtype.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { OpName } from '../../../src/onnx/ops/signature.js';
import { table } from '../../../src/onnx/ops/table.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runModel } from '../../support/run.js';
import { families } from './cases/all.js';
import { type Case, opsOf } from './gradient-case.js';

export interface ProviderModel {
  readonly op: string;
  readonly bytes: Uint8Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  /** The same without its gradient: what is differentiated, by what. Seeds are fed as `seed0`, ..., gradients come as `d0`, ... */
  readonly forward: Uint8Array;
  readonly of: readonly string[];
  readonly by: readonly string[];
}

const single = (t: Tensor) => (t.dtype === 'float64' ? Tensor.from('float32', Array.from(t.data, Number), t.dims) : t);

async function modelOf(op: string, c: Case): Promise<ProviderModel> {
  const inputs = c.inputs.map(single);
  const g = ops(c.options?.opset === undefined ? {} : { opset: c.options.opset });
  const x = inputs.map((t, i) => g.input(`x${i}`, t.dtype, t.dims));
  const built = c.build(g, x);
  const y = Array.isArray(built) ? built : [built];
  const feeds: Record<string, Tensor> = Object.fromEntries(inputs.map((t, i) => [`x${i}`, t]));
  y.forEach((v, i) => {
    g.output(v, `y${i}`);
  });
  const plain = toBinary(g.model());
  const forward = await runModel(g.model(), feeds);
  const of = y.filter((v) => isFloat(v.dtype));
  const random = new Random(1, op);
  const seed = of.map((v, i) => {
    const { dims } = forward[v.name] as Tensor;
    const s = g.input(`seed${i}`, v.dtype, v.shape);
    const count = dims.reduce((a, b) => a * b, 1);
    feeds[s.name] = Tensor.from(
      v.dtype,
      Array.from({ length: count }, () => random.uniform() - 0.5),
      dims,
    );
    return s;
  });
  const by = (c.options?.by ?? x.map((_, i) => i)).flatMap((i) => x[i] ?? []).filter((v) => isFloat(v.dtype));
  gradient(g, { of, by, seed }).forEach((d, i) => {
    g.output(d, `d${i}`);
  });
  const model = g.model();
  const names = (values: readonly Value[]) => values.map((v) => v.name);
  const expected = await runModel(model, feeds);
  return { op, bytes: toBinary(model), feeds, expected, forward: plain, of: names(of), by: names(by) };
}

/** Of each op with a rule up to `most` models of its few shortest cases, of those that stand in float32 on Node's CPU. */
export async function modelsOfOps(most: number): Promise<ReadonlyMap<string, readonly ProviderModel[]>> {
  const cases = new Map<string, Case[]>();
  for (const c of Object.values(families).flat()) {
    for (const op of opsOf(c)) {
      if (op in table && typeof table[op as OpName].gradient !== 'string') cases.set(op, [...(cases.get(op) ?? []), c]);
    }
  }
  const found = new Map<string, readonly ProviderModel[]>();
  for (const [op, list] of cases) {
    const models: ProviderModel[] = [];
    // shortest graphs first, so that an op is tried by itself rather than as a part of something
    for (const c of [...list].sort((a, b) => opsOf(a).size - opsOf(b).size).slice(0, 4)) {
      if (models.length === most) break;
      try {
        models.push(await modelOf(op, c));
      } catch {
        // a case that wants float64
      }
    }
    found.set(op, models);
  }
  return found;
}

/** One for each op that has any. */
export async function providerModels(): Promise<ProviderModel[]> {
  return [...(await modelsOfOps(1)).values()].flat();
}
