// Bytes that are asked for by their places, so that a file need not be in memory: what parquet-file.ts and arrow-file.ts read from. Those of a file on disk
// are disk-bytes.ts's.

/** Bytes by their places. */
export interface FileBytes {
  readonly length: number;
  /** Bytes [from, to), as many as there are. Throws DataError. */
  readonly read: (from: number, to: number) => Uint8Array;
}

/** Bytes in memory; parts are views of them. */
export const bytesInMemory = (bytes: Uint8Array): FileBytes => ({
  length: bytes.length,
  read: (from, to) => bytes.subarray(from, to),
});
