// Writes a folder of files that prognet made: all of it or nothing. An existing folder is replaced only when it is one that prognet wrote and
// nobody has changed since, which its list of hashes tells.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { WorkspaceError } from '../onnx/core/errors.js';
import { syncFolder, writeNewFile } from '../onnx/files/atomic-file.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';
import { HashedPieces, sha256 } from '../onnx/files/hash.js';
import { whileLocked } from '../onnx/files/lock-file.js';
import { StoredFile } from '../onnx/files/stored-file.js';
import { removeQuietly, removeStale, stem, temporaryName } from '../onnx/files/temporary.js';
import type { BytePieces } from '../onnx/files/write-all.js';

/** Lists what was written, by path and sha256. */
const list = '.prognet-bundle.json';

function entriesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => !e.isDirectory())
    .map((e) =>
      join(e.parentPath, e.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
}

/** The hashes in a folder's list; undefined where it has none that can be read. */
function listed(folder: string): ReadonlyMap<string, string> | undefined {
  try {
    const document: unknown = JSON.parse(readFileSync(join(folder, list), 'utf8'));
    const files = typeof document === 'object' && document !== null && 'files' in document ? document.files : undefined;
    return typeof files === 'object' && files !== null ? new Map(Object.entries(files)) : undefined;
  } catch {
    return undefined;
  }
}

/** Throws WorkspaceError where the folder holds anything that is not prognet's own, unchanged. */
function refuseForeign(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory())
    throw new WorkspaceError(`cannot write ${folder}: it is a file, expected a folder`, { path: folder });
  const entries = entriesOf(folder);
  if (entries.length === 0 && readdirSync(folder).length === 0) return;
  const known = listed(folder);
  const refused = (what: string) =>
    new WorkspaceError(`${folder}: ${what}; it stays as it is, choose another folder`, {
      path: folder,
      expected: 'an empty folder',
    });
  if (known === undefined) throw refused('is not empty and was not written by prognet');
  for (const path of entries) {
    if (path === list) continue;
    const hash = known.get(path);
    if (hash === undefined) throw refused(`holds ${JSON.stringify(path)}, which prognet did not write`);
    if (sha256(new StoredFile(join(folder, path)).pieces()) !== hash)
      throw refused(`${JSON.stringify(path)} was changed since it was written`);
  }
}

/** A kill between the two renames of a replacement leaves the old folder aside: it is put back, or removed where the new one is there. */
function finishReplacement(folder: string, aside: string): void {
  if (!existsSync(aside)) return;
  if (existsSync(folder)) rmSync(aside, { recursive: true, force: true });
  else renameSync(aside, folder);
}

/**
 * Writes `files` (paths with forward slashes) as the folder `path`. On any error the folder is as it was. Writes of one folder wait for each other.
 * @throws WorkspaceError for a folder that is not ours, or what the disk does not take
 */
export function writeOutputFolder(path: string, files: ReadonlyMap<string, BytePieces>): void {
  const folder = resolve(path);
  try {
    makeFolder(dirname(folder));
  } catch (cause) {
    throw fileError('write', path, cause);
  }
  whileLocked(folder, () => writeLocked(path, folder, files));
}

function writeLocked(path: string, folder: string, files: ReadonlyMap<string, BytePieces>): void {
  const [parent, name] = [dirname(folder), basename(folder)];
  const made = join(parent, temporaryName(name));
  const aside = join(parent, `.${stem(name)}.replaced`);
  try {
    finishReplacement(folder, aside);
    refuseForeign(folder);
    removeStale(parent, name);
    mkdirSync(made);
    const hashes: Record<string, string> = {};
    for (const [file, bytes] of files) {
      makeFolder(dirname(join(made, file)));
      const hashed = new HashedPieces(bytes instanceof Uint8Array ? [bytes] : bytes);
      writeNewFile(join(made, file), hashed);
      hashes[file] = hashed.digest();
    }
    writeNewFile(join(made, list), new TextEncoder().encode(`${JSON.stringify({ prognet: 1, files: hashes }, null, 2)}\n`));
    syncFolder(made);
    // Node has no call that exchanges two folders; between these two there is none, and a kill there is mended by the next write.
    const replaces = existsSync(folder);
    if (replaces) renameSync(folder, aside);
    try {
      renameSync(made, folder);
    } catch (cause) {
      if (replaces) renameSync(aside, folder);
      throw cause;
    }
    syncFolder(parent);
  } catch (cause) {
    removeQuietly(made);
    throw fileError('write', path, cause);
  }
  removeQuietly(aside);
}
