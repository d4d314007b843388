// Products of a dense layer over images made flat that are there as rows (image-rows.ts): the rows of its weight change their order rather than
// the features of every sample. So do those of the weight gradient, and what goes on from the input gradient is rows again.
import { must } from '../../core/errors.js';
import { type Dim, elementCount } from '../../core/shape.js';
import type { Node, Value } from '../../ir/graph.js';
import type { Ops } from '../../ops/ops-builder.js';
import type { Flat, Image, ImageRows } from './image-rows.js';

/** Outputs of a layer up to which its weight is less than the features of a usual minibatch. */
const mostOutputs = 32;

export class FlatProducts {
  /** Weights [features, K], or [K, features] with `axis` 1, whose features are those of an image in the order of its rows. */
  private readonly weights = new Map<Value, { readonly image: Image; readonly axis: number; readonly ordered: Value }>();

  constructor(
    private readonly g: Ops,
    private readonly images: ImageRows,
  ) {}

  /** A Gemm or a MatMul; true when the node is done with. */
  rewrite(node: Node): boolean {
    const [a, b] = node.inputs;
    const [y] = node.outputs;
    if (!a || !b || y === undefined || a.shape?.length !== 2 || b.shape?.length !== 2) return false;
    const turned = [node.int('transA', 0) === 1, node.int('transB', 0) === 1] as const;
    const [left, right] = [this.images.flat(a), this.images.flat(b)];
    if (left !== undefined)
      return turned[0] ? this.weightGradient(node, y, left, 0) : this.layer(node, y, left, b, turned[1] ? 1 : 0);
    if (right !== undefined) return turned[0] && !turned[1] && this.weightGradient(node, y, right, 1);
    return !turned[0] && this.inputGradient(node, y, b, turned[1] ? 0 : 1);
  }

  /** [N, K]: features times a weight that has them along `axis`. */
  private layer(node: Node, y: Value, flat: Flat, weight: Value, axis: number): boolean {
    if (!isNarrow(weight.shape?.[1 - axis]) || this.images.flat(weight) !== undefined) return false;
    const known = this.weights.get(weight);
    if (known !== undefined && (known.axis !== axis || known.image.channels !== flat.channels)) return false;
    for (const v of node.inputs.slice(1)) if (v) this.images.settle(v);
    const ordered = known?.ordered ?? this.inOrder(weight, axis, [flat.channels, placesOf(flat)]);
    this.weights.set(weight, { image: flat, axis, ordered });
    return this.images.become(y, this.product(node, [this.features(flat), ordered, ...node.inputs.slice(2)]));
  }

  /** `y` has the features along `axis`; the other operand is the gradient by the layer's output, [N, K]. */
  private weightGradient(node: Node, y: Value, flat: Flat, axis: number): boolean {
    const other = node.inputs[1 - axis];
    if (!other || node.inputs[2] || !isNarrow(y.shape?.[1 - axis]) || this.images.flat(other) !== undefined) return false;
    this.images.settle(other);
    const features = this.features(flat);
    const product = this.product(node, axis === 0 ? [features, other] : [other, features]);
    return this.images.become(y, this.inOrder(product, axis, [placesOf(flat), flat.channels]));
  }

  /** [N, features]: the gradient by the layer's output, [N, K], times the weight, which has the features along `axis`. */
  private inputGradient(node: Node, y: Value, weight: Value, axis: number): boolean {
    const known = this.weights.get(weight);
    const [dy] = node.inputs;
    if (known?.axis !== axis || !dy || node.inputs[2]) return false;
    this.images.settle(dy);
    const { image, ordered } = known;
    const rows = this.g.reshape(this.product(node, [dy, ordered]), [-1, placesOf(image), image.channels]);
    return this.images.giveFlat(y, { ...image, rows });
  }

  private product(node: Node, inputs: readonly (Value | null)[]): Value {
    return must(this.g.node(node.opType, inputs, node.attributes)[0], node.opType);
  }

  private features(flat: Flat): Value {
    return this.g.reshape(flat.rows, [-1, flat.channels * placesOf(flat)]);
  }

  /** A matrix whose `axis` counts all of the two sizes, the first outer: then the second is. */
  private inOrder(v: Value, axis: number, [outer, inner]: readonly [number, number]): Value {
    const { g } = this;
    const parts = g.reshape(v, axis === 0 ? [outer, inner, -1] : [-1, outer, inner]);
    const turned = g.transpose(parts, { perm: axis === 0 ? [1, 0, 2] : [0, 2, 1] });
    return g.reshape(turned, axis === 0 ? [outer * inner, -1] : [-1, outer * inner]);
  }
}

const placesOf = (image: Image): number => elementCount(image.sizes);

const isNarrow = (width: Dim | undefined): boolean => typeof width === 'number' && width <= mostOutputs;
