// What is made of numbers in samples, by the dtype that a model takes. Floats are rounded to nearest; whole numbers come exact or are refused.
import { halfToNumber, numberToHalf } from '../../onnx/core/half-float.js';

export type Values = Float32Array | Int32Array | BigInt64Array | Uint8Array;
/** An element as a number of JavaScript; undefined for a number that the dtype does not hold. */
type Made = number | bigint | undefined;

/** The elements of one dtype. */
export interface Elements {
  /** What is right, in words. */
  readonly expected: string;
  /** Room for so many. */
  readonly room: (count: number) => Values;
  /** Of a number as JSON writes it. */
  readonly ofText: (text: string) => Made;
  /** Of a number of a .npy file. */
  readonly of: (value: number | bigint) => Made;
  /** The number behind the bits of a float16. */
  readonly half: (bits: number) => number;
  /** What the runtime takes of them. */
  readonly data: (values: Values) => Values | Uint16Array;
}

type Kind = Omit<Elements, 'half'>;

/** The largest float16. */
const mostHalf = 65504;

function floats(expected: string, rounded: (value: number) => number, data: Elements['data']): Kind {
  const of = (value: number | bigint): Made => {
    const found = rounded(Number(value));
    return Number.isFinite(found) ? found : undefined;
  };
  return { expected, room: (count) => new Float32Array(count), ofText: (text) => of(Number(text)), of, data };
}

function whole(expected: string, room: Elements['room'], low: number, high: number): Kind {
  const of = (value: number | bigint): Made => {
    const found = Number(value);
    return Number.isInteger(found) && found >= low && found <= high ? found : undefined;
  };
  return { expected, room, ofText: (text) => of(Number(text)), of, data: (values) => values };
}

function longs(): Kind {
  const of = (value: number | bigint): Made => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
    return BigInt.asIntN(64, value) === value ? value : undefined;
  };
  return {
    expected: 'whole numbers of int64',
    room: (count) => new BigInt64Array(count),
    // Beyond 2^53 a number of JavaScript would be another one.
    ofText: (text) => of(/^-?\d+$/.test(text) ? BigInt(text) : Number(text)),
    of,
    data: (values) => values,
  };
}

const half = (value: number): number => halfToNumber('float16', numberToHalf('float16', value));

const kinds: Readonly<Record<string, Kind>> = {
  float32: floats('finite float32', Math.fround, (values) => values),
  float16: floats(`numbers of float16, up to ${mostHalf}`, half, (values) =>
    Uint16Array.from(values as Float32Array, (value) => numberToHalf('float16', value)),
  ),
  int64: longs(),
  int32: whole('whole numbers of int32', (count) => new Int32Array(count), -(2 ** 31), 2 ** 31 - 1),
  uint8: whole('whole numbers from 0 to 255', (count) => new Uint8Array(count), 0, 255),
  bool: whole('true or false, or 1 or 0', (count) => new Uint8Array(count), 0, 1),
};

/** The elements of a dtype that inputs have. Throws an Error for any other. */
export function elementsOf(dtype: string): Elements {
  const found = kinds[dtype];
  if (found === undefined) throw new Error(`no input is ${dtype}, expected ${Object.keys(kinds).join(', ')}`);
  return { ...found, half: (bits) => halfToNumber('float16', bits) };
}
