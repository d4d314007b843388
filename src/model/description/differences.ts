// What differs between two columns as plain values: each place with the value that stands there now and the one that it was frozen or trained with.
import { formatPath, type Path, show } from './issues.js';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Two objects of another kind: the options that come with it say nothing more. */
const kindOf = (value: unknown): unknown => (isObject(value) ? value.kind : undefined);

/** A layer, a step or an option: by its kind alone, where the other is of another kind. */
const named = (value: unknown, other: unknown): string => show(kindOf(other) === undefined ? value : (kindOf(value) ?? value));

function places(was: unknown, is: unknown, word: string, path: Path): string[] {
  if (Array.isArray(was) && Array.isArray(is)) {
    return Array.from({ length: Math.max(was.length, is.length) }, (_, i) => places(was[i], is[i], word, [...path, i])).flat();
  }
  if (isObject(was) && isObject(is) && kindOf(was) === kindOf(is)) {
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
    return keys.flatMap((key) => places(was[key], is[key], word, [...path, key]));
  }
  if (Object.is(was, is)) return [];
  return [`${formatPath(path)}: ${named(is, was)}, ${word} with ${named(was, is)}`];
}

/** At most this many are named in one line. */
const most = 4;

/**
 * `train.lr: 0.01, frozen with 0.001; blocks[0][1]: "tanh", frozen with "relu"`; undefined where the two are the same.
 * @param word what happened with the former values: frozen, trained
 */
export function differences(was: unknown, is: unknown, word: string): string | undefined {
  const found = places(was, is, word, []);
  if (found.length === 0) return undefined;
  const more = found.length > most ? [`and ${found.length - most} more`] : [];
  return [...found.slice(0, most), ...more].join('; ');
}
