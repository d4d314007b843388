// Builds a graph node by node. Types are inferred and checked at the line that adds the node, through the function that the op table
// gives (`Infer`), so that this folder knows no op. The typed face with a method per op is onnx/ops/ops.ts.

import type { DType } from '../core/dtype.js';
import { ModelError } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import type { Tensor } from '../core/tensor.js';
import { type Attribute, allNodes, Graph, Node, Value } from './graph.js';
import { defaultOpset, irVersionFor, Model } from './model.js';
import { type Type, tensorType } from './types.js';

/** Output types of a node, in order. Throws ShapeError when the inputs do not fit. */
export type Infer = (node: Node, opset: number) => (Type | undefined)[];

/** Gives names that are unique in a graph and all its subgraphs. */
export class Names {
  private readonly used = new Map<string, number>();

  /** The names that stand in a graph and its subgraphs already. */
  static of(graph: Graph): Names {
    const names = new Names();
    const take = (g: Graph) => {
      for (const v of g.values()) names.used.set(v.name, 0);
      for (const node of g.nodes) {
        names.used.set(node.name, 0);
        for (const sub of node.subgraphs) take(sub);
      }
    };
    take(graph);
    return names;
  }

  /** Whether a name is taken. */
  has(name: string): boolean {
    return this.used.has(name);
  }

  /** `hint` itself when free, else `hint_1`, `hint_2`, ... */
  unique(hint: string): string {
    const n = this.used.get(hint);
    if (n === undefined) {
      this.used.set(hint, 0);
      return hint;
    }
    for (let i = n + 1; ; i++) {
      const name = `${hint}_${i}`;
      if (!this.used.has(name)) {
        this.used.set(hint, i);
        this.used.set(name, 0);
        return name;
      }
    }
  }

  /** Reserves a name that must be as given. Throws when it is taken. */
  reserve(name: string): string {
    if (this.used.has(name)) throw new ModelError(`the name "${name}" is taken already in this graph`);
    this.used.set(name, 0);
    return name;
  }
}

/** The builder under `Ops`: inputs, outputs, constants, nodes by name. */
export class GraphBuilder {
  /** The graph that is built. */
  readonly graph: Graph;
  private scopes: string[] = [];
  /** The outermost graph, where this builder began it: values of other such graphs are refused. */
  private readonly home: Graph | undefined;
  /** Scalar and small constants that were made already, by content. */
  private readonly constants = new Map<string, Value>();

  constructor(
    protected readonly infer: Infer,
    /** Of ai.onnx. */
    readonly opset: number = defaultOpset,
    /** Names that are taken. */
    readonly names: Names = new Names(),
    graph: Graph | string = 'graph',
    /** The builder of the graph around a subgraph: constants live there, once. */
    protected readonly outer?: GraphBuilder,
  ) {
    this.graph = typeof graph === 'string' ? new Graph(graph) : graph;
    this.home = outer === undefined ? (typeof graph === 'string' ? this.graph : undefined) : outer.home;
  }

  /** A graph input. The name is taken as given. */
  input(name: string, dtype: DType, shape?: Shape): Value {
    return this.inputOf(name, tensorType(dtype, shape));
  }

  /** A graph input of any type, such as a sequence. */
  inputOf(name: string, type: Type): Value {
    const v = new Value(this.names.reserve(name), type);
    this.graph.inputs.push(v);
    return this.own(v);
  }

  /** An initializer under the name given. */
  initializer(name: string, tensor: Tensor): Value {
    return this.addInitializer(this.names.reserve(name), tensor);
  }

  private addInitializer(name: string, tensor: Tensor): Value {
    const v = new Value(name, tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    this.graph.initializers.push(v);
    return this.own(v);
  }

  /** A constant without a name of its own; equal small constants share one initializer. */
  constant(tensor: Tensor, hint = 'const'): Value {
    if (this.outer !== undefined) return this.outer.constant(tensor, hint);
    const key = tensor.size <= 16 && tensor.dtype !== 'string' ? `${tensor.dtype}[${tensor.dims}]${tensor.bytes}` : undefined;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known !== undefined) return known;
    const v = this.addInitializer(this.names.unique(hint), tensor);
    if (key !== undefined) this.constants.set(key, v);
    return v;
  }

  /**
   * Moves the initializers and Constant nodes of a subgraph into the outermost graph, so that copies of the subgraph share them. A name that
   * another branch may use as well is changed.
   */
  adopt(sub: Graph): void {
    if (this.outer !== undefined) {
      this.outer.adopt(sub);
      return;
    }
    const inputs = new Set(sub.inputs);
    const move = (v: Value) => {
      v.name = this.names.unique(v.name);
      this.graph.initializers.push(v);
    };
    for (const v of sub.initializers) if (!inputs.has(v)) move(v);
    sub.initializers = sub.initializers.filter((v) => inputs.has(v));
    sub.nodes = sub.nodes.filter((node) => {
      for (const inner of node.subgraphs) this.adopt(inner);
      const [v] = node.outputs;
      const a = node.attributes.get('value');
      if (node.opType !== 'Constant' || node.domain !== '' || a?.kind !== 'tensor' || v === undefined) return true;
      if (sub.outputs.includes(v)) return true;
      v.producer = undefined;
      v.constant = a.value;
      move(v);
      return false;
    });
  }

  /** Marks a value as a graph output; with a name, the value gets it (through Identity when it is an input or an output already). */
  output(value: Value, name?: string): Value {
    let v = value;
    if (name !== undefined && v.name !== name) {
      if (v.producer === undefined || this.graph.outputs.includes(v)) v = this.single('Identity', [v]);
      v.name = this.names.reserve(name);
    }
    this.graph.outputs.push(v);
    return v;
  }

  /** Names of nodes and values made inside `body` begin with `prefix/`. */
  scope<T>(prefix: string, body: () => T): T {
    this.scopes.push(prefix);
    try {
      return body();
    } finally {
      this.scopes.pop();
    }
  }

  /** What names begin with. */
  get prefix(): string {
    return this.scopes.map((s) => `${s}/`).join('');
  }

  /** Adds a node and returns its outputs. `outputs` counts them; false in a list leaves an optional one out. */
  node(
    opType: string,
    inputs: readonly (Value | null | undefined)[],
    attributes: ReadonlyMap<string, Attribute> = new Map(),
    outputs: number | readonly boolean[] = 1,
    domain = '',
  ): Value[] {
    const list = inputs.map((v) => v ?? null);
    while (list.length > 0 && list.at(-1) === null) list.pop();
    for (const v of list) if (v !== null) this.refuseForeign(v, opType);
    const wanted = typeof outputs === 'number' ? Array.from({ length: outputs }, () => true) : outputs;
    const name = this.names.unique(`${this.prefix}${opType}`);
    const values = wanted.map((w, i) => new Value(w ? (i === 0 ? `${name}/out` : `${name}/out${i}`) : ''));
    for (const v of values) if (v.name !== '') v.name = this.names.unique(v.name);
    const node = new Node(opType, list, [...values], new Map(attributes), name, domain);
    const types = this.infer(node, this.opset);
    values.forEach((v, i) => {
      const type = types[i];
      if (type !== undefined) v.type = type;
    });
    this.graph.nodes.push(node);
    for (const v of values) this.own(v);
    return values;
  }

  private own(v: Value): Value {
    v.home = this.home;
    return v;
  }

  /** Whether a value is visible in the very subgraph is verifyModel's to say. */
  private refuseForeign(v: Value, opType: string): void {
    const { home } = v;
    if (this.home === undefined || home === undefined || home === this.home) return;
    throw new ModelError(`${opType}: "${v.name}" is a value of another graph ("${home.name}"), this one is "${this.home.name}"`, {
      op: opType,
    });
  }

  protected single(
    opType: string,
    inputs: readonly (Value | null | undefined)[],
    attributes?: ReadonlyMap<string, Attribute>,
  ): Value {
    const [v] = this.node(opType, inputs, attributes);
    if (v === undefined) throw new ModelError(`${opType} has no output`);
    return v;
  }

  /** The graph as a model at this builder's opset; other domains that its nodes name are imported at version 1. */
  model(): Model {
    const m = new Model(this.graph);
    m.opsets.set('', this.opset);
    m.irVersion = irVersionFor(this.opset);
    for (const { domain } of allNodes(this.graph)) if (!m.opsets.has(domain)) m.opsets.set(domain, 1);
    return m;
  }
}
