// Flags that are numbers, words or data.
import { parseDocument } from 'yaml';
import { UsageError } from '../onnx/core/errors.js';

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

/** A positive number; undefined stays undefined. Throws UsageError. */
export function numberFlag(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`${name}: found "${text}", expected a positive number`, {
    path: name,
    expected: 'a positive number',
    got: text,
  });
}

/** One of some words. Throws UsageError. */
export function choiceFlag<W extends string>(name: string, text: string, words: readonly W[]): W {
  const found = words.find((w) => w === text);
  if (found !== undefined) return found;
  const expected = words.join(', ');
  throw new UsageError(`${name}: found "${text}", expected one of ${expected}`, { path: name, expected, got: text });
}

/** A source, or the flow form of YAML: `{ source: a.csv, header: false }`. Throws UsageError. */
export function dataFlag(name: string, text: string): unknown {
  const document = parseDocument(text);
  try {
    if (document.errors.length === 0) return document.toJS();
  } catch {
    // An alias that leads nowhere, as `*.csv` reads in YAML.
  }
  throw new UsageError(`${name}: found "${text}", expected a source such as mnist, or { source: a.csv, header: false }`, {
    path: name,
    got: text,
  });
}
