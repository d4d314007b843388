// What the gradients of convolutions and poolings are of, noted while they are made (GradientRequest.onRule), so that a pass that changes the
// layout of images can make them anew in its own way.
import type { Node, Value } from '../../ir/graph.js';
import { isStandard } from '../../ops/definition.js';

/** A node of the forward graph and the gradient by its output. */
export interface GradientAt {
  readonly node: Node;
  readonly dy: Value;
}

export class ImageGradients {
  /** Gradients by the input of a convolution. */
  readonly inputs = new Set<Value>();
  /** By the weight of a convolution. */
  readonly weights = new Map<Value, GradientAt>();
  /** By the input of a MaxPool. */
  readonly pools = new Map<Value, GradientAt>();

  readonly note = (node: Node, [dy]: readonly (Value | null)[], input: number, result: Value): void => {
    if (!isStandard(node) || !dy) return;
    if (node.opType === 'MaxPool' && input === 0) this.pools.set(result, { node, dy });
    if (node.opType !== 'Conv') return;
    if (input === 0) this.inputs.add(result);
    if (input === 1) this.weights.set(result, { node, dy });
  };
}
