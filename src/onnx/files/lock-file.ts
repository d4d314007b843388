// A file that says which process works in a folder, or on a file. Locks of processes that have ended are taken over, by one taker only.
import { linkSync, readFileSync, renameSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { WorkspaceError } from '../core/errors.js';
import { writeNewFile } from './atomic-file.js';
import { errorCode, fileError } from './file-error.js';
import { identityToken, isAlive, isLocal, isOnHost, ownIdentity, parseIdentityToken } from './process-identity.js';
import { removeQuietly, removeStale, stem, temporaryName } from './temporary.js';

export interface Lock {
  /** Gives the lock back; a second call, and one after somebody else took it, does nothing. */
  release(): void;
}

/** One line of text: the owner's token, then for people its host and when it began. */
function lockText(): string {
  return `${identityToken(ownIdentity())} host ${hostname()} since ${new Date().toISOString()}\n`;
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw fileError('read', path, cause);
  }
}

function pause(milliseconds = 5): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function ownerOf(text: string) {
  return parseIdentityToken(text.split(' ')[0] ?? '');
}

/** A lock that nobody can hold any more; one without an owner is the leftover of a power cut. */
function isStale(text: string): boolean {
  const owner = ownerOf(text);
  return owner === undefined || !isAlive(owner);
}

/** Makes the file with its text in one step, as a hard link of a finished one. False when it exists. */
function linkNew(path: string, text: string, name: string): boolean {
  const made = join(dirname(path), temporaryName(name));
  try {
    writeNewFile(made, new TextEncoder().encode(text));
    try {
      linkSync(made, path);
    } catch (cause) {
      // FAT and some network file systems have no hard links.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(cause) ?? '')) throw cause;
      writeNewFile(path, new TextEncoder().encode(text));
    }
    return true;
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return false;
    throw cause;
  } finally {
    removeQuietly(made);
  }
}

/**
 * Replaces a stale lock. Two takers may have seen it: only the one that holds `<lock>.takeover` may replace it, and looks again first.
 * (A taker killed right here leaves that file, which the next one removes.)
 */
function takeOver(path: string, stale: string, text: string): boolean {
  const mutex = `${path}.takeover`;
  if (!linkNew(mutex, text, 'takeover')) {
    const other = readLock(mutex);
    if (other !== undefined && isStale(other)) removeQuietly(mutex);
    return false;
  }
  try {
    if (readLock(path) !== stale) return false;
    const made = join(dirname(path), temporaryName('lock'));
    try {
      writeNewFile(made, new TextEncoder().encode(text));
      renameSync(made, path);
    } catch (cause) {
      removeQuietly(made);
      throw cause;
    }
    return true;
  } finally {
    removeQuietly(mutex);
  }
}

function heldError(path: string, shown: string, text: string): WorkspaceError {
  const owner = ownerOf(text);
  const since = / since (\S+)/.exec(text)?.[1] ?? 'an unknown time';
  const host = / host (\S+)/.exec(text)?.[1] ?? 'another host';
  const who = owner?.pid === process.pid && isLocal(owner) ? 'this process' : `process ${owner?.pid ?? 'unknown'}`;
  const elsewhere = owner === undefined || isLocal(owner) ? '' : isOnHost(owner) ? 'another container' : host;
  const where = elsewhere === '' ? '' : ` ${elsewhere === host ? 'on' : 'in'} ${elsewhere}`;
  const advice = where === '' ? 'wait for it or stop it' : `wait for it, or delete the file if it has ended`;
  return new WorkspaceError(`${shown}: ${who}${where} works here since ${since}, ${advice}`, { path, got: text.trim() });
}

/**
 * Locks a folder, or a file, for this process.
 * @param path of the lock file, in a folder that exists
 * @param shown the path as messages name it
 * @param patience milliseconds to wait for a live process that holds it
 * @throws WorkspaceError when a live process holds it
 */
export function acquireLock(path: string, shown = path, patience = 0): Lock {
  const text = lockText();
  const end = performance.now() + patience;
  let held = '';
  try {
    removeStale(dirname(path));
    for (let attempt = 0; attempt < 100; attempt++) {
      if (linkNew(path, text, 'lock')) return lockOf(path, text);
      const other = readLock(path);
      if (other === undefined) continue;
      held = other;
      if (ownerOf(other) === undefined && attempt < 20) {
        // Being written at this moment, where there are no hard links.
        pause();
        continue;
      }
      if (!isStale(other)) {
        if (performance.now() >= end) break;
        // Not an attempt: the other is at its work.
        attempt--;
        pause(20);
        continue;
      }
      if (takeOver(path, other, text)) return lockOf(path, text);
      // Another taker is at work.
      pause();
    }
  } catch (cause) {
    throw fileError('write', path, cause);
  }
  throw heldError(path, shown, held);
}

function lockOf(path: string, text: string): Lock {
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      try {
        if (readLock(path) === text) unlinkSync(path);
      } catch (cause) {
        throw fileError('remove', path, cause);
      }
    },
  };
}

/** How long one write waits for another of the same file or folder, in milliseconds: model and weights may be gigabytes. */
const writePatience = 60_000;

/**
 * Does `work` while no other process of prognet writes the file or folder `path`: what it finds beside it stays so until it is done.
 * @throws WorkspaceError when another is at it for a minute, or the folder above cannot be written; what `work` throws
 */
export function whileLocked<T>(path: string, work: () => T): T {
  let lock: Lock;
  try {
    lock = acquireLock(join(dirname(path), `.${stem(basename(path))}.lock`), path, writePatience);
  } catch (error) {
    // The user knows of `path`, not of its lock.
    if (error instanceof WorkspaceError && error.cause !== undefined) throw fileError('write', path, error.cause);
    throw error;
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}
