// The messages of an Arrow stream (format: arrow.apache.org, Columnar.html, and its Message.fbs and Schema.fbs): the schema, and of each batch where its buffers
// lie. Read here and not by a package, since those that there are believe every size that a file claims. Every read is within the bytes: DataView sees to it.
import type { FileBytes } from './file-bytes.js';

/** A field of the schema, with those that it is made of. */
export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
}

/** What is read: integers and floats of a width in bytes, bits, texts and bytes by offsets of 4 or 8 bytes, records, and nothing. */
export type ArrowType =
  | { readonly kind: 'int' | 'uint' | 'float' | 'text' | 'bytes'; readonly width: number }
  | { readonly kind: 'bool' | 'record' | 'null' }
  | { readonly kind: 'other' };

export interface ArrowBatch {
  readonly rows: number;
  /** Values of each field in depth-first order. */
  readonly nodes: readonly number[];
  /** Bytes of all buffers together. */
  readonly bytes: number;
  /** Read when they are asked for, each within the file. */
  readonly buffers: () => readonly Uint8Array[];
}

export interface ArrowStream {
  readonly fields: readonly ArrowField[];
  readonly notes: ReadonlyMap<string, string>;
  readonly batches: readonly ArrowBatch[];
}

/** A table of a flatbuffer: its fields by their numbers, each a place in the view or 0. */
class Flat {
  private readonly fields: number;
  private readonly size: number;

  constructor(
    readonly view: DataView,
    private readonly at: number,
    /** Bytes of texts that may still be read: tables may all name the same one. */
    private readonly texts: { left: number },
  ) {
    this.fields = at - view.getInt32(at, true);
    this.size = view.getUint16(this.fields, true);
  }

  static root(view: DataView): Flat {
    return new Flat(view, view.getUint32(0, true), { left: view.byteLength });
  }

  place(field: number): number {
    const slot = 4 + 2 * field;
    const offset = slot + 2 <= this.size ? this.view.getUint16(this.fields + slot, true) : 0;
    return offset === 0 ? 0 : this.at + offset;
  }

  byte(field: number): number {
    const at = this.place(field);
    return at === 0 ? 0 : this.view.getUint8(at);
  }

  short(field: number): number {
    const at = this.place(field);
    return at === 0 ? 0 : this.view.getInt16(at, true);
  }

  int(field: number): number {
    const at = this.place(field);
    return at === 0 ? 0 : this.view.getInt32(at, true);
  }

  long(field: number): number {
    const at = this.place(field);
    return at === 0 ? 0 : whole(this.view, at);
  }

  table(field: number): Flat | undefined {
    const at = this.place(field);
    return at === 0 ? undefined : new Flat(this.view, at + this.view.getUint32(at, true), this.texts);
  }

  text(field: number): string {
    const found = this.vector(field, 1);
    this.texts.left -= found?.count ?? 0;
    if (this.texts.left < 0) throw new RangeError('texts longer than the message that holds them');
    return found === undefined ? '' : new TextDecoder().decode(bytesAt(this.view, found.at, found.count));
  }

  /** The place of the first element, and how many there are. */
  vector(field: number, width: number): { readonly at: number; readonly count: number } | undefined {
    const place = this.place(field);
    if (place === 0) return undefined;
    const at = place + this.view.getUint32(place, true);
    const count = this.view.getUint32(at, true);
    if (at + 4 + count * width > this.view.byteLength) throw new RangeError(`a list of ${count} that is not there`);
    return { at: at + 4, count };
  }

  tables(field: number): Flat[] {
    const { at = 0, count = 0 } = this.vector(field, 4) ?? {};
    return Array.from(
      { length: count },
      (_, i) => new Flat(this.view, at + 4 * i + this.view.getUint32(at + 4 * i, true), this.texts),
    );
  }

  /** Pairs of whole numbers. */
  pairs(field: number): (readonly [number, number])[] {
    const { at = 0, count = 0 } = this.vector(field, 16) ?? {};
    return Array.from({ length: count }, (_, i) => [whole(this.view, at + 16 * i), whole(this.view, at + 16 * i + 8)] as const);
  }
}

function whole(view: DataView, at: number): number {
  const found = Number(view.getBigInt64(at, true));
  if (found < 0 || !Number.isSafeInteger(found)) throw new RangeError(`a size of ${found}`);
  return found;
}

const bytesAt = (view: DataView, at: number, count: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, count);

/** Records in records, and fields in all. */
const deepest = 8;
const mostFields = 4096;

function typeOf(field: Flat): ArrowType {
  const type = field.table(3);
  if (field.table(4) !== undefined) return { kind: 'other' };
  const numbers: Readonly<Record<number, () => ArrowType>> = {
    1: () => ({ kind: 'null' }),
    2: () => ({ kind: (type?.byte(1) ?? 0) === 0 ? 'uint' : 'int', width: (type?.int(0) ?? 0) / 8 }),
    3: () => ({ kind: 'float', width: [2, 4, 8][type?.short(0) ?? 0] ?? 0 }),
    4: () => ({ kind: 'bytes', width: 4 }),
    5: () => ({ kind: 'text', width: 4 }),
    6: () => ({ kind: 'bool' }),
    13: () => ({ kind: 'record' }),
    19: () => ({ kind: 'bytes', width: 8 }),
    20: () => ({ kind: 'text', width: 8 }),
  };
  const found = numbers[field.byte(2)]?.() ?? { kind: 'other' };
  return 'width' in found && ![1, 2, 4, 8].includes(found.width) ? { kind: 'other' } : found;
}

function fieldsOf(tables: readonly Flat[], depth: number, seen: { count: number }): ArrowField[] {
  if (depth > deepest) throw new RangeError(`records more than ${deepest} deep`);
  return tables.map((field) => {
    if (++seen.count > mostFields) throw new RangeError(`more than ${mostFields} fields`);
    return { name: field.text(0), type: typeOf(field), children: fieldsOf(field.tables(5), depth + 1, seen) };
  });
}

function batchOf(batch: Flat, length: number, read: () => Uint8Array): ArrowBatch {
  if (batch.table(3) !== undefined) throw new RangeError('packed buffers, expected them as they are');
  const places = batch.pairs(2);
  for (const [offset, count] of places)
    if (offset + count > length) throw new RangeError(`a buffer of ${count} bytes at ${offset} of ${length}`);
  return {
    rows: batch.long(0),
    bytes: length,
    nodes: batch.pairs(1).map(([count]) => count),
    buffers: () => {
      const body = read();
      return places.map(([offset, count]) => body.subarray(offset, offset + count));
    },
  };
}

const header = { schema: 1, dictionary: 2, batch: 3 } as const;
const continuation = 0xffffffff;

/** All messages of a stream, or of a file of such a stream; bodies are read as they are asked for. Throws what DataView says of places that are not there. */
export function readArrowStream(bytes: FileBytes): ArrowStream {
  const magic = new TextDecoder().decode(bytes.read(0, Math.min(6, bytes.length))) === 'ARROW1';
  let at = magic ? 8 : 0;
  let schema: Pick<ArrowStream, 'fields' | 'notes'> | undefined;
  const batches: ArrowBatch[] = [];
  while (at < bytes.length) {
    const begins = viewOf(bytes, at, 8);
    if (begins.getUint32(0, true) !== continuation) throw new RangeError(`no message at byte ${at}`);
    const size = begins.getInt32(4, true);
    if (size === 0) break;
    const message = Flat.root(viewOf(bytes, at + 8, size));
    const [kind, content, length] = [message.byte(1), message.table(2), message.long(3)];
    const begin = at + 8 + size;
    if (begin + length > bytes.length) throw new RangeError(`a message of ${length} bytes at ${begin} of ${bytes.length}`);
    if (content === undefined || kind === header.dictionary) throw new RangeError('a dictionary, expected values as they are');
    if (kind === header.schema) {
      if (content.short(0) !== 0) throw new RangeError('numbers of the other byte order');
      const notes = new Map(content.tables(2).map((note) => [note.text(0), note.text(1)]));
      schema ??= { fields: fieldsOf(content.tables(1), 0, { count: 0 }), notes };
    } else if (kind === header.batch) batches.push(batchOf(content, length, () => bytes.read(begin, begin + length)));
    at = begin + length;
  }
  if (schema === undefined) throw new RangeError('no schema');
  return { ...schema, batches };
}

/** The bytes there, which must be there. */
function viewOf(bytes: FileBytes, at: number, count: number): DataView {
  if (count < 0 || at + count > bytes.length) throw new RangeError(`${count} bytes at ${at} of ${bytes.length}`);
  const own = bytes.read(at, at + count);
  return new DataView(own.buffer, own.byteOffset, count);
}
