// Elements as bytes, which the binary extension of HTTP and the raw contents of gRPC share: little-endian and row-major, a text as the four bytes of its
// length and its own.
import { byteLength } from '../../onnx/core/dtype.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { type InputOf, ServeError, type TensorSpec } from '../served-model.js';

const invalid = (message: string): ServeError => new ServeError('invalid', message);

function texts(bytes: Uint8Array, count: number, name: string, { model, begin }: InputOf): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const all: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const begin = at + 4;
    const length = begin <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (begin + length > bytes.length)
      throw invalid(`incorrect data for inference input '${name}': element ${all.length} ends beyond its ${bytes.length} bytes`);
    try {
      all.push(decoder.decode(bytes.subarray(begin, begin + length)));
    } catch {
      throw invalid(`inference input '${name}': element ${all.length} is no valid UTF-8, expected a text`);
    }
    at = begin + length;
  }
  if (all.length !== count)
    throw invalid(
      all.length < count
        ? `${begin}expected ${count} string elements for inference input '${name}' for model '${model}', got ${all.length}`
        : `${begin}unexpected number of string elements ${all.length} for inference input '${name}' for model '${model}', expecting ${count}`,
    );
  return all;
}

/** A tensor of its bytes; it looks into them where they lie as its elements may. Throws ServeError. */
export function fromBytes({ name, dtype }: TensorSpec, shape: readonly number[], bytes: Uint8Array, of: InputOf): Tensor {
  const count = elementCount(shape);
  if (dtype === 'string') return new Tensor(dtype, shape, texts(bytes, count, name, of));
  const expected = byteLength(dtype, count);
  if (bytes.length !== expected)
    throw invalid(
      `${of.begin}input byte size mismatch for input '${name}' for model '${of.model}'. Expected ${expected}, got ${bytes.length}`,
    );
  if (dtype === 'bool' && bytes.some((byte) => byte > 1))
    throw invalid(`inference input '${name}': found a byte over 1, expected 0 or 1 of BOOL`);
  return Tensor.fromBytes(dtype, shape, bytes);
}

/** The bytes of a tensor; they share its memory. */
export function toBytes(tensor: Tensor): Uint8Array {
  if (tensor.dtype !== 'string') return tensor.bytes;
  const pieces = (tensor.data as readonly string[]).flatMap((text) => {
    const own = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(own.length);
    return [length, own];
  });
  return Buffer.concat(pieces);
}
