// Images that are there with their channels last, as rows [N, places, C], while a graph is rewritten: which are, and which of them in no other
// form yet; some are there in tiles. Those are brought back to [N, C, spatial...], or to the [N, features] of an image made flat, when a node wants them so.
import { InternalError, must } from '../../core/errors.js';
import { isStatic } from '../../core/shape.js';
import { Node, type Value } from '../../ir/graph.js';
import type { Ops } from '../../ops/ops-builder.js';
import { channelsLast, fromTileElements, rowsInTiles, tileElements } from '../../ops/rules/channels-last.js';

/** [N, C, spatial...] with all but N known. */
export interface Image {
  readonly channels: number;
  readonly sizes: readonly number[];
}

export function imageOf(v: Value | null | undefined): Image | undefined {
  const shape = v?.type?.kind === 'tensor' ? v.type.shape : undefined;
  const [channels, ...sizes] = shape?.slice(1) ?? [];
  if (typeof channels !== 'number' || sizes.length === 0 || !isStatic(sizes)) return undefined;
  return { channels, sizes };
}

/** An image made flat, [N, C x places], that is there as rows. */
export interface Flat extends Image {
  readonly rows: Value;
}

/** What the windows that tile an image have of it: for each element of the window, row-major, those of all windows, [N, windows, C]. */
export interface Tiles {
  readonly kernel: readonly number[];
  readonly elements: readonly Value[];
}

export class ImageRows {
  private readonly rows = new Map<Value, Value>();
  private readonly tiled = new Map<Value, Tiles>();
  private readonly flats = new Map<Value, Flat>();
  /** Those of them that are not there in any other form. */
  private readonly pending = new Set<Value>();

  constructor(private readonly g: Ops) {}

  has(v: Value): boolean {
    return this.rows.has(v) || this.tiled.has(v);
  }

  /** Undefined for an image that is not there as rows. */
  get(v: Value | null | undefined): Value | undefined {
    return v && this.has(v) ? this.of(v, imageOf(v)?.channels ?? 1) : undefined;
  }

  /** An image as rows, made when they are not there. */
  of(v: Value, channels: number): Value {
    const known = this.rows.get(v);
    if (known !== undefined) return known;
    const tiles = this.tiled.get(v);
    const made = tiles === undefined ? channelsLast(this.g, v, channels) : this.joined(v, tiles);
    this.rows.set(v, made);
    return made;
  }

  /** An image as rows in whatever order costs least: `at` tells where each stands, undefined for the image's own order. */
  inAnyOrder(v: Value, channels: number): { readonly rows: Value; readonly at: readonly number[] | undefined } {
    const tiles = this.tiled.get(v);
    if (tiles === undefined || this.rows.has(v)) return { rows: this.of(v, channels), at: undefined };
    const rows = this.g.concat(...tiles.elements, { axis: 1 });
    return { rows, at: rowsInTiles(windowsOf(imageOf(v)?.sizes ?? [], tiles.kernel), tiles.kernel) };
  }

  /** An image as tiles; made, when they are not there, of its rows. */
  tilesOf(v: Value, kernel: readonly number[]): readonly Value[] {
    const known = this.tiles(v);
    if (known?.kernel.join() === kernel.join()) return known.elements;
    const { channels = 1, sizes = [] } = imageOf(v) ?? {};
    return tileElements(this.g, this.of(v, channels), windowsOf(sizes, kernel), kernel);
  }

  /** Undefined for an image that is not there as tiles. */
  tiles(v: Value): Tiles | undefined {
    return this.tiled.get(v);
  }

  /** `v` is there as tiles from now on. */
  giveTiles(v: Value, tiles: Tiles): true {
    this.tiled.set(v, tiles);
    this.pending.add(v);
    return true;
  }

  private joined(v: Value, { kernel, elements }: Tiles): Value {
    return fromTileElements(this.g, elements, windowsOf(imageOf(v)?.sizes ?? [], kernel), kernel);
  }

  /** `v` is there as rows from now on. */
  give(v: Value, rows: Value): true {
    this.rows.set(v, rows);
    this.pending.add(v);
    return true;
  }

  /** `v`, an image made flat, is there as rows from now on. */
  giveFlat(v: Value, flat: Flat): true {
    this.flats.set(v, flat);
    this.pending.add(v);
    return true;
  }

  /** Undefined for what is no image made flat, or not there as rows. */
  flat(v: Value | null | undefined): Flat | undefined {
    return v ? this.flats.get(v) : undefined;
  }

  /** Brings an image that is there as rows into its own form. */
  settle(v: Value): void {
    if (!this.pending.delete(v)) return;
    const rows = must(this.get(v) ?? this.flats.get(v)?.rows, 'rows');
    const { g } = this;
    this.become(v, g.reshape(g.transpose(rows, { perm: [0, 2, 1] }), [-1, ...(v.shape ?? []).slice(1).map(Number)]));
  }

  /** Lets what was just made, by the last node of one output, be `v` itself. */
  become(v: Value, made: Value): true {
    const { nodes } = this.g.graph;
    const last = nodes.at(-1);
    if (last === undefined || made.producer !== last) throw new InternalError(`"${made.name}" was not made just now`);
    nodes.pop();
    nodes.push(new Node(last.opType, last.inputs, [v], last.attributes, last.name));
    return true;
  }
}

/** How many windows of this size tile the image, along each axis. */
const windowsOf = (sizes: readonly number[], kernel: readonly number[]): number[] => sizes.map((n, i) => n / (kernel[i] ?? 1));
