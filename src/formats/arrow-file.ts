// An Arrow file opened, as a stream or as a file: its columns by name, as far as `save_to_disk` of the library datasets writes them. Where its buffers lie,
// arrow-messages.ts says; what the values mean, open-table.ts and others.
import { getFloat16 } from '@petamoriken/float16';
import { reason } from '../onnx/core/one-line.js';
import { type ArrowBatch, type ArrowField, readArrowStream } from './arrow-messages.js';
import { dataError, quote } from './data-error.js';
import { bytesInMemory, type FileBytes } from './file-bytes.js';
import { type GroupedTable, joinTables, type OpenTable, type RowGroup } from './open-table.js';

/** The value of a row of a batch; null where there is none. */
type ValueAt = (row: number) => unknown;

/**
 * Opens a file that is in memory, whose columns hold single values and, with `records`, records.
 * @throws DataError for damaged files, for lists, dates, dictionaries and packed buffers, and for more rows than the bytes can hold
 */
export function openArrow(bytes: Uint8Array, where: string, records = false): OpenTable {
  const opened = openArrowGroups(bytesInMemory(bytes), where, records);
  return joinTables(
    opened,
    opened.groups.map(({ open }) => open()),
  );
}

/** The same of a file whose record batches are read one by one. Throws as `openArrow`, for what is in a batch when it is opened. */
export function openArrowGroups(bytes: FileBytes, where: string, records = false): GroupedTable {
  const { fields, notes, batches } = broken(where, () => readArrowStream(bytes));
  const names = fields.map(({ name }) => name);
  const twice = names.find((each, i) => names.indexOf(each) !== i);
  if (twice !== undefined) throw dataError(where, `two columns are named ${quote(twice)}, expected each name once`);
  const odd = fields.find((field) => !isTaken(field, records));
  if (odd !== undefined) {
    const expected = records ? 'columns of single values and records' : 'columns of single values';
    const held = records ? 'lists, dates or the like' : 'lists, records, dates or the like';
    throw dataError(where, `column ${quote(odd.name)} holds ${held}, expected ${expected}`, { expected });
  }
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  // A value takes a bit at least.
  if (rows > bytes.length * 8)
    throw dataError(where, `claims ${rows} rows in ${bytes.length} bytes`, {
      expected: 'as many rows as there are',
      got: `${rows}`,
    });
  let before = 0;
  const groups = batches.map((batch): RowGroup => {
    const first = before;
    before += batch.rows;
    const open = (): OpenTable => {
      const read = broken(where, () => columnsOf(fields, batch));
      const column: OpenTable['column'] = async (name, each) => {
        const at = read[names.indexOf(name)] ?? (() => null);
        for (let row = 0; row < batch.rows; row++) each(valueIn(at, row, name, first + row, where), row);
      };
      return { rows: batch.rows, first, names, notes, column };
    };
    return { rows: batch.rows, bytes: () => batch.bytes, open };
  });
  return { rows, names, notes, groups: groups.filter((group) => group.rows > 0) };
}

function isTaken({ type: { kind }, children }: ArrowField, records: boolean): boolean {
  if (kind === 'record') return records && children.every((child) => isTaken(child, records));
  return kind !== 'other';
}

/** The values of each field of a batch, its buffers taken in depth-first order and looked at for their sizes. */
function columnsOf(fields: readonly ArrowField[], { rows, nodes, buffers: read }: ArrowBatch): ValueAt[] {
  const buffers = read();
  let [node, buffer] = [0, 0];
  const next = (bytes: number): DataView => {
    const found = buffers[buffer++];
    if (found === undefined || found.length < bytes) throw new RangeError(`${bytes} bytes that are not there`);
    return new DataView(found.buffer, found.byteOffset, found.length);
  };
  const column = (field: ArrowField): ValueAt => {
    if (nodes[node++] !== rows) throw new RangeError(`${nodes[node - 1]} values in ${rows} rows`);
    const { type } = field;
    if (type.kind === 'null') return () => null;
    const valid = next(0);
    if (valid.byteLength > 0 && valid.byteLength * 8 < rows) throw new RangeError('values that may be there or not');
    const isThere = (row: number) => valid.byteLength === 0 || bitAt(valid, row);
    const value = valuesOf(field, rows, next, column);
    return (row) => (isThere(row) ? value(row) : null);
  };
  return fields.map(column);
}

const bitAt = (view: DataView, row: number): boolean => ((view.getUint8(row >> 3) >> (row & 7)) & 1) === 1;

function valuesOf(
  { type, children }: ArrowField,
  rows: number,
  next: (bytes: number) => DataView,
  column: (field: ArrowField) => ValueAt,
): ValueAt {
  switch (type.kind) {
    case 'bool': {
      const bits = next(Math.ceil(rows / 8));
      return (row) => bitAt(bits, row);
    }
    case 'int':
    case 'uint':
    case 'float': {
      const values = next(rows * type.width);
      return numberReader(type.kind, type.width, values);
    }
    case 'text':
    case 'bytes': {
      const offsets = next(rows === 0 ? 0 : (rows + 1) * type.width);
      const content = next(0);
      const part = slices(offsets, type.width, content, rows);
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return type.kind === 'bytes' ? part : (row) => decoder.decode(part(row));
    }
    default: {
      const read = children.map((child) => [child.name, column(child)] as const);
      return (row) => Object.fromEntries(read.map(([name, at]) => [name, at(row)]));
    }
  }
}

function numberReader(kind: 'int' | 'uint' | 'float', width: number, view: DataView): ValueAt {
  if (kind === 'float') {
    if (width === 2) return (row) => getFloat16(view, row * 2, true);
    return width === 4 ? (row) => view.getFloat32(row * 4, true) : (row) => view.getFloat64(row * 8, true);
  }
  const signed = kind === 'int';
  if (width === 1) return (row) => (signed ? view.getInt8(row) : view.getUint8(row));
  if (width === 2) return (row) => (signed ? view.getInt16(row * 2, true) : view.getUint16(row * 2, true));
  if (width === 4) return (row) => (signed ? view.getInt32(row * 4, true) : view.getUint32(row * 4, true));
  return (row) => (signed ? view.getBigInt64(row * 8, true) : view.getBigUint64(row * 8, true));
}

/** Bytes between offsets that never fall, so that all values together are no longer than what they are cut of. */
function slices(offsets: DataView, width: number, content: DataView, rows: number): (row: number) => Uint8Array {
  const offset = (i: number) => (width === 4 ? offsets.getInt32(i * 4, true) : Number(offsets.getBigInt64(i * 8, true)));
  for (let row = 0, before = 0; rows > 0 && row <= rows; row++) {
    const now = offset(row);
    if (now < before || now > content.byteLength)
      throw new RangeError(`a value that ends at ${now} of ${content.byteLength} bytes`);
    before = now;
  }
  return (row) => new Uint8Array(content.buffer, content.byteOffset + offset(row), offset(row + 1) - offset(row));
}

function valueIn(at: ValueAt, row: number, name: string, place: number, where: string): unknown {
  try {
    return at(row);
  } catch (cause) {
    throw dataError(where, `column ${quote(name)} is damaged at row ${place + 1}, ${reason(cause)}`, { cause });
  }
}

function broken<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw dataError(where, `is no whole Arrow file, ${reason(cause)}`, { cause, expected: 'an Arrow file' });
  }
}
