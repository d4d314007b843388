// Differentiates models of ONNX's backend tests and compares with finite differences on ONNX Runtime: what the sweep says of one model.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFloat } from '../../src/core/dtype.js';
import { ModelError, PrognetError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import { isStatic } from '../../src/core/shape.js';
import { Tensor } from '../../src/core/tensor.js';
import { gradientModel } from '../../src/deploy/gradient-model.js';
import { allNodes, type Value } from '../../src/ir/graph.js';
import type { Model } from '../../src/ir/model.js';
import { drawsAtRandom } from '../../src/ops/definition.js';
import type { Session } from '../../src/runtime/session.js';
import { Decoding } from '../../src/serde/decoding.js';
import { fromBinary } from '../../src/serde/from-binary.js';
import { onnx } from '../../src/serde/generated/onnx.js';
import { tensorFromProto } from '../../src/serde/tensor-from-proto.js';
import { toBinary } from '../../src/serde/to-binary.js';
import { runtime } from '../support/run.js';
import { refloat, refloatTensor } from './refloat.js';

export type Verdict =
  | { readonly kind: 'passed'; readonly reference: 'float64' | 'float32'; readonly error: number }
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string };

type Feeds = Record<string, Tensor>;

/**
 * Float inputs of ops that steer an op instead of flowing through it: a small change of them changes shapes or counts, or nothing at all, so
 * that there is no derivative to compare with.
 */
const steering: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2],
  Upsample: [1],
  OneHot: [1],
  Dropout: [1],
  Range: [1],
  NonMaxSuppression: [3, 4],
};

const isFloatTensor = (v: Value) => v.type?.kind === 'tensor' && isFloat(v.type.dtype);

/** The float inputs to differentiate by, and the float outputs to differentiate. */
export function floatEnds(model: Model): { by: Value[]; of: Value[] } {
  const steers = new Set<Value>();
  for (const node of allNodes(model.graph)) {
    for (const i of steering[node.opType] ?? []) {
      const v = node.inputs[i];
      if (v !== null && v !== undefined) steers.add(v);
    }
  }
  const given = model.irVersion < 4 ? new Set(model.graph.initializers) : new Set<Value>();
  const by = model.graph.inputs.filter((v) => isFloatTensor(v) && !steers.has(v) && !given.has(v));
  return { by, of: [...new Set(model.graph.outputs)].filter(isFloatTensor) };
}

/** The inputs that come with a model, else normal draws for static shapes. */
function feedsOf(model: Model, file: string): Feeds | string {
  const set = join(dirname(file), 'test_data_set_0');
  const given = new Set(model.irVersion < 4 ? model.graph.initializers : []);
  const inputs = model.graph.inputs.filter((v) => !given.has(v));
  const stored = existsSync(set) ? readdirSync(set).filter((f) => f.startsWith('input_')).length : 0;
  const feeds: Feeds = {};
  for (const [i, v] of inputs.entries()) {
    if (v.type?.kind !== 'tensor') return 'an input is no tensor';
    if (i < stored) {
      const proto = onnx.TensorProto.decode(readFileSync(join(set, `input_${i}.pb`)));
      feeds[v.name] = tensorFromProto(proto, v.name, new Decoding(undefined, undefined));
    } else if (v.constant !== undefined) continue;
    else if (isStatic(v.shape) && isFloatTensor(v)) {
      const r = new Random(7, v.name);
      const size = v.shape.reduce((a, b) => a * b, 1);
      feeds[v.name] = Tensor.from(
        'float32',
        Array.from({ length: size }, () => r.normal()),
        v.shape,
      );
    } else return 'the test brings no data';
  }
  return feeds;
}

const short = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 300);

async function attempt<T>(f: () => Promise<T>): Promise<T | Error> {
  try {
    return await f();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function refusal(error: unknown): Verdict {
  if (!(error instanceof PrognetError)) return { kind: 'failed', detail: short(error) };
  const detail = short(error);
  const op = error.op ?? '';
  if (error instanceof ModelError && /no gradient is known/.test(detail))
    return { kind: 'refused', reason: `no gradient: ${op}`, detail };
  return { kind: 'refused', reason: `refused by the rule or inference: ${op}`, detail };
}

const random = (label: string, size: number) => {
  const r = new Random(11, label);
  return Array.from({ length: size }, () => 2 * r.uniform() - 1);
};

interface Comparison {
  readonly of: readonly Value[];
  readonly by: readonly Value[];
  readonly feeds: Feeds;
  readonly seeds: ReadonlyMap<string, readonly number[]>;
  readonly directions: ReadonlyMap<string, readonly number[]>;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const dot = (t: Tensor | undefined, w: readonly number[] | undefined) =>
  sum(Array.from((t?.data ?? []) as ArrayLike<number>, (v, i) => Number(v) * (w?.[i] ?? 0)));

/** (L(x + h u) - L(x - h u)) / 2h with L the outputs weighted by the seeds. */
async function difference(session: Session, c: Comparison, dtype: 'float32' | 'float64', h: number): Promise<number> {
  const at = async (step: number) => {
    const feeds: Feeds = {};
    for (const [name, t] of Object.entries(c.feeds)) {
      const base = refloatTensor(t, dtype);
      const u = c.directions.get(name);
      const moved =
        u === undefined
          ? base
          : Tensor.from(
              dtype,
              Array.from(base.data as ArrayLike<number>, (v, i) => Number(v) + step * (u[i] ?? 0)),
              base.dims,
            );
      feeds[name] = moved;
    }
    const out = await session.run(feeds);
    return sum(c.of.map((v) => dot(out[v.name], c.seeds.get(v.name))));
  };
  return ((await at(h)) - (await at(-h))) / (2 * h);
}

const settings = {
  float64: { steps: [1e-6, 1e-5], tolerance: 2e-3 },
  float32: { steps: [1e-2, 3e-3, 1e-3, 3e-2], tolerance: 2e-2 },
} as const;

async function compare(model: Model, c: Comparison, got: number, size: number): Promise<Verdict> {
  let worst = '';
  for (const dtype of ['float64', 'float32'] as const) {
    const session = await attempt(() => runtime.createSession(toBinary(refloat(model, dtype)), { threads: 1 }));
    if (session instanceof Error) continue;
    try {
      for (const h of settings[dtype].steps) {
        const want = await attempt(() => difference(session, c, dtype, h));
        if (want instanceof Error) break;
        const error = Math.abs(got - want) / Math.max(Math.abs(want), size, 1e-3);
        if (error <= settings[dtype].tolerance) return { kind: 'passed', reference: dtype, error };
        worst += ` ${dtype} h=${h}: ${want.toPrecision(6)},`;
      }
      if (worst !== '' && dtype === 'float64') break;
    } finally {
      await session.release();
    }
  }
  return {
    kind: 'failed',
    detail: `directional derivative ${got.toPrecision(6)}, finite differences${worst} scale ${size.toPrecision(3)}`,
  };
}

/** What becomes of one model. `file` holds it; its test data stand beside it. */
export async function sweepModel(file: string): Promise<Verdict | undefined> {
  const original = fromBinary(new Uint8Array(readFileSync(file)), { file });
  if (!original.graph.inputs.some(isFloatTensor) || !original.graph.outputs.some(isFloatTensor)) return undefined;
  const model = refloat(original, 'float32');
  const { by, of } = floatEnds(model);
  if (by.length === 0) return { kind: 'refused', reason: 'its float inputs only steer an op', detail: '' };
  if ([...allNodes(model.graph)].some(drawsAtRandom)) return { kind: 'refused', reason: 'draws at random', detail: '' };
  let made: Model;
  try {
    made = gradientModel(model, { of: of.map((v) => v.name), by: by.map((v) => v.name) });
  } catch (error) {
    return refusal(error);
  }
  const feeds = feedsOf(original, file);
  if (typeof feeds === 'string') return { kind: 'refused', reason: feeds, detail: '' };
  const wide = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, refloatTensor(t, 'float32')]));

  const forward = await attempt(async () => {
    const session = await runtime.createSession(toBinary(model), { threads: 1 });
    try {
      return await session.run(wide);
    } finally {
      await session.release();
    }
  });
  if (forward instanceof Error) return { kind: 'refused', reason: 'ONNX Runtime does not run the model', detail: short(forward) };

  const seeds = new Map(of.map((v) => [v.name, random(v.name, forward[v.name]?.size ?? 0)]));
  const directions = new Map(by.map((v) => [v.name, random(v.name, wide[v.name]?.size ?? 0)]));
  const results = await attempt(async () => {
    const session = await runtime.createSession(toBinary(made), { threads: 1 });
    const all = { ...wide };
    for (const v of of) {
      const w = seeds.get(v.name) ?? [];
      const t = forward[v.name];
      if (session.inputNames.includes(`seed/${v.name}`) && t !== undefined)
        all[`seed/${v.name}`] = Tensor.from('float32', w, t.dims);
      else
        seeds.set(
          v.name,
          w.map(() => 1),
        );
    }
    try {
      return await session.run(all);
    } finally {
      await session.release();
    }
  });
  if (results instanceof Error) return { kind: 'failed', detail: short(results) };
  for (const v of by) {
    const [d, x] = [results[`grad/${v.name}`], wide[v.name]];
    if (d?.dims.join() !== x?.dims.join() || d?.dtype !== x?.dtype)
      return { kind: 'failed', detail: `grad/${v.name} is ${d?.dtype}[${d?.dims}], the input is ${x?.dtype}[${x?.dims}]` };
  }
  const got = sum(by.map((v) => dot(results[`grad/${v.name}`], directions.get(v.name))));
  const squares = sum(
    by.map((v) => sum(Array.from((results[`grad/${v.name}`]?.data ?? []) as ArrayLike<number>, (d) => Number(d) ** 2))),
  );
  return compare(model, { of, by, feeds, seeds, directions }, got, 0.5 * Math.sqrt(squares));
}
