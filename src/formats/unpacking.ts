// How zlib is asked for a size that is known: into one buffer of that size. Left to itself it gathers small ones and joins them, which takes
// twice the memory.
/** Deflate never packs better than 1032:1 (zlib, technical details), so a larger claim is a lie found without unpacking. */
export const maxRatio = 1032;

/** Options that unpack `packed` to `bytes` bytes and no more; zlib sees the end only where it has room for one byte more. */
export function unpacking(packed: Uint8Array, bytes: number): { chunkSize: number; maxOutputLength: number } {
  return { chunkSize: Math.max(64, Math.min(bytes, packed.length * maxRatio) + 1), maxOutputLength: Math.max(1, bytes) };
}
