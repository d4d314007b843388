// Types of values: ONNX TypeProto without protobuf.
import type { DType } from '../core/dtype.js';
import { formatShape, type Shape } from '../core/shape.js';

export interface TensorType {
  readonly kind: 'tensor';
  readonly dtype: DType;
  /** undefined: the rank is unknown. */
  readonly shape: Shape | undefined;
  /** TypeProto.denotation and the denotation of each dimension, kept for the round trip. */
  readonly denotation?: string;
  readonly dimDenotations?: readonly (string | undefined)[];
}

export type Type =
  | TensorType
  | {
      readonly kind: 'sparse_tensor';
      readonly dtype: DType;
      readonly shape: Shape | undefined;
      readonly denotation?: string;
      readonly dimDenotations?: readonly (string | undefined)[];
    }
  | { readonly kind: 'sequence'; readonly element: Type | undefined; readonly denotation?: string }
  | { readonly kind: 'optional'; readonly element: Type | undefined; readonly denotation?: string }
  | { readonly kind: 'map'; readonly key: DType; readonly value: Type | undefined; readonly denotation?: string }
  | { readonly kind: 'opaque'; readonly domain: string; readonly name: string; readonly denotation?: string };

export function tensorType(dtype: DType, shape?: Shape): TensorType {
  return { kind: 'tensor', dtype, shape };
}

/** `float32[N,10]` */
export function formatType(type: Type | undefined): string {
  if (type === undefined) return '?';
  switch (type.kind) {
    case 'tensor':
      return `${type.dtype}${formatShape(type.shape)}`;
    case 'sparse_tensor':
      return `sparse ${type.dtype}${formatShape(type.shape)}`;
    case 'map':
      return `map(${type.key}, ${formatType(type.value)})`;
    case 'opaque':
      return `opaque(${type.domain}.${type.name})`;
    default:
      return `${type.kind}(${formatType(type.element)})`;
  }
}
