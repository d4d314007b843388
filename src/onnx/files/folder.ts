// Makes folders. Not node:fs's own recursive mkdir, which never returns where an existing folder takes no new ones (/proc; Node 20).
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { WorkspaceError } from '../core/errors.js';
import { errorCode } from './file-error.js';

function kindOf(path: string): 'folder' | 'file' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return undefined;
  }
}

/**
 * Makes a folder and those above it where they are missing.
 * @returns whether anything was made
 * @throws WorkspaceError where a file stands in its place; else what node:fs throws
 */
export function makeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (cause) {
    const kind = kindOf(path);
    if (kind === 'folder') return false;
    if (kind === 'file') throw new WorkspaceError(`cannot write ${path}: it is a file, expected a folder`, { path, cause });
    const parent = dirname(path);
    if (errorCode(cause) !== 'ENOENT' || parent === path || kindOf(parent) !== undefined) throw cause;
    makeFolder(parent);
    try {
      mkdirSync(path);
    } catch (again) {
      // Another process made it meanwhile.
      if (kindOf(path) !== 'folder') throw again;
    }
    return true;
  }
}
