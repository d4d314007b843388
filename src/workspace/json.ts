// JSON as the workspace keeps it: values that survive a round trip exactly, read with limits, written with sorted keys.
import { DataError, InternalError } from '../onnx/core/errors.js';
import { oneLine, reason } from '../onnx/core/one-line.js';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Deeper than anything prognet writes, and far from the end of the stack. */
const maxDepth = 100;

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in a message: as JSON, on one line, cut. */
export function show(value: unknown): string {
  return value === undefined ? 'nothing' : oneLine(JSON.stringify(value), 60);
}

/** `settings.lr`, `blocks[2]`, `metrics["a b"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (typeof part === 'string' && /^[A-Za-z_$][\w$-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${show(String(part))}]`;
  }
  return text;
}

function stringifyAt(value: unknown, path: readonly PropertyKey[], indent: number): string {
  const bad = (what: string) => new InternalError(`${formatPath(path) || 'the value'} is ${what}, which JSON cannot hold`);
  if (path.length > maxDepth) throw bad(`nested deeper than ${maxDepth} levels`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw bad(String(value));
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value !== 'object') throw bad(value === undefined ? 'undefined' : `a ${typeof value}`);
  const outer = indent === 0 ? '' : `\n${' '.repeat(indent * path.length)}`;
  const inner = indent === 0 ? '' : `\n${' '.repeat(indent * (path.length + 1))}`;
  if (Array.isArray(value)) {
    const items = value.map((v: unknown, i) => inner + stringifyAt(v, [...path, i], indent));
    return items.length === 0 ? '[]' : `[${items.join(',')}${outer}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw bad('an instance of a class');
  const fields = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([k, v]) => `${inner}${JSON.stringify(k)}:${indent === 0 ? '' : ' '}${stringifyAt(v, [...path, k], indent)}`);
  return fields.length === 0 ? '{}' : `{${fields.join(',')}${outer}}`;
}

/**
 * JSON with sorted keys; the same value gives the same text, and the text the same value. Fields that are undefined are left out, -0 stays -0.
 * @param indent 0 for one line without blanks, else blanks for each level
 * @throws InternalError for what would not come back the same: NaN, Infinity, bigint, undefined in a list, class instances
 */
export function stableJson(value: unknown, indent = 0): string {
  return stringifyAt(value, [], indent);
}

function check(value: unknown, path: readonly PropertyKey[], fail: (what: string) => DataError): Json {
  if (path.length > maxDepth) throw fail(`nested deeper than ${maxDepth} levels`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw fail(`${formatPath(path) || 'the value'} is a number beyond 1.8e308`);
    return value;
  }
  if (Array.isArray(value)) return value.map((v: unknown, i) => check(v, [...path, i], fail));
  if (typeof value !== 'object') throw fail(`found a ${typeof value}`);
  const entries: [string, Json][] = [];
  for (const [key, v] of Object.entries(value)) {
    if (key === '__proto__') throw fail('the key "__proto__" is not allowed');
    entries.push([key, check(v, [...path, key], fail)]);
  }
  return Object.fromEntries(entries);
}

/**
 * Reads JSON from bytes that may be anything.
 * @throws DataError `<file>: not valid JSON, ...`
 */
export function parseJson(bytes: Uint8Array | string, file: string): Json {
  const fail = (what: string, cause?: unknown) =>
    new DataError(`${file}: not valid JSON, ${what}`, {
      path: file,
      expected: 'JSON',
      ...(cause === undefined ? {} : { cause }),
    });
  let parsed: unknown;
  try {
    const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw fail(reason(cause), cause);
  }
  return check(parsed, [], (what) => fail(what));
}

/** The first difference of two values, `lr: was 0.001, is 0.01`; undefined when there is none. */
export function firstDifference(
  was: Json | undefined,
  is: Json | undefined,
  path: readonly PropertyKey[] = [],
): string | undefined {
  if (Array.isArray(was) && Array.isArray(is)) {
    for (let i = 0; i < Math.max(was.length, is.length); i++) {
      const found = firstDifference(was[i], is[i], [...path, i]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isJsonObject(was) && isJsonObject(is)) {
    for (const key of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()) {
      const found = firstDifference(was[key], is[key], [...path, key]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(was, is) ? undefined : `${formatPath(path)}: was ${show(was)}, is ${show(is)}`;
}
