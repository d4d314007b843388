// Jobs side by side, each runner doing one after another: the trials of a sweep, the trainings of a study. How a job is run is the caller's.

/** What runs jobs, one after another. */
export interface Runner<J, O> {
  run(job: J): Promise<O>;
  /** Ends it at once, whatever it does. */
  close(): void;
}

/** What is run. */
export interface Work<T, J, O> {
  /** In the order in which they begin. */
  readonly left: readonly T[];
  /** At one time. */
  readonly jobs: number;
  /** Called for each of those that run at one time. */
  readonly runner: () => Runner<J, O>;
  readonly job: (item: T) => J;
  /** Whether what it needs is there; always where absent. What no other one's end makes ready is left. */
  readonly ready?: (item: T) => boolean;
  /** Told of each that ended; what it throws ends all. */
  readonly ended: (item: T, outcome: O) => void;
  /** On abort the running ones are dropped, and this returns. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs them; runners are closed when it returns or throws. */
export async function sideBySide<T, J, O>({ left, jobs, runner, job, ready, ended, signal }: Work<T, J, O>): Promise<void> {
  const waiting = [...left];
  const runners: Runner<J, O>[] = [];
  const waking: (() => void)[] = [];
  let running = 0;
  let failed = false;
  const stopped = () => failed || signal?.aborted === true;
  const stop = () => {
    for (const each of runners) each.close();
  };
  const next = async (): Promise<T | undefined> => {
    while (!stopped()) {
      const at = waiting.findIndex((item) => ready?.(item) ?? true);
      if (at >= 0) return waiting.splice(at, 1)[0];
      if (waiting.length === 0 || running === 0) return undefined;
      await new Promise<void>((resolve) => waking.push(resolve));
    }
    return undefined;
  };
  const work = async () => {
    const own = runner();
    runners.push(own);
    for (let item = await next(); item !== undefined; item = await next()) {
      running++;
      try {
        const outcome = await own.run(job(item));
        if (stopped()) return;
        ended(item, outcome);
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        running--;
        for (const wake of waking.splice(0)) wake();
      }
    }
  };
  signal?.addEventListener('abort', stop);
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, left.length) }, work));
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}
