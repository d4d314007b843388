// Reading ZIP archives that may be hostile: what zip-directory.ts finds is unpacked no further than it claims, and its checksum compared. fflate, which
// writes our archives, neither bounds its loops nor checks CRCs on reading.
import { crc32, inflateRawSync } from 'node:zlib';
import { reason } from '../onnx/core/one-line.js';
import { dataError, defaultMaxBytes, quote } from './data-error.js';
import { unpacking } from './unpacking.js';
import { packedBytes, readDirectory, type ZipEntry } from './zip-directory.js';

function unpack(packed: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  const name = quote(entry.name);
  if (entry.method === 0) return packed;
  try {
    return inflateRawSync(packed, unpacking(packed, entry.unpacked));
  } catch (cause) {
    const what = cause instanceof RangeError ? `unpacks to more than its ${entry.unpacked} bytes` : `is broken, ${reason(cause)}`;
    throw dataError(where, `zip entry ${name} ${what}`, { cause });
  }
}

/** The names in an archive's directory; nothing is unpacked. Throws DataError when the directory is broken. */
export function zipNames(bytes: Uint8Array, where: string): string[] {
  return readDirectory(bytes, where).map(({ name }) => name);
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
  const files = new Map<string, Uint8Array>();
  const entries = readDirectory(bytes, where).filter(({ name }) => wanted(name));
  const total = entries.reduce((sum, { unpacked }) => sum + unpacked, 0);
  if (total > maxBytes) {
    throw dataError(where, `unpacks to ${total} bytes, more than the limit of ${maxBytes}`, {
      expected: `at most ${maxBytes} bytes`,
      got: `${total} bytes`,
    });
  }
  for (const entry of entries) {
    if (files.has(entry.name)) throw dataError(where, `zip entry ${quote(entry.name)} stands twice`);
    const content = unpack(packedBytes(bytes, entry, where), entry, where);
    if (content.length !== entry.unpacked || crc32(content) !== entry.crc) {
      throw dataError(where, `zip entry ${quote(entry.name)} is damaged, its size or CRC-32 does not match`);
    }
    files.set(entry.name, content);
  }
  return files;
}
