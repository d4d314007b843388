// Runs a built graph on onnxruntime-node: verified, encoded by our own serde, one thread.
import type { Tensor } from '../../src/onnx/core/tensor.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { verifyModel } from '../../src/onnx/ops/verify-model.js';
import { NodeRuntime } from '../../src/onnx/runtime/node.js';
import type { Session } from '../../src/onnx/runtime/session.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';

export const runtime = await NodeRuntime.load();

export async function sessionOf(model: Model): Promise<Session> {
  verifyModel(model);
  return runtime.createSession(toBinary(model), { threads: 1 });
}

/** Builds a session, runs once, releases. */
export async function runModel(model: Model, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await sessionOf(model);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}
