// Bytes written to an open file, all of them: one call of the system may take fewer, and none takes more than 2 GiB.
import { writeSync } from 'node:fs';

/** One piece, or several that follow each other in the file; each is asked for when those before it are written. */
export type BytePieces = Uint8Array | Iterable<Uint8Array>;

/** Bytes given to the system at once. */
const chunk = 256 * 2 ** 20;

/** At byte `position` of the file; where that is left out, behind what was written last. Throws what node:fs throws. */
export function writeAll(fd: number, bytes: BytePieces, position?: number): void {
  let before = 0;
  for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
    for (let at = 0; at < part.length; ) {
      const place = position === undefined ? undefined : position + before + at;
      at += writeSync(fd, part, at, Math.min(chunk, part.length - at), place);
    }
    before += part.length;
  }
}
