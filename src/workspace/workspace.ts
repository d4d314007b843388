// The folder that holds a network: where its description, columns and runs are.
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { WorkspaceError } from '../onnx/core/errors.js';
import { fileError } from '../onnx/files/file-error.js';
import { makeFolder } from '../onnx/files/folder.js';

/** Names of the description, in the order in which they are looked for. */
export const descriptionNames = ['prognet.yaml', 'prognet.yml', 'prognet.json'] as const;

/** Folders of a workspace that hold what prognet alone writes. */
export const ownFolders = ['columns', 'runs', 'imported', 'analysis'] as const;

/** A workspace's folders and files. */
export interface Workspace {
  /** Absolute. */
  readonly root: string;
  /** Path of the description. */
  readonly description: string;
  /** The folder of frozen columns. */
  readonly columns: string;
  /** The folder of trainings in progress. */
  readonly runs: string;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Descriptions in a folder; more than one is an error, since which one counts could not be known. */
function descriptionIn(folder: string): string | undefined {
  const found = descriptionNames.filter((name) => isFile(join(folder, name)));
  if (found.length > 1) {
    throw new WorkspaceError(`${folder}: found ${found.join(' and ')}, expected one description; remove or rename the others`, {
      path: folder,
      got: found.join(', '),
    });
  }
  const [name] = found;
  return name === undefined ? undefined : join(folder, name);
}

/**
 * The nearest folder, from `start` upward, that holds a description; undefined when none does.
 * @throws WorkspaceError when that folder holds several
 */
export function findWorkspace(start: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (descriptionIn(folder) !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * The workspace in `root`. Nothing is written.
 * @throws WorkspaceError when there is no description in it
 */
export function openWorkspace(root: string): Workspace {
  const folder = resolve(root);
  const description = descriptionIn(folder);
  if (description === undefined) {
    throw new WorkspaceError(`${folder}: no ${descriptionNames[0]} here`, {
      remedy: { kind: 'begin' },
      path: folder,
      expected: descriptionNames.join(', '),
    });
  }
  return workspaceOf(folder, description);
}

/** The workspace of a description, both paths absolute. */
export function workspaceOf(root: string, description: string): Workspace {
  return { root, description, columns: join(root, 'columns'), runs: join(root, 'runs') };
}

/**
 * The workspace that `start` lies in.
 * @throws WorkspaceError when there is none
 */
export function requireWorkspace(start: string): Workspace {
  const root = findWorkspace(start);
  if (root !== undefined) return openWorkspace(root);
  const folder = resolve(start);
  throw new WorkspaceError(`no ${descriptionNames[0]} in ${folder} or above it`, {
    remedy: { kind: 'begin' },
    path: folder,
    expected: descriptionNames.join(', '),
  });
}

/** Makes columns/ and runs/ where they are missing. */
export function createFolders(workspace: Workspace): void {
  for (const folder of [workspace.columns, workspace.runs]) {
    try {
      makeFolder(folder);
    } catch (cause) {
      throw fileError('write', folder, cause);
    }
  }
}
