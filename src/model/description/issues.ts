// From what a schema found to the one line that the user reads: where, what was found, what would be right.
import type { z } from 'zod';
import { DescriptionError } from '../../onnx/core/errors.js';
import { valueAt } from '../../onnx/core/value-at.js';

export type Path = readonly PropertyKey[];

/** `columns[0].blocks[1][0]`; keys that are no identifiers are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (typeof part === 'string' && /^[A-Za-z_$][\w$-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${show(String(part))}]`;
  }
  return text;
}

/** A value on one line, cut at 60 characters. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'an object';
  } catch {
    text = 'an object';
  }
  const line = text.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** The error of one place: `prognet.yaml: columns[0].task: found 7, expected a name`. */
export function descriptionError(file: string | undefined, path: Path, got: string, right: string): DescriptionError {
  const place = [file, formatPath(path)].filter((s) => s !== undefined && s !== '').join(': ') || 'description';
  const suggestion = /^did you mean (.*)\?$/.exec(right)?.[1];
  return new DescriptionError(`${place}: ${got}, ${right}`, {
    path: place,
    expected: suggestion ?? right.replace(/^expected /, ''),
    got: got.replace(/^found /, ''),
  });
}

function foundIn(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'custom') return undefined;
  const got: unknown = issue.params?.got;
  return typeof got === 'string' ? got : undefined;
}

/** The issue to tell: the first, unless a key is missing that stands there misspelt. */
function mostTelling(issues: readonly z.core.$ZodIssue[], root: unknown): z.core.$ZodIssue | undefined {
  const [first] = issues;
  if (first === undefined || first.path.length === 0 || valueAt(root, first.path) !== undefined) return first;
  const parent = first.path.slice(0, -1);
  const sameObject = (issue: z.core.$ZodIssue) =>
    issue.path.length === parent.length && parent.every((p, i) => p === issue.path[i]);
  return issues.find((issue) => issue.code === 'unrecognized_keys' && sameObject(issue)) ?? first;
}

/** One error for what zod found in `root`. */
export function errorFromIssues(issues: readonly z.core.$ZodIssue[], root: unknown, file: string | undefined): DescriptionError {
  const issue = mostTelling(issues, root);
  if (issue === undefined) return descriptionError(file, [], 'found nothing valid', 'expected a description');
  const right = /^(expected|did you mean) /.test(issue.message) ? issue.message : `expected ${issue.message}`;
  if (issue.code === 'unrecognized_keys') return descriptionError(file, issue.path, `unknown key ${show(issue.keys[0])}`, right);
  const given = foundIn(issue);
  if (given !== undefined) return descriptionError(file, issue.path, given, right);
  const last = issue.path.at(-1);
  const value = valueAt(root, issue.path);
  if (value === undefined && typeof last === 'string') {
    return descriptionError(file, issue.path.slice(0, -1), `${show(last)} is missing`, right);
  }
  return descriptionError(file, issue.path, `found ${show(value)}`, right);
}
