// Taps that outlive the training which computed them: the next column on the same data computes only what the column before it adds. A tap is
// named by all that its bits depend on; what is kept is the very tensors that the last training read, joined as it read them.

import type { Column, TapRef } from '../../model/progressive/column.js';
import type { FrozenWeights, Weights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { contentDigest, sha256Digest } from '../digest.js';

/** Where a tap stands along axis 1 of a tensor. */
export interface TapPlace {
  /** As `TapKeys` name it. */
  readonly key: string;
  /** Where the tap begins in a row. */
  readonly at: number;
  /** How many numbers it has. */
  readonly width: number;
}

/** Taps of one data set, a row for each sample, side by side along axis 1. */
export interface KeptTaps {
  readonly tensor: Tensor;
  readonly places: readonly TapPlace[];
}

/** Keeps taps between trainings, those of the last training's data alone; one training's `tapBudget` bounds them. */
export class TapCache {
  private readonly sets = new Map<string, readonly KeptTaps[]>();

  /** Bytes that are kept. */
  get bytes(): number {
    // What two inputs share counts once.
    const tensors = new Set([...this.sets.values()].flat().map(({ tensor }) => tensor));
    return [...tensors].reduce((n, { bytes }) => n + bytes.length, 0);
  }

  /** @internal */
  find(data: string): readonly KeptTaps[] {
    return this.sets.get(data) ?? [];
  }

  /** @internal In place of what there was for these data. */
  keep(data: string, taps: readonly KeptTaps[]): void {
    this.sets.set(data, taps);
  }

  /** @internal Drops all other data. */
  retain(data: readonly string[]): void {
    for (const key of [...this.sets.keys()]) if (!data.includes(key)) this.sets.delete(key);
  }

  /** @internal */
  drop(data: string): void {
    this.sets.delete(data);
  }

  /** Drops everything. */
  clear(): void {
    this.sets.clear();
  }
}

/** Frozen weights never change, so they are hashed once. */
const hashed = new WeakMap<Weights, Promise<string | undefined>>();

function weightsDigest(weights: Weights): Promise<string | undefined> {
  const known = hashed.get(weights) ?? digestOf(weights);
  hashed.set(weights, known);
  return known;
}

async function digestOf(weights: Weights): Promise<string | undefined> {
  const all: unknown[] = [];
  for (const [name, { dtype, dims, bytes }] of weights) all.push([name, dtype, dims, await contentDigest(bytes)]);
  return await sha256Digest(JSON.stringify(all));
}

/** Names of taps: the column's graph and weights, and those of all columns that it stands on. */
export class TapKeys {
  private constructor(private readonly columns: ReadonlyMap<Column, string>) {}

  /** For the taps that `column` reads; undefined where the platform has no hash. */
  static async create(column: Column, frozen: FrozenWeights): Promise<TapKeys | undefined> {
    const keys = new Map<Column, string>();
    // A column comes after those that it stands on.
    for (const source of column.foundation) {
      const sources = source.tapsRead.map((r) => [r.block, keys.get(r.column)]);
      const weights = await weightsDigest(frozen.get(source.task) ?? new Map());
      const graph = [source.canonical, source.network.opset];
      const key = await sha256Digest(JSON.stringify([graph, weights, sources]));
      if (key !== undefined) keys.set(source, key);
    }
    return keys.size === 0 ? undefined : new TapKeys(keys);
  }

  of(ref: TapRef): string {
    return `${must(this.columns.get(ref.column), ref.column.task)}/${ref.block}`;
  }
}
