// The runtime's interface: model bytes and tensors in, tensors out. It knows nothing of graphs. Adapters: node.ts, web.ts.
import type { Tensor } from '../core/tensor.js';

/** Which execution providers are asked for, in order, and how to run. */
export interface SessionOptions {
  /** Tried in this order; default ['cpu'], which the web's runtime takes as wasm. */
  readonly providers?: readonly string[];
  /** Threads inside one op; default: the number of cores. Results are bit-identical for one number of threads. */
  readonly threads?: number;
  /** Whether worker threads that wait spin without end (true) or never (false); default: for a moment, as other processes leave cores free. */
  readonly spinning?: boolean;
  /** Names of nodes that the CPU is to run where the provider takes such a list: those whose kernel on the device does not do all of the op. */
  readonly hostNodes?: readonly string[];
  /** The folder that locations of the model's external data begin in, where the runtime reads files (`readsFiles`). */
  readonly weightsFolder?: string;
}

/** A graph that is ready to run. */
export interface Session {
  /** Names of the graph's inputs, in its order. */
  readonly inputNames: readonly string[];
  /** Names of the graph's outputs, in its order. */
  readonly outputNames: readonly string[];
  /** The provider in use. */
  readonly provider: string;
  /** Runs the whole graph; returns the outputs asked for (default all). */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Gives its memory back; the session is not to be used after. */
  release(): Promise<void>;
}

/** Outputs that are the next run's inputs: their names by the input's. */
export type Carried = Readonly<Record<string, string>>;

/**
 * A session that holds values between runs, on the device where the adapter can. They are no part of what `run` takes and gives, but go in by
 * `write` and out by `read`, by the input's name.
 */
export interface CarryingSession extends Session {
  /** Sets values that are held, by input name. */
  write(values: Readonly<Record<string, Tensor>>): void;
  /** The values that are held, by input name. */
  read(): Promise<Record<string, Tensor>>;
}

/** Whether an execution provider works here. */
export interface ProviderReport {
  /** Its name, such as `cpu` or `webgpu`. */
  readonly provider: string;
  /** Whether a session of it ran. */
  readonly available: boolean;
  /** Why not, in one line; or a remark. */
  readonly reason?: string;
}

/** One entry of `cuda!,webgpu,cpu`. */
export interface RequestedProvider {
  /** The provider's name. */
  readonly name: string;
  /** Written with `!`: a refusal is an error rather than a reason to try the next. */
  readonly insist: boolean;
}

/** The provider that was chosen, and those that would have come before it. */
export interface Selection {
  /** The provider to use. */
  readonly provider: string;
  /** Those before it, each with the reason in one line. */
  readonly refused: readonly { readonly provider: string; readonly reason: string }[];
}

/** A value of a provider's option. */
export type OptionValue = string | number | boolean | readonly string[];

/** What an adapter is loaded with, for all its sessions. */
export interface RuntimeSettings {
  /** ONNX Runtime's own options of a provider, by provider and name: `{ cuda: { deviceId: 1 } }`. */
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** Session config entries by their full key: `session.set_denormal_as_zero`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** ONNX Runtime as the rest of the project sees it: sessions and providers. */
export interface Runtime {
  /** `onnxruntime-node 1.30.0` */
  readonly version: string;
  /** Whether all sessions share the threads of the first, and none can ask for a number of its own. */
  readonly sharedThreads?: boolean;
  /** Whether sessions take `weightsFolder`: models then need not hold their weights. */
  readonly readsFiles?: boolean;
  /** A session of a model. Throws RuntimeError where the runtime does not take it. */
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
  /** A session that holds values between runs: those that `carried` names. Throws RuntimeError. */
  createCarryingSession(model: Uint8Array, carried: Carried, options?: SessionOptions): Promise<CarryingSession>;
  /** Probes every provider that the package knows, each once, with a one-node session. */
  providers(): Promise<ProviderReport[]>;
  /** The first of the requested providers that works here; the CPU where none of them does and none is insisted on. Throws RuntimeError. */
  select(requested: readonly RequestedProvider[]): Promise<Selection>;
}
