// The formats that `predict` writes answers in, told by name.
import { UsageError } from '../../onnx/core/errors.js';

export const answerFormats = ['text', 'json', 'jsonl', 'csv', 'npy'] as const;
export type AnswerFormat = (typeof answerFormats)[number];

/** The format that a file's name says, or one that is named. Throws UsageError. */
export function formatOf(named: string | undefined, file: string | undefined): AnswerFormat | undefined {
  const asked = named ?? (file === undefined ? undefined : /\.(\w+)$/.exec(file)?.[1]?.toLowerCase());
  if (asked === undefined) return file === undefined ? undefined : 'npy';
  const found = answerFormats.find((format) => format === (asked === 'txt' ? 'text' : asked === 'ndjson' ? 'jsonl' : asked));
  if (found !== undefined) return found;
  const expected = answerFormats.join(', ');
  if (named === undefined) {
    const advice = `expected .npy, .csv, .json, .jsonl or .txt, or --format as one of ${expected}`;
    throw new UsageError(`--output: ".${asked}" is no ending of a format, ${advice}`, { path: '--output', expected, got: asked });
  }
  throw new UsageError(`--format: found "${named}", expected one of ${expected}`, { path: '--format', expected, got: named });
}
