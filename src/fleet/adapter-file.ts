// ONNX Runtime's file of an adapter (.onnx_adapter): weights by name, which a run in Python, C++ or C# takes in place of a model's own. FlatBuffers, identifier "TORT",
// fields in the order of onnxruntime's adapter_schema.fbs.
import { Builder } from 'flatbuffers';
import { dtypes } from '../onnx/core/dtype.js';
import { DataError } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';

const identifier = 'TORT';
const formatVersion = 1;
const adapterField = { format_version: 0, adapter_version: 1, model_version: 2, parameters: 3 } as const;
const parameterField = { name: 0, dims: 1, data_type: 2, raw_data: 3 } as const;
/** FlatBuffers' offsets are 32 bits wide, its readers take them as signed. */
const maxBytes = 2 ** 31 - 1;

/** The bytes of an adapter that holds these weights by their names, scalars as [1]: ONNX Runtime takes none. Throws DataError beyond 2 GB. */
export function encodeAdapter(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  let size = 1024;
  for (const [name, { byteLength }] of tensors) size += byteLength + 4 * name.length + 256;
  if (size > maxBytes) throw new DataError(`the adapter would have ${size} bytes, expected less than the 2 GB of FlatBuffers`);
  const b = new Builder(size);
  const parameters = [...tensors].map(([name, tensor]) => parameterOf(b, name, tensor));
  b.startVector(4, parameters.length, 4);
  for (const offset of parameters.reverse()) b.addOffset(offset);
  const list = b.endVector();
  b.startObject(4);
  b.addFieldInt32(adapterField.format_version, formatVersion, 0);
  b.addFieldInt32(adapterField.adapter_version, 1, 0);
  b.addFieldInt32(adapterField.model_version, 1, 0);
  b.addFieldOffset(adapterField.parameters, list, 0);
  b.finish(b.endObject(), identifier);
  return b.asUint8Array();
}

function parameterOf(b: Builder, name: string, { dtype, dims, bytes }: Tensor): number {
  const shown = b.createString(name);
  const sizes = dims.length === 0 ? [1] : [...dims];
  b.startVector(8, sizes.length, 8);
  for (const d of sizes.reverse()) b.addInt64(BigInt(d));
  const shape = b.endVector();
  // ONNX Runtime reads the elements where they stand: at a multiple of 8.
  b.prep(8, bytes.length);
  const data = b.createByteVector(bytes);
  b.startObject(4);
  b.addFieldOffset(parameterField.name, shown, 0);
  b.addFieldOffset(parameterField.dims, shape, 0);
  b.addFieldInt32(parameterField.data_type, dtypes[dtype].code, 0);
  b.addFieldOffset(parameterField.raw_data, data, 0);
  return b.endObject();
}
