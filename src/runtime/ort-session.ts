// What both packages of ONNX Runtime share: sessions over onnxruntime-common's interface, made on the first provider of a list that takes
// the model.
import type * as ort from 'onnxruntime-common';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { fromOrt, toOrt } from './convert.js';
import { probeModel } from './probe-model.js';
import type { Probes } from './selection.js';
import type { Session } from './session.js';

export type OrtModule = typeof ort;

/** First line of an ONNX Runtime error, without its source location. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\/\S+?(onnxruntime\/\S+)/g, '$1').trim();
}

type Create = (provider: string) => Promise<{ readonly ort: OrtModule; readonly session: ort.InferenceSession }>;

/** A session on the first of `providers` that works here and takes the model. Throws RuntimeError with every reason. */
export async function firstSession(providers: readonly string[], probes: Probes, create: Create): Promise<Session> {
  const refused: string[] = [];
  for (const provider of providers) {
    const { reason } = provider === probes.last ? {} : await probes.probe(provider);
    if (reason !== undefined) {
      refused.push(`${provider}: ${reason}`);
      continue;
    }
    try {
      const made = await create(provider);
      return new OrtSession(made.ort, made.session, provider);
    } catch (error) {
      refused.push(`${provider}: ${oneLine(error)}`);
    }
  }
  throw new RuntimeError(`no session on ${providers.join(', ')}: ${refused.join('; ')}`);
}

/** The one-node session of a probe: created, run, released. */
export async function probeSession(
  provider: string,
  create: (model: Uint8Array, provider: string) => ReturnType<Create>,
): Promise<void> {
  const { ort, session } = await create(probeModel, provider);
  await session.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) });
  await session.release();
}

class OrtSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];

  constructor(
    private readonly ort: OrtModule,
    private readonly session: ort.InferenceSession,
    readonly provider: string,
  ) {
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames;
  }

  async run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>> {
    const given: Record<string, ort.Tensor> = {};
    for (const [name, t] of Object.entries(feeds)) given[name] = toOrt(this.ort.Tensor, t);
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = fetches === undefined ? await this.session.run(given) : await this.session.run(given, [...fetches]);
    } catch (error) {
      throw new RuntimeError(`ONNX Runtime: ${oneLine(error)}`, { cause: error });
    }
    const out: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(results)) out[name] = fromOrt(t as ort.Tensor);
    return out;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
