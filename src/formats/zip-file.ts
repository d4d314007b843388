// The entries of a ZIP archive on disk, of any size: where each stands, nothing of it read (PKWARE APPNOTE 4.3, zip64 included). What is in memory is zip.ts's. Node only.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { fill } from '../onnx/files/fill.js';
import type { Extent } from './array-file.js';
import { dataError, quote } from './data-error.js';

const signatures = { end: 0x06054b50, locator: 0x07064b50, end64: 0x06064b50, entry: 0x02014b50, local: 0x04034b50 };
/** Standing for a number that stands in the record of zip64. */
const elsewhere = 0xffffffff;
/** The directory of more arrays than anybody has. */
const largestDirectory = 2 ** 26;

/** Reads parts of a file by their place; throws where they are not there. */
class Reading {
  readonly size: number;
  private readonly fd: number;

  constructor(
    path: string,
    private readonly where: string,
  ) {
    this.fd = openSync(path, 'r');
    this.size = fstatSync(this.fd).size;
  }

  at(place: number, count: number): DataView {
    const bytes = new Uint8Array(count);
    const whole = place >= 0 && place + count <= this.size && fill(this.fd, bytes, place) === count;
    if (!whole)
      throw dataError(this.where, `is no whole zip archive, ${count} bytes at ${place} are not there`, {
        expected: 'a whole zip archive',
      });
    return new DataView(bytes.buffer);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A whole number of 64 bits that is below 2^53. */
function large(view: DataView, at: number, where: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw dataError(where, `zip64 claims ${value} bytes`, { got: `${value}` });
  return value;
}

/** Where the directory stands, and how many entries it has. */
function directoryOf(file: Reading, where: string): { readonly at: number; readonly size: number; readonly count: number } {
  const tail = Math.min(file.size, 22 + 65535);
  const view = file.at(file.size - tail, tail);
  for (let at = tail - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== signatures.end || at + 22 + view.getUint16(at + 20, true) !== tail) continue;
    const own = { at: view.getUint32(at + 16, true), size: view.getUint32(at + 12, true), count: view.getUint16(at + 10, true) };
    if (own.at !== elsewhere && own.size !== elsewhere && own.count !== 0xffff) return own;
    const locator = file.at(file.size - tail + at - 20, 20);
    if (locator.getUint32(0, true) !== signatures.locator) return own;
    const record = file.at(large(locator, 8, where), 56);
    if (record.getUint32(0, true) !== signatures.end64)
      throw dataError(where, 'zip64 record is broken', { expected: 'a whole zip archive' });
    return { at: large(record, 48, where), size: large(record, 40, where), count: large(record, 32, where) };
  }
  throw dataError(where, 'not a zip archive or truncated, it has no end-of-central-directory record', {
    expected: 'a whole zip archive',
  });
}

/** An entry's sizes and place: those of the directory, or of its field of zip64. */
function sizesOf(
  view: DataView,
  at: number,
  extra: number,
  length: number,
  where: string,
): { unpacked: number; packed: number; offset: number } {
  const found = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  for (let field = extra; field + 4 <= extra + length; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let next = field + 4;
    const end = next + view.getUint16(field + 2, true);
    found.forEach((value, i) => {
      if (value !== elsewhere || next + 8 > end) return;
      found[i] = large(view, next, where);
      next += 8;
    });
  }
  const [unpacked = 0, packed = 0, offset = 0] = found;
  return { unpacked, packed, offset };
}

/** The entries of an archive by name; `called` names it in errors. Throws DataError for a broken directory, and for entries that are encrypted or packed by anything but deflate. */
export function zipEntries(path: string, called = path): Map<string, Extent> {
  const file = new Reading(path, called);
  try {
    const { at: start, size, count } = directoryOf(file, called);
    if (size > largestDirectory)
      throw dataError(called, `its zip directory takes ${size} bytes`, { expected: `at most ${largestDirectory}` });
    const view = file.at(start, size);
    const entries = new Map<string, Extent>();
    let at = 0;
    for (let i = 0; i < count; i++) {
      const broken = () =>
        dataError(called, `zip directory is broken at byte ${start + at}, entry ${i} of ${count}`, {
          expected: 'a directory entry',
        });
      if (at + 46 > size || view.getUint32(at, true) !== signatures.entry) throw broken();
      const [named, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
      const after = at + 46 + (named ?? 0);
      const next = after + (extra ?? 0) + (comment ?? 0);
      if (next > size) throw broken();
      const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, named));
      const where = `${called}: ${quote(name.replace(/\.npy$/, ''))}`;
      const method = view.getUint16(at + 10, true);
      if ((view.getUint16(at + 8, true) & 1) !== 0) throw dataError(where, 'is encrypted');
      if (method !== 0 && method !== 8) throw dataError(where, `has compression method ${method}, expected 0 or 8`);
      if (entries.has(name)) throw dataError(where, 'stands twice');
      const { packed, offset } = sizesOf(view, at, after, extra ?? 0, called);
      const local = file.at(offset, 30);
      if (local.getUint32(0, true) !== signatures.local) throw dataError(where, `has no local header at byte ${offset}`);
      const begin = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
      if (begin + packed > file.size) throw dataError(where, `is truncated, ${packed} bytes at ${begin} do not fit ${file.size}`);
      entries.set(name, {
        path,
        where,
        start: begin,
        end: begin + packed,
        crc: view.getUint32(at + 16, true),
        ...(method === 8 && { packed: 'deflate' as const }),
      });
      at = next;
    }
    return entries;
  } finally {
    file.close();
  }
}
