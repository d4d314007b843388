// What a write that takes several steps has begun: `.<name>.pending` lists the files beside `name` that it makes or makes superfluous. It is
// there before the first step and gone after the last, so that after a kill the next writer knows what was left. Held under a lock.
import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from './atomic-file.js';
import { stem } from './temporary.js';

/** Where the note about a write of `path` is. */
export function pendingPath(path: string): string {
  return join(dirname(path), `.${stem(basename(path))}.pending`);
}

/** Notes that a write of `path` is under way, and the names beside it that it touches. */
export function beginPending(path: string, names: readonly string[]): void {
  writeFileAtomic(pendingPath(path), new TextEncoder().encode(`${JSON.stringify(names)}\n`));
}

/** The names that an earlier write of `path` noted and did not come to the end of; undefined where there was none. */
export function leftPending(path: string): readonly string[] | undefined {
  let text: string;
  try {
    text = readFileSync(pendingPath(path), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** The write has come to its end. */
export function endPending(path: string): void {
  rmSync(pendingPath(path), { force: true });
}
