// Convolutions over images with their channels last: windows, gathered a run of channels at a time, times a matrix; the weight gradient is a
// product with the same windows (onnx/ops/rules/conv-weight-gradient.ts has the other forms). `sh scripts/bench/run conv-step` measures it.
import { must } from '../../core/errors.js';
import { elementCount, isStatic } from '../../core/shape.js';
import type { Node, Value } from '../../ir/graph.js';
import { NodeContext } from '../../ops/op-def.js';
import type { Ops } from '../../ops/ops-builder.js';
import { tileRows, windowsAt } from '../../ops/rules/channels-last.js';
import { columns } from '../../ops/rules/columns.js';
import { fromPlaced, type PooledWindows, patches, patchWidth, placed } from '../../ops/rules/pooled-windows.js';
import { type Window, windowOf } from '../../ops/rules/window.js';
import type { ImageGradients } from './image-gradients.js';
import { type ImageRows, imageOf } from './image-rows.js';

/** Windows of more elements than a kernel of 3 by 3 has cost more than a convolution does; so do channels that are few. */
const largestKernel = 9;
const fewestChannels = 4;

/** Bytes of windows for each sample that are made at once, where they are made in parts: with the usual minibatches a few MB in all. */
const bytesInPart = 2 ** 16;
/** Bytes of windows for each sample that a convolution keeps for its weight gradient: twice what a layer of MNIST's size has. */
const bytesKept = 2 ** 18;
/** Elements of a patch, which all are multiplied, in multiples of the kernel's: 1.8 for 3 by 3 pooled by 2 by 2. */
const mostOfKernel = 3;
/** Groups of rows of a weight gradient's product. */
const mostGroups = 16;

/** Places, so many lines at a time that their windows of `width` floats stay below that. */
function placesInParts(sizes: readonly number[], width: number): (readonly number[])[] {
  const [lines = 1, ...line] = sizes;
  const perLine = elementCount(line);
  const count = Math.min(lines, Math.ceil((4 * width * lines * perLine) / bytesInPart));
  const at = (i: number) => Math.round((i * lines) / count) * perLine;
  return Array.from({ length: count }, (_, i) => Array.from({ length: at(i + 1) - at(i) }, (_, p) => at(i) + p));
}

/** How the places of a convolution are pooled: by windows of this size that tile them, so many along each axis. */
interface Tiling {
  readonly kernel: readonly number[];
  readonly places: readonly number[];
}

/** What a convolution was made of, kept for its weight gradient: windows of all its places, or for each place of a tile; or patches. */
type Kept =
  | { readonly form: 'windows'; readonly windows: Value }
  | { readonly form: 'tiles'; readonly kernel: readonly number[]; readonly windows: readonly Value[] }
  | { readonly form: 'patches'; readonly patches: Value; readonly pooled: PooledWindows };

/** A convolution that can be done so: y [N, filters, places] of x [N, channels, sizes]. */
interface Convolution {
  readonly node: Node;
  readonly x: Value;
  readonly w: Value;
  readonly bias: Value | undefined;
  readonly y: Value;
  readonly window: Window;
  readonly filters: number;
  readonly channels: number;
  readonly sizes: readonly number[];
  readonly places: readonly number[];
}

export class ChannelsLastConvolutions {
  private readonly kept = new Map<Node, Kept>();
  private readonly tilings = new Map<Value, Tiling>();

  constructor(
    private readonly g: Ops,
    private readonly images: ImageRows,
    private readonly gradients: ImageGradients,
  ) {}

  /** Says beforehand how the output of a convolution is pooled: it is made in tiles then, so that pooling has nothing to gather. */
  pooled(y: Value, tiling: Tiling): void {
    this.tilings.set(y, tiling);
  }

  /** True when the node is done with. */
  forward(node: Node): boolean {
    const [x, w, bias] = node.inputs;
    const [y] = node.outputs;
    const [image, out] = [imageOf(x), imageOf(y)];
    const weights = w?.shape;
    if (!x || !w || y === undefined || image === undefined || out === undefined) return false;
    if (weights === undefined || !isStatic(weights) || node.int('group', 1) !== 1) return false;
    const [filters = 0, channels = 0, ...kernel] = weights;
    const window = windowOf(new NodeContext(node, this.g.opset), image.sizes, kernel);
    if (window.pads === undefined || elementCount(kernel) > largestKernel) return false;
    for (const v of [w, bias]) if (v) this.images.settle(v);
    const c = { node, x, w, bias: bias ?? undefined, y, window, filters, channels, sizes: image.sizes, places: out.sizes };
    return channels < fewestChannels ? this.few(c) : this.many(c);
  }

  /** Of few channels, which do not pay to be gathered a run at a time: patches for tiles, else columns turned round. */
  private few(c: Convolution): true {
    const { g, images } = this;
    const { node, x, w, y, window, filters, channels } = c;
    images.settle(x);
    const tiling = this.tilings.get(y);
    const pooled = tiling && pooledWindows(channels, c.sizes, window, tiling);
    if (pooled !== undefined) {
      const rows = patches(g, x, pooled);
      this.kept.set(node, { form: 'patches', patches: rows, pooled });
      const elements = placed(g, w, pooled, filters).map((matrix) => this.product(c, rows, matrix, elementCount(pooled.places)));
      return images.giveTiles(y, { kernel: pooled.tile, elements });
    }
    const matrix = g.reshape(g.transpose(w, { perm: fewOrder(window.kernel.length) }), [-1, filters]);
    const turned = g.transpose(columns(g, x, channels, c.places, window), { perm: [0, 2, 1] });
    const rows = g.reshape(turned, [-1, Number(matrix.shape?.[0])]);
    this.kept.set(node, { form: 'windows', windows: rows });
    return images.give(y, this.product(c, rows, matrix, elementCount(c.places)));
  }

  private many(c: Convolution): true {
    const { g, images } = this;
    const { node, x, w, y, window, filters, channels } = c;
    const matrix = g.reshape(g.transpose(w, { perm: [...window.kernel.map((_, i) => i + 2), 1, 0] }), [-1, filters]);
    const width = elementCount(window.kernel) * channels;
    const count = elementCount(c.places);
    const cut = windowsAt(g, { ...images.inAnyOrder(x, channels), sizes: c.sizes, places: c.places, window });
    // Windows that serve nothing else are made in parts, which stay in the processor's cache: an input gradient's, and those that would hold
    // too much memory until the weight gradient, which then makes its own.
    if (this.gradients.inputs.has(y) || 4 * count * width > bytesKept) {
      const results = placesInParts(c.places, width).map((chosen) => this.product(c, cut(chosen), matrix, chosen.length));
      return images.give(y, results.length === 1 ? must(results[0], 'rows') : g.concat(...results, { axis: 1 }));
    }
    const tiling = this.tilings.get(y);
    if (tiling === undefined) {
      const all = cut();
      this.kept.set(node, { form: 'windows', windows: all });
      return images.give(y, this.product(c, all, matrix, count));
    }
    const parts = tileRows(tiling.places, tiling.kernel).map((chosen) => cut(chosen));
    this.kept.set(node, { form: 'tiles', kernel: tiling.kernel, windows: parts });
    const elements = parts.map((part) => this.product(c, part, matrix, elementCount(tiling.places)));
    return images.giveTiles(y, { kernel: tiling.kernel, elements });
  }

  /** [N, count, F] of the rows of `count` places for each sample. */
  private product({ bias, filters }: Convolution, rows: Value, matrix: Value, count: number): Value {
    const { g } = this;
    return g.reshape(g.gemm(rows, matrix, bias), [-1, count, filters]);
  }

  /** True when the gradient by the weight of a convolution that `forward` made is `dw` now. */
  weightGradient(node: Node, dy: Value, dw: Value): boolean {
    const { g, images } = this;
    const kept = this.kept.get(node);
    const [filters = 0, channels = 0, ...kernel] = dw.shape?.map(Number) ?? [];
    if (kept === undefined) return false;
    if (kept.form === 'patches') {
      const { pooled } = kept;
      const patch = { v: kept.patches, width: patchWidth(pooled) };
      const matrices = images.tilesOf(dy, pooled.tile).map((v) => this.transposedProduct(patch, { v, width: filters }, 1));
      return images.become(dw, fromPlaced(g, matrices, pooled, filters));
    }
    // dW = dy^T windows, or its transpose: what is wider stands on the right, as the product is quicker so.
    const width = elementCount([channels, ...kernel]);
    const product = (v: Value, cut: Value, groups: number) => {
      const [of, from] = [
        { v, width: filters },
        { v: cut, width },
      ];
      return width < filters ? this.transposedProduct(from, of, groups) : this.transposedProduct(of, from, groups);
    };
    const sum =
      kept.form === 'tiles'
        ? images
            .tilesOf(dy, kept.kernel)
            .map((element, i) => product(element, must(kept.windows[i], 'windows'), 1))
            .reduce((a, b) => g.add(a, b))
        : product(images.of(dy, filters), kept.windows, evenDivisor(elementCount(imageOf(dy)?.sizes ?? []), mostGroups));
    // From [F, elements of a window in their order], or its transpose, back to [F, C, kernel...].
    const order = channels < fewestChannels ? fewOrder(kernel.length) : [...kernel.map((_, i) => i + 2), 1, 0];
    const axes = width < filters ? order : [0, ...order.slice(0, -1)];
    const sizes = axes.map((axis) => must(dw.dims[axis], 'size'));
    return images.become(dw, g.transpose(g.reshape(sum, sizes), { perm: axes.map((_, i) => axes.indexOf(i)) }));
  }

  /**
   * a^T b, [M, N], of rows [..., M] and [..., N]; the number of groups divides that of the rows. A product over many rows is quicker in groups of
   * them, which stay in the processor's cache, and summed; an odd number of groups would leave one of two threads waiting.
   */
  private transposedProduct(a: Rows, b: Rows, groups: number): Value {
    const { g } = this;
    const rows = ({ v, width }: Rows, ...first: number[]) => g.reshape(v, [...first, -1, width]);
    if (groups === 1) return g.gemm(rows(a), rows(b), { transA: 1 });
    const products = g.matMul(g.transpose(rows(a, groups), { perm: [0, 2, 1] }), rows(b, groups));
    return g.reduceSum(products, [0], { keepdims: 0 });
  }
}

/** A value that is [..., width]. */
interface Rows {
  readonly v: Value;
  readonly width: number;
}

/** Undefined where patches do not serve: another number of axes, dilation, patches far larger than the kernel, or too much memory for all. */
function pooledWindows(channels: number, sizes: readonly number[], window: Window, tiling: Tiling): PooledWindows | undefined {
  const { pads } = window;
  if (sizes.length !== 2 || pads === undefined || window.dilations.some((d) => d !== 1)) return undefined;
  const pooled = { channels, sizes, window: { ...window, pads }, tile: tiling.kernel, places: tiling.places };
  const width = patchWidth(pooled);
  if (width > mostOfKernel * channels * elementCount(window.kernel)) return undefined;
  return 4 * elementCount(tiling.places) * width <= bytesKept ? pooled : undefined;
}

/** The axes of the weights [F, C, kernel...] in the order of `columns`, the filters last. */
function fewOrder(spatial: number): number[] {
  return spatial === 1 ? [2, 1, 0] : [...Array.from({ length: spatial - 1 }, (_, i) => i + 3), 1, 2, 0];
}

/** The largest even divisor of n up to a limit; 1 where there is none. */
function evenDivisor(n: number, limit: number): number {
  for (let d = limit - (limit % 2); d > 0; d -= 2) if (n % d === 0) return d;
  return 1;
}
