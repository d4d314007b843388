// The one rule of what a command may write over: never a file of a workspace, never what the same command reads. Called before any work.
import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../onnx/core/errors.js';
import { descriptionNames, ownFolders } from './workspace.js';

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Where a path leads, links followed as far as it exists. */
function realOf(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch {
    const folder = dirname(full);
    return folder === full ? full : join(realOf(folder), basename(full));
  }
}

/** The folders above a path, the nearest first. */
function roots(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...roots(above)];
}

/** Whether a path is the description of the workspace in `root`, or one of its own folders, or lies in one. */
function isOwn(root: string, path: string): boolean {
  if (!descriptionNames.some((name) => statOf(join(root, name))?.isFile())) return false;
  const [first = '', ...rest] = relative(root, path).split(sep);
  return (
    (ownFolders as readonly string[]).includes(first) ||
    (rest.length === 0 && (descriptionNames as readonly string[]).includes(first))
  );
}

/** The same file on disk, under whatever name; devices and pipes are none. */
export function isSame(a: string, b: string): boolean {
  const [x, y] = [statOf(a), statOf(b)];
  return realOf(a) === realOf(b) ? x === undefined || x.isFile() : x?.isFile() === true && x.dev === y?.dev && x.ino === y.ino;
}

/**
 * Refuses an output (a file or a folder) that is the description of any workspace or lies among its columns, runs or imported graphs, and one
 * that is an input of the same command. Throws UsageError.
 * @param inputs paths that the command reads
 */
export function refuseOutput(output: string, inputs: readonly string[] = []): void {
  const refuse = (what: string): never => {
    throw new UsageError(`${output}: ${what}, expected another output`, { path: output, expected: 'another output' });
  };
  // Both as it is written and where it leads: columns/ may be a link, and a link may lead into it.
  for (const path of [resolve(output), realOf(output)])
    if (roots(path).some((root) => isOwn(root, path))) refuse('is a file of the workspace itself');
  if (inputs.some((input) => isSame(output, input))) refuse('is what the command reads');
}

/** Whether an output is there and is neither a file nor a folder: a pipe, /dev/stdout. */
export function isDevice(output: string): boolean {
  const stat = statOf(output);
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

/** Refuses an output that takes one file alone where several are to be written. Throws UsageError. */
export function refuseDevice(output: string): void {
  if (isDevice(output))
    throw new UsageError(`${output}: is no regular file, which external data need`, { path: output, expected: 'a file' });
}
