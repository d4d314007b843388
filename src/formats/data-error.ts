// How the readers speak of bad data: one line, the place first, foreign text quoted and cut.
import { DataError, type ErrorFields } from '../onnx/core/errors.js';

/** No reader unpacks or reads more than this many bytes unless told otherwise (2 GiB, what one Node read returns at most). */
export const defaultMaxBytes = 2 ** 31 - 1;

/** A DataError `where: what` whose `path` is `where`. */
export function dataError(where: string, what: string, fields: Omit<ErrorFields, 'path'> = {}): DataError {
  return new DataError(`${where}: ${what}`, { path: where, ...fields });
}

/** Text from a file as it may stand in a message: quoted, on one line, at most 40 characters of it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

/** The multi-index of a flat row-major index, as `[3,0,5]`. */
export function formatIndex(flat: number, dims: readonly number[]): string {
  const out: number[] = [];
  let rest = flat;
  for (const d of dims.slice(1).toReversed()) {
    out.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  if (dims.length > 0) out.unshift(rest);
  return `[${out.join(',')}]`;
}
