// One conversion of a node from one opset to a later one, and what conversions share. Which op needs which stands in opset-steps.ts.
import { Tensor } from '../../core/tensor.js';
import { type Attribute, Node, type Value } from '../../ir/graph.js';

export interface Rewriting {
  /** A node before this one; returns its output. */
  readonly add: (op: string, inputs: readonly (Value | null)[], attributes?: Readonly<Record<string, Attribute>>) => Value;
  readonly constant: (value: Tensor) => Value;
  /** A name that nothing has: the hint, or the hint with a number. */
  readonly name: (hint: string) => string;
  /** True for a value that a node or an output of the model reads. */
  readonly isRead: (v: Value) => boolean;
  /** Throws ModelError `Op "node": cannot be brought to opset N, why`. */
  readonly fail: (why: string) => never;
}

/** Changes the node, or returns another that has its outputs. */
export type Step = (node: Node, r: Rewriting) => Node;

/** [first opset of the new form, conversion], ascending. */
export type Steps = readonly (readonly [number, Step])[];

export const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });
export const text = (value: string): Attribute => ({ kind: 'string', value: new TextEncoder().encode(value) });

/** Removes an attribute and returns its integers; undefined when it is not there. */
export function takeInts(node: Node, name: string): number[] | undefined {
  const value = node.ints(name);
  node.attributes.delete(name);
  return value;
}

export function takeInt(node: Node, name: string, fallback: number): number {
  const value = node.int(name, fallback);
  node.attributes.delete(name);
  return value;
}

export function takeFloat(node: Node, name: string): number | undefined {
  const a = node.attributes.get(name);
  node.attributes.delete(name);
  return a?.kind === 'float' ? a.value : undefined;
}

/** A scalar of the dtype of `like`. */
export function scalar(r: Rewriting, value: number, like: Value | null | undefined): Value {
  const { type } = like ?? {};
  const dtype = type?.kind === 'tensor' ? type.dtype : 'float32';
  return r.constant(Tensor.from(dtype, value));
}

/** Puts an input at place i, with left-out ones before it. */
export function setInput(node: Node, i: number, v: Value | null): void {
  while (node.inputs.length <= i) node.inputs.push(null);
  node.inputs[i] = v;
}

export function renamed(node: Node, opType: string, inputs: (Value | null)[], attributes = node.attributes): Node {
  return new Node(opType, inputs, node.outputs, attributes, node.name);
}
