// Tensor to TensorProto: raw_data for all but strings, or a reference to an external file. onnx.proto, TensorProto.
import { dtypes } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import type { SparseTensor, TensorLabel } from '../ir/graph.js';
import { onnx } from './generated/onnx.js';
import { toHalves } from './int64.js';
import { encodeText } from './text.js';

type Entry = onnx.StringStringEntryProto.$Properties;

/**
 * Decides where an initializer's bytes go: the external_data entries (location, offset, length), or undefined for inside the model.
 * Tensors in attributes always stay inside, where every reader looks for them.
 */
export type PlaceTensor = (tensor: Tensor) => ReadonlyMap<string, string> | undefined;

/** A map as metadata_props and its like. */
export function entriesToProto(map: ReadonlyMap<string, string>): Entry[] {
  return Array.from(map, ([key, value]) => ({ key, value }));
}

/** The bytes of a tensor, or what stands for them among the pieces of a message. */
export type DataOf = (tensor: Tensor) => Uint8Array;

/** A TensorProto. The data is shared, not copied, until the message is written. */
export function tensorToProto(
  tensor: Tensor,
  label: TensorLabel = {},
  place?: PlaceTensor,
  dataOf: DataOf = ({ bytes }) => bytes,
): onnx.TensorProto.$Properties {
  const out: onnx.TensorProto.$Properties = {
    dims: tensor.dims.map((d) => toHalves(BigInt(d))),
    data_type: dtypes[tensor.dtype].code,
  };
  if (label.name) out.name = label.name;
  if (label.doc) out.doc_string = label.doc;
  if (label.metadata?.size) out.metadata_props = entriesToProto(label.metadata);
  if (tensor.dtype === 'string') {
    out.string_data = [];
    for (const s of tensor.data) out.string_data.push(encodeText(String(s)));
    return out;
  }
  const external = place?.(tensor);
  if (external === undefined) out.raw_data = dataOf(tensor);
  else {
    out.data_location = onnx.TensorProto.DataLocation.EXTERNAL;
    out.external_data = entriesToProto(external);
  }
  return out;
}

/** A SparseTensorProto; the labels belong to its two tensors. */
export function sparseToProto(sparse: SparseTensor, valuesLabel = sparse.valuesLabel): onnx.SparseTensorProto.$Properties {
  return {
    values: tensorToProto(sparse.values, valuesLabel),
    indices: tensorToProto(sparse.indices, sparse.indicesLabel),
    dims: sparse.dims.map((d) => toHalves(BigInt(d))),
  };
}
