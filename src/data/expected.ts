// What a schema of this folder would have taken, in words: the errors of zod are never shown.
import type * as z from 'zod';
import { valueAt } from '../onnx/core/value-at.js';

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object of options',
};

type Bounds = { readonly inclusive?: boolean; readonly exact?: boolean; readonly origin: string };

/** `a number of at least 0`, `exactly 1 character`. */
function bounded(bound: number | bigint, word: 'least' | 'most', { inclusive = true, exact = false, origin }: Bounds): string {
  const countOf: Readonly<Record<string, string>> = { string: 'character', array: 'entry' };
  const unit = countOf[origin];
  if (unit === undefined) return `a number ${inclusive ? `of at ${word}` : word === 'least' ? 'above' : 'below'} ${bound}`;
  const plural = unit === 'entry' ? 'entries' : `${unit}s`;
  return `${exact ? 'exactly' : `at ${word}`} ${bound} ${Number(bound) === 1 ? unit : plural}`;
}

/** The words for an issue, to follow "expected". Given to `safeParse` as its `error`; what a schema says itself comes before. */
export function expectedOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? String(issue.expected);
    case 'too_small':
      return bounded(issue.minimum, 'least', issue);
    case 'too_big':
      return bounded(issue.maximum, 'most', issue);
    case 'invalid_value':
      return `one of ${issue.values.map((v) => JSON.stringify(v)).join(', ')}`;
    case 'unrecognized_keys':
      return `no key ${issue.keys.map((k) => JSON.stringify(k)).join(', ')}`;
    default:
      return 'another value';
  }
}

/** `found 2, expected an object of options`, `is missing, expected a number`; and its two parts. */
export function complaintOf(issue: z.core.$ZodIssue, root: unknown): { text: string; expected: string; got: string } {
  const found = valueAt(root, issue.path);
  const expected = issue.message;
  const got = JSON.stringify(found) ?? 'nothing';
  if (issue.code === 'unrecognized_keys')
    return { text: `found ${issue.keys.map((k) => JSON.stringify(k)).join(', ')}, expected ${expected}`, expected, got };
  return { text: `${found === undefined ? 'is missing' : `found ${got}`}, expected ${expected}`, expected, got };
}
