// The graph: values, nodes, graphs. Values are objects that know their producer; a node's inputs point at them directly, also across
// the border of a subgraph (an If branch or a Loop body that reads an outer value). No protobuf, no op knowledge.

import type { DType } from '../core/dtype.js';
import { ShapeError } from '../core/errors.js';
import { instance } from '../core/given.js';
import type { Shape } from '../core/shape.js';
import type { Tensor } from '../core/tensor.js';
import { formatType, type TensorType, type Type } from './types.js';

/** What a TensorProto says beside its data; kept for the round trip. */
export interface TensorLabel {
  /** What the tensor is called. */
  readonly name?: string;
  /** A text for people. */
  readonly doc?: string;
  /** Texts by key. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/** A sparse tensor: its values and where they stand. */
export interface SparseTensor {
  /** The values that are not 0. */
  readonly values: Tensor;
  /** Where they stand, int64. */
  readonly indices: Tensor;
  /** The sizes of the whole. */
  readonly dims: readonly number[];
  /** Name and texts of the values' tensor. */
  readonly valuesLabel?: TensorLabel;
  /** Name and texts of the indices' tensor. */
  readonly indicesLabel?: TensorLabel;
}

/** AttributeProto. `ref` stands in function bodies for an attribute of the calling node (ref_attr_name). */
export type Attribute = AttributeValue & { readonly doc?: string };
/** An attribute's value with its kind. */
export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: Uint8Array }
  | { readonly kind: 'tensor'; readonly value: Tensor; readonly name?: string; readonly label?: TensorLabel }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'sparse_tensor'; readonly value: SparseTensor }
  | { readonly kind: 'type'; readonly value: Type }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly kind: 'tensors'; readonly value: readonly Tensor[]; readonly labels?: readonly TensorLabel[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'sparse_tensors'; readonly value: readonly SparseTensor[] }
  | { readonly kind: 'types'; readonly value: readonly Type[] }
  | { readonly kind: 'ref'; readonly value: string; readonly type: AttributeKind };
/** The kinds of attributes. */
export type AttributeKind = Exclude<Attribute['kind'], 'ref'>;

/** One tensor (or sequence, ...) that flows through a graph. */
export class Value {
  /** The node that computes it; undefined for graph inputs and initializers. */
  producer: Node | undefined;
  /** The data of an initializer. */
  constant: Tensor | undefined;
  /** An initializer that is a graph input as well: `constant` is a default, callers may feed something else. */
  overridable = false;
  /** `type` is what a file states and inference has not looked at: it may be left over from another version of the model. */
  stated = false;
  /** A text for people. */
  doc = '';
  /** Texts by key. */
  metadata = new Map<string, string>();
  /** No property that can be seen: a copy of a value has none. */
  #home: Graph | undefined;

  constructor(
    /** What it is called. */
    public name: string,
    /** Its type, where it is known. */
    public type?: Type,
  ) {}

  /** @internal The outermost graph that a builder made it for. Values of files and of builders over a graph that was there before have none. */
  get home(): Graph | undefined {
    return this.#home;
  }
  /** @internal */
  set home(graph: Graph | undefined) {
    this.#home = graph;
  }

  /** The tensor type; throws when the type is unknown or not a tensor. */
  get tensor(): TensorType {
    if (this.type?.kind !== 'tensor') {
      const by = this.type === undefined && this.producer !== undefined ? `, ${nodeLabel(this.producer)} computes it` : '';
      throw new ShapeError(`value "${this.name}": a tensor is needed here, its type is ${formatType(this.type)}${by}`);
    }
    return this.type;
  }
  /** The type of its elements, where it is a tensor and known. */
  get dtype(): DType {
    return this.tensor.dtype;
  }
  /** Its shape, where it is a tensor and known. */
  get shape(): Shape | undefined {
    return this.type?.kind === 'tensor' ? this.type.shape : undefined;
  }
  /** Static dims; throws when a dimension is not known. */
  get dims(): readonly number[] {
    const { shape } = this.tensor;
    if (shape === undefined || !shape.every((d): d is number => typeof d === 'number')) {
      throw new ShapeError(`value "${this.name}": a static shape is needed here, its type is ${formatType(this.type)}`);
    }
    return shape;
  }
}

const none: readonly Graph[] = [];

/** A node of a graph: an op over values. */
export class Node {
  /** What it computes, in the op's order; null where one is left out. */
  readonly outputs: Value[];
  /** A text for people. */
  doc = '';
  /** Which overload of a function it calls. */
  overload = '';
  /** Texts by key. */
  metadata = new Map<string, string>();
  /** NodeDeviceConfigurationProto messages as encoded, kept for the round trip. */
  deviceConfigurations: readonly Uint8Array[] = [];

  constructor(
    /** The op's name, such as `MatMul`. */
    public readonly opType: string,
    /** null: an optional input left out. */
    public inputs: (Value | null)[],
    outputs: Value[],
    /** Attributes by name. */
    public attributes: Map<string, Attribute> = new Map(),
    /** What it is called. */
    public name = '',
    /** '' is ai.onnx. */
    public domain = '',
  ) {
    this.outputs = outputs;
    for (const v of outputs) v.producer = this;
  }

  /** The subgraphs among the attributes. */
  get subgraphs(): readonly Graph[] {
    if (this.attributes.size === 0) return none;
    const out: Graph[] = [];
    for (const a of this.attributes.values()) {
      if (a.kind === 'graph') out.push(a.value);
      else if (a.kind === 'graphs') out.push(...a.value);
    }
    return out;
  }

  /** An integer attribute, or the fallback where it is absent. */
  int(name: string, fallback: number): number {
    const a = this.attributes.get(name);
    return a?.kind === 'int' ? Number(a.value) : fallback;
  }
  /** An attribute of integers, or the fallback where it is absent. */
  ints(name: string): number[] | undefined {
    const a = this.attributes.get(name);
    return a?.kind === 'ints' ? a.value.map(Number) : undefined;
  }
  /** A float attribute, or the fallback where it is absent. */
  float(name: string, fallback: number): number {
    const a = this.attributes.get(name);
    return a?.kind === 'float' ? a.value : fallback;
  }
  /** A text attribute, or the fallback where it is absent. */
  string(name: string, fallback: string): string {
    const a = this.attributes.get(name);
    return a?.kind === 'string' ? new TextDecoder().decode(a.value) : fallback;
  }
}

/**
 * What a file states about a value beside the value's own type, doc and metadata: an output that is an input or an outer value as well,
 * a value_info of an initializer, an input or an unknown name (a string), the doc of an initializer that is an input too.
 */
export interface Restatement {
  /** Where the statement stands. */
  readonly place: 'output' | 'value_info' | 'initializer';
  /** The value that it is of. */
  readonly value: Value | string;
  /** The type that is stated. */
  readonly type: Type | undefined;
  /** A text for people. */
  readonly doc: string;
  /** Texts by key. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** A graph: nodes in an order that runs, values, initializers. `ops` builds one. */
export class Graph {
  /** Its inputs, in order. */
  inputs: Value[] = [];
  /** Its outputs, in order. */
  outputs: Value[] = [];
  /** Values with `constant`; in files of IR 3 such a value is an input as well. */
  initializers: Value[] = [];
  /** Sparse weights by value. */
  sparseInitializers: { readonly value: Value; readonly data: SparseTensor }[] = [];
  /** In topological order. */
  nodes: Node[] = [];
  /** Quantization annotations, kept for the round trip. */
  quantization: { readonly value: string; readonly parameters: ReadonlyMap<string, string> }[] = [];
  /** A text for people. */
  doc = '';
  /** Texts by key. */
  metadata = new Map<string, string>();
  /** Second statements about values, kept for the round trip. */
  restated: Restatement[] = [];

  constructor(
    /** What it is called. */
    public name = 'graph',
  ) {}

  /** Every value defined here: inputs, initializers, node outputs; not those of subgraphs. */
  *values(): Generator<Value> {
    const seen = new Set<Value>();
    for (const list of [
      this.inputs,
      this.initializers,
      this.sparseInitializers.map((s) => s.value),
      ...this.nodes.map((n) => n.outputs),
    ]) {
      for (const v of list) {
        if (!seen.has(v)) {
          seen.add(v);
          yield v;
        }
      }
    }
  }
}

/** `Relu`, or `my.domain::Relu`. */
export function opName(node: Node): string {
  return node.domain === '' ? node.opType : `${node.domain}::${node.opType}`;
}

/** A node as messages name it: by its name, or where it has none by its first output. */
export function nodeLabel(node: Node): string {
  if (node.name !== '') return `${opName(node)} "${node.name}"`;
  const first = node.outputs.find((v) => v.name !== '');
  return first === undefined ? opName(node) : `${opName(node)} of "${first.name}"`;
}

/** All nodes of a graph and of its subgraphs, outer before inner. */
export function* allNodes(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const sub of node.subgraphs) yield* allNodes(sub);
  }
}

/** The outer values that a node reads: its inputs, and what its subgraphs capture from outside themselves. */
export function nodeReads(node: Node): Set<Value> {
  const reads = new Set<Value>();
  for (const v of node.inputs) if (v !== null) reads.add(v);
  for (const sub of node.subgraphs) for (const v of captures(sub)) reads.add(v);
  return reads;
}

/** The values that a subgraph uses but does not define. */
export function captures(graph: Graph): Set<Value> {
  const defined = new Set(graph.values());
  const out = new Set<Value>();
  for (const node of graph.nodes) for (const v of nodeReads(node)) if (!defined.has(v)) out.add(v);
  for (const v of graph.outputs) if (!defined.has(v)) out.add(v);
  return out;
}

export const aGraph = instance(Graph, 'a graph');
export const aValue = instance(Value, 'a value of a graph');
