// Names of files and folders that are still being written, `.<name>.tmp-<pid>-...`, and the removal of those whose process has ended.
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identityToken, isAlive, ownIdentity, parseIdentityToken } from './process-identity.js';

let count = 0;
/** Of this process; read once, since it stands in the name of every file that is written. */
let own: string | undefined;

/** What stands for a name in a temporary one: itself, or of a long name a hash, since file systems take 255 bytes. */
export function stem(name: string): string {
  return Buffer.byteLength(name) <= 100 ? name : createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** A name that no other process, and no other call in this one, gives. */
export function temporaryName(name: string): string {
  own ??= identityToken(ownIdentity());
  return `.${stem(name)}.tmp-${own}-${count++}`;
}

/** The name and the owner in a temporary name, or undefined for any other. */
function ownerOf(entry: string): { readonly name: string; readonly alive: boolean } | undefined {
  const match = /^\.(.+)\.tmp-([0-9a-f-]+)-\d{1,9}$/.exec(entry);
  const [, name, token] = match ?? [];
  if (name === undefined || token === undefined) return undefined;
  const owner = parseIdentityToken(token);
  return owner === undefined ? undefined : { name, alive: isAlive(owner) };
}

/** Removes a file or folder if it can; used where another error is on its way, or where it does not matter. */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Left for the next process.
  }
}

/**
 * Removes what processes that have ended left half-written in `folder` (all of it, or only that of one name). What a live process
 * writes is never touched. Best effort: a folder that cannot be read or written is left as it is.
 */
export function removeStale(folder: string, name?: string): void {
  let entries: readonly string[];
  try {
    entries = readdirSync(folder);
  } catch {
    return;
  }
  for (const entry of entries) {
    if (!entry.includes('.tmp-')) continue;
    const owner = ownerOf(entry);
    if (owner === undefined || owner.alive || (name !== undefined && owner.name !== stem(name))) continue;
    removeQuietly(join(folder, entry));
  }
}
