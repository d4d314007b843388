// Numbers among the flags.
import { UsageError } from '../core/errors.js';

/** A positive integer; undefined stays undefined. Throws UsageError. */
export function integerFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${name}: found "${text}", expected a positive integer`, {
    path: name,
    expected: 'a positive integer',
    got: text,
  });
}
