// Event files, the logs that TensorBoard reads: records of TFRecord's framing (length, checksums), each with an Event message of protobuf. Scalars,
// the version that opens a file, and the mark of a restart; nothing else of what an Event may hold. Field numbers: tensorflow/core/util/event.proto
// and framework/summary.proto.

/** CRC-32C (Castagnoli), a byte at a time. */
const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** A checksum as TFRecord stores it: rotated and shifted, since checksums of data that hold checksums are weak. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const uint32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => Array.from(part)));

/** A protobuf varint of an integer of at least 0. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** A field of protobuf: its number with the wire type, and what follows. */
const field = (number: number, wire: 0 | 1 | 2 | 5, content: Uint8Array): Uint8Array =>
  join([varint(number * 8 + wire), ...(wire === 2 ? [varint(content.length)] : []), content]);
const text = (number: number, value: string): Uint8Array => field(number, 2, new TextEncoder().encode(value));

/** length (uint64), its checksum, the message, its checksum. */
function record(message: Uint8Array): Uint8Array {
  const length = join([uint32(message.length), uint32(0)]);
  return join([length, uint32(maskedCrc(length)), message, uint32(maskedCrc(message))]);
}

/** @param time seconds since 1970 */
function event(time: number, step: number, content: Uint8Array): Uint8Array {
  const wall = new Uint8Array(new Float64Array([time]).buffer);
  return record(join([field(1, 1, wall), ...(step === 0 ? [] : [field(2, 0, varint(step))]), content]));
}

/** The first record of a file. */
export function versionEvent(time: number): Uint8Array {
  return event(time, 0, text(3, 'brain.Event:2'));
}

/** Values by tag at a step. They are kept as float32. */
export function scalarsEvent(time: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const each = Object.entries(values).map(([tag, value]) =>
    field(1, 2, join([text(1, tag), field(2, 5, new Uint8Array(new Float32Array([value]).buffer))])),
  );
  return event(time, step, field(5, 2, join(each)));
}

/** What was logged of this step and later ones, in this folder, did not happen: a training goes on from before it. */
export function restartEvent(time: number, step: number): Uint8Array {
  return event(time, step, field(7, 2, field(1, 0, varint(1))));
}
