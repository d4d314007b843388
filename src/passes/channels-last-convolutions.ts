// Convolutions over images with their channels last: windows, gathered a run of channels at a time, times a matrix; the weight gradient is a
// product with the same windows (ops/conv-weight-gradient.ts has the other forms). `sh scripts/bench/run conv-step` measures it.
import { must } from '../core/errors.js';
import { elementCount, isStatic } from '../core/shape.js';
import type { Node, Value } from '../ir/graph.js';
import { windows } from '../ops/channels-last.js';
import { columns } from '../ops/columns.js';
import { isStandard } from '../ops/definition.js';
import { NodeContext } from '../ops/op-def.js';
import type { Ops } from '../ops/ops.js';
import { windowOf } from '../ops/window.js';
import { type ImageRows, imageOf } from './image-rows.js';

/** Windows of more elements than a kernel of 3 by 3 has cost more than a convolution does; so do channels that are few. */
const largestKernel = 9;
const fewestChannels = 4;

/** What the gradients of convolutions are of, to be heard while they are made (GradientRequest.onRule). */
export class ConvGradients {
  readonly inputs = new Set<Value>();
  readonly weights = new Map<Value, { readonly node: Node; readonly dy: Value }>();

  readonly hear = (node: Node, [dy]: readonly (Value | null)[], input: number, result: Value): void => {
    if (node.opType !== 'Conv' || !isStandard(node) || !dy) return;
    if (input === 0) this.inputs.add(result);
    if (input === 1) this.weights.set(result, { node, dy });
  };
}

/** Bytes of windows for each sample that are made at once, where they are made in parts: with the usual minibatches a few MB in all. */
const bytesInPart = 2 ** 16;
/** Bytes of windows for each sample that a convolution keeps for its weight gradient: twice what a layer of MNIST's size has. */
const bytesKept = 2 ** 18;
/** Groups of rows of a weight gradient's product. */
const mostGroups = 16;

/** Lines of places, so many at a time that their windows of `width` floats stay below that. */
function linesInParts(sizes: readonly number[], width: number): (readonly [number, number])[] {
  const [lines = 1, ...line] = sizes;
  const bytes = 4 * width * elementCount(line);
  const count = Math.min(lines, Math.ceil((lines * bytes) / bytesInPart));
  const at = (i: number) => Math.round((i * lines) / count);
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)] as const);
}

export class ChannelsLastConvolutions {
  /** Windows that a convolution was made of, by its node. */
  private readonly windows = new Map<Node, Value>();

  constructor(
    private readonly g: Ops,
    private readonly images: ImageRows,
    private readonly gradients: ConvGradients,
  ) {}

  /** True when the node is done with. */
  forward(node: Node): boolean {
    const { g } = this;
    const [x, w, bias] = node.inputs;
    const [y] = node.outputs;
    const [image, out] = [imageOf(x), imageOf(y)];
    const weights = w?.shape;
    if (!x || !w || y === undefined || image === undefined || out === undefined) return false;
    if (weights === undefined || !isStatic(weights) || node.int('group', 1) !== 1) return false;
    const [filters = 0, channels = 0, ...kernel] = weights;
    const window = windowOf(new NodeContext(node, g.opset), image.sizes, kernel);
    const places = elementCount(out.sizes);
    if (window.pads === undefined || elementCount(kernel) > largestKernel) return false;
    const spatial = kernel.map((_, i) => i + 2);
    for (const v of [w, bias]) if (v) this.images.settle(v);
    if (channels < fewestChannels) {
      this.images.settle(x);
      const matrix = g.reshape(g.transpose(w, { perm: fewOrder(kernel.length) }), g.ints([-1, filters]));
      const turned = g.transpose(columns(g, x, channels, out.sizes, window), { perm: [0, 2, 1] });
      const rows = g.reshape(turned, g.ints([-1, Number(matrix.shape?.[0])]));
      this.windows.set(node, rows);
      return this.images.give(y, g.reshape(g.gemm(rows, matrix, bias ?? undefined), g.ints([-1, places, filters])));
    }
    const matrix = g.reshape(g.transpose(w, { perm: [...spatial, 1, 0] }), g.ints([-1, filters]));
    const rows = this.images.of(x, channels);
    // Windows that serve nothing else are made in parts, which stay in the processor's cache: an input gradient's, and those that would hold
    // too much memory until the weight gradient, which then makes its own.
    const width = elementCount(kernel) * channels;
    const once = this.gradients.inputs.has(y) || 4 * places * width > bytesKept;
    const parts = once ? linesInParts(out.sizes, width) : [[0, out.sizes[0] ?? 1] as const];
    const results = parts.map(([from, to]) => {
      const cut = windows(g, rows, image.sizes, out.sizes, window, [from, to]);
      if (!once) this.windows.set(node, cut);
      const count = ((to - from) * places) / (out.sizes[0] ?? 1);
      return g.reshape(g.gemm(cut, matrix, bias ?? undefined), g.ints([-1, count, filters]));
    });
    return this.images.give(y, results.length === 1 ? must(results[0], 'rows') : g.concat(...results, { axis: 1 }));
  }

  // dW = dy^T windows, or its transpose: what is wider stands on the right, as the product is quicker so. A product over so many rows is done in
  // groups of them, which stay in the processor's cache, and summed; an odd number of groups would leave one of two threads waiting.
  weightGradient(node: Node, dy: Value, dw: Value): boolean {
    const { g } = this;
    const cut = this.windows.get(node);
    const [filters = 0, channels = 0, ...kernel] = dw.shape?.map(Number) ?? [];
    const places = elementCount(imageOf(dy)?.sizes ?? []);
    if (cut === undefined) return false;
    const width = elementCount([channels, ...kernel]);
    const gradients = { v: this.images.of(dy, filters), width: filters };
    const [left, right] = width < filters ? [{ v: cut, width }, gradients] : [gradients, { v: cut, width }];
    const sum = this.transposedProduct(left, right, evenDivisor(places, mostGroups));
    // From [F, elements of a window in their order], or its transpose, back to [F, C, kernel...].
    const order = channels < fewestChannels ? fewOrder(kernel.length) : [...kernel.map((_, i) => i + 2), 1, 0];
    const axes = width < filters ? order : [0, ...order.slice(0, -1)];
    const sizes = axes.map((axis) => must(dw.dims[axis], 'size'));
    return this.images.become(dw, g.transpose(g.reshape(sum, g.ints(sizes)), { perm: axes.map((_, i) => axes.indexOf(i)) }));
  }

  /** a^T b, [M, N], of rows [..., M] and [..., N]; the number of groups divides that of the rows. */
  private transposedProduct(a: Rows, b: Rows, groups: number): Value {
    const { g } = this;
    const rows = ({ v, width }: Rows, ...first: number[]) => g.reshape(v, g.ints([...first, -1, width]));
    if (groups === 1) return g.gemm(rows(a), rows(b), { transA: 1 });
    const products = g.matMul(g.transpose(rows(a, groups), { perm: [0, 2, 1] }), rows(b, groups));
    return g.reduceSum(products, g.ints([0]), { keepdims: 0 });
  }
}

/** A value that is [..., width]. */
interface Rows {
  readonly v: Value;
  readonly width: number;
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
