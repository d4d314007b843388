// Errors as plain data, which cross to and from workers and processes.
import type { ErrorFields } from './errors.js';
import * as errors from './errors.js';

/** An error as it crosses to another thread or process: nothing of it but the stack is lost. */
export interface PlainError {
  /** The class, by its own name where it is one of ours. */
  readonly kind: string;
  readonly name: string;
  /** Without the remedy, which is among the fields. */
  readonly message: string;
  readonly fields: Omit<ErrorFields, 'cause'>;
  readonly cause?: PlainError;
  /** Of what the operating system said: ENOSPC. */
  readonly code?: string;
}

/** Classes are told apart by themselves: a minifier renames them. */
const family: ReadonlyMap<string, new (message: string, fields?: ErrorFields) => errors.PrognetError> = new Map(
  Object.entries({
    PrognetError: errors.PrognetError,
    ShapeError: errors.ShapeError,
    DescriptionError: errors.DescriptionError,
    DataError: errors.DataError,
    ModelError: errors.ModelError,
    WorkspaceError: errors.WorkspaceError,
    RuntimeError: errors.RuntimeError,
    UsageError: errors.UsageError,
    TrainingError: errors.TrainingError,
    InterruptedError: errors.InterruptedError,
  }),
);

/** The nearest class that the other side knows too. */
function kindOf(error: errors.PrognetError): string {
  for (let made: unknown = error; made !== null; made = Object.getPrototypeOf(made))
    for (const [kind, Class] of family) if (made === Class.prototype) return kind;
  return 'PrognetError';
}

/** How many causes of causes cross: a chain of them may be a circle. */
const causes = 4;

export function plainError(error: unknown, depth = causes): PlainError {
  if (!(error instanceof Error)) return { kind: 'Error', name: 'Error', message: String(error), fields: {} };
  const { name } = error;
  const cause = error.cause === undefined || depth === 0 ? {} : { cause: plainError(error.cause, depth - 1) };
  if (error instanceof errors.InternalError) return { kind: 'InternalError', name, message: error.said, fields: {}, ...cause };
  if (!(error instanceof errors.PrognetError)) {
    const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
    return { kind: 'Error', name, message: error.message, fields: {}, ...code, ...cause };
  }
  return { kind: kindOf(error), name, message: error.statement, fields: error.fields, ...cause };
}

/** The error of the other side, of its own class where that is one of ours. */
export function errorFrom({ kind, name, message, fields, cause: plain, code }: PlainError): Error {
  const cause = plain === undefined ? {} : { cause: errorFrom(plain) };
  const Known = family.get(kind);
  if (Known !== undefined) return new Known(message, { ...fields, ...cause });
  if (kind === 'InternalError') return new errors.InternalError(message, cause);
  const error = Object.assign(new Error(message, cause), code === undefined ? {} : { code });
  error.name = name;
  return error;
}
