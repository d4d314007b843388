// 64-bit integers at the border to protobufjs, which reads them as objects of two 32-bit halves: exact in both directions.

/** What protobufjs reads and writes for int64 and uint64. */
export interface Halves {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

const word = 0xffffffffn;

/** To the wire: the two's complement halves of a signed or unsigned 64-bit integer. */
export function toHalves(value: bigint): Halves {
  return { low: Number(value & word) | 0, high: Number((value >> 32n) & word) | 0, unsigned: false };
}

/** From the wire, as a signed integer. Absent is 0. */
export function fromHalves(value: Halves | number | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  return typeof value === 'number' ? BigInt(value) : (BigInt(value.high | 0) << 32n) | BigInt(value.low >>> 0);
}

/** From the wire into an array of 64-bit elements; the bits are kept, so it serves int64 and uint64. */
export function fillHalves(target: BigInt64Array | BigUint64Array, values: readonly (Halves | number)[]): void {
  const words = new DataView(target.buffer, target.byteOffset, target.byteLength);
  values.forEach((v, i) => {
    if (typeof v === 'number') target[i] = BigInt(v);
    else {
      words.setInt32(i * 8, v.low, true);
      words.setInt32(i * 8 + 4, v.high, true);
    }
  });
}
