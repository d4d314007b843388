// A small column, for tests and for the children that are killed.
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { ColumnDraft } from '../../src/workspace/column-record.js';

export function sampleDraft(task: string): ColumnDraft {
  return {
    task,
    sha256: { graph: 'a'.repeat(64) },
    description: '{"blocks":[]}',
    sources: {},
    seed: 7,
    data: { fingerprint: 'mnist-1234', rows: 60000 },
    metrics: { accuracy: 0.98, loss: 0.07, drift: -0 },
    history: [{ epoch: 1, loss: 0.3 }],
    outputs: { sha256: 'b'.repeat(64), count: 1000, provider: 'cpu', threads: 2 },
    versions: { prognet: '0.1.0', onnxruntime: '1.30.0' },
    createdAt: '2026-01-31T12:00:00.000Z',
  };
}

/** `count` numbers that all say `value`, and a scalar of another type. */
export function sampleTensors(task: string, value = 0.5, count = 12): Map<string, Tensor> {
  return new Map([
    [`${task}/0/0/weight`, new Tensor('float32', [count], new Float32Array(count).fill(value))],
    [`${task}/0/0/step`, Tensor.from('int64', Math.round(value))],
  ]);
}
