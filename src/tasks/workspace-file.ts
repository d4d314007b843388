// A file of the workspace that its description names: read whole, never from outside of the workspace.
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { DescriptionError } from '../onnx/core/errors.js';
import { fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';

/**
 * The bytes of `named`, a path relative to the workspace; it never leaves it, by `..` or by a link.
 * @param path where the description says it, for errors
 */
export function readWithin(root: string, named: string, path: string, maxBytes: number): Uint8Array {
  const refuse = (got: string, expected: string): never => {
    throw new DescriptionError(`${path}: ${JSON.stringify(named)} ${got}, expected ${expected}`, { path, expected, got: named });
  };
  const inside = (from: string, to: string) => !isAbsolute(relative(from, to)) && relative(from, to).split(sep)[0] !== '..';
  const full = join(root, named);
  if (isAbsolute(named) || !inside(root, full)) refuse('leaves the workspace', 'a path within it');
  try {
    const size = statSync(full).size;
    if (size > maxBytes) refuse(`is ${size} bytes`, `at most ${maxBytes}`);
    if (!inside(realpathSync(root), realpathSync(full))) refuse('is a link out of the workspace', 'a file within it');
  } catch (cause) {
    if (cause instanceof DescriptionError) throw cause;
    throw fileError('read', full, cause);
  }
  return readWhole(full);
}
