// The model and its graphs to protobuf messages. Nothing is checked here: passes and the verifier do that. onnx.proto, ModelProto.
import type { Attribute, AttributeKind, Graph, Node, Restatement, TensorLabel, Value } from '../ir/graph.js';
import type { FunctionDef, Model } from '../ir/model.js';
import type { Type } from '../ir/types.js';
import { onnx } from './generated/onnx.js';
import { toHalves } from './int64.js';
import { type DataOf, entriesToProto, type PlaceTensor, sparseToProto, tensorToProto } from './tensor-to-proto.js';
import { typeToProto } from './type-to-proto.js';

const { AttributeType } = onnx.AttributeProto;

const attributeTypes: Record<AttributeKind, onnx.AttributeProto.AttributeType> = {
  float: AttributeType.FLOAT,
  int: AttributeType.INT,
  string: AttributeType.STRING,
  tensor: AttributeType.TENSOR,
  graph: AttributeType.GRAPH,
  sparse_tensor: AttributeType.SPARSE_TENSOR,
  type: AttributeType.TYPE_PROTO,
  floats: AttributeType.FLOATS,
  ints: AttributeType.INTS,
  strings: AttributeType.STRINGS,
  tensors: AttributeType.TENSORS,
  graphs: AttributeType.GRAPHS,
  sparse_tensors: AttributeType.SPARSE_TENSORS,
  types: AttributeType.TYPE_PROTOS,
};

/** What is stated of a value: its own type, doc and metadata, or a {@link Restatement}. */
interface Statement {
  readonly type?: Type | undefined;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
}

function valueInfo(name: string, { type, doc, metadata }: Statement): onnx.ValueInfoProto.$Properties {
  const out: onnx.ValueInfoProto.$Properties = { name };
  if (type !== undefined) out.type = typeToProto(type);
  if (doc !== '') out.doc_string = doc;
  if (metadata.size > 0) out.metadata_props = entriesToProto(metadata);
  return out;
}

function hasStatement(value: Value): boolean {
  return value.name !== '' && (value.type !== undefined || value.doc !== '' || value.metadata.size > 0);
}

/** The value field of an attribute. */
function attributeValue(a: Attribute, place?: PlaceTensor): onnx.AttributeProto.$Properties {
  switch (a.kind) {
    case 'float':
      return { f: a.value };
    case 'int':
      return { i: toHalves(a.value) };
    case 'string':
      return { s: a.value };
    case 'tensor':
      return { t: tensorToProto(a.value, { ...a.label, ...(a.name !== undefined && { name: a.name }) }) };
    case 'graph':
      return { g: graphToProto(a.value, place) };
    case 'sparse_tensor':
      return { sparse_tensor: sparseToProto(a.value) };
    case 'type':
      return { tp: typeToProto(a.value) };
    case 'floats':
      return { floats: [...a.value] };
    case 'ints':
      return { ints: a.value.map(toHalves) };
    case 'strings':
      return { strings: [...a.value] };
    case 'tensors':
      return { tensors: a.value.map((t, i) => tensorToProto(t, a.labels?.[i])) };
    case 'graphs':
      return { graphs: a.value.map((g) => graphToProto(g, place)) };
    case 'sparse_tensors':
      return { sparse_tensors: a.value.map((s) => sparseToProto(s)) };
    case 'types':
      return { type_protos: a.value.map(typeToProto) };
    case 'ref':
      return { ref_attr_name: a.value };
  }
}

function attributeToProto(name: string, a: Attribute, place?: PlaceTensor): onnx.AttributeProto.$Properties {
  const out = { name, type: attributeTypes[a.kind === 'ref' ? a.type : a.kind], ...attributeValue(a, place) };
  return a.doc ? { ...out, doc_string: a.doc } : out;
}

function attributesToProto(attributes: ReadonlyMap<string, Attribute>, place?: PlaceTensor): onnx.AttributeProto.$Properties[] {
  return Array.from(attributes, ([name, a]) => attributeToProto(name, a, place));
}

function nodeToProto(node: Node, place?: PlaceTensor): onnx.NodeProto.$Properties {
  const out: onnx.NodeProto.$Properties = {
    input: node.inputs.map((v) => v?.name ?? ''),
    output: node.outputs.map((v) => v.name),
    op_type: node.opType,
  };
  if (node.name !== '') out.name = node.name;
  if (node.domain !== '') out.domain = node.domain;
  if (node.overload !== '') out.overload = node.overload;
  if (node.attributes.size > 0) out.attribute = attributesToProto(node.attributes, place);
  if (node.doc !== '') out.doc_string = node.doc;
  if (node.metadata.size > 0) out.metadata_props = entriesToProto(node.metadata);
  if (node.deviceConfigurations.length > 0) {
    out.device_configurations = node.deviceConfigurations.map((b) => onnx.NodeDeviceConfigurationProto.decode(b));
  }
  return out;
}

/** What a graph states a second time, by place and value. */
function restatements(graph: Graph): (place: Restatement['place'], value: Value) => Restatement | undefined {
  const places = {
    output: new Map<Value, Restatement>(),
    initializer: new Map<Value, Restatement>(),
    value_info: new Map<Value, Restatement>(),
  };
  for (const r of graph.restated) if (typeof r.value !== 'string') places[r.place].set(r.value, r);
  return (place, value) => places[place].get(value);
}

/**
 * A GraphProto. value_info lists every node output of which something is known and which is no output of the graph. `dataOf` is asked for the graph's own
 * initializers, not for those of bodies within it.
 */
export function graphToProto(graph: Graph, place?: PlaceTensor, dataOf?: DataOf): onnx.GraphProto.$Properties {
  const restated = restatements(graph);
  const inputs = new Set(graph.inputs);
  const outputs = new Set(graph.outputs);
  const label = (value: Value): TensorLabel => {
    const { doc, metadata } = restated('initializer', value) ?? (inputs.has(value) ? { doc: '', metadata: undefined } : value);
    return { name: value.name, doc, ...(metadata && { metadata }) };
  };
  const out: onnx.GraphProto.$Properties = {
    node: graph.nodes.map((n) => nodeToProto(n, place)),
    name: graph.name,
    initializer: graph.initializers.flatMap((v) =>
      v.constant === undefined ? [] : [tensorToProto(v.constant, label(v), place, dataOf)],
    ),
    sparse_initializer: graph.sparseInitializers.map(({ value, data }) => sparseToProto(data, label(value))),
    input: graph.inputs.map((v) => valueInfo(v.name, v)),
    output: graph.outputs.map((v) => valueInfo(v.name, restated('output', v) ?? v)),
    value_info: graph.nodes
      .flatMap((n) => n.outputs)
      .filter((v) => !outputs.has(v) && hasStatement(v))
      .map((v) => valueInfo(v.name, v)),
  };
  for (const r of graph.restated) {
    if (r.place === 'value_info') out.value_info?.push(valueInfo(typeof r.value === 'string' ? r.value : r.value.name, r));
  }
  if (graph.doc !== '') out.doc_string = graph.doc;
  if (graph.metadata.size > 0) out.metadata_props = entriesToProto(graph.metadata);
  if (graph.quantization.length > 0) {
    out.quantization_annotation = graph.quantization.map((q) => ({
      tensor_name: q.value,
      quant_parameter_tensor_names: entriesToProto(q.parameters),
    }));
  }
  return out;
}

function opsetsToProto(opsets: ReadonlyMap<string, number>): onnx.OperatorSetIdProto.$Properties[] {
  return Array.from(opsets, ([domain, version]) => ({ domain, version: toHalves(BigInt(version)) }));
}

function functionToProto(f: FunctionDef, place?: PlaceTensor): onnx.FunctionProto.$Properties {
  const { body } = f;
  const known = [...body.inputs, ...body.nodes.flatMap((n) => n.outputs)].filter(hasStatement).map((v) => valueInfo(v.name, v));
  for (const r of body.restated) {
    if (r.place === 'value_info') known.push(valueInfo(typeof r.value === 'string' ? r.value : r.value.name, r));
  }
  const out: onnx.FunctionProto.$Properties = {
    name: f.name,
    domain: f.domain,
    input: body.inputs.map((v) => v.name),
    output: body.outputs.map((v) => v.name),
    attribute: [...f.attributes],
    attribute_proto: attributesToProto(f.attributeDefaults, place),
    node: body.nodes.map((n) => nodeToProto(n, place)),
    opset_import: opsetsToProto(f.opsets),
    value_info: known,
  };
  if (f.overload !== '') out.overload = f.overload;
  if (body.doc !== '') out.doc_string = body.doc;
  if (body.metadata.size > 0) out.metadata_props = entriesToProto(body.metadata);
  return out;
}

/** A ModelProto, without `model.unread`, which stays as bytes. `dataOf` as of `graphToProto`. */
export function modelToProto(model: Model, place?: PlaceTensor, dataOf?: DataOf): onnx.ModelProto.$Properties {
  const out: onnx.ModelProto.$Properties = {
    ir_version: toHalves(BigInt(model.irVersion)),
    opset_import: opsetsToProto(model.opsets),
    graph: graphToProto(model.graph, place, dataOf),
    functions: model.functions.map((f) => functionToProto(f, place)),
  };
  if (model.producerName !== '') out.producer_name = model.producerName;
  if (model.producerVersion !== '') out.producer_version = model.producerVersion;
  if (model.domain !== '') out.domain = model.domain;
  if (model.modelVersion !== 0n) out.model_version = toHalves(model.modelVersion);
  if (model.doc !== '') out.doc_string = model.doc;
  if (model.metadata.size > 0) out.metadata_props = entriesToProto(model.metadata);
  return out;
}
