// A convolution of few channels whose places are pooled by tiles: all places of a tile see one patch of the image, so that a patch is gathered once
// for a tile, and each place of the tile is the patches' product with a matrix that has the weight at its offset. The image is cut into cells of
// the size by which patches move on, so that a patch is a few whole cells.
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../ops-builder.js';
import { windows } from './channels-last.js';
import type { Window } from './window.js';

/** Two spatial axes, no dilation. */
export interface PooledWindows {
  readonly channels: number;
  /** Of the image. */
  readonly sizes: readonly number[];
  readonly window: Window & { readonly pads: readonly number[] };
  /** Places of a tile along each axis, and how many tiles there are. */
  readonly tile: readonly number[];
  readonly places: readonly number[];
}

/** Along one axis: elements of a cell, cells of a patch, cells of the padded image, and the pads. */
function axisOf(p: PooledWindows, i: number) {
  const stride = p.window.strides[i] ?? 1;
  const cell = stride * (p.tile[i] ?? 1);
  const cells = Math.ceil(((p.window.kernel[i] ?? 1) + cell - stride) / cell);
  const [begin, size] = [p.window.pads[i] ?? 0, p.sizes[i] ?? 1];
  const all = Math.max((p.places[i] ?? 1) - 1 + cells, Math.ceil((begin + size) / cell));
  return { cell, cells, all, begin, end: all * cell - begin - size };
}

/** Elements of a patch. */
export function patchWidth(p: PooledWindows): number {
  const [down, across] = [axisOf(p, 0), axisOf(p, 1)];
  return p.channels * down.cell * down.cells * across.cell * across.cells;
}

/** The patches of x [N, C, sizes]: [N tiles, elements], in the order [cells down, cells across, C, cell]. */
export function patches(g: Ops, x: Value, p: PooledWindows): Value {
  const [down, across] = [axisOf(p, 0), axisOf(p, 1)];
  const padded = g.pad(x, [0, 0, down.begin, across.begin, 0, 0, down.end, across.end]);
  const sizes = [down.all, down.cell, across.all, across.cell];
  // ONNX Runtime moves one axis far quicker than several, an axis of size 1 among them.
  const turned =
    p.channels === 1
      ? g.transpose(g.reshape(padded, [-1, ...sizes]), { perm: [0, 1, 3, 2, 4] })
      : g.transpose(g.reshape(padded, [-1, p.channels, ...sizes]), { perm: [0, 2, 4, 1, 3, 5] });
  const cells = g.reshape(turned, [-1, down.all * across.all, p.channels * down.cell * across.cell]);
  const window = {
    kernel: [down.cells, across.cells],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    auto: 'NOTSET',
  } as const;
  return windows(g, { rows: cells, sizes: [down.all, across.all], places: p.places, window });
}

/** For each place of a tile the matrix, [elements of a patch, F], of the weight [F, C, kernel]. */
export function placed(g: Ops, weight: Value, p: PooledWindows, filters: number): Value[] {
  const [down, across] = [axisOf(p, 0), axisOf(p, 1)];
  const [lines, columns] = [down.cells * down.cell, across.cells * across.cell];
  const [height = 1, width = 1] = p.window.kernel;
  const turned = g.transpose(weight, { perm: [1, 2, 3, 0] });
  return offsets(p).map(([i, j]) => {
    const whole = g.pad(turned, [0, i, j, 0, 0, lines - height - i, columns - width - j, 0]);
    const parts = g.reshape(whole, [p.channels, down.cells, down.cell, across.cells, across.cell, filters]);
    return g.reshape(g.transpose(parts, { perm: [1, 3, 0, 2, 4, 5] }), [patchWidth(p), filters]);
  });
}

/** The gradient by the weight from those by its matrices. */
export function fromPlaced(g: Ops, matrices: readonly Value[], p: PooledWindows, filters: number): Value {
  const [down, across] = [axisOf(p, 0), axisOf(p, 1)];
  const [height = 1, width = 1] = p.window.kernel;
  const cut = offsets(p).map(([i, j], k) => {
    const parts = g.reshape(must(matrices[k], 'matrix'), [down.cells, across.cells, p.channels, down.cell, across.cell, filters]);
    const turned = g.transpose(parts, { perm: [2, 0, 3, 1, 4, 5] });
    const whole = g.reshape(turned, [p.channels, down.cells * down.cell, across.cells * across.cell, filters]);
    return g.slice(whole, [i, j], [i + height, j + width], [1, 2]);
  });
  const sum = cut.reduce((a, b) => g.add(a, b));
  return g.transpose(sum, { perm: [3, 0, 1, 2] });
}

/** Where the kernel stands in a patch for each place of a tile, row-major. */
function offsets({ tile, window }: PooledWindows): (readonly [number, number])[] {
  const [down = 1, across = 1] = tile;
  return Array.from({ length: down * across }, (_, k) => [
    Math.floor(k / across) * (window.strides[0] ?? 1),
    (k % across) * (window.strides[1] ?? 1),
  ]);
}
