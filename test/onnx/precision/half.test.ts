// Rounding to float16 against an independent statement of IEEE 754 binary16: the nearest representable number, of two the one with an even bit.
import { expect, it } from 'vitest';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { fromHalf, halfLoss, toHalf } from '../../../src/onnx/precision/half.js';

/** The number of a bit pattern, from the format's definition. */
function decode(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const bitsOf = (...v: number[]) => [...(toHalf(Tensor.from('float32', v)).data as Uint16Array)];

it('every float16 comes back as its own bits, subnormals and both zeros included', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((b) => (b & 0x7c00) !== 0x7c00 || (b & 1023) === 0);
  const numbers = fromHalf(new Tensor('float16', [bits.length], bits));
  expect([...(numbers.data as Float32Array)]).toEqual([...bits].map(decode));
  expect(toHalf(numbers).data).toEqual(bits);
});

it('between two neighbours it takes the nearer, in the middle the even one', () => {
  const wrong: number[] = [];
  // the middle of two neighbours, and the float32 numbers next to it, are exact in float32
  for (let b = 0; b < 0x7bff; b++) {
    const middle = (decode(b) + decode(b + 1)) / 2;
    const next = Math.max(middle, 2 ** -126) * 2 ** -23;
    const [below, at, above] = bitsOf(Math.fround(middle - next), middle, Math.fround(middle + next));
    if (below !== b || above !== b + 1 || at !== (b % 2 === 0 ? b : b + 1)) wrong.push(b);
  }
  expect(wrong).toEqual([]);
});

it('counts what overflows and what vanishes', () => {
  expect(bitsOf(65519.99, 65520, -65520, 2 ** -25, 1.0001 * 2 ** -25)).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 1]);
  expect(halfLoss(Tensor.from('float32', [1, 65504, 65520, -1e9, 1e-9, 0]))).toMatchObject({
    overflowed: 2,
    vanished: 1,
    tiny: false,
  });
  expect(halfLoss(Tensor.from('float32', [1e-7, 0]))).toMatchObject({ overflowed: 0, vanished: 0, tiny: true });
  // infinite and no number are what they were
  expect(halfLoss(Tensor.from('float32', [Number.POSITIVE_INFINITY, Number.NaN])).overflowed).toBe(0);
});
