// Values of the network's inputs as the numbers that layers compute with: float32. Ids are no numbers, and what bytes mean a step of `prepare` says.
import { ShapeError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** float32 of x: float16, int32 and bool (0 or 1) are cast. Throws ShapeError for ids, int64, and for bytes. */
export function numbersOf(g: Ops, x: Value, tokens?: object): Value {
  switch (x.dtype) {
    case 'float16':
    case 'int32':
    case 'bool':
      return g.cast(x, { to: 'float32' });
    case 'int64': {
      if (tokens !== undefined) {
        const expected = '"embedding" before it, such as { embedding: { size: 32, pool: mean } }';
        throw new ShapeError(`these are token ids, expected ${expected}`, { expected: 'embedding' });
      }
      const expected =
        '"embedding" before it, such as { embedding: { size: 32, vocabulary: 1000 } }, or a step of "prepare" that makes numbers of them';
      throw new ShapeError(`these are ids, of int64, expected ${expected}`, { expected });
    }
    case 'uint8': {
      const expected = 'a step of "prepare" that makes numbers of them, such as [scale] for 0..255 to 0..1';
      throw new ShapeError(`these are bytes, of uint8, expected ${expected}`, { expected });
    }
    default:
      return x;
  }
}
