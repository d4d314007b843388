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

/** The thread ended before it answered. Another takes its place, which may be asked again. */
export class ThreadEnded extends RuntimeError {
  override name = 'ThreadEnded';
}

export interface ThreadOptions {
  /** The file of its program. */
  readonly program: URL;
  readonly data: unknown;
  /** Hears of a thread that ended by itself, after all that it owed was refused. */
  readonly onEnd: (why: string) => void;
  /** Hears of the thread that takes its place. */
  readonly onReplaced?: () => void;
}

/** Milliseconds before a thread is begun anew that has not answered anything since it was begun the last time. */
const pause = (failures: number): number => (failures === 0 ? 0 : Math.min(10_000, 100 * 2 ** failures));

/** A worker thread that answers calls; where it ends by itself, another takes its place. */
export class Calls {
  private worker: Worker | undefined;
  private readonly open = new Map<number, Open>();
  private last = 0;
  private closing = false;
  /** How often it ended since it last answered. */
  private failures = 0;
  private anew: NodeJS.Timeout | undefined;

  constructor(private readonly options: ThreadOptions) {
    this.begin();
  }

  /** Throws RuntimeError for what the worker refuses, ThreadEnded where it ends before, InternalError for a defect of ours. */
  call(method: string, argument: unknown, move: readonly TransferListItem[] = []): Promise<unknown> {
    const { worker } = this;
    if (worker === undefined) return Promise.reject(new ThreadEnded('a worker thread ended, and its successor has not begun'));
    this.last += 1;
    const call = this.last;
    return new Promise((resolve, reject) => {
      this.open.set(call, { resolve, reject });
      worker.postMessage({ call, method, argument } satisfies Call, [...move]);
    });
  }

  /** Ends it once what it was asked is answered. */
  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.anew);
    const { worker } = this;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage(null);
    await ended;
  }

  private begin(): void {
    // What the runtime says to stdout is no answer of a command.
    const worker = new Worker(this.options.program, { workerData: this.options.data });
    let why = 'it ended';
    worker.on('message', (reply: Reply) => this.settle(reply));
    worker.on('error', (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => this.ended(why));
    this.worker = worker;
  }

  private ended(why: string): void {
    this.worker = undefined;
    for (const { reject } of this.open.values()) reject(new ThreadEnded(`a worker thread ended: ${why}`));
    this.open.clear();
    if (this.closing) return;
    this.options.onEnd(why);
    this.anew = setTimeout(() => {
      this.begin();
      this.options.onReplaced?.();
    }, pause(this.failures));
    this.failures += 1;
  }

  private settle(reply: Reply): void {
    this.failures = 0;
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
