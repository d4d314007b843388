// How commands speak: one JSON document or text on stdout, progress and notes on stderr, one line per error.
import { InterruptedError, PrognetError, TrainingError } from '../core/errors.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly workspace?: string;
}

/** Prints a result: the document under --json, else the text. */
export function result(options: GlobalOptions, document: unknown, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : text.endsWith('\n') || text === '' ? text : `${text}\n`);
}

/** A line for people, on stderr, unless --quiet. */
export function note(options: GlobalOptions, line: string): void {
  if (!options.quiet) process.stderr.write(`${line}\n`);
}

/** Columns aligned; numbers are strings already. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((r) => (r[i] ?? '').length))) ?? [];
  return rows
    .map((r) => r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '))
    .join('\n');
}

/** Prints the error and returns the exit code: 2 for what the user gave, 1 for what failed, 130 for an interruption. */
export function fail(error: unknown, json: boolean): number {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  const known = error instanceof PrognetError || error instanceof InterruptedError;
  const line = known || message.startsWith('internal:') ? message : `internal: ${message}`;
  if (json)
    process.stdout.write(
      `${JSON.stringify({ error: { name: error instanceof Error ? error.name : 'Error', message: line } })}\n`,
    );
  process.stderr.write(`prognet: ${line}\n`);
  if (!known && process.env.PROGNET_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (error instanceof InterruptedError) return 130;
  return known && !(error instanceof TrainingError) ? 2 : 1;
}
