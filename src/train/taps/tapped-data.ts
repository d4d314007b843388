// Inputs, targets and taps of a data set: taps in memory within the budget, beyond it in the caller's store (workspace/tap-store.ts). Without a
// store they are then computed again for each chunk of minibatches, which is slower and is said so.
import type { SampleSet } from '../../data/dataset.js';
import { countOf, hashNamed, mapSamples, type Samples } from '../../data/samples.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { dataFeeds } from '../network-input.js';
import { gatherRows, sliceRows } from '../step/rows.js';
import { stepInputs } from '../step/step-graph.js';
import type { ColumnTaps, OnRows, Taps } from './column-taps.js';

/** Rows of one size by number, as a `TapStorage` keeps them. */
export interface StoredRows {
  /** Whether an earlier training left them. */
  readonly found: boolean;
  /** Reads these rows into the arrays. */
  read(indices: ArrayLike<number>): Uint8Array;
  /** Gives the storage back. */
  close(): void;
}

/** Where taps beyond the memory budget are kept. */
export interface TapStorage {
  /** Room for this many rows. */
  rows(inputs: Samples, layout: string, rowBytes: number, blocks: () => AsyncIterable<Uint8Array>): Promise<StoredRows>;
}

/** Bytes of taps kept in memory at most, all data sets of a training together. */
export const defaultTapBudget = 1 << 30;

export class TappedData {
  private constructor(
    private readonly source: ColumnTaps,
    readonly inputs: Samples,
    readonly targets: Tensor,
    private readonly taps: Taps | undefined,
    readonly stored: StoredRows | undefined,
    /** Taps that were computed for it, and those that an earlier training had left. */
    readonly made: { readonly computed: number; readonly reused: number },
  ) {}

  static async create(
    source: ColumnTaps,
    data: Pick<SampleSet, 'inputs' | 'targets'>,
    budget: number,
    storage?: TapStorage,
    onRows?: OnRows,
  ): Promise<TappedData> {
    const { inputs, targets } = data;
    const known = await source.known(inputs);
    const made = source.count(known);
    if (source.bytes(countOf(inputs)) <= budget) {
      const taps = await source.compute(inputs, known, onRows);
      await source.leave(inputs, taps);
      return new TappedData(source, inputs, targets, taps, undefined, made);
    }
    const blocks = () => source.rowBlocks(inputs, known, onRows);
    const stored = await storage?.rows(hashNamed(inputs), source.layout, source.bytes(1), blocks);
    await source.leave(inputs);
    return new TappedData(source, inputs, targets, undefined, stored, made);
  }

  get rows(): number {
    return countOf(this.inputs);
  }
  get place(): 'memory' | 'store' | 'nowhere' {
    return this.taps !== undefined ? 'memory' : this.stored !== undefined ? 'store' : 'nowhere';
  }

  /** Feeds of the step graph in the form `step`: the rows themselves. */
  async minibatch(rows: Uint32Array): Promise<Record<string, Tensor>> {
    const own = mapSamples(this.inputs, (t) => gatherRows(t, rows));
    const { taps } = this;
    return {
      ...dataFeeds(own),
      [stepInputs.targets]: gatherRows(this.targets, rows),
      ...(taps === undefined
        ? await this.tapsOf(rows, own)
        : Object.fromEntries(Object.entries(taps).map(([name, t]) => [name, gatherRows(t, rows)]))),
    };
  }

  /** Feeds of the step graph for minibatches of `size` rows: `order` holds their rows one after another. */
  async chunk(order: Uint32Array, size: number): Promise<Record<string, Tensor>> {
    const steps = order.length / size;
    const { inputs, targets, taps } = this;
    const index = (values: Uint32Array) => {
      const rows = new BigInt64Array(values.length);
      values.forEach((row, i) => {
        rows[i] = BigInt(row);
      });
      return new Tensor('int64', [steps, size], rows);
    };
    if (taps !== undefined) {
      return { ...dataFeeds(inputs), [stepInputs.targets]: targets, [stepInputs.order]: index(order), ...taps };
    }
    const own = mapSamples(inputs, (t) => gatherRows(t, order));
    return {
      ...dataFeeds(own),
      [stepInputs.targets]: gatherRows(targets, order),
      [stepInputs.order]: index(order.map((_, i) => i)),
      ...(await this.tapsOf(order, own)),
    };
  }

  private async tapsOf(order: Uint32Array, inputs: Samples): Promise<Taps> {
    const { stored, source } = this;
    return stored === undefined ? await source.compute(inputs) : source.fromRows(stored.read(order), order.length);
  }

  /** Data, targets and taps of rows [from, to), in order. */
  async range(from: number, to: number): Promise<Record<string, Tensor>> {
    const inputs = mapSamples(this.inputs, (t) => sliceRows(t, from, to));
    const taps =
      this.taps === undefined
        ? await this.tapsOf(
            Uint32Array.from({ length: to - from }, (_, i) => from + i),
            inputs,
          )
        : Object.fromEntries(Object.entries(this.taps).map(([name, t]) => [name, sliceRows(t, from, to)]));
    return { ...dataFeeds(inputs), [stepInputs.targets]: sliceRows(this.targets, from, to), ...taps };
  }

  close(): void {
    this.stored?.close();
  }
}
