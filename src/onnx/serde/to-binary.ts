// A model as the bytes of an .onnx file. Weights stand inside; external-data.ts writes them beside.

import $protobuf from 'protobufjs/minimal.js';
import { ModelError } from '../core/errors.js';
import { given } from '../core/given.js';
import { joinPieces } from '../core/join-bytes.js';
import { StoredTensor } from '../core/stored-tensor.js';
import type { Model } from '../ir/model.js';
import { aModel } from '../ir/model.js';
import { LaterBytes, modelPieces } from './model-pieces.js';
import type { DataOf, PlaceTensor } from './tensor-to-proto.js';
import { modelToProto } from './to-proto.js';

/** What a protobuf message may hold at most; readers in C++ refuse more. */
export const maxMessageBytes = 2 ** 31 - 1;

/** Field numbers of ModelProto that the IR keeps as bytes. */
export const unreadFields = { training_info: 20, configuration: 26 } as const;

/**
 * The bytes of an ONNX file in order; long tensor data are pieces of their own, shared with the model and not copied. What stands in a file is read when it is its
 * turn, in pieces that are good until the next.
 */
export interface ModelBytes {
  readonly pieces: Iterable<Uint8Array>;
  /** Of all pieces together. */
  readonly length: number;
}

/**
 * The bytes of an ONNX file with all weights inside, for writers that take pieces. `place` may send tensors elsewhere (external data).
 * Throws ModelError when the message is beyond protobuf's 2 GB or graphs are nested too deeply for any reader.
 */
export function toPieces(model: Model, place?: PlaceTensor): ModelBytes {
  let bytes: ModelBytes;
  try {
    bytes = modelPieces(modelToProto(model, place, laterOf), unreadBytes(model));
  } catch (cause) {
    if (cause instanceof Error && cause.message === 'max depth exceeded') {
      throw new ModelError('the model cannot be written: its graphs are nested too deeply for protobuf (100 messages)', {
        cause,
      });
    }
    if (cause instanceof RangeError) throw tooLarge(cause);
    throw cause;
  }
  if (bytes.length > maxMessageBytes) throw tooLarge();
  return bytes;
}

/** As `toPieces`, in one array: a second copy of the weights. */
export function toBinary(model: Model, place?: PlaceTensor): Uint8Array {
  given('toBinary', { model }, { model: aModel });
  const { pieces, length } = toPieces(model, place);
  return joinPieces(pieces, length);
}

const laterOf: DataOf = (tensor) => (tensor instanceof StoredTensor ? new LaterBytes(tensor) : tensor.bytes);

function unreadBytes(model: Model): Uint8Array {
  const writer = $protobuf.Writer.create();
  for (const { field, bytes } of model.unread) writer.uint32((unreadFields[field] << 3) | 2).bytes(bytes);
  return writer.finish();
}

function tooLarge(cause?: RangeError): ModelError {
  return new ModelError(
    'the model cannot be written: it is over 2 GB, which no ONNX file can be; save its weights as external data',
    {
      expected: `at most ${maxMessageBytes} bytes`,
      ...(cause && { cause }),
    },
  );
}
