// Images with their channels last, for processors on which ONNX Runtime has fast matrix products but no fast convolution: its blocked kernels
// want constant weights, and those of a training step change. A convolution becomes windows, gathered a run of channels at a time, times a
// matrix; the weight gradient reads the same windows (ops/conv-weight-gradient.ts). What lies between convolutions stays channels last, and is
// brought back to [N, C, spatial...] only for nodes that this file does not know. `sh scripts/bench/run conv-step` measures it.
import { InternalError, must } from '../core/errors.js';
import { elementCount, isStatic } from '../core/shape.js';
import { Node, nodeReads, type Value } from '../ir/graph.js';
import { channelsLast, tileElements, windows } from '../ops/channels-last.js';
import { columns } from '../ops/columns.js';
import { isStandard } from '../ops/definition.js';
import { constantOf, NodeContext } from '../ops/op-def.js';
import type { Ops } from '../ops/ops.js';
import { tiles, windowOf } from '../ops/window.js';

/** Ops that treat all elements alike, with broadcasting. */
const elementwise: ReadonlySet<string> = new Set(
  [
    'Abs Cast Elu Erf Exp HardSigmoid HardSwish Identity LeakyRelu Log Neg Not Reciprocal Relu Selu Sigmoid Sign Softplus Softsign Sqrt Tanh',
    'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul Or Pow Sub Sum Where',
  ].flatMap((names) => names.split(' ')),
);

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

/**
 * Rewrites the graph of a builder in place, its subgraphs not; what nothing reads any more is left there. Types must be inferred; numbers change
 * by rounding alone.
 */
export function toChannelsLast(g: Ops, gradients: ConvGradients): void {
  new Layout(g, gradients).run();
}

/** Bytes of windows for each sample that are made at once, where they are made in parts: with the usual minibatches a few MB in all. */
const bytesInPart = 2 ** 16;
/** Bytes of windows for each sample that a convolution keeps for its weight gradient: twice what a layer of MNIST's size has. */
const bytesKept = 2 ** 18;
/** Groups of rows of a weight gradient's product. */
const mostGroups = 8;

/** Lines of places, so many at a time that their windows of `width` floats stay below that. */
function linesInParts(sizes: readonly number[], width: number): (readonly [number, number])[] {
  const [lines = 1, ...line] = sizes;
  const bytes = 4 * width * elementCount(line);
  const count = Math.min(lines, Math.ceil((lines * bytes) / bytesInPart));
  const at = (i: number) => Math.round((i * lines) / count);
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)] as const);
}

/** [N, C, spatial...] with all but N known. */
interface Image {
  readonly channels: number;
  readonly sizes: readonly number[];
}

function imageOf(v: Value | null | undefined): Image | undefined {
  const shape = v?.type?.kind === 'tensor' ? v.type.shape : undefined;
  const [channels, ...sizes] = shape?.slice(1) ?? [];
  if (typeof channels !== 'number' || sizes.length === 0 || !isStatic(sizes)) return undefined;
  return { channels, sizes };
}

class Layout {
  /** Images that are there as rows [N, places, C]. */
  private readonly rows = new Map<Value, Value>();
  /** Those of them that are not there in any other form. */
  private readonly pending = new Set<Value>();

  /** Windows that a convolution was made of, by its node. */
  private readonly windows = new Map<Node, Value>();

  constructor(
    private readonly g: Ops,
    private readonly gradients: ConvGradients,
  ) {}

  run(): void {
    const { graph } = this.g;
    const nodes = graph.nodes;
    graph.nodes = [];
    for (const node of nodes) {
      if (isStandard(node) && this.g.scope(node.name, () => this.rewrite(node))) continue;
      for (const v of nodeReads(node)) this.settle(v);
      graph.nodes.push(node);
    }
    for (const v of graph.outputs) this.settle(v);
  }

  /** True when the node is done with. */
  private rewrite(node: Node): boolean {
    const [first] = node.outputs;
    const made = first && this.gradients.weights.get(first);
    if (first !== undefined && made !== undefined && this.weightGradient(made.node, made.dy, first)) return true;
    switch (node.opType) {
      case 'Conv':
        return this.conv(node);
      case 'MaxPool':
        return this.maxPool(node);
      case 'Reshape':
        return this.reshape(node);
      case 'Transpose':
        return this.transpose(node);
      case 'ReduceSum':
      case 'ReduceMean':
        return this.reduce(node);
      case 'Concat':
      case 'Split':
      case 'Slice':
        return this.alongChannels(node);
      case 'Shape':
      case 'Size':
        return this.size(node);
      default:
        return elementwise.has(node.opType) && this.elementwise(node);
    }
  }

  // ---- values ----------------------------------------------------------------------------------------------------------------

  /** An image as rows [N, places, C]. */
  private rowsOf(v: Value, channels: number): Value {
    const known = this.rows.get(v);
    if (known !== undefined) return known;
    const made = channelsLast(this.g, v, channels);
    this.rows.set(v, made);
    return made;
  }

  /** `v` is there as rows from now on. */
  private give(v: Value, rows: Value): true {
    this.rows.set(v, rows);
    this.pending.add(v);
    return true;
  }

  /** Brings an image that is there as rows into its own form. */
  private settle(v: Value): void {
    const rows = this.rows.get(v);
    const image = imageOf(v);
    if (rows === undefined || image === undefined || !this.pending.delete(v)) return;
    const { g } = this;
    this.become(v, g.reshape(g.transpose(rows, { perm: [0, 2, 1] }), g.ints([-1, image.channels, ...image.sizes])));
  }

  /** Lets what was just made, by the last node of one output, be `v` itself. */
  private become(v: Value, made: Value): true {
    const { nodes } = this.g.graph;
    const last = nodes.at(-1);
    if (last === undefined || made.producer !== last) throw new InternalError(`"${made.name}" was not made just now`);
    nodes.pop();
    nodes.push(new Node(last.opType, last.inputs, [v], last.attributes, last.name));
    return true;
  }

  // ---- nodes -----------------------------------------------------------------------------------------------------------------

  private conv(node: Node): boolean {
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
    for (const v of [w, bias]) if (v) this.settle(v);
    if (channels < fewestChannels) {
      this.settle(x);
      const matrix = g.reshape(g.transpose(w, { perm: fewOrder(kernel.length) }), g.ints([-1, filters]));
      const turned = g.transpose(columns(g, x, channels, out.sizes, window), { perm: [0, 2, 1] });
      const rows = g.reshape(turned, g.ints([-1, Number(matrix.shape?.[0])]));
      this.windows.set(node, rows);
      return this.give(y, g.reshape(g.gemm(rows, matrix, bias ?? undefined), g.ints([-1, places, filters])));
    }
    const matrix = g.reshape(g.transpose(w, { perm: [...spatial, 1, 0] }), g.ints([-1, filters]));
    const rows = this.rowsOf(x, channels);
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
    return this.give(y, results.length === 1 ? must(results[0], 'rows') : g.concat(...results, { axis: 1 }));
  }

  // dW = dy^T windows. A product over so many rows is done in groups of them, which stay in the processor's cache, and summed.
  private weightGradient(node: Node, dy: Value, dw: Value): boolean {
    const { g } = this;
    const cut = this.windows.get(node);
    const [filters = 0, channels = 0, ...kernel] = dw.shape?.map(Number) ?? [];
    const places = elementCount(imageOf(dy)?.sizes ?? []);
    if (cut === undefined) return false;
    const groups = divisor(places, mostGroups);
    const grouped = (v: Value, width: number) => g.reshape(v, g.ints([groups, -1, width]));
    const turned = g.transpose(grouped(this.rowsOf(dy, filters), filters), { perm: [0, 2, 1] });
    const products = g.matMul(turned, grouped(cut, Number(cut.shape?.[1])));
    const sum = g.reduceSum(products, g.ints([0]), { keepdims: 0 });
    // From [F, elements of a window in their order] back to [F, C, kernel...].
    const order = channels < fewestChannels ? fewOrder(kernel.length) : [...kernel.map((_, i) => i + 2), 1, 0];
    const sizes = [filters, ...order.slice(0, -1).map((axis) => must(dw.dims[axis], 'size'))];
    const perm = [0, ...[channels, ...kernel].map((_, i) => order.indexOf(i + 1) + 1)];
    return this.become(dw, g.transpose(g.reshape(sum, g.ints(sizes)), { perm }));
  }

  /** Windows that tile the image: the maximum of its elements. */
  private maxPool(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const [image, out] = [imageOf(x), imageOf(y)];
    if (!x || y === undefined || image === undefined || out === undefined || node.outputs.length !== 1) return false;
    const window = windowOf(new NodeContext(node, g.opset), image.sizes, node.ints('kernel_shape') ?? []);
    if (!tiles(x.shape, y.shape, window)) return false;
    const { channels } = image;
    const elements = tileElements(g, this.rowsOf(x, channels), out.sizes, window.kernel);
    return this.give(
      y,
      elements.reduce((a, b) => g.max(a, b)),
    );
  }

  /** An image whose places are named otherwise is the same rows. */
  private reshape(node: Node): boolean {
    const [x] = node.inputs;
    const [y] = node.outputs;
    const rows = x ? this.rows.get(x) : undefined;
    const [from, to] = [imageOf(x), imageOf(y)];
    if (rows === undefined || y === undefined || from === undefined || to?.channels !== from.channels) return false;
    return elementCount(from.sizes) === elementCount(to.sizes) && this.give(y, rows);
  }

  private transpose(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const perm = node.ints('perm');
    if (!x || y === undefined || perm === undefined) return false;
    const rows = this.rows.get(x);
    if (perm.join() === '0,2,1')
      return rows === undefined ? imageOf(y) !== undefined && this.give(y, x) : this.become(y, g.identity(rows));
    // channels first of all, as the weight gradient wants them
    const image = imageOf(x);
    if (rows === undefined || image === undefined || perm.some((p, i) => p !== (i < 2 ? 1 - i : i))) return false;
    const matrix = g.transpose(g.reshape(rows, g.ints([-1, image.channels])), { perm: [1, 0] });
    return this.become(y, g.reshape(matrix, g.ints([image.channels, -1, ...image.sizes])));
  }

  /** Over all but the channels. */
  private reduce(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const rows = x ? this.rows.get(x) : undefined;
    const axes = node.ints('axes') ?? (node.inputs[1] ? constantOf(node.inputs[1])?.numbers() : undefined);
    const rank = x?.shape?.length ?? 0;
    if (rows === undefined || y === undefined || axes === undefined || !isStatic(y.shape)) return false;
    const over = axes.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
    if (
      over.join() !==
      Array.from({ length: rank }, (_, i) => i)
        .filter((i) => i !== 1)
        .join()
    )
      return false;
    // One axis after the other: over both at once ONNX Runtime takes forty times as long.
    const inner = this.over(node, rows, 1);
    return this.become(y, g.reshape(this.over(node, inner, 0), g.ints(y.shape)));
  }

  /** The same reduction over one axis. */
  private over(node: Node, v: Value, axis: number): Value {
    const attributes = new Map(node.attributes).set('keepdims', { kind: 'int', value: 0n });
    if (attributes.has('axes')) attributes.set('axes', { kind: 'ints', value: [BigInt(axis)] });
    return must(this.g.node(node.opType, attributes.has('axes') ? [v] : [v, this.g.ints([axis])], attributes)[0], node.opType);
  }

  /** Channels joined and taken apart. */
  private alongChannels(node: Node): boolean {
    const { g } = this;
    const whole = node.opType === 'Concat' ? node.outputs[0] : node.inputs[0];
    const parts = node.opType === 'Concat' ? node.inputs : node.outputs;
    if (!whole || !parts.every((v): v is Value => v !== null && imageOf(v) !== undefined) || imageOf(whole) === undefined)
      return false;
    const known = node.opType === 'Concat' ? parts.some((v) => this.rows.has(v)) : this.rows.has(whole);
    const axes = node.opType === 'Slice' && node.inputs[3] ? constantOf(node.inputs[3])?.numbers() : [node.int('axis', 0)];
    if (!known || axes?.join() !== '1') return false;
    if (node.opType === 'Concat') {
      const rows = parts.map((v) => this.rowsOf(v, imageOf(v)?.channels ?? 1));
      return this.give(whole, g.concat(...rows, { axis: 2 }));
    }
    const rows = this.rowsOf(whole, imageOf(whole)?.channels ?? 1);
    const others = node.inputs.slice(1);
    const made =
      node.opType === 'Split'
        ? g.node('Split', [rows, ...others], new Map(node.attributes).set('axis', { kind: 'int', value: 2n }), parts.length)
        : g.op('Slice', [rows, others[0], others[1], g.ints([2]), others[3]]);
    parts.forEach((v, i) => {
      this.give(v, must(made[i], node.opType));
    });
    return true;
  }

  private size(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const [rows, image] = [x ? this.rows.get(x) : undefined, imageOf(x)];
    if (rows === undefined || image === undefined || y === undefined || node.attributes.size > 0) return false;
    if (node.opType === 'Size') return this.become(y, g.size(rows));
    const first = g.slice(g.shape(rows), g.ints([0]), g.ints([1]), g.ints([0]));
    return this.become(y, g.concat(first, g.ints([image.channels, ...image.sizes]), { axis: 0 }));
  }

  private elementwise(node: Node): boolean {
    const { g } = this;
    const [y] = node.outputs;
    const image = imageOf(y);
    if (y === undefined || image === undefined || !node.inputs.some((v) => v !== null && this.rows.has(v))) return false;
    if (!node.inputs.every((v) => v !== null && kindOf(v, y) !== undefined)) return false;
    const inputs = node.inputs.map((v) => {
      if (v !== null && kindOf(v, y) !== 'image') this.settle(v);
      if (v === null || kindOf(v, y) === 'scalar') return v;
      return kindOf(v, y) === 'image' ? this.rowsOf(v, image.channels) : g.reshape(v, g.ints([image.channels]));
    });
    const [made] = g.node(node.opType, inputs, node.attributes);
    return made !== undefined && this.give(y, made);
  }
}

/** How an operand meets the image `y`: element by element, a number for each channel, or one for all. */
function kindOf(v: Value, y: Value): 'image' | 'channels' | 'scalar' | undefined {
  const [own, all] = [v.shape, y.shape];
  if (own === undefined || all === undefined) return undefined;
  if (own.length === 0) return 'scalar';
  if (own.length === all.length && own.slice(1).join() === all.slice(1).join() && sameFirst(v, y)) return 'image';
  const wide = [...all.map(() => 1), ...own].slice(-all.length);
  return wide.every((d, i) => d === (i === 1 ? all[1] : 1)) ? 'channels' : undefined;
}

/** Whether both have the same number of samples: known to be, or as far as names tell. */
function sameFirst(a: Value | null | undefined, b: Value): boolean {
  const [m, n] = [a?.shape?.[0], b.shape?.[0]];
  return m !== 1 && n !== 1 ? typeof m !== 'number' || typeof n !== 'number' || m === n : m === n;
}

/** The axes of the weights [F, C, kernel...] in the order of `columns`, the filters last. */
function fewOrder(spatial: number): number[] {
  return spatial === 1 ? [2, 1, 0] : [...Array.from({ length: spatial - 1 }, (_, i) => i + 3), 1, 2, 0];
}

/** The largest divisor of n up to a limit. */
function divisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}
