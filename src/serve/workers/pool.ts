// The worker threads that compute: each holds a session of every loaded model and runs one batch at a time, so that the event loop is free.
import type { TransferListItem } from 'node:worker_threads';
import { RuntimeError } from '../../onnx/core/errors.js';
import { Calls, ThreadEnded } from './calls.js';
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

/** How often a model is loaded in threads that end meanwhile: one that ends them each time is not to be served. */
const attempts = 3;

class Thread implements Computing {
  private readonly calls: Calls;
  private computing = false;
  private readonly held = new Set<number>();
  /** Resolves once it holds all that it ought to; undefined where it does. */
  private loading: Promise<unknown> | undefined;

  constructor(
    { program, onEnd }: PoolOptions,
    jobs: ReadonlyMap<number, LoadJob>,
    private readonly onIdle: () => void,
  ) {
    let replaced = () => {};
    this.calls = new Calls({
      program,
      data: { role: 'run' },
      onEnd: (why) => {
        this.held.clear();
        this.loading ??= new Promise<void>((resolve) => {
          replaced = resolve;
        });
        onEnd(why);
      },
      // It holds what the one before held, before it is asked anything.
      onReplaced: async () => {
        const all = [...jobs.values()].map((job) => this.hold(job));
        const ended = (await Promise.allSettled(all)).some(
          (one) => one.status === 'rejected' && one.reason instanceof ThreadEnded,
        );
        if (ended) return;
        this.loading = undefined;
        replaced();
        onIdle();
      },
    });
  }

  get idle(): boolean {
    return !this.computing && this.loading === undefined;
  }

  async run(job: RunJob, move: readonly TransferListItem[]): Promise<Ran> {
    this.computing = true;
    try {
      return (await this.calls.call('run', job, move)) as Ran;
    } finally {
      this.computing = false;
      this.onIdle();
    }
  }

  holds(session: number): boolean {
    return this.held.has(session);
  }

  async load(job: LoadJob): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.loading;
      try {
        return await this.hold(job);
      } catch (error) {
        if (!(error instanceof ThreadEnded)) throw error;
        if (attempt === attempts) throw new RuntimeError(`${error.message}, each of ${attempts} times that it loaded the model`);
      }
    }
  }

  /** A thread that ended holds nothing. */
  async unload(session: number): Promise<void> {
    this.held.delete(session);
    await this.calls.call('unload', session).catch((error) => {
      if (!(error instanceof ThreadEnded)) throw error;
    });
  }

  close(): Promise<void> {
    return this.calls.close();
  }

  private async hold(job: LoadJob): Promise<void> {
    await this.calls.call('load', job);
    this.held.add(job.session);
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
    return this.threads.find(({ idle }) => idle);
  }

  /** Loads it in every thread; gives the number that it has there. Throws RuntimeError where the runtime does not take the model. */
  async load(job: ToLoad): Promise<number> {
    this.last += 1;
    const session = this.last;
    const own = { ...job, session };
    try {
      // A thread may end while others still load.
      for (let left = this.threads; left.length > 0; left = this.threads.filter((thread) => !thread.holds(session)))
        await Promise.all(left.map((thread) => thread.load(own)));
      this.jobs.set(session, own);
      return session;
    } catch (error) {
      await this.unload(session);
      throw error;
    }
  }

  async unload(session: number): Promise<void> {
    this.jobs.delete(session);
    await Promise.all(this.threads.map((thread) => thread.unload(session)));
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}
