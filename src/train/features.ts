// What frozen columns feed to the newest column's laterals. Frozen columns never change, so their taps are computed once for a data set and
// kept; beyond the memory budget they are computed again for each chunk of minibatches, which is slower and is said so.
import { must } from '../core/errors.js';
import { elementCount } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Description } from '../progressive/description/description.js';
import { type TapRef, tapsRead } from '../progressive/lowering.js';
import { columnParameters, type Weights } from '../progressive/parameters.js';
import type { Runtime, Session, SessionOptions } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { featureGraph } from './frozen-graph.js';
import { gatherRows, sliceRows } from './rows.js';
import { stepInputs, tapInput } from './step-graph.js';

/** Rows that one run of the feature graph takes. */
const rowsPerRun = 500;

export type Taps = Readonly<Record<string, Tensor>>;

/** Bytes of taps kept at most, all data sets of a training together. */
export const defaultTapBudget = 1 << 30;

export class Features {
  private constructor(
    private readonly session: Session | undefined,
    readonly refs: readonly TapRef[],
    private readonly shapes: readonly (readonly number[])[],
  ) {}

  static async create(
    runtime: Runtime,
    description: Description,
    column: number,
    frozen: readonly Weights[],
    dataType: 'uint8' | 'float32',
    options: SessionOptions,
  ): Promise<Features> {
    const refs = tapsRead(description, column);
    const shapes = refs.map((ref) => must(columnParameters(description, ref.column).taps[ref.block], 'tap shape'));
    if (refs.length === 0) return new Features(undefined, refs, shapes);
    const model = toBinary(featureGraph(description, refs, frozen, dataType));
    return new Features(await runtime.createSession(model, options), refs, shapes);
  }

  /** Bytes of the taps of `rows` samples. */
  bytes(rows: number): number {
    return this.shapes.reduce((n, s) => n + 4 * rows * elementCount(s), 0);
  }

  /** The taps of all rows of `inputs`. `onRows` hears how many are done. */
  async compute(inputs: Tensor, onRows?: (done: number, total: number) => void): Promise<Taps> {
    const { session } = this;
    if (session === undefined) return {};
    const total = inputs.dims[0] ?? 0;
    const kept = this.refs.map((ref, i) => ({
      name: tapInput(ref),
      tensor: Tensor.zeros('float32', [total, ...must(this.shapes[i], 'shape')]),
    }));
    for (let from = 0; from < total; from += rowsPerRun) {
      const to = Math.min(from + rowsPerRun, total);
      const results = await session.run({ [stepInputs.data]: sliceRows(inputs, from, to) });
      for (const { name, tensor } of kept) {
        sliceRows(tensor, from, to).bytes.set(must(results[name], name).bytes);
      }
      onRows?.(to, total);
    }
    return Object.fromEntries(kept.map(({ name, tensor }) => [name, tensor]));
  }

  async release(): Promise<void> {
    await this.session?.release();
  }
}

/** Inputs, targets and taps of one data set; taps whole or, beyond the budget, by the chunk. */
export class FeaturedData {
  private constructor(
    private readonly features: Features,
    readonly inputs: Tensor,
    readonly targets: Tensor,
    private readonly taps: Taps | undefined,
  ) {}

  static async create(
    features: Features,
    data: { readonly inputs: Tensor; readonly targets: Tensor },
    budget: number,
    onRows?: (done: number, total: number) => void,
  ): Promise<FeaturedData> {
    const whole = features.bytes(data.inputs.dims[0] ?? 0) <= budget;
    return new FeaturedData(features, data.inputs, data.targets, whole ? await features.compute(data.inputs, onRows) : undefined);
  }

  get rows(): number {
    return this.inputs.dims[0] ?? 0;
  }
  /** False when taps are computed again for each chunk. */
  get cached(): boolean {
    return this.taps !== undefined;
  }

  /** Feeds of the step graph in the form `step`: the rows themselves, class targets as int32. */
  async minibatch(rows: Uint32Array): Promise<Record<string, Tensor>> {
    const own = gatherRows(this.inputs, rows);
    const targets = gatherRows(this.targets, rows);
    const { taps } = this;
    return {
      [stepInputs.data]: own,
      [stepInputs.targets]: targets.dtype === 'int64' ? Tensor.from('int32', targets.numbers(), targets.dims) : targets,
      ...(taps === undefined
        ? await this.features.compute(own)
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
      ...(await this.features.compute(own)),
    };
  }

  /** Data, targets and taps of rows [from, to), in order. */
  async range(from: number, to: number): Promise<Record<string, Tensor>> {
    const inputs = sliceRows(this.inputs, from, to);
    const taps =
      this.taps === undefined
        ? await this.features.compute(inputs)
        : Object.fromEntries(Object.entries(this.taps).map(([name, t]) => [name, sliceRows(t, from, to)]));
    return { [stepInputs.data]: inputs, [stepInputs.targets]: sliceRows(this.targets, from, to), ...taps };
  }
}
