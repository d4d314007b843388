// The runtime's interface: model bytes and tensors in, tensors out. It knows nothing of graphs. Adapters: node.ts, web.ts.
import type { Tensor } from '../core/tensor.js';

/** An ordered wish for execution providers and how to run. */
export interface SessionOptions {
  /** Tried in this order; default ['cpu']. */
  readonly providers?: readonly string[];
  /** Threads inside one op; default: the number of physical cores. Results are bit-identical for one number of threads. */
  readonly threads?: number;
  /** Let worker threads spin between runs. Off by default, since sessions that take turns would slow each other down. */
  readonly spinning?: boolean;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** The provider in use. */
  readonly provider: string;
  /** Runs the whole graph; returns the outputs asked for (default all). */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface ProviderReport {
  readonly provider: string;
  readonly available: boolean;
  /** Why not, in one line; or a remark. */
  readonly reason?: string;
}

export interface Runtime {
  /** `onnxruntime-node 1.30.0` */
  readonly version: string;
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
  /** Probes every provider that the package knows with a one-node session. */
  providers(): Promise<ProviderReport[]>;
}
