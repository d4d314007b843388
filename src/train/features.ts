// What frozen columns feed to the newest column's laterals. Frozen columns never change, so their taps are computed once for a data set and
// kept: in memory within the budget, beyond it in the caller's store (workspace/tap-store.ts). Without a store they are then computed again
// for each chunk of minibatches, which is slower and is said so. Taps belong to the data as the loop gets them, after all transforms.
import { must } from '../core/errors.js';
import { elementCount } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Description } from '../progressive/description/description.js';
import type { Weights } from '../progressive/parameters.js';
import type { Runtime, Session, SessionOptions } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { featureGraph } from './frozen-graph.js';
import { checkRows, gatherRows, sliceRows } from './rows.js';
import { stepInputs } from './step-graph.js';
import { type TapInput, tapInputs } from './tap-inputs.js';

/** Rows that one run of the feature graph takes. */
const rowsPerRun = 500;

export type Taps = Readonly<Record<string, Tensor>>;

type OnRows = (done: number, total: number) => void;

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

export class Features {
  private constructor(
    private readonly session: Session | undefined,
    readonly inputs: readonly TapInput[],
  ) {}

  static async create(
    runtime: Runtime,
    description: Description,
    column: number,
    frozen: readonly Weights[],
    dataType: 'uint8' | 'float32',
    options: SessionOptions,
  ): Promise<Features> {
    const inputs = tapInputs(description, column);
    if (inputs.length === 0) return new Features(undefined, inputs);
    const model = toBinary(featureGraph(description, inputs, frozen, dataType));
    return new Features(await runtime.createSession(model, options), inputs);
  }

  /** Bytes of the taps of `rows` samples. */
  bytes(rows: number): number {
    return this.inputs.reduce((n, { shape }) => n + 4 * rows * elementCount(shape), 0);
  }

  /** What a stored row holds. */
  get layout(): string {
    return JSON.stringify(this.inputs.map(({ name, refs, shape }) => [name, refs, shape]));
  }

  /** Taps by runs of at most `rowsPerRun` rows, in order: the bits of a product may depend on the number of rows. */
  async *runs(
    inputs: Tensor,
    onRows?: OnRows,
  ): AsyncGenerator<{ readonly from: number; readonly to: number; readonly taps: Taps }> {
    const { session } = this;
    if (session === undefined) return;
    const total = inputs.dims[0] ?? 0;
    for (let from = 0; from < total; from += rowsPerRun) {
      const to = Math.min(from + rowsPerRun, total);
      const taps = await session.run({ [stepInputs.data]: sliceRows(inputs, from, to) });
      for (const [name, tap] of Object.entries(taps)) checkRows(tap, name, to - from);
      yield { from, to, taps };
      onRows?.(to, total);
    }
  }

  /** The taps of all rows of `inputs`. `onRows` hears how many are done. */
  async compute(inputs: Tensor, onRows?: OnRows): Promise<Taps> {
    const kept = this.empty(inputs.dims[0] ?? 0);
    for await (const { from, to, taps } of this.runs(inputs, onRows)) {
      for (const [name, tensor] of Object.entries(kept)) sliceRows(tensor, from, to).bytes.set(must(taps[name], name).bytes);
    }
    return kept;
  }

  /** Rows for a store: all taps of one sample side by side. */
  async *rowBlocks(inputs: Tensor, onRows?: OnRows): AsyncGenerator<Uint8Array> {
    const width = this.bytes(1);
    for await (const { from, to, taps } of this.runs(inputs, onRows)) {
      const block = new Uint8Array((to - from) * width);
      this.eachTap((name, at, bytes) => {
        const { bytes: tap } = must(taps[name], name);
        for (let i = 0; i < to - from; i++) block.set(tap.subarray(i * bytes, (i + 1) * bytes), i * width + at);
      });
      yield block;
    }
  }

  /** Taps from `rows` rows of a store. */
  fromRows(block: Uint8Array, rows: number): Taps {
    const width = this.bytes(1);
    const taps = this.empty(rows);
    this.eachTap((name, at, bytes) => {
      const { bytes: tap } = must(taps[name], name);
      for (let i = 0; i < rows; i++) tap.set(block.subarray(i * width + at, i * width + at + bytes), i * bytes);
    });
    return taps;
  }

  private empty(rows: number): Record<string, Tensor> {
    return Object.fromEntries(this.inputs.map(({ name, shape }) => [name, Tensor.zeros('float32', [rows, ...shape])]));
  }

  /** Each input with its place in a stored row. */
  private eachTap(body: (name: string, at: number, bytes: number) => void): void {
    let at = 0;
    for (const { name, shape } of this.inputs) {
      const bytes = 4 * elementCount(shape);
      body(name, at, bytes);
      at += bytes;
    }
  }

  async release(): Promise<void> {
    await this.session?.release();
  }
}

/** Inputs, targets and taps of one data set; taps in memory, in a store, or computed by the chunk. */
export class FeaturedData {
  private constructor(
    private readonly features: Features,
    readonly inputs: Tensor,
    readonly targets: Tensor,
    private readonly taps: Taps | undefined,
    readonly stored: StoredRows | undefined,
  ) {}

  static async create(
    features: Features,
    data: { readonly inputs: Tensor; readonly targets: Tensor },
    budget: number,
    storage?: TapStorage,
    onRows?: OnRows,
  ): Promise<FeaturedData> {
    const { inputs, targets } = data;
    if (features.bytes(inputs.dims[0] ?? 0) <= budget) {
      return new FeaturedData(features, inputs, targets, await features.compute(inputs, onRows), undefined);
    }
    const stored = await storage?.rows(inputs, features.layout, features.bytes(1), () => features.rowBlocks(inputs, onRows));
    return new FeaturedData(features, inputs, targets, undefined, stored);
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
    const index = (values: ArrayLike<number>) =>
      new Tensor('int64', [steps, size], BigInt64Array.from(Array.from(values, BigInt)));
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
