// The bytes of an .onnx file as a model. The bytes are not trusted: whatever is wrong with them is a ModelError of one line.
// Fields that the format of proto/onnx.proto does not know are dropped. Free of node, so that a browser can use it.

import $protobuf from 'protobufjs/minimal.js';
import { ModelError } from '../core/errors.js';
import { anObject, given, bytes as someBytes } from '../core/given.js';
import type { Model } from '../ir/model.js';
import { Decoding, type LoadExternal, type LoadInside } from './decoding.js';
import { modelFromProto } from './from-proto.js';
import { onnx } from './generated/onnx.js';
import { unreadFields } from './to-binary.js';

/** What a model is read with. */
export interface FromBinaryOptions {
  /** Begins each error message. */
  readonly file?: string;
  /** Reads external data. Without it a model that has some is refused. */
  readonly loadExternal?: LoadExternal;
  /** The bytes are the reader's: weights that are not aligned are moved there rather than copied. Default false. */
  readonly owned?: boolean;
  /** @internal Reads weights from the file again, so that nothing holds `bytes`. */
  readonly loadInside?: LoadInside;
}

/** What protobufjs's complaint means, at `position`. */
function explain(error: unknown, position: number, size: number): string {
  if (error instanceof RangeError) return `truncated or malformed at byte ${Math.min(position, size)} of ${size}`;
  if (error instanceof TypeError) return `text that is not UTF-8 before byte ${position}`;
  const message = error instanceof Error ? error.message : String(error);
  if (message === 'max depth exceeded') return `messages nested too deeply at byte ${position}`;
  return `${message.replace(/ at offset \d+$/, '')} at byte ${position}`;
}

function decode(bytes: Uint8Array, decoding: Decoding): onnx.ModelProto.$Properties {
  if (bytes.length === 0) throw decoding.error('not an ONNX model: it is empty');
  const reader = new $protobuf.Reader(bytes);
  reader.discardUnknown = true;
  try {
    return onnx.ModelProto.decode(reader);
  } catch (cause) {
    throw decoding.error(`not an ONNX model: ${explain(cause, reader.pos, bytes.length)}`, { cause });
  }
}

/** The fields that the IR keeps as they are. */
function unread(bytes: Uint8Array): Model['unread'] {
  const reader = new $protobuf.Reader(bytes);
  const out: Model['unread'] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    const type = tag & 7;
    if (type === 2 && field === unreadFields.training_info) out.push({ field: 'training_info', bytes: reader.bytes() });
    else if (type === 2 && field === unreadFields.configuration) out.push({ field: 'configuration', bytes: reader.bytes() });
    else reader.skipType(type, 0, field);
  }
  return out;
}

/**
 * Decodes an ONNX file. Tensors share memory with `bytes` where their alignment allows, so `bytes` must not change afterwards.
 * Names are resolved: an undefined or doubly defined name and nodes out of order are refused, with the node named.
 */
export function fromBinary(bytes: Uint8Array, options: FromBinaryOptions = {}): Model {
  given('fromBinary', { bytes, options }, { bytes: someBytes, options: anObject });
  // A Buffer is a Uint8Array whose slice() and subarray() are its own.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { file, loadExternal, owned, loadInside } = options;
  const inside = loadInside && ((at: number, length: number) => loadInside(at - plain.byteOffset, length));
  const decoding = new Decoding(file, loadExternal, owned, inside);
  const proto = decode(plain, decoding);
  try {
    const model = modelFromProto(proto, decoding);
    if (proto.training_info?.length || proto.configuration?.length) model.unread = unread(plain);
    return model;
  } catch (error) {
    if (error instanceof ModelError || !(error instanceof RangeError)) throw error;
    throw decoding.error(`not an ONNX model: it asks for more than there is room for: ${error.message}`, { cause: error });
  }
}
