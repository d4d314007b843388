// The numbers behind the bits of float16 and bfloat16, which tensors hold as Uint16Array, and back; rounding is to nearest, ties to even.
import { getFloat16, setFloat16 } from '@petamoriken/float16';

export type HalfType = 'float16' | 'bfloat16';

const view = new DataView(new ArrayBuffer(4));

export function isHalf(dtype: string): dtype is HalfType {
  return dtype === 'float16' || dtype === 'bfloat16';
}

export function halfToNumber(dtype: HalfType, bits: number): number {
  if (dtype === 'float16') {
    view.setUint16(0, bits);
    return getFloat16(view, 0);
  }
  view.setUint32(0, bits * 0x10000);
  return view.getFloat32(0);
}

export function numberToHalf(dtype: HalfType, value: number): number {
  if (dtype === 'float16') {
    setFloat16(view, 0, value);
    return view.getUint16(0);
  }
  if (Number.isNaN(value)) return 0x7fc0;
  // the upper half of float32, rounded by what is cut off
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
