// The models of the places, loaded and unloaded: what is new or has changed takes the place of what was there once it answers, and what was asked
// before is answered by what it was asked of.
import { PrognetError } from '../onnx/core/errors.js';
import { isMachineFault } from '../onnx/files/file-error.js';
import { type IndexEntry, type ModelHost, type ServedModel, ServeError } from './served-model.js';
import type { FoundModel } from './sources/read-sources.js';
import { ThreadEnded } from './workers/calls.js';

/** A model that is to be given back some time. */
export interface LoadedModel extends ServedModel {
  /** Of what it was made of. */
  readonly stamp: string;
  /** Gives back what it holds once nobody waits for it. */
  release(): Promise<void>;
}

/** Finds what may be served, and makes models of it. */
export interface ModelMaker {
  /** Whether a model answers on when what it was made of has changed. */
  readonly outlive: boolean;
  /** What is there now. Throws where the places cannot be read. */
  find(): Promise<readonly FoundModel[]>;
  /** Throws in one line. */
  make(found: FoundModel): Promise<LoadedModel>;
  /** Whether a model answers, where `make` does not tell. Throws in one line. */
  check?(name: string): Promise<void>;
}

/** Hears what was loaded, changed, unloaded or refused. */
export type OnChange = (change: {
  readonly model: string;
  readonly what: 'loaded' | 'unloaded' | 'refused';
  readonly reason?: string;
}) => void;

interface Entry {
  loaded: LoadedModel | undefined;
  /** Whether it was taken away by who asked for that: it then stays so until it is asked for again. */
  unwanted: boolean;
  reason: string;
  /** The stamp that was refused, which is not tried again by itself. */
  refused: string | undefined;
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What who asks for a model is told where it cannot be loaded; a fault of ours stays one. */
const notLoaded = (name: string, error: unknown): unknown =>
  error instanceof PrognetError && !(error instanceof ThreadEnded)
    ? new ServeError('invalid', `load failed for model '${name}': ${error.message}`)
    : error;

export class Repository implements ModelHost {
  private readonly entries = new Map<string, Entry>();
  /** Changes come one after another. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly maker: ModelMaker,
    private readonly onChange: OnChange,
  ) {}

  index(): readonly IndexEntry[] {
    return [...this.entries]
      .map(
        ([name, { loaded, reason }]): IndexEntry => ({
          name,
          version: '1',
          state: loaded !== undefined ? 'READY' : reason === '' ? 'LOADING' : 'UNAVAILABLE',
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
      const all = await this.maker.find().catch((error: unknown) => {
        throw notLoaded(name, error);
      });
      const found = all.find((one) => one.name === name);
      if (found === undefined) throw new ServeError('invalid', `failed to load '${name}', failed to poll from model repository`);
      const entry = this.entry(name);
      entry.unwanted = false;
      await this.maker.check?.(name).catch((error: unknown) => {
        throw notLoaded(name, error);
      });
      if (entry.loaded?.stamp === found.stamp) return;
      await this.take(entry, found).catch((error: unknown) => {
        throw notLoaded(name, error);
      });
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
      const found = await this.maker.find();
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
    const done = this.last.then(work).catch((error) => {
      throw error instanceof ThreadEnded ? new ServeError('unavailable', error.message, 1) : error;
    });
    this.last = done.catch(() => {});
    return done;
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name) ?? { loaded: undefined, unwanted: false, reason: '', refused: undefined };
    this.entries.set(name, entry);
    return entry;
  }

  /** A model that cannot be loaded leaves what was there as it is, where that answers on. */
  private async take(entry: Entry, found: FoundModel): Promise<void> {
    const { name, stamp } = found;
    try {
      const before = entry.loaded;
      entry.loaded = await this.maker.make(found);
      entry.reason = '';
      entry.refused = undefined;
      if (before !== undefined) this.giveBack(before);
      this.onChange({ model: name, what: 'loaded' });
    } catch (error) {
      if (isMachineFault(error) || error instanceof ThreadEnded) throw error;
      if (!this.maker.outlive) this.drop(name, entry, said(error));
      entry.reason = said(error);
      entry.refused = stamp;
      this.onChange({ model: name, what: 'refused', reason: entry.reason });
    }
  }

  private drop(name: string, entry: Entry, reason: string): void {
    const { loaded } = entry;
    if (loaded === undefined) return;
    entry.loaded = undefined;
    entry.reason = reason;
    this.giveBack(loaded);
    this.onChange({ model: name, what: 'unloaded' });
  }

  /** Nobody waits for it: what goes wrong is said in the log. */
  private giveBack(model: LoadedModel): void {
    model.release().catch((error) => this.onChange({ model: model.name, what: 'unloaded', reason: said(error) }));
  }
}
