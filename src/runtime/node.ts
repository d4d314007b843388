// The adapter for onnxruntime-node, an optional peer that is imported when first needed.

import os from 'node:os';
import type * as ort from 'onnxruntime-common';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { fromOrt, toOrt } from './convert.js';
import { probeModel } from './probe-model.js';
import type { ProviderReport, Runtime, Session, SessionOptions } from './session.js';

type OrtModule = typeof ort & { listSupportedBackends?: () => { name: string; bundled: boolean }[] };

/** First line of an ONNX Runtime error, without its source location. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\/\S+?(onnxruntime\/\S+)/g, '$1').trim();
}

export class NodeRuntime implements Runtime {
  private constructor(
    private readonly ort: OrtModule,
    readonly version: string,
  ) {}

  /** Throws RuntimeError that says what to install when onnxruntime-node is absent. */
  static async load(): Promise<NodeRuntime> {
    try {
      const module = await import('onnxruntime-node');
      const ortModule = ('default' in module ? module.default : module) as unknown as OrtModule;
      // Loading decides whether a broken binary is there; its version tells which.
      return new NodeRuntime(ortModule, `onnxruntime-node ${ortModule.env.versions.node ?? ortModule.env.versions.common}`);
    } catch (error) {
      throw new RuntimeError(`onnxruntime-node cannot be loaded (${oneLine(error)}); install it: npm install onnxruntime-node`, {
        cause: error,
      });
    }
  }

  async createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    const providers = options.providers ?? ['cpu'];
    let refused = '';
    for (const provider of providers) {
      try {
        const session = await this.ort.InferenceSession.create(model, {
          executionProviders: [provider],
          intraOpNumThreads: options.threads ?? defaultThreads(),
          interOpNumThreads: 1,
          executionMode: 'sequential',
          graphOptimizationLevel: 'all',
          logSeverityLevel: 3,
          extra: { session: { intra_op: { allow_spinning: options.spinning ? '1' : '0' } } },
        });
        return new NodeSession(this.ort, session, provider);
      } catch (error) {
        refused += `${refused === '' ? '' : '; '}${provider}: ${oneLine(error)}`;
      }
    }
    throw new RuntimeError(`no session on ${providers.join(', ')}: ${refused}`);
  }

  async providers(): Promise<ProviderReport[]> {
    const names = (this.ort.listSupportedBackends?.() ?? [{ name: 'cpu' }]).map((b) => b.name);
    const reports: ProviderReport[] = [];
    for (const provider of names) {
      try {
        const session = await this.createSession(probeModel, { providers: [provider] });
        await session.release();
        reports.push({ provider, available: true });
      } catch (error) {
        reports.push({ provider, available: false, reason: oneLine(error) });
      }
    }
    return reports;
  }
}

/** Physical cores, as far as the count of logical ones tells. */
export function defaultThreads(): number {
  return Math.max(1, os.availableParallelism());
}

class NodeSession implements Session {
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
