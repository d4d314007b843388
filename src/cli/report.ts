// How commands speak: one JSON document or text on stdout, progress and notes on stderr, one line per error.
import pc from 'picocolors';
import { InterruptedError, PrognetError, TrainingError } from '../onnx/core/errors.js';
import { isMachineFault } from '../onnx/files/file-error.js';
import { asCommand } from './remedies.js';

export { count } from '../chart/numbers.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly workspace?: string;
}

/** Colours only where a person looks, and never against NO_COLOR. */
function coloursOf(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  // A plain boolean: createColors takes undefined (a pipe's isTTY) for a question of its own, whose answer in CI is yes.
  return pc.createColors(!NO_COLOR && (Boolean(FORCE_COLOR) || (stream.isTTY === true && TERM !== 'dumb')));
}

/** Colours of stdout. */
export const colours = coloursOf(process.stdout);
const errorColours = coloursOf(process.stderr);

/** Prints a result: the document under --json, else the text. */
export function result(options: GlobalOptions, document: unknown, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : text.endsWith('\n') || text === '' ? text : `${text}\n`);
}

/** A line for people, on stderr, unless --quiet. */
export function note(options: GlobalOptions, line: string): void {
  if (!options.quiet) process.stderr.write(`${line}\n`);
}

/** A warning, on stderr even with --quiet; nothing under --json, whose document holds it. */
export function warn(options: GlobalOptions, line: string): void {
  if (!options.json) process.stderr.write(`${errorColours.yellow('warning:')} ${line}\n`);
}

/**
 * Rows in aligned columns under a bold header; the first column to the left, the last as it is, the others to the right.
 * @param paint colours a cell after it is padded
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (text: string, row: number, column: number) => string = (text) => text,
): string {
  const all = [header, ...rows];
  const last = header.length - 1;
  const widths = header.map((_, i) => Math.max(...all.map((r) => (r[i] ?? '').length)));
  return all
    .map((r, y) =>
      r
        .map((cell, x) => {
          const padded = x === last ? cell : x === 0 ? cell.padEnd(widths[x] ?? 0) : cell.padStart(widths[x] ?? 0);
          return y === 0 ? colours.bold(padded) : paint(padded, y - 1, x);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A path in a command to copy: quoted for a POSIX shell where it must be. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The fields of an error that a program may want. */
function errorDocument(error: unknown, message: string, exitCode: number): object {
  const name = error instanceof Error ? error.name : 'Error';
  if (!(error instanceof PrognetError)) return { error: { name, message, exitCode } };
  const { path, op, node, expected, got, remedy } = error;
  return { error: { name, message, path, op, node, expected, got, remedy, exitCode } };
}

/** 2 for what the user gave, 1 for what failed, 130 for an interruption. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return 130;
  if (error instanceof TrainingError || isMachineFault(error)) return 1;
  return error instanceof PrognetError ? 2 : 1;
}

/** What went wrong and the command that would put it right. */
function messageOf(error: unknown): string {
  if (error instanceof PrognetError)
    return error.remedy === undefined ? error.message : error.statement + asCommand(error.remedy);
  const text = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  return text.startsWith('internal:') ? text : `internal: ${text}`;
}

/** Prints the error and returns the exit code: 2 for what the user gave, 1 for what failed, 130 for an interruption. */
export function fail(error: unknown, json: boolean): number {
  const message = messageOf(error);
  const exitCode = exitCodeOf(error);
  if (json) process.stdout.write(`${JSON.stringify(errorDocument(error, message, exitCode))}\n`);
  process.stderr.write(`${errorColours.red('prognet:')} ${message}\n`);
  if (process.env.PROGNET_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCode;
}
