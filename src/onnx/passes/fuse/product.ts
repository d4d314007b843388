// Products with constant weights, seen alike: Gemm, MatMul by a matrix, and Conv of one group, each y = x W + b. Passes that fuse change
// their weights along the axis of the inputs or of the outputs and write them anew.
import { elementCount } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import { type Attribute, Node, type Value } from '../../ir/graph.js';
import { isStandard } from '../../ops/definition.js';
import type { Rewriting } from '../rewriting.js';

export interface Product {
  readonly node: Node;
  /** [N, features], or [N, channels, ...] for a convolution. */
  readonly x: Value;
  /** [inputs, outputs], or [outputs, inputs, kernel...] for a convolution. */
  readonly weight: Tensor;
  /** [outputs] */
  readonly bias: Tensor | undefined;
  readonly conv: boolean;
  readonly inputs: number;
  readonly outputs: number;
  /** Equal for products whose weights may be stacked: how a convolution moves. */
  readonly key: string;
  /** Name to call new weights by. */
  readonly name: string;
}

/** The axis of the weights along which inputs, or outputs, lie. */
export function weightAxis(p: Product, side: 'inputs' | 'outputs'): number {
  return p.conv === (side === 'inputs') ? 1 : 0;
}

/** A node as a product; undefined where its weights are not known, or it is none. */
export function productOf(node: Node | undefined, r: Rewriting): Product | undefined {
  if (node === undefined || !isStandard(node)) return undefined;
  const [x, w, b] = node.inputs;
  const weight = r.weights(w);
  if (!x || !w || weight === undefined) return undefined;
  const bias = b ? r.weights(b) : undefined;
  if (b && bias === undefined) return undefined;
  const base = { node, x, name: w.name };
  if (node.opType === 'Conv') {
    const [outputs = 0, inputs = 0] = weight.dims;
    const auto = node.string('auto_pad', 'NOTSET');
    if (node.int('group', 1) !== 1 || auto !== 'NOTSET' || x.shape?.[1] !== inputs) return undefined;
    return { ...base, weight, bias, conv: true, inputs, outputs, key: convKey(node, weight) };
  }
  if (x.shape?.length !== 2 || weight.dims.length !== 2) return undefined;
  if (node.opType === 'MatMul') {
    const [inputs = 0, outputs = 0] = weight.dims;
    return { ...base, weight, bias: undefined, conv: false, inputs, outputs, key: 'dense' };
  }
  if (node.opType !== 'Gemm' || node.int('transA', 0) !== 0 || node.float('alpha', 1) !== 1 || node.float('beta', 1) !== 1)
    return undefined;
  const matrix = node.int('transB', 0) === 0 ? weight : transposed(weight);
  const [inputs = 0, outputs = 0] = matrix.dims;
  if (bias !== undefined && (bias.size !== outputs || bias.dims.at(-1) !== outputs)) return undefined;
  return { ...base, weight: matrix, bias: bias?.reshape([outputs]), conv: false, inputs, outputs, key: 'dense' };
}

function convKey(node: Node, weight: Tensor): string {
  const kernel = weight.dims.slice(2);
  const ones = kernel.map(() => 1);
  const {
    strides = ones,
    dilations = ones,
    pads = [...ones, ...ones].map(() => 0),
  } = {
    ...(node.attributes.has('strides') && { strides: node.ints('strides') }),
    ...(node.attributes.has('dilations') && { dilations: node.ints('dilations') }),
    ...(node.attributes.has('pads') && { pads: node.ints('pads') }),
  };
  return `conv ${kernel} ${strides} ${dilations} ${pads}`;
}

/** A node that computes a product of other weights into `y`, with the attributes of `like`. */
export function productNode(
  r: Rewriting,
  like: Product,
  parts: {
    readonly x: Value;
    readonly weight: Tensor;
    readonly bias: Tensor | undefined;
    readonly y: Value;
    readonly name: string;
  },
): Node {
  const { x, weight, bias, y, name } = parts;
  const inputs = [x, r.initializer(name, weight), ...(bias === undefined ? [] : [r.initializer(`${name}_bias`, bias)])];
  const attributes = new Map<string, Attribute>(like.conv ? like.node.attributes : []);
  // Gemm rather than MatMul also without a bias: runtimes fuse an activation into it
  return new Node(like.conv ? 'Conv' : 'Gemm', inputs, [y], attributes, r.name(`${name}/product`));
}

// ---- arrays of weights ----------------------------------------------------------------------------------------------------

const floats = (t: Tensor): Float32Array => t.data as Float32Array;

/** Tensors side by side along an axis. */
export function joined(tensors: readonly Tensor[], axis: number): Tensor {
  const dims = [...(tensors[0]?.dims ?? [])];
  dims[axis] = tensors.reduce((n, t) => n + (t.dims[axis] ?? 0), 0);
  const data = new Float32Array(elementCount(dims));
  const runs = tensors.map((t) => elementCount(t.dims.slice(axis)));
  const stride = elementCount(dims.slice(axis));
  for (let outer = 0; outer * stride < data.length; outer++) {
    let at = outer * stride;
    tensors.forEach((t, i) => {
      const run = runs[i] ?? 0;
      data.set(floats(t).subarray(outer * run, (outer + 1) * run), at);
      at += run;
    });
  }
  return new Tensor('float32', dims, data);
}

/** Multiplies what lies at place i of an axis by factor i, in double precision. */
export function scaled(t: Tensor, axis: number, factor: (i: number) => number): Tensor {
  const count = t.dims[axis] ?? 1;
  const inner = elementCount(t.dims.slice(axis + 1));
  const factors = Float64Array.from({ length: count }, (_, i) => factor(i));
  const from = floats(t);
  const data = new Float32Array(from.length);
  for (let k = 0; k < data.length; k++) data[k] = (from[k] ?? 0) * (factors[Math.floor(k / inner) % count] ?? 1);
  return new Tensor('float32', t.dims, data);
}

function transposed(t: Tensor): Tensor {
  const [rows = 0, columns = 0] = t.dims;
  const from = floats(t);
  const data = new Float32Array(from.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = from[i * columns + j] ?? 0;
  return new Tensor('float32', [columns, rows], data);
}

/** Biases of several products side by side, zeros where one has none; undefined when none has any. */
export function joinedBias(products: readonly Product[]): Tensor | undefined {
  if (products.every((p) => p.bias === undefined)) return undefined;
  return joined(
    products.map((p) => p.bias ?? Tensor.zeros('float32', [p.outputs])),
    0,
  );
}
