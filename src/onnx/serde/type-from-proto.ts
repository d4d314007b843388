// TypeProto to types of values. A type without a kind is an unknown one. onnx.proto, TypeProto.
import type { Dim, Shape } from '../core/shape.js';
import type { Type } from '../ir/types.js';
import type { Decoding } from './decoding.js';
import type { onnx } from './generated/onnx.js';
import { fromHalves } from './int64.js';
import { dtypeFromProto } from './tensor-from-proto.js';

/** A number, a symbol, or null; a negative number is how some exporters say unknown. */
function dim(d: onnx.TensorShapeProto.Dimension.$Properties, what: string, decoding: Decoding): Dim {
  if (d.dim_value !== null && d.dim_value !== undefined) {
    return fromHalves(d.dim_value) < 0n ? null : decoding.size(d.dim_value, `${what}: a dimension`);
  }
  return d.dim_param || null;
}

function tensorBody(t: onnx.TypeProto.Tensor.$Properties, what: string, decoding: Decoding) {
  if (!t.elem_type) throw decoding.error(`${what}: its tensor type has no element type`);
  const dtype = dtypeFromProto(t.elem_type, what, decoding);
  const list = t.shape ? (t.shape.dim ?? []) : undefined;
  const shape: Shape | undefined = list?.map((d) => dim(d, what, decoding));
  const dimDenotations = list?.some((d) => d.denotation) ? list.map((d) => d.denotation || undefined) : undefined;
  return { dtype, shape, ...(dimDenotations && { dimDenotations }) };
}

/** A type, or undefined where the message says nothing. `what` (`value "x"`) begins each message. */
export function typeFromProto(
  t: onnx.TypeProto.$Properties | null | undefined,
  what: string,
  decoding: Decoding,
): Type | undefined {
  if (!t) return undefined;
  const denotation = t.denotation ? { denotation: t.denotation } : {};
  if (t.tensor_type) {
    const body = tensorBody(t.tensor_type, what, decoding);
    return { kind: 'tensor', ...body, ...denotation };
  }
  if (t.sparse_tensor_type) {
    const body = tensorBody(t.sparse_tensor_type, what, decoding);
    return { kind: 'sparse_tensor', ...body, ...denotation };
  }
  if (t.sequence_type)
    return { kind: 'sequence', element: typeFromProto(t.sequence_type.elem_type, what, decoding), ...denotation };
  if (t.optional_type)
    return { kind: 'optional', element: typeFromProto(t.optional_type.elem_type, what, decoding), ...denotation };
  if (t.map_type) {
    const key = dtypeFromProto(t.map_type.key_type, `${what}: map key`, decoding);
    return { kind: 'map', key, value: typeFromProto(t.map_type.value_type, what, decoding), ...denotation };
  }
  if (t.opaque_type) return { kind: 'opaque', domain: t.opaque_type.domain ?? '', name: t.opaque_type.name ?? '', ...denotation };
  return undefined;
}
