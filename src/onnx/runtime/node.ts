// The adapter for onnxruntime-node, an optional peer that is imported when first needed.
import { existsSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { RuntimeError } from '../core/errors.js';
import { binaryFolder } from './node-package.js';
import { firstSession, type OrtModule, ortModule, ortReason, probeSession } from './ort-session.js';
import { hostNodesOption, nestConfig } from './requested-providers.js';
import { Probes } from './selection.js';
import type {
  Carried,
  CarryingSession,
  ProviderReport,
  RequestedProvider,
  Runtime,
  RuntimeSettings,
  Selection,
  Session,
  SessionOptions,
} from './session.js';
import { spinConfig } from './spinning.js';

type NodeModule = OrtModule & { listSupportedBackends?: () => { name: string; bundled: boolean }[] };

/** ONNX Runtime's entry for where external data of a model in memory lie. */
const folderEntry = 'session.model_external_initializers_file_folder_path';

/** onnxruntime-node as a runtime. */
export class NodeRuntime implements Runtime {
  readonly readsFiles = true;
  private readonly probes = new Probes((provider) => this.attempt(provider), explain, 'cpu');

  private constructor(
    private readonly ort: NodeModule,
    readonly version: string,
    private readonly settings: RuntimeSettings,
  ) {}

  /** Throws RuntimeError that says what to install when onnxruntime-node is absent. */
  static async load(settings: RuntimeSettings = {}): Promise<NodeRuntime> {
    try {
      const module = await import('onnxruntime-node');
      const found: NodeModule = ortModule('default' in module ? module.default : module);
      // What goes wrong comes back as an error; the native log would say it again, in many lines.
      found.env.logLevel = 'fatal';
      // Loading decides whether a broken binary is there; its version tells which.
      return new NodeRuntime(found, `onnxruntime-node ${found.env.versions.node ?? found.env.versions.common}`, settings);
    } catch (error) {
      throw new RuntimeError(`onnxruntime-node cannot be loaded (${ortReason(error)})`, {
        remedy: { kind: 'install', package: 'onnxruntime-node' },
        cause: error,
      });
    }
  }

  private async create(model: Uint8Array, provider: string, options: SessionOptions) {
    const { providerOptions = {}, config = {} } = this.settings;
    const threads = options.threads ?? defaultThreads();
    const { weightsFolder } = options;
    const folder = weightsFolder === undefined ? {} : { [folderEntry]: weightsFolder };
    const session = await this.ort.InferenceSession.create(model, {
      executionProviders: [{ name: provider, ...hostNodesOption(provider, options), ...providerOptions[provider] }],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: nestConfig({ ...(await spinConfig(options, threads)), ...config, ...folder }),
    });
    return { ort: this.ort, session };
  }

  private attempt(provider: string): Promise<void> {
    return probeSession(provider, (model, name) => this.create(model, name, { threads: 1 }));
  }

  /** A session of a model. Throws RuntimeError where the runtime does not take it. */
  createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    return this.createCarryingSession(model, {}, options);
  }

  /** The values stay in the host's memory: reading one back from a GPU buffer aborts the process in onnxruntime-node 1.30. */
  createCarryingSession(model: Uint8Array, carried: Carried, options: SessionOptions = {}): Promise<CarryingSession> {
    return firstSession(options.providers ?? ['cpu'], this.probes, carried, (provider) => this.create(model, provider, options));
  }

  providers(): Promise<ProviderReport[]> {
    return this.probes.report((this.ort.listSupportedBackends?.() ?? [{ name: 'cpu' }]).map((b) => b.name));
  }

  select(requested: readonly RequestedProvider[]): Promise<Selection> {
    return this.probes.select(requested);
  }
}

/** Logical cores that this process may use. */
export function defaultThreads(): number {
  return Math.max(1, os.availableParallelism());
}

/** The reason of a refusal with what would help. */
function explain(provider: string, error: unknown): string {
  const said = ortReason(error);
  if (/Failed to load shared library/.test(said)) {
    if (!existsSync(join(binaryFolder(), `libonnxruntime_providers_${provider}.so`))) {
      return `its libraries are not installed: prognet providers --install cuda`;
    }
    return `libonnxruntime_providers_${provider}.so does not load: CUDA 12 and cuDNN 9 must be on the library path (${said})`;
  }
  if (/No supported adapters/.test(said))
    return 'no WebGPU adapter: a GPU and its Vulkan (or Metal, Direct3D 12) driver are needed';
  if (/backend not found/.test(said)) return `onnxruntime-node has no ${provider} for ${process.platform} ${process.arch}`;
  return said;
}
