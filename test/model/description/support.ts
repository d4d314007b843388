// What the tests of descriptions share: a minimal description to vary, and the message of an error.
import { DescriptionError } from '../../../src/onnx/core/errors.js';

export const base = {
  prognet: 1,
  name: 'net',
  input: { name: 'x', shape: [4] },
  columns: [
    { task: 'a', blocks: [[{ dense: 8 }, 'relu'], ['flatten']], head: { classify: 3 } },
    { task: 'b', like: 'a' },
  ],
};

/** `base` with fields of its column i replaced. */
export function withColumn(i: number, fields: Record<string, unknown>): unknown {
  return { ...base, columns: base.columns.map((c, k) => (k === i ? { ...c, ...fields } : c)) };
}

/** `base` with these layers as the first column's second block. */
export function withLayer(layer: unknown): unknown {
  return withColumn(0, { blocks: [['relu'], [layer]] });
}

/** The DescriptionError that `run` throws; anything else fails the test. */
export function errorOf(run: () => unknown): DescriptionError {
  try {
    run();
  } catch (error) {
    if (error instanceof DescriptionError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
