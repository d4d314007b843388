// The runtime of a Node process: onnxruntime-node, or onnxruntime-web's wasm where that is absent.
import { RuntimeError } from '../core/errors.js';
import { defaultThreads, NodeRuntime } from './node.js';
import { ortModule } from './ort-session.js';
import type { ProviderReport, Runtime, RuntimeSettings } from './session.js';
import { WebRuntime } from './web.js';

/** A runtime and where it was found. */
export interface LoadedRuntime {
  /** The runtime. */
  readonly runtime: Runtime;
  /** What the user should know: that wasm runs for want of onnxruntime-node. */
  readonly note?: string;
}

/** What a runtime is looked for and loaded with. */
export interface LoadSettings extends RuntimeSettings {
  /** Of wasm, which has one number for all sessions. Default: one for each core. */
  readonly threads?: number;
}

/** Neither package can be loaded. */
export class NoRuntimeError extends RuntimeError {
  /** The first provider of each package, and why it does not run. */
  readonly providers: readonly ProviderReport[];

  constructor(node: string, web: string, cause: unknown) {
    super(`${node}; nor is there a fallback: ${web}`, { cause });
    this.providers = [
      { provider: 'cpu', available: false, reason: node },
      { provider: 'wasm', available: false, reason: web },
    ];
  }
}

/** Throws NoRuntimeError when neither package can be loaded. */
export async function loadRuntime(settings: LoadSettings = {}): Promise<LoadedRuntime> {
  let missing: unknown;
  try {
    return { runtime: await NodeRuntime.load(settings) };
  } catch (error) {
    missing = error;
  }
  const why = missing instanceof Error ? missing.message : String(missing);
  const { threads = defaultThreads() } = settings;
  try {
    const wasm = async () => ortModule(await import('onnxruntime-web'));
    const runtime = await WebRuntime.load({ wasm }, { ...settings, threads });
    return { runtime, note: `${runtime.version} on wasm, several times slower: ${why}` };
  } catch (error) {
    const also = error instanceof Error ? error.message : String(error);
    throw new NoRuntimeError(why, also, error);
  }
}
