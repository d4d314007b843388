// What a tensor refuses to be made of.
import { expect, it } from 'vitest';
import { ShapeError } from '../../../src/onnx/core/errors.js';
import { allocate, Tensor } from '../../../src/onnx/core/tensor.js';

it.each([
  ['float32', new Float64Array(3), 'tensor of dtype float32 needs a Float32Array, got a Float64Array'],
  ['string', new Float32Array(3), 'tensor of dtype string needs an array of strings, got a Float32Array'],
  ['float32', [1, 2, 3], 'tensor of dtype float32 needs a Float32Array, got an array'],
  ['float33', new Float32Array(3), 'tensor of dtype "float33", expected one of float32, uint8, '],
])('%s', (dtype, data, message) => {
  // as programs without types call it
  const make = () => Reflect.construct(Tensor, [dtype, [3], data]);
  expect(make).toThrow(ShapeError);
  expect(make).toThrow(message);
});

it.each([2 ** 53, -1, 0.5, Number.NaN])('storage for %d elements is refused in one line', (count) => {
  expect(() => allocate('float32', count)).toThrow(`a tensor: ${count} elements, expected 0 to 9007199254740991`);
});
