// What frozen columns feed to the newest column's laterals, by runs of rows. Frozen columns never change, so their taps are computed once for a
// data set; what an earlier training on the same data left in a TapCache is not computed again. Where taps are kept is tapped-data.ts's
// affair. They belong to the data as the loop gets them, after all transforms.

import { inMemory, sliceRows } from '../../data/rows.js';
import { countOf, mapSamples, type SampleRows } from '../../data/samples.js';
import type { Column, TapRef } from '../../model/progressive/column.js';
import type { ByInput } from '../../model/progressive/inputs.js';
import type { FrozenWeights } from '../../model/progressive/weights.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Runtime, Session, SessionOptions } from '../../onnx/runtime/session.js';
import { sessionModel } from '../../onnx/serde/session-model.js';
import { contentDigest } from '../digest.js';
import { dataFeeds, type KeptDtype } from '../network-input.js';
import { checkRows } from '../step/check-rows.js';
import { type TapCache, TapKeys, type TapPlace } from './tap-cache.js';
import { tapGraph } from './tap-graph.js';
import { type TapInput, tapInputs, tapKey } from './tap-inputs.js';
import { isWhole, type KnownTaps, piecesOf } from './tap-pieces.js';

/** Rows that one run of the tap graph takes: the same always, since the bits of a product may depend on the number of rows. */
const rowsPerRun = 500;

/** Taps by the name of the input that takes them. */
export type Taps = Readonly<Record<string, Tensor>>;

/** Takes the taps of some rows. */
export type OnRows = (done: number, total: number) => void;

/** What an earlier training left of a data set. */
export interface KnownTensor extends KnownTaps {
  /** The rows, float32 [N, width]. */
  readonly tensor: Tensor;
  /** Which taps stand where in a row. */
  readonly places: readonly TapPlace[];
}

/** What the taps are of. */
export interface TapSource {
  readonly runtime: Runtime;
  readonly column: Column;
  readonly frozen: FrozenWeights;
  readonly dtypes: ByInput<KeptDtype>;
  readonly session: SessionOptions;
  readonly tapCache?: TapCache | undefined;
}

/** Runtimes by number: what they were loaded with, such as other config entries, may change bits. */
const runtimes = new WeakMap<Runtime, number>();
let runtimesSeen = 0;

function numberOf(runtime: Runtime): number {
  const known = runtimes.get(runtime) ?? runtimesSeen++;
  runtimes.set(runtime, known);
  return known;
}

/** The taps that a column reads, computed and kept for its training. */
export class ColumnTaps {
  /** By what their graphs find already computed. */
  private readonly sessions = new Map<string, Promise<Session>>();
  private readonly dataKeys = new Map<SampleRows, Promise<string | undefined>>();

  private constructor(
    private readonly source: TapSource,
    /** The inputs by which the step graph takes them. */
    readonly inputs: readonly TapInput[],
    private readonly keys: TapKeys | undefined,
  ) {}

  /** The taps of a column, none computed yet. */
  static async create(source: TapSource): Promise<ColumnTaps> {
    const { column, frozen, tapCache } = source;
    return new ColumnTaps(source, tapInputs(column), tapCache && (await TapKeys.create(column, frozen)));
  }

  /** Bytes of the taps of `rows` samples. */
  bytes(rows: number): number {
    return this.inputs.reduce((n, { shape }) => n + 4 * rows * elementCount(shape), 0);
  }

  /** What a stored row holds. */
  get layout(): string {
    const indexed = ({ column, block }: TapRef) => ({ column: column.index, block });
    return JSON.stringify(this.inputs.map(({ name, refs, shape }) => [name, refs.map(indexed), shape]));
  }

  /** What the cache holds of these data; nothing without one. */
  async known(data: SampleRows): Promise<readonly KnownTensor[]> {
    const { keys } = this;
    const key = await this.dataKey(data);
    if (keys === undefined || key === undefined) return [];
    const found = this.source.tapCache?.find(key) ?? [];
    return found.map(({ tensor, places }, i) => ({
      name: `step/known/${i}`,
      shape: tensor.dims.slice(1),
      tensor,
      places,
      place: (ref) => places.find((place) => place.key === keys.of(ref)),
    }));
  }

  /** Leaves the taps of these data to the next training; without taps, drops what it had. */
  async leave(data: SampleRows, taps?: Taps): Promise<void> {
    const { keys, source } = this;
    const key = await this.dataKey(data);
    if (keys === undefined || key === undefined) return;
    if (taps === undefined) source.tapCache?.drop(key);
    else
      source.tapCache?.keep(
        key,
        this.inputs.map(({ name, refs, widths }) => {
          let at = 0;
          const places = refs.map((ref, i): TapPlace => {
            const width = must(widths[i], 'width');
            at += width;
            return { key: keys.of(ref), at: at - width, width };
          });
          return { tensor: must(taps[name], name), places };
        }),
      );
  }

  /** Drops what the cache holds of other data than these. */
  async retain(data: readonly SampleRows[]): Promise<void> {
    // A column that reads no taps leaves none, and what there was may be of other data.
    if (this.keys === undefined) {
      this.source.tapCache?.clear();
      return;
    }
    const keys = await Promise.all(data.map((d) => this.dataKey(d)));
    this.source.tapCache?.retain(keys.filter((key) => key !== undefined));
  }

  /** How many taps `known` has, and how many are to be computed. */
  count(known: readonly KnownTensor[]): { readonly computed: number; readonly reused: number } {
    const refs = new Map(this.inputs.flatMap((input) => input.refs).map((ref) => [tapKey(ref), ref]));
    const reused = [...refs.values()].filter((ref) => known.some(({ place }) => place(ref) !== undefined)).length;
    return { computed: refs.size - reused, reused };
  }

  /** All that the bits of taps depend on beside the columns. */
  private dataKey(data: SampleRows): Promise<string | undefined> {
    const { keys, source } = this;
    const found =
      this.dataKeys.get(data) ??
      (async () => {
        if (keys === undefined) return undefined;
        const found: unknown[] = [];
        for (const rows of Object.values(data)) {
          // What is too large to be kept in memory is not kept from training to training either.
          if (!inMemory(rows)) return undefined;
          const { bytes, dtype, dims } = rows;
          const digest = await contentDigest(bytes);
          if (digest === undefined) return undefined;
          found.push(digest, dtype, dims);
        }
        const { providers, threads } = source.session;
        return JSON.stringify([...found, numberOf(source.runtime), providers, threads]);
      })();
    this.dataKeys.set(data, found);
    return found;
  }

  /** The session that computes what `known` lacks; undefined where it lacks nothing. */
  private async session(known: readonly KnownTensor[]): Promise<Session | undefined> {
    if (this.count(known).computed === 0) return undefined;
    const { runtime, column, frozen, dtypes, session } = this.source;
    const key = JSON.stringify(known.map(({ shape, places }) => [shape, places]));
    const begin = () => {
      const { bytes, options } = sessionModel(tapGraph(column.network, this.inputs, frozen, dtypes, known), runtime);
      return runtime.createSession(bytes, { ...session, ...options });
    };
    const found = this.sessions.get(key) ?? begin();
    this.sessions.set(key, found);
    return await found;
  }

  /** Taps by runs of at most `rowsPerRun` rows, in order, none of which holds rows of two `groups`; of each input what `known` lacks. */
  private async *runs(
    data: SampleRows,
    known: readonly KnownTensor[],
    onRows?: OnRows,
    group = countOf(data),
  ): AsyncGenerator<{ readonly from: number; readonly to: number; readonly taps: Taps }> {
    const session = await this.session(known);
    const total = countOf(data);
    for (let from = 0, to = 0; from < total; from = to) {
      to = Math.min(from + rowsPerRun, from - (from % group) + group, total);
      const feeds = dataFeeds(mapSamples(data, (t) => sliceRows(t, from, to)));
      for (const { name, tensor } of known) feeds[name] = sliceRows(tensor, from, to);
      const given = session?.inputNames.map((name) => [name, must(feeds[name], name)]);
      const taps = (await session?.run(Object.fromEntries(given ?? []))) ?? {};
      for (const [name, tap] of Object.entries(taps)) checkRows(tap, name, to - from);
      yield { from, to, taps };
      onRows?.(to, total);
    }
  }

  /**
   * The taps of all rows. A tensor of `known` that is just what an input holds is that input. `onRows` hears how many rows are done; a run takes rows of one
   * `group` alone.
   */
  async compute(data: SampleRows, known: readonly KnownTensor[] = [], onRows?: OnRows, group?: number): Promise<Taps> {
    const taps = this.empty(countOf(data), known);
    const parts = this.parts(known).filter(({ whole }) => whole === undefined);
    if (parts.length === 0) return taps;
    for await (const run of this.runs(data, known, onRows, group)) {
      for (const part of parts) {
        const { bytes } = sliceRows(must(taps[part.name], part.name), run.from, run.to);
        fill(bytes, 0, part.bytes, part, run);
      }
    }
    return taps;
  }

  /** Rows for a store: all taps of one sample side by side. */
  async *rowBlocks(data: SampleRows, known: readonly KnownTensor[] = [], onRows?: OnRows): AsyncGenerator<Uint8Array> {
    const width = this.bytes(1);
    const parts = this.parts(known);
    for await (const run of this.runs(data, known, onRows)) {
      const block = new Uint8Array((run.to - run.from) * width);
      for (const part of parts) fill(block, part.at, width, part, run);
      yield block;
    }
  }

  /** Taps from `rows` rows of a store. */
  fromRows(block: Uint8Array, rows: number): Taps {
    const width = this.bytes(1);
    const taps = this.empty(rows, []);
    for (const { name, at, bytes } of this.parts([])) {
      copyRows({ into: must(taps[name], name).bytes, to: 0, stride: bytes }, { from: block, at, stride: width }, bytes, rows);
    }
    return taps;
  }

  private empty(rows: number, known: readonly KnownTensor[]): Record<string, Tensor> {
    return Object.fromEntries(
      this.parts(known).map(({ name, shape, whole }) => [name, whole ?? Tensor.zeros('float32', [rows, ...shape])]),
    );
  }

  /** Each input with its place in a stored row, and what it is made of. */
  private parts(known: readonly KnownTensor[]): Part[] {
    let at = 0;
    return this.inputs.map(({ name, refs, widths, shape }) => {
      const pieces = piecesOf(refs, widths, known);
      const bytes = 4 * elementCount(shape);
      const unit = bytes / (shape[0] ?? 1);
      at += bytes;
      const [first] = pieces;
      const whole = pieces.length === 1 && first !== undefined && isWhole(first) ? first.source?.tensor : undefined;
      let computed = 0;
      const sources: Part['sources'][number][] = [];
      for (const { source, at: from, width } of pieces) {
        const size = width * unit;
        const before = sources.at(-1);
        // Neighbours that are computed are one copy.
        if (source === undefined && before !== undefined && before.tensor === undefined)
          sources[sources.length - 1] = { ...before, bytes: before.bytes + size };
        else sources.push({ tensor: source?.tensor, at: source === undefined ? computed : from * unit, bytes: size });
        if (source === undefined) computed += size;
      }
      return { name, shape, at: at - bytes, bytes, whole, sources, computed };
    });
  }

  /** Gives its sessions back. */
  async release(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).release();
  }
}

/** An input's place in a stored row and its pieces, in bytes of one row. */
interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly at: number;
  readonly bytes: number;
  /** The one tensor that is all of it. */
  readonly whole: Tensor | undefined;
  /** `at`: where a piece stands in a row of its tensor, or of what the tap graph gives. */
  readonly sources: readonly { readonly tensor: Tensor | undefined; readonly at: number; readonly bytes: number }[];
  /** What the tap graph gives of it. */
  readonly computed: number;
}

/** Puts the rows of a run into place, side by side from its pieces. */
function fill(
  into: Uint8Array,
  at: number,
  stride: number,
  part: Part,
  { from, to, taps }: { readonly from: number; readonly to: number; readonly taps: Taps },
): void {
  let target = at;
  for (const { tensor, at: start, bytes } of part.sources) {
    const rows = tensor === undefined ? must(taps[part.name], part.name) : sliceRows(tensor, from, to);
    const width = rows.bytes.length / (to - from);
    copyRows({ into, to: target, stride }, { from: rows.bytes, at: start, stride: width }, bytes, to - from);
    target += bytes;
  }
}

/** Copies `bytes` bytes of each row. */
function copyRows(
  target: { readonly into: Uint8Array; readonly to: number; readonly stride: number },
  source: { readonly from: Uint8Array; readonly at: number; readonly stride: number },
  bytes: number,
  rows: number,
): void {
  const { into, to, stride } = target;
  const { from, at } = source;
  if (bytes === stride && bytes === source.stride) {
    into.set(from.subarray(0, rows * bytes));
    return;
  }
  for (let i = 0; i < rows; i++) {
    const start = i * source.stride + at;
    into.set(from.subarray(start, start + bytes), i * stride + to);
  }
}
