// Types of values to TypeProto. onnx.proto, TypeProto.
import { type DType, dtypes } from '../core/dtype.js';
import type { Shape } from '../core/shape.js';
import type { Type } from '../ir/types.js';
import type { onnx } from './generated/onnx.js';
import { toHalves } from './int64.js';

function tensorTypeToProto(
  dtype: DType,
  shape: Shape | undefined,
  denotations: readonly (string | undefined)[] | undefined,
): onnx.TypeProto.Tensor.$Properties {
  const out: onnx.TypeProto.Tensor.$Properties = { elem_type: dtypes[dtype].code };
  if (shape === undefined) return out;
  const dim = shape.map((d, i): onnx.TensorShapeProto.Dimension.$Properties => {
    const denotation = denotations?.[i];
    const label = denotation ? { denotation } : {};
    return typeof d === 'number' ? { dim_value: toHalves(BigInt(d)), ...label } : d === null ? label : { dim_param: d, ...label };
  });
  return { ...out, shape: { dim } };
}

function element(type: Type | undefined): onnx.TypeProto.Sequence.$Properties {
  return type === undefined ? {} : { elem_type: typeToProto(type) };
}

function body(type: Type): onnx.TypeProto.$Properties {
  switch (type.kind) {
    case 'tensor':
      return { tensor_type: tensorTypeToProto(type.dtype, type.shape, type.dimDenotations) };
    case 'sparse_tensor':
      return { sparse_tensor_type: tensorTypeToProto(type.dtype, type.shape, type.dimDenotations) };
    case 'sequence':
      return { sequence_type: element(type.element) };
    case 'optional':
      return { optional_type: element(type.element) };
    case 'map':
      return { map_type: { key_type: dtypes[type.key].code, ...(type.value && { value_type: typeToProto(type.value) }) } };
    case 'opaque':
      return { opaque_type: { domain: type.domain, name: type.name } };
  }
}

/** A TypeProto. */
export function typeToProto(type: Type): onnx.TypeProto.$Properties {
  return type.denotation ? { ...body(type), denotation: type.denotation } : body(type);
}
