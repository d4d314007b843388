// Inputs, targets and taps of a data set: taps in memory within the budget, beyond it in the caller's store (workspace/tap-store.ts). Without a
// store they are then computed again for each chunk of minibatches, which is slower and is said so.
import { Tensor } from '../../onnx/core/tensor.js';
import { gatherRows, sliceRows } from '../step/rows.js';
import { stepInputs } from '../step/step-graph.js';
import type { Features, OnRows, Taps } from './features.js';

/** Rows of one size by number, as a `TapStorage` keeps them. */
export interface StoredRows {
  /** Whether an earlier training left them. */
  readonly found: boolean;
  read(indices: ArrayLike<number>): Uint8Array;
  close(): void;
}

/** Where taps beyond the memory budget are kept. */
export interface TapStorage {
  rows(inputs: Tensor, layout: string, rowBytes: number, blocks: () => AsyncIterable<Uint8Array>): Promise<StoredRows>;
}

/** Bytes of taps kept in memory at most, all data sets of a training together. */
export const defaultTapBudget = 1 << 30;

export class FeaturedData {
  private constructor(
    private readonly features: Features,
    readonly inputs: Tensor,
    readonly targets: Tensor,
    private readonly taps: Taps | undefined,
    readonly stored: StoredRows | undefined,
    /** Taps that were computed for it, and those that an earlier training had left. */
    readonly made: { readonly computed: number; readonly reused: number },
  ) {}

  static async create(
    features: Features,
    data: { readonly inputs: Tensor; readonly targets: Tensor },
    budget: number,
    storage?: TapStorage,
    onRows?: OnRows,
  ): Promise<FeaturedData> {
    const { inputs, targets } = data;
    const known = await features.known(inputs);
    const made = features.count(known);
    if (features.bytes(inputs.dims[0] ?? 0) <= budget) {
      const taps = await features.compute(inputs, known, onRows);
      await features.leave(inputs, taps);
      return new FeaturedData(features, inputs, targets, taps, undefined, made);
    }
    const blocks = () => features.rowBlocks(inputs, known, onRows);
    const stored = await storage?.rows(inputs, features.layout, features.bytes(1), blocks);
    await features.leave(inputs);
    return new FeaturedData(features, inputs, targets, undefined, stored, made);
  }

  get rows(): number {
    return this.inputs.dims[0] ?? 0;
  }
  get place(): 'memory' | 'store' | 'nowhere' {
    return this.taps !== undefined ? 'memory' : this.stored !== undefined ? 'store' : 'nowhere';
  }

  /** Feeds of the step graph in the form `step`: the rows themselves. */
  async minibatch(rows: Uint32Array): Promise<Record<string, Tensor>> {
    const own = gatherRows(this.inputs, rows);
    const { taps } = this;
    return {
      [stepInputs.data]: own,
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
      return { [stepInputs.data]: inputs, [stepInputs.targets]: targets, [stepInputs.order]: index(order), ...taps };
    }
    const own = gatherRows(inputs, order);
    return {
      [stepInputs.data]: own,
      [stepInputs.targets]: gatherRows(targets, order),
      [stepInputs.order]: index(order.map((_, i) => i)),
      ...(await this.tapsOf(order, own)),
    };
  }

  private async tapsOf(order: Uint32Array, inputs: Tensor): Promise<Taps> {
    const { stored, features } = this;
    return stored === undefined ? await features.compute(inputs) : features.fromRows(stored.read(order), order.length);
  }

  /** Data, targets and taps of rows [from, to), in order. */
  async range(from: number, to: number): Promise<Record<string, Tensor>> {
    const inputs = sliceRows(this.inputs, from, to);
    const taps =
      this.taps === undefined
        ? await this.tapsOf(
            Uint32Array.from({ length: to - from }, (_, i) => from + i),
            inputs,
          )
        : Object.fromEntries(Object.entries(this.taps).map(([name, t]) => [name, sliceRows(t, from, to)]));
    return { [stepInputs.data]: inputs, [stepInputs.targets]: sliceRows(this.targets, from, to), ...taps };
  }

  close(): void {
    this.stored?.close();
  }
}
