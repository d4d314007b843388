// Calls to a worker thread and back: each with its number, buffers moved rather than copied.
import { type MessagePort, parentPort, type TransferListItem, Worker } from 'node:worker_threads';
import { InternalError, PrognetError, RuntimeError } from '../../onnx/core/errors.js';

interface Call {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}
type Reply =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly fault: string; readonly ours: boolean };

/** A value with the buffers in it that may be moved. */
export interface Moved<T> {
  readonly value: T;
  readonly move: readonly TransferListItem[];
}

interface Open {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A worker thread that answers calls. */
export class Calls {
  private readonly worker: Worker;
  private readonly open = new Map<number, Open>();
  private last = 0;
  private closing = false;

  /** @param onEnd hears of a worker that ended by itself, after all that it owed was refused */
  constructor(program: URL, data: unknown, onEnd: (why: string) => void) {
    // What the runtime says to stdout is no answer of a command.
    this.worker = new Worker(program, { workerData: data });
    this.worker.on('message', (reply: Reply) => this.settle(reply));
    let why = 'it ended';
    this.worker.on('error', (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    this.worker.on('exit', () => {
      for (const { reject } of this.open.values()) reject(new RuntimeError(`a worker thread ended: ${why}`));
      this.open.clear();
      if (!this.closing) onEnd(why);
    });
  }

  /** Throws RuntimeError for what the worker refuses, InternalError for a defect of ours. */
  call(method: string, argument: unknown, move: readonly TransferListItem[] = []): Promise<unknown> {
    this.last += 1;
    const call = this.last;
    return new Promise((resolve, reject) => {
      this.open.set(call, { resolve, reject });
      this.worker.postMessage({ call, method, argument } satisfies Call, [...move]);
    });
  }

  /** Ends it once what it was asked is answered. */
  async close(): Promise<void> {
    this.closing = true;
    const ended = new Promise((resolve) => this.worker.once('exit', resolve));
    this.worker.postMessage(null);
    await ended;
  }

  private settle(reply: Reply): void {
    const open = this.open.get(reply.call);
    this.open.delete(reply.call);
    if ('value' in reply) open?.resolve(reply.value);
    else open?.reject(reply.ours ? new InternalError(reply.fault) : new RuntimeError(reply.fault));
  }
}

/** What a worker does for each method. */
export type Methods = Readonly<Record<string, (argument: never) => Promise<Moved<unknown>>>>;

/** The other end: answers calls, one after another, until it is told to end. */
export function answerCalls(methods: Methods): void {
  const port = parentPort as MessagePort;
  let before: Promise<void> = Promise.resolve();
  port.on('message', (message: Call | null) => {
    before = before.then(async () => {
      if (message === null) return port.close();
      const { call, method, argument } = message;
      try {
        const { value, move } = await (methods[method] as (argument: unknown) => Promise<Moved<unknown>>)(argument);
        port.postMessage({ call, value } satisfies Reply, [...move]);
      } catch (error) {
        const fault = error instanceof Error ? error.message : String(error);
        port.postMessage({ call, fault, ours: !(error instanceof PrognetError) } satisfies Reply);
      }
    });
  });
}
