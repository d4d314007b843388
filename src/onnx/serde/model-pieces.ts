// The bytes of a model as pieces that follow each other, tensor data among them as they stand in memory: a file of weights is written without a
// second copy of them. The bytes are those of the generated encoder, which writes fields by ascending number; messages on the way to a
// tensor are taken apart here, the rest is left to it. onnx.proto.
import $protobuf from 'protobufjs/minimal.js';
import { joinBytes } from '../core/join-bytes.js';
import type { StoredTensor } from '../core/stored-tensor.js';
import { onnx } from './generated/onnx.js';

/** Shorter tensor data are copied into the text around them. */
const smallest = 4096;
/** Messages within messages that a reader in C++ takes at most. */
const deepest = 100;

/** Stands for the data of a tensor that are read when it is their turn. It has no bytes itself. */
export class LaterBytes extends Uint8Array<ArrayBuffer> {
  constructor(readonly tensor: StoredTensor) {
    super(new ArrayBuffer(0));
  }
}

/** How many bytes come of it. */
const lengthOf = (bytes: Uint8Array): number => (bytes instanceof LaterBytes ? bytes.tensor.byteLength : bytes.length);

type Message<T> = { encode(message: T, writer: $protobuf.Writer): $protobuf.Writer };

/** Bytes in order; small ones are joined in one buffer. */
class Pieces {
  readonly list: Uint8Array[] = [];
  length = 0;

  add(bytes: Uint8Array): this {
    const length = lengthOf(bytes);
    if (length > 0) this.list.push(bytes);
    this.length += length;
    return this;
  }

  /** A message's fields, encoded as they are. */
  plain<T>(type: Message<T>, fields: T): this {
    return this.add(type.encode(fields, $protobuf.Writer.create()).finish());
  }

  /** A field of wire type 2. */
  nested(field: number, content: Pieces): this {
    this.add(prefix(field, content.length));
    for (const piece of content.list) this.add(piece);
    return this;
  }
}

function prefix(field: number, length: number): Uint8Array {
  return $protobuf.Writer.create()
    .uint32((field << 3) | 2)
    .uint32(length)
    .finish();
}

/** The pieces of a ModelProto and their length together. Throws Error "max depth exceeded" as the generated encoder does. */
export function modelPieces(
  model: onnx.ModelProto.$Properties,
  /** Fields to put at the end. */
  tail: Uint8Array,
): { readonly pieces: Iterable<Uint8Array>; readonly length: number } {
  const { graph, opset_import, metadata_props, functions, ...first } = model;
  const out = new Pieces().plain(onnx.ModelProto, first);
  if (graph) out.nested(7, graphPieces(graph, 1));
  out.plain(onnx.ModelProto, {
    ...(opset_import && { opset_import }),
    ...(metadata_props && { metadata_props }),
    ...(functions && { functions }),
  });
  out.add(tail);
  const pieces = joinSmall(out.list);
  return {
    pieces: {
      *[Symbol.iterator]() {
        for (const piece of pieces)
          if (piece instanceof LaterBytes) yield* piece.tensor.pieces();
          else yield piece;
      },
    },
    length: out.length,
  };
}

function graphPieces(graph: onnx.GraphProto.$Properties, depth: number): Pieces {
  if (depth > deepest) throw new Error('max depth exceeded');
  const { node, name, initializer, ...rest } = graph;
  const out = new Pieces();
  for (const [apart, run] of runs(node ?? [], hasGraph)) {
    if (!apart) out.plain(onnx.GraphProto, { node: run });
    else for (const n of run) out.nested(1, nodePieces(n, depth + 1));
  }
  out.plain(onnx.GraphProto, name === undefined ? {} : { name });
  for (const [apart, run] of runs(initializer ?? [], isLong)) {
    if (!apart) out.plain(onnx.GraphProto, { initializer: run });
    else for (const t of run) out.nested(5, tensorPieces(t));
  }
  return out.plain(onnx.GraphProto, rest);
}

const hasGraph = ({ attribute }: onnx.NodeProto.$Properties): boolean => attribute?.some(({ g }) => g) === true;
const isLong = ({ raw_data }: onnx.TensorProto.$Properties): boolean =>
  raw_data instanceof LaterBytes || (raw_data?.length ?? 0) >= smallest;

/** Neighbours that are to be taken apart, and those that are not, which one call encodes: most nodes and many tensors are small. */
function runs<T>(list: readonly T[], apart: (item: T) => boolean): [boolean, T[]][] {
  const found: [boolean, T[]][] = [];
  for (const item of list) {
    const [is, last] = [apart(item), found.at(-1)];
    if (last?.[0] === is) last[1].push(item);
    else found.push([is, [item]]);
  }
  return found;
}

function nodePieces(node: onnx.NodeProto.$Properties, depth: number): Pieces {
  const { input, output, name, op_type, attribute, ...rest } = node;
  const given = { ...(input && { input }), ...(output && { output }) };
  const out = new Pieces().plain(onnx.NodeProto, {
    ...given,
    ...(name !== undefined && { name }),
    ...(op_type !== undefined && { op_type }),
  });
  for (const a of attribute ?? []) out.nested(5, attributePieces(a, depth + 1));
  return out.plain(onnx.NodeProto, rest);
}

function attributePieces(attribute: onnx.AttributeProto.$Properties, depth: number): Pieces {
  const { name, g, ...rest } = attribute;
  if (!g) return new Pieces().plain(onnx.AttributeProto, attribute);
  return new Pieces()
    .plain(onnx.AttributeProto, name === undefined ? {} : { name })
    .nested(6, graphPieces(g, depth + 1))
    .plain(onnx.AttributeProto, rest);
}

function tensorPieces(tensor: onnx.TensorProto.$Properties): Pieces {
  const { raw_data, doc_string, metadata_props, ...first } = tensor;
  const data = raw_data ?? new Uint8Array();
  return new Pieces()
    .plain(onnx.TensorProto, first)
    .add(prefix(9, lengthOf(data)))
    .add(data)
    .plain(onnx.TensorProto, { ...(doc_string !== undefined && { doc_string }), ...(metadata_props && { metadata_props }) });
}

/** Joins neighbours that are small, so that there are about as many pieces as large tensors. */
function joinSmall(list: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const flush = () => {
    if (run.length > 0) out.push(joinBytes(run));
    run = [];
  };
  for (const piece of list) {
    if (lengthOf(piece) < smallest && !(piece instanceof LaterBytes)) run.push(piece);
    else {
      flush();
      out.push(piece);
    }
  }
  flush();
  return out;
}
