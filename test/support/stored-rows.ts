// Rows in memory beside rows on disk: compared by their bytes, and shuffled alike.
import { expect } from 'vitest';
import { fingerprint } from '../../src/data/fingerprint.js';
import { gatherRows, inMemory, type Rows, type RowsOnDisk, sliceRows, storedTypes } from '../../src/data/rows.js';
import { shuffleOf } from '../../src/data/stored/rows-file.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

export const allRows = (rows: Rows): Tensor => sliceRows(rows, 0, rows.dims[0] ?? 0);

/** Compared by their bytes: element by element it takes a hundred times as long. */
export function expectRows(found: Tensor, expected: Rows): void {
  const whole = inMemory(expected) ? expected : allRows(expected);
  expect([found.dtype, found.dims]).toEqual([whole.dtype, whole.dims]);
  expect(Buffer.compare(found.bytes, whole.bytes)).toBe(0);
}

/** Rows in memory that are shuffled as rows on disk are. */
export function shuffledAs(rows: Tensor, bytes: number): RowsOnDisk {
  const dtype = must(
    storedTypes.find((type) => type === rows.dtype),
    rows.dtype,
  );
  return {
    dtype,
    dims: rows.dims,
    content: fingerprint({ inputs: rows, targets: Tensor.from('int64', []) }),
    memory: bytes,
    shuffle: shuffleOf({ dtype, dims: rows.dims }, bytes),
    read: (numbers) => gatherRows(rows, Uint32Array.from(numbers)),
    slice: (from, to) => sliceRows(rows, from, to),
    select: (numbers) => shuffledAs(gatherRows(rows, numbers), bytes),
  };
}
