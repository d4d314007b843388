// GraphProto and FunctionProto to graphs. Names become values: each is defined once in its graph, before it is read; a subgraph also
// sees what its node sees. onnx.proto, GraphProto; ONNX IR specification, "Names Within a Graph".
import { type Attribute, Graph, Node, type Restatement, Value } from '../ir/graph.js';
import { type Type, tensorType } from '../ir/types.js';
import { attributeFromProto } from './attribute-from-proto.js';
import type { Decoding } from './decoding.js';
import { onnx } from './generated/onnx.js';
import { labelFromProto, sparseFromProto, tensorFromProto } from './tensor-from-proto.js';
import { typeFromProto } from './type-from-proto.js';

type NodeProto = onnx.NodeProto.$Properties;

/** The names that a point in a graph sees. */
class Scope {
  readonly values = new Map<string, Value>();

  constructor(
    readonly what: string,
    private readonly nodes: readonly NodeProto[],
    private readonly outer: Scope | undefined,
  ) {}

  find(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.find(name);
  }

  /** True when a node of this graph or of one around it gives the name, though not yet. */
  comesLater(name: string): boolean {
    return this.nodes.some((n) => n.output?.includes(name)) || (this.outer?.comesLater(name) ?? false);
  }

  define(value: Value, by: string, decoding: Decoding): Value {
    if (value.name === '') throw decoding.error(`${by} has no name`);
    if (this.values.has(value.name)) throw decoding.error(`${by}: the name "${value.name}" is defined already in ${this.what}`);
    this.values.set(value.name, value);
    return value;
  }
}

interface Statement {
  readonly type: Type | undefined;
  readonly doc: string;
  readonly metadata: Map<string, string>;
}

function statement(v: onnx.ValueInfoProto.$Properties, decoding: Decoding): Statement {
  const type = typeFromProto(v.type, `value "${v.name ?? ''}"`, decoding);
  return { type, doc: v.doc_string ?? '', metadata: decoding.entries(v.metadata_props) };
}

function state(value: Value, { type, doc, metadata }: Statement): void {
  if (type !== undefined) value.type = type;
  value.stated = type !== undefined;
  value.doc = doc;
  value.metadata = metadata;
}

function sameStatement(a: Statement, b: Statement): boolean {
  return JSON.stringify([a.type, a.doc, [...a.metadata]]) === JSON.stringify([b.type, b.doc, [...b.metadata]]);
}

/** Decodes nodes into `graph`, whose inputs and initializers `scope` knows already. */
function readNodes(graph: Graph, nodes: readonly NodeProto[], scope: Scope, decoding: Decoding): void {
  nodes.forEach((n, index) => {
    const op = n.op_type ?? '';
    const what = `node ${n.name ? `"${n.name}"` : `#${index}`} (${op})`;
    const fields = { op, ...(n.name && { node: n.name }) };
    if (op === '') throw decoding.error(`node ${n.name ? `"${n.name}"` : `#${index}`} has no op type`);
    const inputs = (n.input ?? []).map((name) => {
      if (name === '') return null;
      const value = scope.find(name);
      if (value !== undefined) return value;
      const late = scope.comesLater(name);
      throw decoding.error(
        late
          ? `${what}: input "${name}" is computed only later: the nodes are not in topological order`
          : `${what}: input "${name}" is not defined`,
        fields,
      );
    });
    const attributes = readAttributes(n.attribute, what, scope, decoding);
    const outputs = (n.output ?? []).map((name) => new Value(name));
    const domain = n.domain === 'ai.onnx' ? '' : (n.domain ?? '');
    const node = new Node(op, inputs, outputs, attributes, n.name ?? '', domain);
    node.doc = n.doc_string ?? '';
    node.overload = n.overload ?? '';
    node.metadata = decoding.entries(n.metadata_props);
    node.deviceConfigurations = (n.device_configurations ?? []).map((c) => onnx.NodeDeviceConfigurationProto.encode(c).finish());
    for (const v of outputs) if (v.name !== '') scope.define(v, what, decoding);
    graph.nodes.push(node);
  });
}

function readAttributes(
  list: readonly onnx.AttributeProto.$Properties[] | null | undefined,
  what: string,
  scope: Scope | undefined,
  decoding: Decoding,
): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const a of list ?? []) {
    const name = a.name ?? '';
    if (name === '') throw decoding.error(`${what}: an attribute has no name`);
    if (attributes.has(name)) throw decoding.error(`${what}: the attribute "${name}" is given twice`);
    const here = `${what}, attribute "${name}"`;
    attributes.set(
      name,
      attributeFromProto(a, here, decoding, (g, at) => graphFromProto(g, at, decoding, scope)),
    );
  }
  return attributes;
}

function readInitializers(graph: Graph, g: onnx.GraphProto.$Properties, scope: Scope, decoding: Decoding): void {
  const inputs = new Set(graph.inputs);
  const given = new Set<string>();
  /** The value of an initializer; an input of that name (IR 3, or a default) is the same value. */
  const initialized = (t: onnx.TensorProto.$Properties, kind: string, type: Type): Value => {
    const name = t.name ?? '';
    const { doc = '', metadata = new Map<string, string>() } = labelFromProto(t, decoding) ?? {};
    if (given.has(name)) throw decoding.error(`${kind} "${name}": the name is defined already in ${scope.what}`);
    given.add(name);
    const input = scope.values.get(name);
    if (input !== undefined && inputs.has(input)) {
      if (doc !== '' || metadata.size > 0)
        graph.restated.push({ place: 'initializer', value: input, type: undefined, doc, metadata });
      return input;
    }
    const value = scope.define(new Value(name, type), kind, decoding);
    value.doc = doc;
    value.metadata = new Map(metadata);
    return value;
  };
  for (const t of g.initializer ?? []) {
    const tensor = tensorFromProto(t, `initializer "${t.name ?? ''}"`, decoding);
    const value = initialized(t, 'initializer', tensorType(tensor.dtype, tensor.dims));
    value.constant = tensor;
    graph.initializers.push(value);
  }
  for (const s of g.sparse_initializer ?? []) {
    const data = sparseFromProto(s, `sparse initializer "${s.values?.name ?? ''}"`, decoding);
    const type: Type = { kind: 'sparse_tensor', dtype: data.values.dtype, shape: data.dims };
    graph.sparseInitializers.push({ value: initialized(s.values ?? {}, 'sparse initializer', type), data });
  }
}

/**
 * Gives the values what the graph's outputs and value_info say of them. What a value cannot hold, because it has been stated otherwise
 * already or is not of this graph, is kept in `graph.restated`.
 */
class Statements {
  private readonly open: Set<Value>;

  constructor(
    private readonly graph: Graph,
    private readonly scope: Scope,
    private readonly decoding: Decoding,
    unstated: Iterable<Value>,
  ) {
    this.open = new Set(unstated);
  }

  private restate(place: Restatement['place'], value: Value | string, said: Statement): void {
    this.graph.restated.push({ place, value, ...said });
  }

  output(value: Value, info: onnx.ValueInfoProto.$Properties): void {
    const said = statement(info, this.decoding);
    if (this.open.delete(value)) state(value, said);
    else if (!sameStatement({ type: value.type, doc: value.doc, metadata: value.metadata }, said))
      this.restate('output', value, said);
  }

  valueInfo(info: onnx.ValueInfoProto.$Properties): void {
    const said = statement(info, this.decoding);
    const name = info.name ?? '';
    const value = this.scope.values.get(name);
    if (value !== undefined && this.open.delete(value)) state(value, said);
    else this.restate('value_info', value ?? name, said);
  }
}

/** A graph; `what` names it in messages, `outer` is the scope of the node that holds it. */
export function graphFromProto(g: onnx.GraphProto.$Properties, what: string, decoding: Decoding, outer?: Scope): Graph {
  const graph = new Graph(g.name ?? '');
  const scope = new Scope(what, g.node ?? [], outer);
  for (const info of g.input ?? []) {
    const value = scope.define(new Value(info.name ?? ''), 'graph input', decoding);
    state(value, statement(info, decoding));
    graph.inputs.push(value);
  }
  readInitializers(graph, g, scope, decoding);
  readNodes(graph, g.node ?? [], scope, decoding);
  const statements = new Statements(
    graph,
    scope,
    decoding,
    graph.nodes.flatMap((n) => n.outputs),
  );
  for (const info of g.output ?? []) {
    const value = info.name ? scope.find(info.name) : undefined;
    if (value === undefined) throw decoding.error(`${what}: output "${info.name ?? ''}" is not defined`);
    statements.output(value, info);
    graph.outputs.push(value);
  }
  for (const info of g.value_info ?? []) statements.valueInfo(info);
  graph.quantization = (g.quantization_annotation ?? []).map((q) => ({
    value: q.tensor_name ?? '',
    parameters: decoding.entries(q.quant_parameter_tensor_names),
  }));
  graph.doc = g.doc_string ?? '';
  graph.metadata = decoding.entries(g.metadata_props);
  return graph;
}

/** The body of a function: a graph whose inputs and outputs have names alone, and types where value_info gives them. */
export function bodyFromProto(f: onnx.FunctionProto.$Properties, what: string, decoding: Decoding): Graph {
  const graph = new Graph(f.name ?? '');
  const scope = new Scope(what, f.node ?? [], undefined);
  graph.inputs = (f.input ?? []).map((name) => scope.define(new Value(name), `${what}: an input`, decoding));
  readNodes(graph, f.node ?? [], scope, decoding);
  for (const name of f.output ?? []) {
    const value = scope.find(name);
    if (value === undefined) throw decoding.error(`${what}: output "${name}" is not defined`);
    graph.outputs.push(value);
  }
  const statements = new Statements(graph, scope, decoding, graph.values());
  for (const info of f.value_info ?? []) statements.valueInfo(info);
  graph.doc = f.doc_string ?? '';
  graph.metadata = decoding.entries(f.metadata_props);
  return graph;
}

/** Attributes with defaults of a function. */
export function defaultsFromProto(f: onnx.FunctionProto.$Properties, what: string, decoding: Decoding): Map<string, Attribute> {
  return readAttributes(f.attribute_proto, what, undefined, decoding);
}
