// Bytes read from an open file, as many as are asked for: one call of the system may give fewer, and none gives more than 2 GiB.
import { readSync } from 'node:fs';

/** Bytes taken from the system at once. */
const chunk = 256 * 2 ** 20;

/** Fills an array with the bytes at `position`; gives how many there were, fewer where the file ends before. Throws what node:fs throws. */
export function fill(fd: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const n = readSync(fd, into, done, Math.min(chunk, into.length - done), position + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}
