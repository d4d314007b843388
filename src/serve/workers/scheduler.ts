// Who computes next: requests wait in a line of their model and leave it in batches, as threads become free. The oldest request goes first.
import type { TransferListItem } from 'node:worker_threads';
import { type Answer, type Ask, ServeError, type Tensors } from '../served-model.js';
import { ThreadEnded } from './calls.js';
import type { Pool } from './pool.js';
import { apart, together } from './tensor-parts.js';

/** How requests of one session wait. */
export interface LineOptions {
  readonly session: number;
  readonly maxBatch: number;
  readonly delayMicroseconds: number;
  /** Requests that wait at most. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly inputs: Tensors;
  readonly outputs: readonly string[] | undefined;
  readonly rows: number;
  /** Of a fleet. */
  readonly column: string | undefined;
  /** Requests of the same key may share a batch. */
  readonly key: string;
  readonly since: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  /** Takes off timer and listener. */
  settle: () => void;
}

/** Requests whose shapes differ behind the first size, or who ask for other outputs, share no batch. */
const keyOf = (inputs: Tensors, outputs: readonly string[] | undefined): string =>
  JSON.stringify([Object.entries(inputs).map(([name, t]) => [name, t.dims.slice(1)]), outputs]);

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);

/** The line of a session. */
export class Line {
  readonly waiting: Waiting[] = [];
  /** Requests of batches that run. */
  running = 0;
  private whenEmpty: (() => void)[] = [];

  constructor(
    readonly options: LineOptions,
    private readonly scheduler: Scheduler,
  ) {}

  get pending(): number {
    return this.waiting.length + this.running;
  }

  /**
   * Throws ServeError: the line is full, the deadline has passed, nobody waits for it any more.
   * @param column which one of a fleet is asked
   */
  ask(inputs: Tensors, { outputs, signal, deadline }: Ask, column?: string): Promise<Answer> {
    const { maxBatch, maxWaiting } = this.options;
    if (this.waiting.length >= maxWaiting)
      return Promise.reject(new ServeError('unavailable', `Exceeds maximum queue size: ${maxWaiting} requests wait`, 1));
    return new Promise((resolve, reject) => {
      const rows = Object.values(inputs)[0]?.dims[0] ?? 1;
      const key = maxBatch > 0 ? keyOf(inputs, outputs) : '';
      const since = performance.now();
      const own: Waiting = { inputs, outputs, rows, column, key, since, resolve, reject, settle: () => {} };
      const leave = (error: ServeError) => {
        this.waiting.splice(this.waiting.indexOf(own), 1);
        own.settle();
        reject(error);
        this.left();
      };
      const cancel = () => leave(new ServeError('cancelled', 'the request was cancelled'));
      const late = () => leave(new ServeError('unavailable', 'Request timeout expired', 1));
      if (signal?.aborted) return reject(new ServeError('cancelled', 'the request was cancelled'));
      const timer = deadline === undefined ? undefined : setTimeout(late, Math.max(0, deadline - since));
      own.settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      };
      signal?.addEventListener('abort', cancel);
      this.waiting.push(own);
      this.scheduler.pump();
    });
  }

  /** The requests that go together with the oldest, itself first. */
  take(): Waiting[] {
    const { maxBatch } = this.options;
    const [first] = this.waiting;
    if (first === undefined) return [];
    const batch: Waiting[] = [];
    let rows = 0;
    for (const one of this.waiting) {
      if (batch.length > 0 && (maxBatch === 0 || one.key !== first.key || rows + one.rows > maxBatch)) continue;
      batch.push(one);
      rows += one.rows;
      if (maxBatch === 0 || rows >= maxBatch) break;
    }
    const taken = new Set(batch);
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter((one) => !taken.has(one)));
    for (const one of batch) one.settle();
    return batch;
  }

  /** Milliseconds until the oldest may go: 0 where its batch is full or has waited. */
  dueIn(now: number): number {
    const { maxBatch, delayMicroseconds } = this.options;
    const [first] = this.waiting;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    if (maxBatch === 0 || delayMicroseconds === 0) return 0;
    const rows = this.waiting.reduce((sum, one) => sum + (one.key === first.key ? one.rows : 0), 0);
    return rows >= maxBatch ? 0 : Math.max(0, first.since + delayMicroseconds / 1000 - now);
  }

  /** Resolves once nothing waits and nothing runs. */
  empty(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.whenEmpty.push(resolve));
  }

  left(): void {
    if (this.pending > 0) return;
    for (const resolve of this.whenEmpty.splice(0)) resolve();
  }
}

export class Scheduler {
  private readonly lines = new Set<Line>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly pool: Pool) {
    pool.onIdle = () => this.pump();
  }

  open(options: LineOptions): Line {
    const line = new Line(options, this);
    this.lines.add(line);
    return line;
  }

  close(line: Line): void {
    this.lines.delete(line);
  }

  /** Gives batches to threads that are free. */
  pump(): void {
    clearTimeout(this.timer);
    for (let thread = this.pool.idle(); thread !== undefined; thread = this.pool.idle()) {
      const now = performance.now();
      let next: Line | undefined;
      let soon = Number.POSITIVE_INFINITY;
      for (const line of this.lines) {
        const due = line.dueIn(now);
        if (due > 0) soon = Math.min(soon, due);
        else if (next === undefined || (line.waiting[0]?.since ?? 0) < (next.waiting[0]?.since ?? 0)) next = line;
      }
      if (next === undefined) {
        if (soon < Number.POSITIVE_INFINITY) this.timer = setTimeout(() => this.pump(), soon);
        return;
      }
      void this.compute(thread, next);
    }
  }

  private async compute(thread: ReturnType<Pool['idle']> & object, line: Line): Promise<void> {
    const batch = line.take();
    const [first] = batch;
    line.running += batch.length;
    const begun = performance.now();
    const move: TransferListItem[] = [];
    const rows = batch.map((one) => one.rows);
    const all = rows.reduce((a, b) => a + b, 0);
    try {
      const columns = batch.flatMap(({ column }) => column ?? []);
      const { answers, input, infer, output } = await thread.run(
        {
          session: line.options.session,
          requests: batch.map((one) => apart(one.inputs, move)),
          rows,
          ...(columns.length > 0 && { columns }),
          ...(first?.outputs !== undefined && { outputs: first.outputs }),
        },
        move,
      );
      batch.forEach((one, i) => {
        const spent = { queue: nanoseconds(begun - one.since), input, infer, output };
        const answer = answers[i] ?? {};
        if (typeof answer === 'string') one.reject(new ServeError('unavailable', answer));
        else one.resolve({ outputs: together(answer), spent, batch: all, first: i === 0 });
      });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const fault = error instanceof ThreadEnded ? new ServeError('unavailable', said, 1) : new ServeError('internal', said);
      for (const one of batch) one.reject(fault);
    } finally {
      line.running -= batch.length;
      line.left();
    }
  }
}
