// The directory of a ZIP archive (PKWARE APPNOTE 4.3) that may be hostile: every offset and size is checked before it is used. Not for zip64, encryption or
// several disks; what unpacks its files is zip.ts in Node.
import { dataError, quote } from './data-error.js';
import { maxRatio } from './unpacking.js';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/** A file of an archive, still packed. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly offset: number;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Offset of the end-of-central-directory record: the last one whose comment reaches exactly to the end of the file. */
function findEnd(view: DataView, where: string): number {
  for (let at = view.byteLength - 22; at >= 0 && at >= view.byteLength - 22 - 65535; at--) {
    if (view.getUint32(at, true) === endSignature && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw dataError(where, 'not a zip archive or truncated, it has no end-of-central-directory record', {
    expected: 'a whole zip archive',
  });
}

/** The files of an archive, nothing unpacked. Throws DataError for a broken directory, zip64 and encryption. */
export function readDirectory(bytes: Uint8Array, where: string): ZipEntry[] {
  const view = viewOf(bytes);
  const end = findEnd(view, where);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff)
    throw dataError(where, 'zip64 archives are not supported', { expected: 'a plain zip' });
  const entries: ZipEntry[] = [];
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

/** The bytes of a file as they are packed. Throws DataError for what does not fit the archive, or was packed better than deflate can. */
export function packedBytes(bytes: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  const view = viewOf(bytes);
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
  const { method, unpacked } = entry;
  if (method !== 0 && method !== 8)
    throw dataError(where, `zip entry ${quote(name)} has compression method ${method}, expected 0 or 8`);
  if (method === 8 && unpacked > packed * maxRatio)
    throw dataError(where, `zip entry ${quote(name)} claims ${unpacked} bytes from ${packed}, deflate cannot do that`);
  return bytes.subarray(start, start + packed);
}
