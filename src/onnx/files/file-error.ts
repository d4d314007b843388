// From what the operating system says of a file (errno) to the one line that the user reads.

import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PrognetError, WorkspaceError } from '../core/errors.js';
import { reason } from '../core/one-line.js';

/** The errno name of what node:fs threw (`ENOENT`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** What is wrong and what would be right, for the codes that a user can do something about. */
function explain(code: string, path: string): string | undefined {
  const folder = dirname(path);
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `permission denied, check the owner and mode of ${folder}`;
    case 'EROFS':
      return 'the file system is read-only, choose another place';
    case 'ENOSPC':
      return 'no space is left on the device, free some and try again';
    case 'EDQUOT':
      return 'the disk quota is used up, free some space and try again';
    case 'EISDIR':
      return 'it is a folder, expected a file';
    case 'ENOTDIR':
      return 'a part of the path is a file, expected a folder';
    case 'ENOENT':
      return isFolder(folder) ? `${folder} takes no new files` : `the folder ${folder} does not exist`;
    case 'EEXIST':
      return 'it exists already';
    case 'ENAMETOOLONG':
      return 'the name is too long for the file system';
    case 'ELOOP':
      return 'its symbolic links go in a circle';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open, raise the limit (ulimit -n)';
    case 'EFBIG':
      return 'the file system takes no file of that size';
    case 'EBUSY':
    case 'ETXTBSY':
      return 'another program uses it';
    case 'EIO':
      return 'the device reports an input/output error';
    default:
      return undefined;
  }
}

/**
 * What node:fs threw while writing or reading `path`, as a WorkspaceError of one line:
 * `cannot write out/model.onnx: the folder out does not exist`. An error of ours passes unchanged.
 */
export function fileError(verb: 'write' | 'read' | 'remove', path: string, cause: unknown): PrognetError {
  if (cause instanceof PrognetError) return cause;
  const code = errorCode(cause);
  const missing = verb !== 'write' && code === 'ENOENT' ? 'it does not exist' : undefined;
  const why = missing ?? (code === undefined ? undefined : explain(code, path)) ?? reason(cause);
  return new WorkspaceError(`cannot ${verb} ${path}: ${why}`, { path, cause, ...(code === undefined ? {} : { got: code }) });
}

/** Whether the machine failed rather than the user: a full or broken disk, a quota or a table of open files that is used up. */
export function isMachineFault(error: unknown): boolean {
  const cause = error instanceof PrognetError ? error.cause : error;
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE'].includes(errorCode(cause) ?? '');
}
