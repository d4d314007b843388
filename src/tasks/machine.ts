// What the bits of a result depend on beside the model: the runtime, and the processor that it picks its kernels for.
import os from 'node:os';
import { version } from '../onnx/core/version.js';
import type { Runtime } from '../onnx/runtime/session.js';

/** `versions` of a column record; without a runtime, of one whose outputs were not asked. */
export function versionsNow(runtime: Runtime | undefined): Record<'prognet' | 'onnxruntime' | 'processor', string> {
  const model = os.cpus()[0]?.model.trim() || 'unknown';
  return { prognet: version, onnxruntime: runtime?.version ?? 'none', processor: `${process.platform}-${process.arch} ${model}` };
}
