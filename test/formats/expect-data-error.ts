// Asserts a DataError by its whole message, and that the message is one line.
import { expect } from 'vitest';
import { DataError } from '../../src/onnx/core/errors.js';

function check(error: unknown, message: string): void {
  expect(error).toBeInstanceOf(DataError);
  if (!(error instanceof DataError)) return;
  expect(error.message).toBe(message);
  expect(error.message).not.toContain('\n');
  expect(error.path).toBeDefined();
}

export function expectDataError(run: () => unknown, message: string): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  check(thrown, message);
}

export async function expectDataRejection(run: Promise<unknown>, message: string): Promise<void> {
  const thrown: unknown = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  check(thrown, message);
}

/** Runs a reader on hostile bytes: it may succeed or throw a DataError, nothing else. */
export function onlyDataErrors(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    if (/\n/.test(error.message)) throw new Error(`message of several lines: ${error.message}`);
  }
}
