// metrics.jsonl: one JSON object a line, appended as training goes. A kill may leave half a line at the end, which readers pass over.
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { WorkspaceError } from '../onnx/core/errors.js';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { errorCode, fileError } from '../onnx/files/file-error.js';
import { readWhole } from '../onnx/files/read-file.js';
import { writeAll } from '../onnx/files/write-all.js';
import { isJsonObject, type Json, parseJson, stableJson } from './json.js';

/** JSON has no NaN and no infinity; they are written as text and come back as numbers. */
const notFinite = new Map<string, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export type MetricValue = number | string | boolean | null;
export type MetricsRecord = { readonly step: number; readonly [name: string]: MetricValue };

function toLine(record: MetricsRecord): string {
  const fields = Object.entries(record).map(([k, v]) => [k, typeof v === 'number' && !Number.isFinite(v) ? String(v) : v]);
  return `${stableJson(Object.fromEntries(fields))}\n`;
}

function toRecord(value: Json): MetricsRecord | undefined {
  if (!isJsonObject(value)) return undefined;
  const { step } = value;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return undefined;
  const record: { step: number; [name: string]: MetricValue } = { step };
  for (const [name, v] of Object.entries(value)) {
    if (typeof v === 'object' && v !== null) return undefined;
    record[name] = typeof v === 'string' ? (notFinite.get(v) ?? v) : v;
  }
  return record;
}

interface Line {
  readonly text: string;
  /** Undefined for a line that is none of ours. */
  readonly record: MetricsRecord | undefined;
}

/** Whole lines; what stands after the last line feed is the half line of a kill. */
function readLines(path: string): { readonly lines: readonly Line[]; readonly rest: boolean } {
  try {
    statSync(path);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return { lines: [], rest: false };
    throw fileError('read', path, cause);
  }
  const texts = new TextDecoder().decode(readWhole(path)).split('\n');
  const rest = texts.pop() !== '';
  const lines = texts.map((text) => {
    try {
      return { text, record: toRecord(parseJson(text, path)) };
    } catch {
      return { text, record: undefined };
    }
  });
  return { lines, rest };
}

/** The records of a log, oldest first; none when there is no file. Lines that are no records are passed over. */
export function readMetrics(path: string): readonly MetricsRecord[] {
  return readLines(path).lines.flatMap(({ record }) => (record === undefined ? [] : [record]));
}

/**
 * Cuts a log back to the records up to and including `step`, and drops half and damaged lines; other lines stay byte for byte.
 * @param shown the file as the notes name it
 * @returns one line for each damaged line that was dropped (a half line at the end is no damage)
 */
export function truncateMetrics(path: string, step: number, shown = path): readonly string[] {
  const { lines, rest } = readLines(path);
  const kept = lines.filter(({ record }) => record !== undefined && record.step <= step);
  if (rest || kept.length !== lines.length) {
    writeFileAtomic(path, new TextEncoder().encode(kept.map(({ text }) => `${text}\n`).join('')));
  }
  return lines.flatMap(({ record }, i) =>
    record === undefined ? [`${shown}: line ${i + 1} is no metrics record, dropped`] : [],
  );
}

/** Appends records to a log. One writer at a time; the lock of the run sees to that. */
export class MetricsWriter {
  private fd: number | undefined;

  constructor(private readonly path: string) {}

  /** @throws WorkspaceError when the disk does not take it */
  append(record: MetricsRecord): void {
    if (!Number.isSafeInteger(record.step) || record.step < 0) {
      throw new WorkspaceError(`${this.path}: step is ${record.step}, expected an integer of 0 and more`, {
        path: this.path,
        got: String(record.step),
      });
    }
    const bytes = new TextEncoder().encode(toLine(record));
    try {
      this.fd ??= openSync(this.path, 'a');
      writeAll(this.fd, bytes);
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  /** Brings all that was appended to the disk. */
  sync(): void {
    try {
      if (this.fd !== undefined) fsyncSync(this.fd);
    } catch (cause) {
      throw fileError('write', this.path, cause);
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}
