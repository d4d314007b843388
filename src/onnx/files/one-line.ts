// Foreign text in our messages: one line of it, whatever it holds.

/** Text from a file or a foreign message: on one line, without control characters, cut at `limit`. */
export function oneLine(text: string, limit = 200): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit - 3)}...` : line;
}

/** The message of whatever was thrown, on one line. */
export function reason(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
