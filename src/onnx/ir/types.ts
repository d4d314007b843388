// Types of values: ONNX TypeProto without protobuf.
import { beyond, within } from '../core/bounds.js';
import type { DType } from '../core/dtype.js';
import { elementCount, formatShape, type Shape } from '../core/shape.js';

/** The type of a tensor. */
export interface TensorType {
  /** Always `tensor`. */
  readonly kind: 'tensor';
  /** The type of its elements. */
  readonly dtype: DType;
  /** undefined: the rank is unknown. */
  readonly shape: Shape | undefined;
  /** TypeProto.denotation and the denotation of each dimension, kept for the round trip. */
  readonly denotation?: string;
  /** ONNX's denotations of its dimensions. */
  readonly dimDenotations?: readonly (string | undefined)[];
}

/** The type of a value: a tensor, a sparse tensor, a sequence, an optional or a map. */
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

/** What keeps a type from being any value's, `-1 is no size`; undefined for most. Unknown sizes are none of its business. */
export function refusedType(type: Type | undefined): string | undefined {
  if (type?.kind === 'sequence' || type?.kind === 'optional') return refusedType(type.element);
  if ((type?.kind !== 'tensor' && type?.kind !== 'sparse_tensor') || type.shape === undefined) return undefined;
  if (!within('axes', type.shape.length)) return beyond('axes', type.shape.length);
  const sizes = type.shape.filter((d) => typeof d === 'number');
  const bad = sizes.find((d) => !within('size', d));
  if (bad !== undefined) return `${bad} is no size`;
  const count = elementCount(sizes);
  return within('size', count) ? undefined : beyond('size', count);
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
