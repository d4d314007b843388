// Differentiates models of ONNX's backend tests and compares with finite differences on ONNX Runtime: what the sweep says of one model.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { isFloat } from '../../../src/onnx/core/dtype.js';
import { ModelError, must, PrognetError } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { isStatic } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes, type Value } from '../../../src/onnx/ir/graph.js';
import { cloneModel, type Model } from '../../../src/onnx/ir/model.js';
import { drawsAtRandom } from '../../../src/onnx/ops/definition.js';
import { foldConstants } from '../../../src/onnx/passes/fold-constants.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { upgradeOpset } from '../../../src/onnx/passes/opset/upgrade-opset.js';
import type { Session } from '../../../src/onnx/runtime/session.js';
import { Decoding } from '../../../src/onnx/serde/decoding.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';
import { tensorFromProto } from '../../../src/onnx/serde/tensor-from-proto.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runtime } from '../../support/run.js';
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
  OneHot: [0, 1],
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

/**
 * Values a little above the given ones, so that examples such as -1, 0, 1 do not stand on kinks and ties. What must not move stays: values
 * that steer, and data that leave an op's domain (the caller tries again without).
 */
function nudge(feeds: Feeds, by: readonly Value[]): Feeds {
  const out = { ...feeds };
  for (const { name } of by) {
    const t = feeds[name];
    if (t === undefined) continue;
    const r = new Random(5, name);
    out[name] = Tensor.from(
      'float64',
      Array.from(refloatTensor(t, 'float64').data as Float64Array, (v) => v + 0.002 + 0.008 * r.uniform()),
      t.dims,
    );
  }
  return out;
}

function positive(feeds: Feeds, by: readonly Value[]): Feeds {
  const out = { ...feeds };
  for (const { name } of by) {
    const t = feeds[name];
    if (t !== undefined) out[name] = Tensor.from('float64', Array.from(t.data as Float64Array, Math.abs), t.dims);
  }
  return out;
}

function stored(path: string, name: string): Tensor {
  return tensorFromProto(onnx.TensorProto.decode(readFileSync(path)), name, new Decoding(undefined, undefined));
}

/** The inputs that come with a model, else normal draws for static shapes. */
function feedsOf(model: Model, file: string): Feeds | string {
  const set = join(dirname(file), 'test_data_set_0');
  const given = new Set(model.irVersion < 4 ? model.graph.initializers : []);
  const inputs = model.graph.inputs.filter((v) => !given.has(v));
  const count = existsSync(set) ? readdirSync(set).filter((f) => f.startsWith('input_')).length : 0;
  const feeds: Feeds = {};
  for (const [i, v] of inputs.entries()) {
    if (v.type?.kind !== 'tensor') return 'an input is no tensor';
    if (i < count) {
      feeds[v.name] = stored(join(set, `input_${i}.pb`), v.name);
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

const narrow = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, refloatTensor(t, 'float32')]));
const notFinite = (t: Tensor | undefined) =>
  Array.from((t?.data ?? []) as ArrayLike<number>, Number).filter((v) => !Number.isFinite(v)).length;

/** False where moved data made another shape than the file declares (Unique, Compress). */
const fits = (v: Value, t: Tensor | undefined) => !isStatic(v.shape) || v.shape.join() === t?.dims.join();

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
  sum(Array.from((t?.data ?? []) as ArrayLike<number>, (v, i) => (w?.[i] === 0 ? 0 : Number(v) * (w?.[i] ?? 0))));

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
  float64: { steps: [1e-5, 1e-3, 1e-7], tolerance: 2e-3 },
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

async function runs(model: Model): Promise<boolean> {
  const session = await attempt(() => runtime.createSession(toBinary(model), { threads: 1 }));
  if (session instanceof Error) return false;
  await session.release();
  return true;
}

/** Runs a model on the data of its test; undefined when the outputs are the expected ones. */
async function expectedOutputs(model: Model, original: Model, file: string): Promise<Verdict | undefined> {
  const feeds = feedsOf(original, file);
  if (typeof feeds === 'string') return { kind: 'refused', reason: feeds, detail: '' };
  const out = await attempt(async () => {
    const session = await runtime.createSession(toBinary(model), { threads: 1 });
    const results = await session.run(narrow(feeds));
    await session.release();
    return results;
  });
  if (out instanceof Error) return { kind: 'refused', reason: 'ONNX Runtime does not run the model', detail: short(out) };
  for (const [i, v] of model.graph.outputs.entries()) {
    const want = stored(join(dirname(file), 'test_data_set_0', `output_${i}.pb`), v.name).data as ArrayLike<number>;
    const got = (out[v.name]?.data ?? []) as ArrayLike<number>;
    // In float32, as the model runs; what the test never wrote (1e198) is infinite on both sides.
    const off = Array.from(want, (w, k) => {
      const [a, b] = [Math.fround(Number(w)), Number(got[k])];
      return Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(a));
    });
    if (!(Math.max(0, ...off) < 1e-3))
      return { kind: 'failed', detail: `upgraded, output "${v.name}" is off by ${Math.max(...off)}` };
  }
  return undefined;
}

interface DropoutRun {
  readonly wide: Feeds;
  readonly results: Feeds;
  readonly seeds: ReadonlyMap<string, readonly number[]>;
  readonly directions: ReadonlyMap<string, readonly number[]>;
}

/** Two runs of a Dropout draw two masks. But it is linear, y = m x with the mask of its own run: the derivative along u is the sum of w m u. */
function compareDropout(x: Value, y: Value, run: DropoutRun, got: number): Verdict {
  const [inputs, outputs] = [run.wide[x.name]?.numbers() ?? [], run.results[y.name]?.numbers() ?? []];
  const [w, u] = [run.seeds.get(y.name) ?? [], run.directions.get(x.name) ?? []];
  const want = sum(Array.from(outputs, (v, i) => ((w[i] ?? 0) * v * (u[i] ?? 0)) / (inputs[i] ?? 1)));
  const error = Math.abs(got - want) / Math.max(1, Math.abs(want));
  if (error < 1e-5) return { kind: 'passed', reference: 'float32', error };
  return { kind: 'failed', detail: `directional derivative ${got}, by the mask of the run ${want}` };
}

/** What becomes of one model. `file` holds it; its test data stand beside it. */
export async function sweepModel(file: string): Promise<Verdict | undefined> {
  const read = () => fromBinary(new Uint8Array(readFileSync(file)), { file });
  const original = read();
  if (!original.graph.inputs.some(isFloatTensor) || !original.graph.outputs.some(isFloatTensor)) return undefined;
  if (file.includes('/light/')) {
    return {
      kind: 'refused',
      reason: 'all weights of a tensor are equal: of its gradient only float32 rounding is left',
      detail: '',
    };
  }
  let model = refloat(original, 'float32');
  if (!(await runs(model))) {
    // Kernels for opset 6 are gone from ONNX Runtime; what the test expects is compared with the upgraded model instead.
    const newer = read();
    upgradeOpset(newer);
    model = refloat(newer, 'float32');
    const wrong = await expectedOutputs(model, original, file);
    if (wrong !== undefined) return wrong;
  }
  const { by, of } = floatEnds(model);
  if (by.length === 0) return { kind: 'refused', reason: 'its float inputs only steer an op', detail: '' };
  const draws = [...allNodes(model.graph)].filter(drawsAtRandom);
  const isDropout = draws.length === 1 && model.graph.nodes.length === 1 && draws[0]?.opType === 'Dropout';
  if (draws.length > 0 && !isDropout) return { kind: 'refused', reason: 'draws at random', detail: '' };
  let made: Model;
  try {
    made = grad(model, { of: of.map((v) => v.name), by: by.map((v) => v.name) });
  } catch (error) {
    return refusal(error);
  }
  const given = feedsOf(original, file);
  if (typeof given === 'string') return { kind: 'refused', reason: given, detail: '' };
  const session = await attempt(() => runtime.createSession(toBinary(model), { threads: 1 }));
  if (session instanceof Error) return { kind: 'refused', reason: 'ONNX Runtime does not run the model', detail: short(session) };
  // The data moved off the kinks, as they are, or made positive (roots, logarithms): whichever gives the fewest infinite outputs.
  const moved = nudge(given, by);
  const candidates: [Feeds, Feeds][] = [];
  let refusedBy = '';
  for (const feeds of [moved, given, positive(moved, by)]) {
    const out = await attempt(() => session.run(narrow(feeds)));
    if (out instanceof Error) refusedBy = short(out);
    else if (of.every((v) => fits(v, out[v.name]))) {
      candidates.push([feeds, out]);
      if (of.every((v) => notFinite(out[v.name]) === 0)) break;
    } else refusedBy = 'other data than those of the test make an output of another shape';
  }
  await session.release();
  const count = (out: Feeds) => sum(of.map((v) => notFinite(out[v.name])));
  const [best] = candidates.sort((a, b) => count(a[1]) - count(b[1]));
  if (best === undefined) return { kind: 'refused', reason: 'ONNX Runtime does not run the model', detail: refusedBy };
  const [feeds, forward] = best;
  const wide = narrow(feeds);

  // Infinite outputs (masks, logarithms of nothing) are left out of the sum.
  const seeds = new Map(
    of.map((v) => {
      const t = forward[v.name];
      return [v.name, random(v.name, t?.size ?? 0).map((w, i) => (Number.isFinite(Number(t?.data[i])) ? w : 0))];
    }),
  );
  // Where equal elements are one (Unique), the derivative is along directions that keep them equal.
  const keepsTies = [...allNodes(model.graph)].some((n) => n.opType === 'Unique');
  const directions = new Map(
    by.map((v) => {
      const free = random(v.name, wide[v.name]?.size ?? 0);
      const list = Array.from((wide[v.name]?.data ?? []) as ArrayLike<number>, Number);
      return [v.name, keepsTies ? free.map((_, i) => free[list.indexOf(list[i] ?? 0)] ?? 0) : free];
    }),
  );
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
  if (results instanceof Error) {
    const folded = cloneModel(model);
    inferShapes(folded.graph, { opset: folded.opset });
    foldConstants(folded.graph, { opset: folded.opset });
    if (await runs(folded)) return { kind: 'failed', detail: short(results) };
    return { kind: 'refused', reason: 'ONNX Runtime does not run the model with its constants folded', detail: short(results) };
  }
  for (const v of by) {
    const [d, x] = [results[`grad/${v.name}`], wide[v.name]];
    if (d?.dims.join() !== x?.dims.join() || d?.dtype !== x?.dtype)
      return { kind: 'failed', detail: `grad/${v.name} is ${d?.dtype}[${d?.dims}], the input is ${x?.dtype}[${x?.dims}]` };
  }
  const got = sum(by.map((v) => dot(results[`grad/${v.name}`], directions.get(v.name))));
  const squares = sum(
    by.map((v) => sum(Array.from((results[`grad/${v.name}`]?.data ?? []) as ArrayLike<number>, (d) => Number(d) ** 2))),
  );
  if (isDropout) return compareDropout(must(by[0], 'input'), must(of[0], 'output'), { wide, results, seeds, directions }, got);
  return compare(model, { of, by, feeds, seeds, directions }, got, 0.5 * Math.sqrt(squares));
}
