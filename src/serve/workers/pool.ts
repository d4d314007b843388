// The worker threads that compute: each holds a session of every loaded model and runs one batch at a time, so that the event loop is free.
import type { TransferListItem } from 'node:worker_threads';
import { Calls } from './calls.js';
import type { LoadJob, Ran, RunJob, ToLoad } from './jobs.js';

/** One thread. */
export interface Computing {
  run(job: RunJob, move: readonly TransferListItem[]): Promise<Ran>;
}

export interface PoolOptions {
  /** The file of the worker's program. */
  readonly program: URL;
  /** How many threads. */
  readonly workers: number;
  /** Hears a thread that ended by itself. */
  readonly onEnd: (why: string) => void;
}

class Thread implements Computing {
  calls: Calls;
  busy = false;
  constructor(
    private readonly options: PoolOptions,
    private readonly jobs: ReadonlyMap<number, LoadJob>,
    private readonly onIdle: () => void,
  ) {
    this.calls = this.begin();
  }

  private begin(): Calls {
    return new Calls(this.options.program, { role: 'run' }, (why) => {
      this.options.onEnd(why);
      this.calls = this.begin();
      // It holds what the one before held, before it is asked anything.
      for (const job of this.jobs.values()) this.calls.call('load', job).catch(() => {});
    });
  }

  async run(job: RunJob, move: readonly TransferListItem[]): Promise<Ran> {
    this.busy = true;
    try {
      return (await this.calls.call('run', job, move)) as Ran;
    } finally {
      this.busy = false;
      this.onIdle();
    }
  }
}

export class Pool {
  private readonly threads: readonly Thread[];
  private readonly jobs = new Map<number, LoadJob>();
  private last = 0;
  /** Called when a thread has become free. */
  onIdle: () => void = () => {};

  constructor(options: PoolOptions) {
    this.threads = Array.from({ length: options.workers }, () => new Thread(options, this.jobs, () => this.onIdle()));
  }

  /** A thread that computes nothing. */
  idle(): Computing | undefined {
    return this.threads.find(({ busy }) => !busy);
  }

  /** Loads it in every thread; gives the number that it has there. Throws RuntimeError where the runtime does not take the model. */
  async load(job: ToLoad): Promise<number> {
    this.last += 1;
    const session = this.last;
    const own = { ...job, session };
    try {
      await Promise.all(this.threads.map(({ calls }) => calls.call('load', own)));
      this.jobs.set(session, own);
      return session;
    } catch (error) {
      await this.unload(session);
      throw error;
    }
  }

  async unload(session: number): Promise<void> {
    this.jobs.delete(session);
    await Promise.all(this.threads.map(({ calls }) => calls.call('unload', session)));
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map(({ calls }) => calls.close()));
  }
}
