// The worker's script: messages to calls and back. One call at a time, since a session runs one graph at a time; an abort passes by.
import { RuntimeError } from '../onnx/core/errors.js';
import { browserModules } from '../onnx/runtime/browser.js';
import { checkpointStore, hasCheckpoints } from './checkpoint-db.js';
import { type CallName, type FromWorker, plainError, type ToWorker, threadsRefused } from './protocol.js';
import { Server } from './server.js';
import { browser } from './worker-types.js';

// ONNX Runtime starts its threads from the script that it stands in. Where a bundler has put it into this one, they would wait for ever.
if (browser.name?.startsWith('em-pthread') === true) throw new RuntimeError(threadsRefused);

const server = new Server({ modules: browserModules, ...(hasCheckpoints ? { checkpoints: checkpointStore } : {}) });
const aborts = new Map<number, AbortController>();
let last: Promise<void> = Promise.resolve();

function send(message: FromWorker): void {
  browser.postMessage?.(message);
}

async function serve(id: number, call: CallName, args: unknown, signal: AbortSignal): Promise<void> {
  try {
    const method = server[call] as (args: unknown, onEvent: (event: never) => void, signal: AbortSignal) => Promise<unknown>;
    const result = await method.call(server, args, (event) => send({ id, event }), signal);
    send({ id, result });
  } catch (error) {
    send({ id, error: plainError(error) });
  } finally {
    aborts.delete(id);
  }
}

browser.addEventListener?.('message', ({ data }) => {
  const message = data as ToWorker;
  if ('abort' in message) {
    aborts.get(message.abort)?.abort();
    return;
  }
  const controller = new AbortController();
  aborts.set(message.id, controller);
  last = last.then(() => serve(message.id, message.call, message.args, controller.signal));
});
