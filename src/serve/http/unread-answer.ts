// Answers on their way: the connection of a client that does not read them is ended.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

/**
 * Ends the connection once nothing of an answer has gone for a time.
 * @param sendMs milliseconds
 * @param onEnd hears of it before
 */
export function endUnread(raw: ServerResponse, sendMs: number, onEnd: () => void): void {
  // Of a client that has hung up before there was an answer.
  if (raw.destroyed) return;
  const watch = () => {
    const { socket } = raw;
    if (socket === null) return;
    const late = setTimeout(() => {
      // Node's time of a socket begins anew with what is read as well: nothing is read until the answer has gone.
      socket.pause();
      raw.setTimeout(sendMs, () => {
        onEnd();
        raw.destroy();
      });
    }, sendMs);
    raw.once('close', () => clearTimeout(late));
    // Before Node's own listener, which sets how long the connection is kept.
    raw.prependOnceListener('finish', () => {
      clearTimeout(late);
      socket.setTimeout(0);
      socket.resume();
    });
  };
  // Most answers have gone by then, and need no watch.
  setImmediate(() => {
    if (raw.writableFinished || raw.destroyed) return;
    // The answers of requests that came together go one after another.
    if (raw.socket === null) raw.once('socket', watch);
    else watch();
  });
}

/** Bytes of a part. */
const part = 2 ** 18;

/** The bytes of an answer as parts, written one after another: over TLS Node hears of progress only when a whole write has gone. Undefined where one part holds them. */
export function partsOf(bytes: unknown): { readonly length: number; readonly parts: Readable } | undefined {
  if (!Buffer.isBuffer(bytes) || bytes.length <= part) return undefined;
  const { length } = bytes;
  const begins = Array.from({ length: Math.ceil(length / part) }, (_, i) => i * part);
  return { length, parts: Readable.from(begins.map((at) => bytes.subarray(at, at + part))) };
}
