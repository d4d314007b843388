// What programs without types give: looked at once, where a public function begins, and trusted from there on.
import { UsageError } from './errors.js';

/** What a parameter must be, for messages, and whether a value is that. */
export interface Kind {
  readonly what: string;
  readonly holds: (value: unknown) => boolean;
}

/**
 * Throws UsageError for the first value that is not of its kind: `grad: options.by is missing, expected names`. A key of `kinds` is a
 * parameter, or a path to a field of one.
 */
export function given(where: string, values: Readonly<Record<string, unknown>>, kinds: Readonly<Record<string, Kind>>): void {
  for (const path in kinds) {
    const kind = kinds[path];
    const value = path.includes('.') ? path.split('.').reduce<unknown>(fieldOf, values) : values[path];
    if (kind === undefined || kind.holds(value)) continue;
    const { what } = kind;
    const found = value === undefined ? 'is missing' : `is ${called(value)}`;
    throw new UsageError(`${where}: ${path} ${found}, expected ${what}`, { path, expected: what, got: called(value) });
  }
}

const fieldOf = (owner: unknown, key: string): unknown =>
  typeof owner === 'object' && owner !== null ? Reflect.get(owner, key) : undefined;

function called(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) {
    const Class: unknown = value.constructor;
    return typeof Class === 'function' && Class !== Object ? `a ${Class.name}` : 'an object';
  }
  return typeof value === 'symbol' || typeof value === 'function' ? `a ${typeof value}` : String(value);
}

export const text: Kind = { what: 'a text', holds: (v) => typeof v === 'string' };
export const names: Kind = { what: 'names', holds: (v) => Array.isArray(v) && v.every(text.holds) };
export const anObject: Kind = { what: 'an object', holds: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) };
export const aList: Kind = { what: 'a list', holds: Array.isArray };
export const aCount: Kind = { what: 'a positive integer', holds: (v) => Number.isSafeInteger(v) && Number(v) > 0 };
export const aFunction: Kind = { what: 'a function', holds: (v) => typeof v === 'function' };
export const bytes: Kind = { what: 'a Uint8Array', holds: (v) => v instanceof Uint8Array };

export const instance = (Class: abstract new (...args: never[]) => object, what: string): Kind => ({
  what,
  holds: (v) => v instanceof Class,
});
export const listOf = ({ what, holds }: Kind): Kind => ({
  what: `an array, each ${what}`,
  holds: (v) => Array.isArray(v) && v.every(holds),
});
export const either = (a: Kind, b: Kind): Kind => ({ what: `${a.what} or ${b.what}`, holds: (v) => a.holds(v) || b.holds(v) });
export const optional = ({ what, holds }: Kind): Kind => ({ what, holds: (v) => v === undefined || holds(v) });
export const oneOf = (...words: readonly string[]): Kind => ({
  what: words.map((word) => JSON.stringify(word)).join(' or '),
  holds: (v) => words.includes(v as string),
});
