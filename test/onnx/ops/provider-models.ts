// For each op with a gradient one model that other providers can run too: the op's case in float32, its outputs and the vector-Jacobian product
// from fixed seeds, with the numbers that Node's CPU gives.
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { isFloat } from '../../../src/onnx/core/dtype.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
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
  const by = (c.options?.by ?? x.map((_, i) => i)).map((i) => x[i]).filter((v) => v !== undefined && isFloat(v.dtype));
  gradient(g, { of, by: by.filter((v) => v !== undefined), seed }).forEach((d, i) => {
    g.output(d, `d${i}`);
  });
  const model = g.model();
  return { op, bytes: toBinary(model), feeds, expected: await runModel(model, feeds) };
}

/** The first of the few smallest-numbered cases of each op that stands in float32 on Node's CPU. */
export async function providerModels(): Promise<ProviderModel[]> {
  const cases = new Map<string, Case[]>();
  for (const c of Object.values(families).flat()) {
    for (const op of opsOf(c)) {
      if (op in table && typeof table[op as OpName].gradient !== 'string') cases.set(op, [...(cases.get(op) ?? []), c]);
    }
  }
  const models: ProviderModel[] = [];
  for (const [op, list] of cases) {
    // shortest graphs first, so that an op is tried by itself rather than as a part of something
    for (const c of [...list].sort((a, b) => opsOf(a).size - opsOf(b).size).slice(0, 4)) {
      try {
        models.push(await modelOf(op, c));
        break;
      } catch {
        // a case that wants float64
      }
    }
  }
  return models;
}
