// Reading ZIP archives (PKWARE APPNOTE 4.3) that may be hostile: every offset, size and checksum is checked before it is used.
// Not for zip64, encryption or several disks. fflate, which writes our archives, neither bounds its loops nor checks CRCs on reading.
import { crc32, inflateRawSync } from 'node:zlib';
import { reason } from '../onnx/core/one-line.js';
import { dataError, defaultMaxBytes, quote } from './data-error.js';
import { maxRatio, unpacking } from './unpacking.js';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly offset: number;
}

/** Offset of the end-of-central-directory record: the last one whose comment reaches exactly to the end of the file. */
function findEnd(view: DataView, where: string): number {
  for (let at = view.byteLength - 22; at >= 0 && at >= view.byteLength - 22 - 65535; at--) {
    if (view.getUint32(at, true) === endSignature && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw dataError(where, 'not a zip archive or truncated, it has no end-of-central-directory record', {
    expected: 'a whole zip archive',
  });
}

function readDirectory(view: DataView, bytes: Uint8Array, where: string): Entry[] {
  const end = findEnd(view, where);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff)
    throw dataError(where, 'zip64 archives are not supported', { expected: 'a plain zip' });
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== entrySignature) {
      throw dataError(where, `zip directory is broken at byte ${at}, entry ${i} of ${count}`, { expected: 'a directory entry' });
    }
    const nameLength = view.getUint16(at + 28, true);
    const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw dataError(where, `zip directory is broken at byte ${at}, entry ${i} of ${count} is too long`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw dataError(where, `zip entry ${quote(name)} is encrypted`);
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

function packedBytes(view: DataView, bytes: Uint8Array, entry: Entry, where: string): Uint8Array {
  const { offset, packed, name } = entry;
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== localSignature) {
    throw dataError(where, `zip entry ${quote(name)} has no local header at byte ${offset}`);
  }
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packed > bytes.length) {
    throw dataError(where, `zip entry ${quote(name)} is truncated, ${packed} bytes at ${start} do not fit ${bytes.length}`, {
      expected: `${packed} bytes`,
      got: `${Math.max(0, bytes.length - start)} bytes`,
    });
  }
  return bytes.subarray(start, start + packed);
}

function unpack(packed: Uint8Array, entry: Entry, where: string): Uint8Array {
  const name = quote(entry.name);
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw dataError(where, `zip entry ${name} has compression method ${entry.method}, expected 0 or 8`);
  if (entry.unpacked > packed.length * maxRatio) {
    throw dataError(where, `zip entry ${name} claims ${entry.unpacked} bytes from ${packed.length}, deflate cannot do that`);
  }
  try {
    return inflateRawSync(packed, unpacking(packed, entry.unpacked));
  } catch (cause) {
    const what = cause instanceof RangeError ? `unpacks to more than its ${entry.unpacked} bytes` : `is broken, ${reason(cause)}`;
    throw dataError(where, `zip entry ${name} ${what}`, { cause });
  }
}

/** The names in an archive's directory; nothing is unpacked. Throws DataError when the directory is broken. */
export function zipNames(bytes: Uint8Array, where: string): string[] {
  return readDirectory(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes, where).map(({ name }) => name);
}

/**
 * The files of an archive whose name `wanted` accepts, unpacked and checked against their CRC-32. Stored entries share memory with `bytes`.
 * @throws DataError when the archive is broken, or the files together exceed `maxBytes`
 */
export function readZip(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  where: string,
  maxBytes = defaultMaxBytes,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, Uint8Array>();
  const entries = readDirectory(view, bytes, where).filter(({ name }) => wanted(name));
  const total = entries.reduce((sum, { unpacked }) => sum + unpacked, 0);
  if (total > maxBytes) {
    throw dataError(where, `unpacks to ${total} bytes, more than the limit of ${maxBytes}`, {
      expected: `at most ${maxBytes} bytes`,
      got: `${total} bytes`,
    });
  }
  for (const entry of entries) {
    if (files.has(entry.name)) throw dataError(where, `zip entry ${quote(entry.name)} stands twice`);
    const content = unpack(packedBytes(view, bytes, entry, where), entry, where);
    if (content.length !== entry.unpacked || crc32(content) !== entry.crc) {
      throw dataError(where, `zip entry ${quote(entry.name)} is damaged, its size or CRC-32 does not match`);
    }
    files.set(entry.name, content);
  }
  return files;
}
