// Who computes next: requests wait in a line of their model and leave it in batches, as threads become free. The oldest request goes first.
import type { TransferListItem } from 'node:worker_threads';
import { type Answer, type Ask, ServeError, type Tensors } from '../served-model.js';
import { ThreadEnded } from './calls.js';
import type { Computing } from './pool.js';
import { cut, joined } from './rows.js';
import { type AllParts, apart, together } from './tensor-parts.js';

/** Who computes: a pool. */
export interface Threads {
  /** Called when a thread has become free. */
  onIdle: () => void;
  /** A thread that computes nothing. */
  idle(): Computing | undefined;
}

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
  readonly gone: (() => boolean) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly late: NodeJS.Timeout | undefined;
}

/** Requests whose shapes differ behind the first size, or who ask for other outputs, share no batch. */
const keyOf = (inputs: Tensors, outputs: readonly string[] | undefined): string =>
  JSON.stringify([outputs, Object.keys(inputs), Object.values(inputs).map(({ dims }) => dims.slice(1).join())]);

/** Nanoseconds of a run up to which requests rather wait for it, and go together, than wake another thread. */
const shortRun = 1e6;

const nanoseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6);

const cancelled = (): ServeError => new ServeError('cancelled', 'the request was cancelled');

/** The line of a session. */
export class Line {
  waiting: Waiting[] = [];
  /** Requests of batches that run. */
  running = 0;
  /** Nanoseconds that the last run took. */
  lastRun = Number.POSITIVE_INFINITY;
  private whenEmpty: (() => void)[] = [];

  constructor(
    readonly options: LineOptions,
    private readonly scheduler: Scheduler,
  ) {}

  get pending(): number {
    return this.waiting.length + this.running;
  }

  /**
   * Throws ServeError: the line is full, the deadline has passed, nobody waits for the answer any more.
   * @param column which one of a fleet is asked
   */
  ask(inputs: Tensors, { outputs, gone, deadline }: Ask, column?: string): Promise<Answer> {
    const { maxBatch, maxWaiting } = this.options;
    if (this.waiting.length >= maxWaiting) this.leaveGone();
    if (this.waiting.length >= maxWaiting)
      return Promise.reject(new ServeError('unavailable', `Exceeds maximum queue size: ${maxWaiting} requests wait`, 1));
    return new Promise((resolve, reject) => {
      const rows = Object.values(inputs)[0]?.dims[0] ?? 1;
      const key = maxBatch > 0 ? keyOf(inputs, outputs) : '';
      const since = performance.now();
      const expire = () => {
        this.waiting.splice(this.waiting.indexOf(own), 1);
        reject(gone?.() === true ? cancelled() : new ServeError('unavailable', 'Request timeout expired', 1));
        this.left();
      };
      const late = deadline === undefined ? undefined : setTimeout(expire, Math.max(0, deadline - since));
      const own: Waiting = { inputs, outputs, rows, column, key, since, gone, resolve, reject, late };
      this.waiting.push(own);
      this.scheduler.pumpSoon();
    });
  }

  /** The requests that go together with the oldest, itself first. */
  take(): Waiting[] {
    this.leaveGone();
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
    for (const one of batch) clearTimeout(one.late);
    if (batch.length === this.waiting.length) this.waiting = [];
    else {
      const taken = new Set(batch);
      this.waiting = this.waiting.filter((one) => !taken.has(one));
    }
    return batch;
  }

  /** Requests whose clients have gone are not computed. */
  private leaveGone(): void {
    const [here, gone] = [[] as Waiting[], [] as Waiting[]];
    for (const one of this.waiting) (one.gone?.() === true ? gone : here).push(one);
    if (gone.length === 0) return;
    this.waiting = here;
    for (const one of gone) {
      clearTimeout(one.late);
      one.reject(cancelled());
    }
    this.left();
  }

  /** Whether its requests rather wait for its runs than wake another thread. */
  get gathers(): boolean {
    return this.running > 0 && this.lastRun < shortRun && this.options.maxBatch > 0 && !this.full;
  }

  /** Milliseconds until the oldest may go: 0 where its batch is full or has waited. */
  dueIn(now: number): number {
    const { maxBatch, delayMicroseconds } = this.options;
    const [first] = this.waiting;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    if (maxBatch === 0 || delayMicroseconds === 0 || this.full) return 0;
    return Math.max(0, first.since + delayMicroseconds / 1000 - now);
  }

  /** Resolves once nothing waits and nothing runs. */
  empty(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.whenEmpty.push(resolve));
  }

  /** Whether those that may go with the oldest fill a batch. */
  private get full(): boolean {
    const { waiting } = this;
    const rows = waiting.reduce((sum, one) => sum + (one.key === waiting[0]?.key ? one.rows : 0), 0);
    return rows >= this.options.maxBatch;
  }

  left(): void {
    if (this.pending > 0) return;
    for (const resolve of this.whenEmpty.splice(0)) resolve();
  }
}

export class Scheduler {
  private readonly lines = new Set<Line>();
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Immediate | undefined;

  constructor(private readonly pool: Threads) {
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

  /** Once all that has come by now is in its line: waking a thread takes longer than to read a request. */
  pumpSoon(): void {
    this.soon ??= setImmediate(() => this.pump());
  }

  /** Gives batches to threads, the oldest first. */
  private pump(): void {
    clearTimeout(this.timer);
    clearImmediate(this.soon);
    this.soon = undefined;
    for (;;) {
      const now = performance.now();
      let next: { readonly line: Line; readonly thread: Computing; readonly since: number } | undefined;
      let soon = Number.POSITIVE_INFINITY;
      for (const line of this.lines) {
        const due = line.dueIn(now);
        const since = line.waiting[0]?.since ?? 0;
        const thread = due > 0 || line.gathers ? undefined : this.pool.idle();
        if (due > 0) soon = Math.min(soon, due);
        else if (thread !== undefined && (next === undefined || since < next.since)) next = { line, thread, since };
      }
      if (next === undefined) {
        if (soon < Number.POSITIVE_INFINITY) this.timer = setTimeout(() => this.pump(), soon);
        return;
      }
      void this.compute(next.thread, next.line);
    }
  }

  private async compute(thread: Computing, line: Line): Promise<void> {
    const batch = line.take();
    const [first] = batch;
    if (first === undefined) return;
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
          inputs: apart(joined(batch.map((one) => one.inputs)), move),
          rows,
          ...(columns.length > 0 && { columns }),
          ...(first.outputs !== undefined && { outputs: first.outputs }),
        },
        move,
      );
      line.lastRun = infer;
      const each = Array.isArray(answers)
        ? answers.map((one) => (typeof one === 'string' ? one : together(one)))
        : cut(together(answers as AllParts), rows);
      batch.forEach((one, i) => {
        const spent = { queue: nanoseconds(begun - one.since), input, infer, output };
        const answer = each[i] ?? {};
        if (typeof answer === 'string') one.reject(new ServeError('unavailable', answer));
        else one.resolve({ outputs: answer, spent, batch: all, first: i === 0 });
      });
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const fault = error instanceof ThreadEnded ? new ServeError('unavailable', said, 1) : new ServeError('internal', said);
      for (const one of batch) one.reject(fault);
    } finally {
      line.running -= batch.length;
      line.left();
      this.pump();
    }
  }
}
