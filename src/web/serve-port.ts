// Messages of a port to calls and back. One call at a time, since a session runs one graph at a time; an abort passes by.

import type { Port } from '../browser/platform.js';
import { plainError } from '../onnx/core/plain-error.js';
import { apart, together } from './crossing.js';
import type { CallName, Calls, FromWorker, ToWorker } from './protocol.js';

/** Answers what comes over the port, for as long as there is one. */
export function servePort(port: Port, calls: Calls): void {
  const aborts = new Map<number, AbortController>();
  let last: Promise<void> = Promise.resolve();
  const send = (message: FromWorker): void => port.postMessage(message);

  async function serve(id: number, call: CallName, args: unknown, signal: AbortSignal): Promise<void> {
    try {
      const method = calls[call] as (args: unknown, onEvent: (event: never) => void, signal: AbortSignal) => Promise<unknown>;
      const result = await method.call(calls, together(args), (event) => send({ id, event }), signal);
      send({ id, result: apart(result) });
    } catch (error) {
      send({ id, error: plainError(error) });
    } finally {
      aborts.delete(id);
    }
  }

  port.addEventListener('message', ({ data }) => {
    const message = data as ToWorker;
    if ('abort' in message) {
      aborts.get(message.abort)?.abort();
      return;
    }
    const controller = new AbortController();
    aborts.set(message.id, controller);
    last = last.then(() => serve(message.id, message.call, message.args, controller.signal));
  });
}
