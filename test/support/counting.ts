// A runtime that remembers the models that sessions were made of.
import type { Runtime } from '../../src/onnx/runtime/session.js';

/** `models`: in the order in which sessions were asked for. */
export function counting(runtime: Runtime): { readonly runtime: Runtime; readonly models: readonly Uint8Array[] } {
  const models: Uint8Array[] = [];
  const counted: Runtime = {
    version: runtime.version,
    readsFiles: runtime.readsFiles ?? false,
    createSession: (model, options) => {
      models.push(model);
      return runtime.createSession(model, options);
    },
    createCarryingSession: (model, carried, options) => {
      models.push(model);
      return runtime.createCarryingSession(model, carried, options);
    },
    providers: () => runtime.providers(),
    select: (requested) => runtime.select(requested),
  };
  return { runtime: counted, models };
}
