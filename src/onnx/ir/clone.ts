// Copies of nodes and graphs. Tensors are shared, values and nodes are new; what is read from outside the copy stays as it is.
import { type Attribute, Graph, Node, type Restatement, Value } from './graph.js';

export interface CloneOptions {
  /** What to read instead of a value; the values defined by the copy are added. */
  readonly map: Map<Value, Value>;
  /** The name of a copied node or value; default: the same. */
  readonly rename?: (name: string) => string;
  /** The attribute that takes the place of one; undefined leaves it out. Default: itself. */
  readonly attribute?: (a: Attribute) => Attribute | undefined;
}

/** Copies nodes in order, their subgraphs included. */
export function cloneNodes(nodes: readonly Node[], options: CloneOptions): Node[] {
  return nodes.map((node) => cloneNode(node, options));
}

function cloneNode(node: Node, options: CloneOptions): Node {
  const { map, rename = (name) => name } = options;
  const attributes = new Map<string, Attribute>();
  for (const [name, a] of node.attributes) {
    const copy = cloneAttribute(a, options);
    if (copy !== undefined) attributes.set(name, copy);
  }
  const inputs = node.inputs.map((v) => (v === null ? null : (map.get(v) ?? v)));
  const outputs = node.outputs.map((v) => cloneValue(v, options));
  const copy = new Node(node.opType, inputs, outputs, attributes, node.name === '' ? '' : rename(node.name), node.domain);
  copy.doc = node.doc;
  copy.overload = node.overload;
  copy.metadata = new Map(node.metadata);
  copy.deviceConfigurations = node.deviceConfigurations;
  return copy;
}

function cloneAttribute(a: Attribute, options: CloneOptions): Attribute | undefined {
  const { attribute = (same) => same } = options;
  if (a.kind === 'graph') return { ...a, value: cloneGraph(a.value, options) };
  if (a.kind === 'graphs') return { ...a, value: a.value.map((g) => cloneGraph(g, options)) };
  return attribute(a);
}

function cloneValue(v: Value, { map, rename = (name) => name }: CloneOptions): Value {
  const copy = new Value(v.name === '' ? '' : rename(v.name), v.type);
  copy.constant = v.constant;
  copy.overridable = v.overridable;
  copy.stated = v.stated;
  copy.doc = v.doc;
  copy.metadata = new Map(v.metadata);
  map.set(v, copy);
  return copy;
}

/** Copies a graph whole. */
export function cloneGraph(graph: Graph, options: CloneOptions = { map: new Map() }): Graph {
  const { map } = options;
  const own = (v: Value) => map.get(v) ?? cloneValue(v, options);
  const copy = new Graph(graph.name);
  copy.inputs = graph.inputs.map((v) => cloneValue(v, options));
  copy.initializers = graph.initializers.map(own);
  copy.sparseInitializers = graph.sparseInitializers.map(({ value, data }) => ({ value: own(value), data }));
  copy.nodes = cloneNodes(graph.nodes, options);
  copy.outputs = graph.outputs.map((v) => map.get(v) ?? v);
  copy.quantization = [...graph.quantization];
  copy.doc = graph.doc;
  copy.metadata = new Map(graph.metadata);
  copy.restated = graph.restated.map(
    (r): Restatement => (typeof r.value === 'string' ? r : { ...r, value: map.get(r.value) ?? r.value }),
  );
  return copy;
}
