// The adapter for onnxruntime-web, an optional peer: wasm in browsers and, where onnxruntime-node is absent, in Node; WebGPU in browsers.
// Nothing of Node is in here: who loads it says how each provider's build of the package is imported.
import { RuntimeError } from '../core/errors.js';
import { firstSession, type OrtModule, ortReason, probeSession } from './ort-session.js';
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
import { traitsOf } from './traits.js';

/** How each provider's build is imported: dynamically, since a static import with several threads hangs in bundlers' builds. */
export type WebModules = Readonly<Record<string, () => Promise<OrtModule>>>;

export interface WebSettings extends RuntimeSettings {
  /** Threads of wasm where the first session names none; default: the cores, at most 4, where the page is cross-origin isolated, else 1. */
  readonly threads?: number;
  /** Where the .wasm files are fetched from: a folder's URL, or each file's. Default: beside the package's modules. */
  readonly wasmPaths?: string | { readonly mjs?: string; readonly wasm?: string };
}

/** Threads that a browser's page or worker can have. */
function pageThreads(): number {
  const { crossOriginIsolated, navigator } = globalThis as {
    readonly crossOriginIsolated?: boolean;
    readonly navigator?: { readonly hardwareConcurrency?: number };
  };
  return crossOriginIsolated === true ? Math.min(4, navigator?.hardwareConcurrency ?? 1) : 1;
}

/** onnxruntime-web as a runtime: wasm, WebGPU, WebNN. */
export class WebRuntime implements Runtime {
  readonly sharedThreads = true;
  private readonly probes = new Probes((provider) => this.attempt(provider), explain, 'wasm');
  private readonly loaded = new Map<string, Promise<OrtModule>>();

  private constructor(
    private readonly modules: WebModules,
    readonly version: string,
    /** For all sessions: the package fixes it with the first. */
    private threads: number | undefined,
    private readonly settings: WebSettings,
  ) {}

  /** Throws RuntimeError that says what to install when onnxruntime-web is absent. */
  static async load(modules: WebModules, settings: WebSettings = {}): Promise<WebRuntime> {
    try {
      const wasm = await modules.wasm?.();
      if (wasm === undefined) throw new Error('no build for wasm was named');
      return new WebRuntime(modules, `onnxruntime-web ${wasm.env.versions.web ?? wasm.env.versions.common}`, undefined, settings);
    } catch (error) {
      throw new RuntimeError(`onnxruntime-web cannot be loaded (${ortReason(error)})`, {
        remedy: { kind: 'install', package: 'onnxruntime-web' },
        cause: error,
      });
    }
  }

  private module(provider: string, threads: number): Promise<OrtModule> {
    const known = this.loaded.get(provider);
    if (known !== undefined) return known;
    const load = this.modules[provider];
    if (load === undefined) throw new RuntimeError(`onnxruntime-web has no ${provider} here`);
    const module = load().then((ort) => {
      ort.env.logLevel = 'error';
      ort.env.wasm.numThreads = threads;
      if (this.settings.wasmPaths !== undefined) ort.env.wasm.wasmPaths = this.settings.wasmPaths;
      return ort;
    });
    this.loaded.set(provider, module);
    return module;
  }

  private async create(model: Uint8Array, provider: string, options: SessionOptions, carried: Carried = {}) {
    this.threads ??= options.threads ?? this.settings.threads ?? pageThreads();
    const { threads = this.threads } = options;
    if (threads !== this.threads) {
      throw new RuntimeError(`onnxruntime-web runs with ${this.threads} threads for all sessions, asked for ${threads}`, {
        expected: String(this.threads),
        got: String(threads),
      });
    }
    const { providerOptions = {}, config = {} } = this.settings;
    const ort = await this.module(provider, threads);
    const { outputLocation } = traitsOf(provider);
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [{ name: provider, ...hostNodesOption(provider, options), ...providerOptions[provider] }],
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      extra: nestConfig(config),
      ...(outputLocation && {
        preferredOutputLocation: Object.fromEntries(Object.values(carried).map((name) => [name, outputLocation])),
      }),
    });
    return { ort, session };
  }

  private attempt(provider: string): Promise<void> {
    return probeSession(provider, (model, name) => this.create(model, name, {}));
  }

  /** A session of a model. Throws RuntimeError where the runtime does not take it. */
  createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
    return this.createCarryingSession(model, {}, options);
  }

  /** A session that holds values between runs, on the device where it can. Throws RuntimeError. */
  createCarryingSession(model: Uint8Array, carried: Carried, options: SessionOptions = {}): Promise<CarryingSession> {
    const providers = (options.providers ?? ['wasm']).map(nameHere);
    return firstSession(providers, this.probes, carried, (provider) => this.create(model, provider, options, carried));
  }

  providers(): Promise<ProviderReport[]> {
    return this.probes.report(Object.keys(this.modules));
  }

  select(requested: readonly RequestedProvider[]): Promise<Selection> {
    return this.probes.select(requested.map((r) => ({ ...r, name: nameHere(r.name) })));
  }
}

/** The web's CPU is wasm. */
function nameHere(provider: string): string {
  return provider === 'cpu' ? 'wasm' : provider;
}

/** The reason of a refusal with what would help. */
function explain(provider: string, error: unknown): string {
  const said = ortReason(error);
  if (/fetch|importing a module|network ?error|error loading/i.test(said))
    return `the files of onnxruntime-web cannot be fetched, is there a network? (${said})`;
  if (provider === 'webgpu' && /adapter|navigator\.gpu|not supported|backend not found/i.test(said)) {
    return `no WebGPU adapter: a browser with WebGPU turned on and a GPU are needed (${said})`;
  }
  return said;
}
