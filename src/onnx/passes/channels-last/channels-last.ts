// Images with their channels last, for processors on which ONNX Runtime has fast matrix products but no fast convolution: its blocked kernels
// want constant weights, and those of a training step change (channels-last-convolutions.ts). What lies between convolutions stays channels
// last, and is brought back to [N, C, spatial...] only for nodes that this file does not know. `sh scripts/bench/run conv-step` measures it.
import { must } from '../../core/errors.js';
import { elementCount, isStatic } from '../../core/shape.js';
import { type Node, nodeReads, type Value } from '../../ir/graph.js';
import { hasTrait, isStandard } from '../../ops/definition.js';
import { maximumShares } from '../../ops/families/pool.js';
import { constantOf, NodeContext } from '../../ops/op-def.js';
import type { Ops } from '../../ops/ops-builder.js';
import { tiles, windowOf } from '../../ops/rules/window.js';
import type { Pass } from '../pass.js';
import { ChannelsLastConvolutions } from './channels-last-convolutions.js';
import { FlatProducts } from './flat-products.js';
import type { ImageGradients } from './image-gradients.js';
import { ImageRows, imageOf } from './image-rows.js';

/**
 * A pass for a graph whose images' gradients are known. Subgraphs stay as they are, and so does what nothing reads any more. Types must be
 * inferred; numbers change by rounding alone.
 */
export function toChannelsLast(gradients: ImageGradients): Pass<Ops> {
  return (g) => new Layout(g, gradients).run();
}

class Layout {
  private readonly images: ImageRows;
  private readonly convolutions: ChannelsLastConvolutions;
  private readonly products: FlatProducts;

  constructor(
    private readonly g: Ops,
    private readonly gradients: ImageGradients,
  ) {
    this.images = new ImageRows(g);
    this.convolutions = new ChannelsLastConvolutions(g, this.images, gradients);
    this.products = new FlatProducts(g, this.images);
  }

  run(): boolean {
    const { graph } = this.g;
    const nodes = graph.nodes;
    let changed = false;
    graph.nodes = [];
    for (const node of nodes) {
      const pool = this.tilingPool(node);
      if (pool !== undefined) this.convolutions.pooled(pool.x, pool);
    }
    for (const node of nodes) {
      if (isStandard(node) && this.g.scope(node.name, () => this.rewrite(node))) {
        changed = true;
        continue;
      }
      for (const v of nodeReads(node)) this.images.settle(v);
      graph.nodes.push(node);
    }
    for (const v of graph.outputs) this.images.settle(v);
    return changed;
  }

  /** True when the node is done with. */
  private rewrite(node: Node): boolean {
    const [first] = node.outputs;
    const made = first && this.gradients.weights.get(first);
    if (first !== undefined && made !== undefined && this.convolutions.weightGradient(made.node, made.dy, first)) return true;
    const pool = first && this.gradients.pools.get(first);
    if (first !== undefined && pool !== undefined && this.maxPoolGradient(pool.node, pool.dy, first)) return true;
    switch (node.opType) {
      case 'Conv':
        return this.convolutions.forward(node);
      case 'MaxPool':
        return this.maxPool(node);
      case 'Flatten':
      case 'Reshape':
        return this.reshape(node);
      case 'Gemm':
      case 'MatMul':
        return this.products.rewrite(node);
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
        return hasTrait(node, 'elementwise') && this.elementwise(node);
    }
  }

  /** A MaxPool of windows that tile its image: their size, and how many there are. */
  private tilingPool(node: Node): { x: Value; y: Value; kernel: readonly number[]; places: readonly number[] } | undefined {
    const [x] = node.inputs;
    const [y] = node.outputs;
    const [image, out] = [imageOf(x), imageOf(y)];
    if (node.opType !== 'MaxPool' || !isStandard(node) || node.outputs.length !== 1) return undefined;
    if (!x || y === undefined || image === undefined || out === undefined) return undefined;
    const window = windowOf(new NodeContext(node, this.g.opset), image.sizes, node.ints('kernel_shape') ?? []);
    return tiles(x.shape, y.shape, window) ? { x, y, kernel: window.kernel, places: out.sizes } : undefined;
  }

  /** Windows that tile the image: the maximum of its elements. */
  private maxPool(node: Node): boolean {
    const { g, images } = this;
    const pool = this.tilingPool(node);
    if (pool === undefined) return false;
    const maximum = images.tilesOf(pool.x, pool.kernel).reduce((a, b) => g.max(a, b));
    return images.give(pool.y, maximum);
  }

  /** The gradient's own form (onnx/ops/families/pool.ts), of tiles and giving tiles, where the image is there as such. */
  private maxPoolGradient(node: Node, dy: Value, dx: Value): boolean {
    const { images } = this;
    const pool = this.tilingPool(node);
    const channels = imageOf(pool?.y)?.channels;
    if (pool === undefined || channels === undefined || images.tiles(pool.x)?.kernel.join() !== pool.kernel.join()) return false;
    const elements = images.tilesOf(pool.x, pool.kernel);
    const shares = maximumShares(this.g, elements, images.of(pool.y, channels), images.of(dy, channels));
    return images.giveTiles(dx, { kernel: pool.kernel, elements: shares });
  }

  /** An image whose places are named otherwise is the same rows; so is one made flat, or made an image again. */
  private reshape(node: Node): boolean {
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (!x || y === undefined) return false;
    const [rows, flat] = [this.images.get(x), this.images.flat(x)];
    const [from, to] = [flat ?? imageOf(x), imageOf(y)];
    if (from === undefined) return false;
    if (rows !== undefined && y.shape?.length === 2)
      return y.shape[1] === from.channels * elementCount(from.sizes) && this.images.giveFlat(y, { ...from, rows });
    const known = rows ?? flat?.rows;
    if (known === undefined || to?.channels !== from.channels) return false;
    return elementCount(from.sizes) === elementCount(to.sizes) && this.images.give(y, known);
  }

  private transpose(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const perm = node.ints('perm');
    if (!x || y === undefined || perm === undefined) return false;
    const rows = this.images.get(x);
    if (perm.join() === '0,2,1')
      return rows === undefined ? imageOf(y) !== undefined && this.images.give(y, x) : this.images.become(y, g.identity(rows));
    // channels first of all, as the weight gradient wants them
    const image = imageOf(x);
    if (rows === undefined || image === undefined || perm.some((p, i) => p !== (i < 2 ? 1 - i : i))) return false;
    const matrix = g.transpose(g.reshape(rows, [-1, image.channels]), { perm: [1, 0] });
    return this.images.become(y, g.reshape(matrix, [image.channels, -1, ...image.sizes]));
  }

  /** Over all but the channels. */
  private reduce(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (!x || !this.images.has(x)) return false;
    const axes = node.ints('axes') ?? (node.inputs[1] ? constantOf(node.inputs[1])?.numbers() : undefined);
    const rank = x.shape?.length ?? 0;
    if (y === undefined || axes === undefined || !isStatic(y.shape)) return false;
    const over = axes.map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
    if (
      over.join() !==
      Array.from({ length: rank }, (_, i) => i)
        .filter((i) => i !== 1)
        .join()
    )
      return false;
    const tiles = node.opType === 'ReduceSum' ? this.images.tiles(x)?.elements : undefined;
    // One axis after the other: over both at once ONNX Runtime takes forty times as long.
    const parts = (tiles ?? [this.images.of(x, imageOf(x)?.channels ?? 1)]).map((v) => this.over(node, this.over(node, v, 1), 0));
    return this.images.become(
      y,
      g.reshape(
        parts.reduce((a, b) => g.add(a, b)),
        y.shape,
      ),
    );
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
    const known = node.opType === 'Concat' ? parts.some((v) => this.images.has(v)) : this.images.has(whole);
    const axes = node.opType === 'Slice' && node.inputs[3] ? constantOf(node.inputs[3])?.numbers() : [node.int('axis', 0)];
    if (!known || axes?.join() !== '1') return false;
    if (node.opType === 'Concat') {
      const rows = parts.map((v) => this.images.of(v, imageOf(v)?.channels ?? 1));
      return this.images.give(whole, g.concat(...rows, { axis: 2 }));
    }
    const rows = this.images.of(whole, imageOf(whole)?.channels ?? 1);
    const others = node.inputs.slice(1);
    const made =
      node.opType === 'Split'
        ? g.node('Split', [rows, ...others], new Map(node.attributes).set('axis', { kind: 'int', value: 2n }), parts.length)
        : g.op('Slice', [rows, others[0], others[1], [2], others[3]]);
    parts.forEach((v, i) => {
      this.images.give(v, must(made[i], node.opType));
    });
    return true;
  }

  private size(node: Node): boolean {
    const { g } = this;
    const [x] = node.inputs;
    const [y] = node.outputs;
    const image = imageOf(x);
    if (!x || !this.images.has(x) || image === undefined || y === undefined || node.attributes.size > 0) return false;
    if (node.opType === 'Size') return this.images.become(y, g.size(this.images.of(x, image.channels)));
    // Any part tells how many samples there are.
    const rows = this.images.tiles(x)?.elements[0] ?? this.images.of(x, image.channels);
    const first = g.slice(g.shape(rows), [0], [1], [0]);
    return this.images.become(y, g.concat(first, [image.channels, ...image.sizes], { axis: 0 }));
  }

  private elementwise(node: Node): boolean {
    const { g } = this;
    const [y] = node.outputs;
    const image = imageOf(y);
    if (y === undefined || image === undefined || !node.inputs.some((v) => v !== null && this.images.has(v))) return false;
    if (!node.inputs.every((v) => v !== null && kindOf(v, y) !== undefined)) return false;
    const inputs = node.inputs.map((v) => {
      if (v !== null && kindOf(v, y) !== 'image') this.images.settle(v);
      if (v === null || kindOf(v, y) === 'scalar') return v;
      return kindOf(v, y) === 'image' ? this.images.of(v, image.channels) : g.reshape(v, [image.channels]);
    });
    const [made] = g.node(node.opType, inputs, node.attributes);
    return made !== undefined && this.images.give(y, made);
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
