// Inputs, targets and taps of a data set: taps in memory within the budget, beyond it in the caller's store (workspace/tap-store.ts). Without a
// store they are then computed again for each chunk of minibatches, which is slower and is said so.
import type { SampleSet } from '../../data/dataset.js';
import { gatherRows, inMemory, rowBytes, sliceRows } from '../../data/rows.js';
import { countOf, hashNamed, mapSamples, type SampleRows, type Samples } from '../../data/samples.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Augmenter } from '../augment/augmenter.js';
import { dataFeeds } from '../network-input.js';
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
  rows(inputs: SampleRows, layout: string, rowBytes: number, blocks: () => AsyncIterable<Uint8Array>): Promise<StoredRows>;
}

/** Bytes of taps kept in memory at most, all data sets of a training together. */
const defaultTapBudget = 1 << 30;

/** The bytes that a training says; of rows on disk a quarter of the memory that they may take, since they are there to save it. */
export function tapBudgetOf({
  tapBudget,
  train,
}: {
  readonly tapBudget?: number;
  readonly train: Pick<SampleSet, 'inputs'>;
}): number {
  if (tapBudget !== undefined) return tapBudget;
  const limits = Object.values(train.inputs).map((rows) => (inMemory(rows) ? defaultTapBudget : Math.floor(rows.memory / 4)));
  return Math.min(defaultTapBudget, ...limits);
}

const allInMemory = (inputs: SampleRows): inputs is Samples => Object.values(inputs).every(inMemory);

export class TappedData {
  private constructor(
    private readonly source: ColumnTaps,
    readonly inputs: SampleRows,
    readonly targets: Tensor,
    private readonly taps: Taps | undefined,
    readonly stored: StoredRows | undefined,
    /** Taps that were computed for it, and those that an earlier training had left. */
    readonly made: { readonly computed: number; readonly reused: number },
    private readonly augmenter?: Augmenter,
  ) {}

  /** Rows that are varied anew in each epoch: what is computed of them is of use once. */
  static varied(
    source: ColumnTaps,
    { inputs, targets }: Pick<SampleSet, 'inputs' | 'targets'>,
    augmenter: Augmenter,
  ): TappedData {
    return new TappedData(source, inputs, targets, undefined, undefined, source.count([]), augmenter);
  }

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
  /** Where taps are kept; nowhere too where rows are `varied`. */
  get place(): 'memory' | 'store' | 'nowhere' | 'varied' {
    if (this.augmenter !== undefined) return 'varied';
    return this.taps !== undefined ? 'memory' : this.stored !== undefined ? 'store' : 'nowhere';
  }

  /** Bytes of inputs and taps that a run of `rows` rows is given beside what is in memory as it is. */
  brought(rows: number): number {
    if (this.taps !== undefined && allInMemory(this.inputs)) return 0;
    const own = Object.values(this.inputs).reduce((n, each) => n + rowBytes(each), 0);
    return this.source.bytes(rows) + own * rows;
  }

  /** Rows in this order, as an epoch has them. */
  private take(rows: Uint32Array, epoch: number): Samples {
    const own = mapSamples(this.inputs, (t) => gatherRows(t, rows));
    return this.augmenter?.vary(own, rows, epoch) ?? own;
  }

  /** Feeds of the step graph in the form `step`: the rows themselves. */
  async minibatch(rows: Uint32Array, epoch: number): Promise<Record<string, Tensor>> {
    const own = this.take(rows, epoch);
    const { taps } = this;
    return {
      ...dataFeeds(own),
      [stepInputs.targets]: gatherRows(this.targets, rows),
      ...(taps === undefined ? await this.tapsOf(rows, own) : mapSamples(taps, (t) => gatherRows(t, rows))),
    };
  }

  /** Feeds of the step graph for minibatches of `size` rows: `order` holds their rows one after another. */
  async chunk(order: Uint32Array, size: number, epoch: number): Promise<Record<string, Tensor>> {
    const steps = order.length / size;
    const { inputs, targets, taps } = this;
    const index = (values: Uint32Array) => {
      const rows = new BigInt64Array(values.length);
      values.forEach((row, i) => {
        rows[i] = BigInt(row);
      });
      return new Tensor('int64', [steps, size], rows);
    };
    if (taps !== undefined && allInMemory(inputs)) {
      return { ...dataFeeds(inputs), [stepInputs.targets]: targets, [stepInputs.order]: index(order), ...taps };
    }
    const own = this.take(order, epoch);
    return {
      ...dataFeeds(own),
      [stepInputs.targets]: gatherRows(targets, order),
      [stepInputs.order]: index(order.map((_, i) => i)),
      ...(taps === undefined ? await this.tapsOf(order, own, size) : mapSamples(taps, (t) => gatherRows(t, order))),
    };
  }

  /** `size`: of a minibatch, so that what is computed does not depend on how many of them come at once. */
  private async tapsOf(order: Uint32Array, inputs: Samples, size = order.length): Promise<Taps> {
    const { stored, source } = this;
    return stored === undefined
      ? await source.compute(inputs, [], undefined, size)
      : source.fromRows(stored.read(order), order.length);
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
