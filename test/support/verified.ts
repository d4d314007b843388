// The context that has a model verified after every pass of a pipeline, so that a broken graph is laid to the pass that broke it.
import type { Model } from '../../src/onnx/ir/model.js';
import { verifyModel } from '../../src/onnx/ops/verify-model.js';
import type { PassContext } from '../../src/onnx/passes/pass.js';

/** Throws an Error `after <pass>: <what the verifier says>`; `ran` collects the passes by name. */
export function verified(model: Model, context: PassContext = {}, ran = new Set<string>()): PassContext {
  const onPass = (name: string) => {
    ran.add(name);
    try {
      verifyModel(model);
    } catch (cause) {
      throw new Error(`after ${name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
  return { opset: model.opset, ...context, onPass };
}
