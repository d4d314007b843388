// The error family. A PrognetError is about what the user gave (exit code 2): what was found, where, and what
// would be right. An InternalError is a defect of prognet itself and its message begins with "internal:".

import { sentence } from './one-line.js';
import { asCall, type Remedy } from './remedy.js';

/** What an error knows beside its sentence. All fields are optional; `path` is a place in a file or description. */
export interface ErrorFields {
  /** Place: `prognet.yaml: columns[1].laterals.from`, a file name, a byte offset. */
  readonly path?: string;
  /** ONNX op type. */
  readonly op?: string;
  /** Node name. */
  readonly node?: string;
  /** What would be right. */
  readonly expected?: string;
  /** What was found. */
  readonly got?: string;
  /** What would put it right; `message` ends in it. */
  readonly remedy?: Remedy;
  /** The error underneath. */
  readonly cause?: unknown;
}

/** Base of every error about user input. `message` is one line. */
export class PrognetError extends Error {
  // Written out in each class: a minifier renames classes, not texts.
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'PrognetError';
  /** Where it was found: a file, a place in a description, a parameter. */
  readonly path: string | undefined;
  /** The ONNX op, where one is concerned. */
  readonly op: string | undefined;
  /** The node's name, where one is concerned. */
  readonly node: string | undefined;
  /** What would be right. */
  readonly expected: string | undefined;
  /** What was found. */
  readonly got: string | undefined;
  /** What the caller can do about it, for each face to phrase. */
  readonly remedy: Remedy | undefined;
  /** The message without the remedy, for those who phrase that in words of their own. */
  readonly statement: string;

  /** @param message what was found and where; the remedy, if there is one among the fields, is added to it */
  constructor(message: string, fields: ErrorFields = {}) {
    // Names out of a stranger's file may hold anything; the sentence stays one line of a length that people read.
    // Made of whatever it is called with: an error about an error helps nobody.
    const statement = sentence(String(message));
    const { cause, remedy } = fields ?? {};
    super(remedy === undefined ? statement : statement + asCall(remedy), cause === undefined ? undefined : { cause });
    this.statement = statement;
    this.remedy = remedy;
    this.path = fields?.path;
    this.op = fields?.op;
    this.node = fields?.node;
    this.expected = fields?.expected;
    this.got = fields?.got;
  }

  /** What it knows beside its statement and its cause, as a constructor takes it. */
  get fields(): Omit<ErrorFields, 'cause'> {
    const { path, op, node, expected, got, remedy } = this;
    return {
      ...(path !== undefined && { path }),
      ...(op !== undefined && { op }),
      ...(node !== undefined && { node }),
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(remedy !== undefined && { remedy }),
    };
  }
}

/** Shapes, ranks or dtypes that do not fit. */
export class ShapeError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'ShapeError';
}
/** A description (YAML, JSON, builder) that is not valid; `path` names the place in it. */
export class DescriptionError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'DescriptionError';
}
/** Data that cannot be read or used: truncated files, NaN, labels out of range. */
export class DataError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'DataError';
}
/** An ONNX file that cannot be decoded, or a graph that is not well-formed. */
export class ModelError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'ModelError';
}
/** A workspace whose files are missing, changed, or do not fit the description. */
export class WorkspaceError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'WorkspaceError';
}
/** An execution provider or runtime that is absent or refuses. */
export class RuntimeError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'RuntimeError';
}
/** Wrong use of the command line or of a function. */
export class UsageError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'UsageError';
}

/**
 * The caller's signal was given; state was kept. `name` is that of every abort in JavaScript, so that code which knows AbortController
 * knows this too; `cause` is the signal's reason. Exit code 130.
 */
export class InterruptedError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'AbortError';
}

/** Throws InterruptedError once the signal is given: for work between checkpoints, where nothing is lost. */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new InterruptedError('interrupted', { cause: signal.reason });
}

/** A bug in prognet. */
export class InternalError extends Error {
  /** The kind of error as a text, which crosses to and from workers. */
  override readonly name = 'InternalError';
  /** @param said what is wrong, without "internal:" */
  constructor(
    readonly said: string,
    options?: ErrorOptions,
  ) {
    super(`internal: ${said}`, options);
  }
}

/** Narrows a value that the code has made sure exists; a miss is a bug of ours. */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === undefined || value === null) throw new InternalError(`${what} is missing`);
  return value;
}

/** Training that cannot go on though its input was well-formed (a loss that is not finite). Exit code 1. */
export class TrainingError extends PrognetError {
  /** The kind of error as a text, which crosses to and from workers. */
  override name = 'TrainingError';
}
