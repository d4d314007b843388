// What both packages of ONNX Runtime share: sessions over onnxruntime-common's interface, made on the first provider of a list that takes
// the model.

import type * as ort from 'onnxruntime-common';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { withoutBuildPaths } from './build-path.js';
import { fromOrt, toOrt } from './convert.js';
import { probeModel } from './probe-model.js';
import type { Probes } from './selection.js';
import type { Carried, CarryingSession } from './session.js';

/** A package of ONNX Runtime. */
export type OrtModule = typeof ort;

const isOrtModule = (module: object): module is OrtModule => 'InferenceSession' in module && 'Tensor' in module;

/** One of ONNX Runtime's packages by the interface of onnxruntime-common, which their own types repeat. Throws RuntimeError for another. */
export function ortModule(module: object): OrtModule {
  if (isOrtModule(module)) return module;
  throw new RuntimeError(
    'what was imported for ONNX Runtime has no InferenceSession: install onnxruntime-node or onnxruntime-web again',
  );
}

/** First line of an ONNX Runtime error, without its source location. */
export function ortReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return withoutBuildPaths(text.split('\n')[0] ?? '').trim();
}

type Made = { readonly ort: OrtModule; readonly session: ort.InferenceSession };
type Create = (provider: string) => Promise<Made>;

/** A session on the first of `providers` that works here and takes the model. Throws RuntimeError with every reason. */
export async function firstSession(
  providers: readonly string[],
  probes: Probes,
  carried: Carried,
  create: Create,
): Promise<CarryingSession> {
  const refused: string[] = [];
  for (const provider of providers) {
    const { reason } = provider === probes.last ? {} : await probes.probe(provider);
    if (reason !== undefined) {
      refused.push(`${provider}: ${reason}`);
      continue;
    }
    try {
      const made = await create(provider);
      return new OrtSession(made.ort, made.session, provider, carried);
    } catch (error) {
      refused.push(`${provider}: ${ortReason(error)}`);
    }
  }
  throw new RuntimeError(`no session on ${providers.join(', ')}: ${refused.join('; ')}`);
}

/** The one-node session of a probe: created, run, released. */
export async function probeSession(
  provider: string,
  create: (model: Uint8Array, provider: string) => Promise<Made>,
): Promise<void> {
  const { ort, session } = await create(probeModel, provider);
  await session.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) });
  await session.release();
}

class OrtSession implements CarryingSession {
  /** Carried values by the input's name. */
  private readonly state = new Map<string, ort.Tensor>();
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];

  constructor(
    private readonly ort: OrtModule,
    private readonly session: ort.InferenceSession,
    readonly provider: string,
    private readonly carried: Carried,
  ) {
    this.inputNames = session.inputNames.filter((name) => !Object.hasOwn(carried, name));
    const kept = new Set(Object.values(carried));
    this.outputNames = session.outputNames.filter((name) => !kept.has(name));
  }

  write(values: Readonly<Record<string, Tensor>>): void {
    for (const [name, t] of Object.entries(values)) this.keep(name, toOrt(this.ort.Tensor, t));
  }

  async read(): Promise<Record<string, Tensor>> {
    const out: Record<string, Tensor> = {};
    for (const [name, t] of this.state) {
      // From the device: the tensor is the host's from then on, and goes up again with the next run.
      if (t.location !== 'cpu') await t.getData(true);
      out[name] = fromOrt(t);
    }
    return out;
  }

  private keep(name: string, t: ort.Tensor): void {
    const before = this.state.get(name);
    if (before !== undefined && before.location !== 'cpu') before.dispose();
    this.state.set(name, t);
  }

  async run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>> {
    const given: Record<string, ort.Tensor> = {};
    for (const [name, t] of Object.entries(feeds)) given[name] = toOrt(this.ort.Tensor, t);
    for (const [name, t] of this.state) given[name] = t;
    const all = fetches && [...fetches, ...Object.values(this.carried)];
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = all === undefined ? await this.session.run(given) : await this.session.run(given, all);
    } catch (error) {
      throw new RuntimeError(`ONNX Runtime: ${ortReason(error)}`, { cause: error });
    }
    for (const [input, output] of Object.entries(this.carried)) this.keep(input, results[output] as ort.Tensor);
    const kept = new Set(Object.values(this.carried));
    const out: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(results)) if (!kept.has(name)) out[name] = fromOrt(t as ort.Tensor);
    return out;
  }

  async release(): Promise<void> {
    for (const t of this.state.values()) if (t.location !== 'cpu') t.dispose();
    this.state.clear();
    await this.session.release();
  }
}
