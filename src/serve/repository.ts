// The models of the places, loaded and unloaded: what is new or has changed takes the place of what was there once it answers, and what was asked
// before is answered by what it was asked of.
import { isMachineFault } from '../onnx/files/file-error.js';
import {
  type Answer,
  type Ask,
  type IndexEntry,
  type ModelHost,
  type ServedModel,
  ServeError,
  type Tensors,
} from './served-model.js';
import type { FoundModel, ReadModel } from './sources/read-sources.js';
import type { Calls } from './workers/calls.js';
import type { Pool } from './workers/pool.js';
import type { Line, Scheduler } from './workers/scheduler.js';

/** How models are loaded. */
export interface RepositoryOptions {
  readonly maxBatch: number;
  readonly batchDelayMicroseconds: number;
  readonly maxWaiting: number;
  /** Of one run; each worker runs one at a time. */
  readonly threads: number;
  readonly providers: readonly string[];
  /** Hears what was loaded, changed, unloaded or refused. */
  readonly onChange: (change: {
    readonly model: string;
    readonly what: 'loaded' | 'unloaded' | 'refused';
    readonly reason?: string;
  }) => void;
}

/** A model with its sessions. */
class Loaded implements ServedModel {
  readonly version = '1';
  constructor(
    readonly name: string,
    readonly stamp: string,
    private readonly line: Line,
    readonly inputs: ServedModel['inputs'],
    readonly outputs: ServedModel['outputs'],
    readonly facts: ServedModel['facts'],
  ) {}

  get maxBatch(): number {
    return this.line.options.maxBatch;
  }
  get batchDelayMicroseconds(): number {
    return this.line.options.delayMicroseconds;
  }
  get pending(): number {
    return this.line.pending;
  }
  infer(inputs: Tensors, ask: Ask): Promise<Answer> {
    return this.line.ask(inputs, ask);
  }
  /** Gives the sessions back once nobody waits for them. */
  async release(pool: Pool, scheduler: Scheduler): Promise<void> {
    await this.line.empty();
    scheduler.close(this.line);
    await pool.unload(this.line.options.session);
  }
}

interface Entry {
  loaded: Loaded | undefined;
  /** Whether it was taken away by who asked for that: it then stays so until it is asked for again. */
  unwanted: boolean;
  reason: string;
  /** The stamp that was refused, which is not tried again by itself. */
  refused: string | undefined;
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class Repository implements ModelHost {
  private readonly entries = new Map<string, Entry>();
  /** Changes come one after another. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly reader: Calls,
    private readonly pool: Pool,
    private readonly scheduler: Scheduler,
    private readonly options: RepositoryOptions,
  ) {}

  index(): readonly IndexEntry[] {
    return [...this.entries]
      .map(
        ([name, { loaded, reason }]): IndexEntry => ({
          name,
          version: '1',
          state: loaded === undefined ? 'UNAVAILABLE' : 'READY',
          reason,
        }),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): ServedModel | undefined {
    return this.entries.get(name)?.loaded;
  }

  load(name: string): Promise<void> {
    return this.inTurn(async () => {
      const found = (await this.look()).find((one) => one.name === name);
      if (found === undefined) throw new ServeError('invalid', `failed to load '${name}', failed to poll from model repository`);
      const entry = this.entry(name);
      entry.unwanted = false;
      if (entry.loaded?.stamp === found.stamp) return;
      await this.take(entry, found);
      if (entry.reason !== '') throw new ServeError('invalid', `load failed for model '${name}': ${entry.reason}`);
    });
  }

  unload(name: string): Promise<void> {
    return this.inTurn(async () => {
      const entry = this.entries.get(name);
      if (entry === undefined)
        throw new ServeError('not-found', `unknown model '${name}', expected one of the repository's index`);
      entry.unwanted = true;
      this.drop(name, entry, 'unloaded');
    });
  }

  /** Looks at the places: loads what is new or changed, unloads what is gone. Throws where they cannot be read. */
  refresh(): Promise<void> {
    return this.inTurn(async () => {
      const found = await this.look();
      const names = new Set(found.map(({ name }) => name));
      for (const [name, entry] of this.entries) {
        if (names.has(name)) continue;
        this.drop(name, entry, 'gone');
        this.entries.delete(name);
      }
      for (const one of found) {
        const entry = this.entry(one.name);
        if (entry.unwanted || entry.loaded?.stamp === one.stamp || entry.refused === one.stamp) continue;
        await this.take(entry, one);
      }
    });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name) ?? { loaded: undefined, unwanted: false, reason: '', refused: undefined };
    this.entries.set(name, entry);
    return entry;
  }

  private async look(): Promise<readonly FoundModel[]> {
    return (await this.reader.call('find', undefined)) as readonly FoundModel[];
  }

  /** A model that cannot be loaded leaves what was there as it is. */
  private async take(entry: Entry, { name, stamp }: FoundModel): Promise<void> {
    const { onChange } = this.options;
    try {
      const before = entry.loaded;
      entry.loaded = await this.make(name, stamp);
      entry.reason = '';
      entry.refused = undefined;
      void before?.release(this.pool, this.scheduler);
      onChange({ model: name, what: 'loaded' });
    } catch (error) {
      if (isMachineFault(error)) throw error;
      entry.reason = said(error);
      entry.refused = stamp;
      onChange({ model: name, what: 'refused', reason: entry.reason });
    }
  }

  private async make(name: string, stamp: string): Promise<Loaded> {
    const read = (await this.reader.call('read', name)) as ReadModel | undefined;
    if (read === undefined) throw new ServeError('not-found', `model '${name}' is gone`);
    const { bytes, weightsFolder, inputs, outputs, facts } = read;
    const { threads, providers, batchDelayMicroseconds, maxWaiting } = this.options;
    const maxBatch = read.joins ? this.options.maxBatch : 0;
    const { session } = await this.pool.load({
      model: bytes,
      threads,
      providers,
      ...(weightsFolder !== undefined && { weightsFolder }),
    });
    const line = this.scheduler.open({ session, maxBatch, delayMicroseconds: batchDelayMicroseconds, maxWaiting });
    return new Loaded(name, stamp, line, inputs, outputs, facts);
  }

  private drop(name: string, entry: Entry, reason: string): void {
    const { loaded } = entry;
    if (loaded === undefined) return;
    entry.loaded = undefined;
    entry.reason = reason;
    void loaded.release(this.pool, this.scheduler);
    this.options.onChange({ model: name, what: 'unloaded' });
  }
}
