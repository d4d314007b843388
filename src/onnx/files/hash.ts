// SHA-256 of bytes and of named tensors.
import { createHash, type Hash } from 'node:crypto';
import type { Tensor } from '../core/tensor.js';
import type { BytePieces } from './write-all.js';

/** A SHA-256 as 64 lower-case hex digits. */
export const sha256Pattern = /^[0-9a-f]{64}$/;

/** Bytes hashed at once; Node's hash takes less than 2 GiB. */
const chunk = 256 * 2 ** 20;

function updateAll(hash: Hash, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += chunk) hash.update(bytes.subarray(at, at + chunk));
}

/** SHA-256 of bytes, in hex. Several pieces count as one. */
export function sha256(bytes: BytePieces | string): string {
  const hash = createHash('sha256');
  if (typeof bytes === 'string') hash.update(bytes);
  else for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) updateAll(hash, part);
  return hash.digest('hex');
}

/** Pieces on their way to a file, and the SHA-256 of all of them once they are there. */
export class HashedPieces implements Iterable<Uint8Array> {
  private readonly hash = createHash('sha256');

  constructor(private readonly pieces: Iterable<Uint8Array>) {}

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const piece of this.pieces) {
      updateAll(this.hash, piece);
      yield piece;
    }
  }

  /** In hex; asked once, after the last piece. */
  digest(): string {
    return this.hash.digest('hex');
  }
}

/**
 * SHA-256 of tensors in the order of the map, in hex: for each a line of JSON `[name, dtype, dims, bytes]` and then its raw bytes (strings:
 * their list as JSON). Every length is stated before what it counts, so that no two maps give the same bytes.
 */
export function sha256Tensors(tensors: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256');
  for (const [name, tensor] of tensors) {
    const bytes = tensor.dtype === 'string' ? new TextEncoder().encode(JSON.stringify(tensor.data)) : tensor.bytes;
    hash.update(`${JSON.stringify([name, tensor.dtype, tensor.dims, bytes.length])}\n`);
    updateAll(hash, bytes);
  }
  return hash.digest('hex');
}

/** The first 12 digits, for messages. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
