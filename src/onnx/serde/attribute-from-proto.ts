// AttributeProto to Attribute. Files of IR 1 may leave `type` out; it then follows from the field that is filled. onnx.proto, AttributeProto.
import type { Attribute, AttributeKind, Graph, TensorLabel } from '../ir/graph.js';
import type { Type } from '../ir/types.js';
import type { Decoding } from './decoding.js';
import { onnx } from './generated/onnx.js';
import { fromHalves } from './int64.js';
import { labelFromProto, sparseFromProto, tensorFromProto } from './tensor-from-proto.js';
import { typeFromProto } from './type-from-proto.js';

type AttributeProto = onnx.AttributeProto.$Properties;
const { AttributeType } = onnx.AttributeProto;

const kinds = new Map<number, AttributeKind>([
  [AttributeType.FLOAT, 'float'],
  [AttributeType.INT, 'int'],
  [AttributeType.STRING, 'string'],
  [AttributeType.TENSOR, 'tensor'],
  [AttributeType.GRAPH, 'graph'],
  [AttributeType.SPARSE_TENSOR, 'sparse_tensor'],
  [AttributeType.TYPE_PROTO, 'type'],
  [AttributeType.FLOATS, 'floats'],
  [AttributeType.INTS, 'ints'],
  [AttributeType.STRINGS, 'strings'],
  [AttributeType.TENSORS, 'tensors'],
  [AttributeType.GRAPHS, 'graphs'],
  [AttributeType.SPARSE_TENSORS, 'sparse_tensors'],
  [AttributeType.TYPE_PROTOS, 'types'],
]);

/** The kinds whose fields are filled: one, or none where a writer leaves zeros and empty lists out. */
function filledKinds(a: AttributeProto): AttributeKind[] {
  const filled: Readonly<Record<Exclude<AttributeKind, 'ref'>, boolean>> = {
    float: typeof a.f === 'number',
    int: a.i !== null && a.i !== undefined,
    string: a.s !== null && a.s !== undefined,
    tensor: Boolean(a.t),
    graph: Boolean(a.g),
    sparse_tensor: Boolean(a.sparse_tensor),
    type: Boolean(a.tp),
    floats: Boolean(a.floats?.length),
    ints: Boolean(a.ints?.length),
    strings: Boolean(a.strings?.length),
    tensors: Boolean(a.tensors?.length),
    graphs: Boolean(a.graphs?.length),
    sparse_tensors: Boolean(a.sparse_tensors?.length),
    types: Boolean(a.type_protos?.length),
  };
  return [...kinds.values()].filter((kind) => filled[kind]);
}

function tensorAttribute(t: onnx.TensorProto.$Properties, what: string, decoding: Decoding): Attribute {
  const { name, ...rest } = labelFromProto(t, decoding) ?? {};
  return {
    kind: 'tensor',
    value: tensorFromProto(t, what, decoding),
    ...(name !== undefined && { name }),
    ...(Object.keys(rest).length > 0 && { label: rest }),
  };
}

function tensorsAttribute(list: readonly onnx.TensorProto.$Properties[], what: string, decoding: Decoding): Attribute {
  const labels = list.map((t): TensorLabel => labelFromProto(t, decoding) ?? {});
  const named = labels.some((l) => Object.keys(l).length > 0);
  return { kind: 'tensors', value: list.map((t) => tensorFromProto(t, what, decoding)), ...(named && { labels }) };
}

/**
 * An attribute; `what` (`node "n" (If), attribute "then_branch"`) begins each message, `readGraph` decodes subgraphs in the scope of
 * the node.
 */
export function attributeFromProto(
  a: AttributeProto,
  what: string,
  decoding: Decoding,
  readGraph: (graph: onnx.GraphProto.$Properties, what: string) => Graph,
): Attribute {
  const filled = filledKinds(a);
  const kind = a.type ? kinds.get(a.type) : filled[0];
  if (kind === undefined)
    throw decoding.error(`${what}: ${a.type ? `unknown attribute type ${a.type}` : 'it has neither type nor value'}`);
  const other = filled.find((k) => k !== kind);
  if (other !== undefined) throw decoding.error(`${what}: its type is ${kind}, it holds ${other} as well`);
  const value = a.ref_attr_name
    ? ({ kind: 'ref', value: a.ref_attr_name, type: kind } as const)
    : read(a, kind, what, decoding, readGraph);
  return a.doc_string ? { ...value, doc: a.doc_string } : value;
}

function read(
  a: AttributeProto,
  kind: AttributeKind,
  what: string,
  decoding: Decoding,
  readGraph: (graph: onnx.GraphProto.$Properties, what: string) => Graph,
): Attribute {
  const missing = () => decoding.error(`${what}: its type is ${kind}, but that value is missing`);
  const type = (t: onnx.TypeProto.$Properties | null | undefined): Type => {
    const read = typeFromProto(t, what, decoding);
    if (read === undefined) throw missing();
    return read;
  };
  switch (kind) {
    // A writer with proto3's implicit presence leaves zeros out.
    case 'float':
      return { kind, value: a.f ?? 0 };
    case 'int':
      return { kind, value: fromHalves(a.i) };
    case 'string':
      return { kind, value: a.s ?? new Uint8Array() };
    case 'tensor':
      if (!a.t) throw missing();
      return tensorAttribute(a.t, what, decoding);
    case 'graph':
      if (!a.g) throw missing();
      return { kind, value: readGraph(a.g, what) };
    case 'sparse_tensor':
      if (!a.sparse_tensor) throw missing();
      return { kind, value: sparseFromProto(a.sparse_tensor, what, decoding) };
    case 'type':
      return { kind, value: type(a.tp) };
    case 'floats':
      return { kind, value: a.floats ?? [] };
    case 'ints':
      return { kind, value: (a.ints ?? []).map(fromHalves) };
    case 'strings':
      return { kind, value: a.strings ?? [] };
    case 'tensors':
      return tensorsAttribute(a.tensors ?? [], what, decoding);
    case 'graphs':
      return { kind, value: (a.graphs ?? []).map((g) => readGraph(g, what)) };
    case 'sparse_tensors':
      return { kind, value: (a.sparse_tensors ?? []).map((s) => sparseFromProto(s, what, decoding)) };
    case 'types':
      return { kind, value: (a.type_protos ?? []).map(type) };
  }
}
