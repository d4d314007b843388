// A CSV file read by blocks of whole lines, each as a table of its own: for files that are not to be in memory whole. A line never breaks inside quotes, so that
// a block may end at any line's end. What the first block shows of delimiter and header holds for all. Node only.
import { closeSync, openSync, readSync } from 'node:fs';
import { joinBytes } from '../onnx/core/join-bytes.js';
import { fileError } from '../onnx/files/file-error.js';
import { type CsvOptions, type CsvTable, readCsv } from './csv.js';

const lf = 10;
/** Bytes of a block, but for a line that is longer. */
const blockBytes = 2 ** 23;

/** The blocks of a file, one after another, each as a table. */
export class CsvBlocks {
  private settled: CsvOptions | undefined;
  private header = new Uint8Array();
  private before = 0;

  constructor(
    private readonly options: CsvOptions,
    private readonly path: string,
  ) {}

  /** The next one; undefined where it is blank. Throws as `readCsv`. */
  read(block: Uint8Array): CsvTable | undefined {
    const { path, options, settled, header, before } = this;
    const blank = block.every((byte) => byte <= 32);
    this.before += linesIn(block);
    if (blank) return undefined;
    if (settled !== undefined) {
      const own = header.length === 0 ? block : joinBytes([header, block]);
      return readCsv(own, settled, path, before - linesIn(header));
    }
    const table = readCsv(block, options, path, before);
    this.settled = { ...options, ...table.read };
    if (table.read?.header === true) this.header = block.slice(0, headerEnd(block));
    return table;
  }
}

/** A block as a table, and the bytes of the file up to its end. */
export interface CsvBlock {
  readonly table: CsvTable;
  readonly done: number;
}

/** The tables of a file, in order. Throws as `readCsv`. */
export function* csvBlocks(path: string, options: CsvOptions, size = blockBytes): Generator<CsvBlock> {
  const blocks = new CsvBlocks(options, path);
  let done = 0;
  for (const block of lineBlocks(path, size)) {
    done += block.length;
    const table = blocks.read(block);
    if (table !== undefined) yield { table, done };
  }
}

/** Behind the first line that is not blank. */
function headerEnd(block: Uint8Array): number {
  for (let begin = 0; begin < block.length; ) {
    const end = block.indexOf(lf, begin) + 1 || block.length;
    if (block.subarray(begin, end).some((byte) => byte > 32)) return end;
    begin = end;
  }
  return block.length;
}

/** Lines of a file, blank ones too: as many rows as it may hold. Throws WorkspaceError. */
export function countLines(path: string): number {
  let count = 0;
  for (const block of lineBlocks(path, blockBytes)) count += Math.max(1, linesIn(block));
  return count;
}

function linesIn(block: Uint8Array): number {
  let count = 0;
  for (let at = block.indexOf(lf); at >= 0; at = block.indexOf(lf, at + 1)) count++;
  return count;
}

/** A file's bytes in blocks that end where a line does. */
export function* lineBlocks(path: string, size: number): Generator<Uint8Array<ArrayBuffer>> {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    let held = new Uint8Array();
    for (;;) {
      const more = new Uint8Array(size);
      const n = readSync(fd, more);
      if (n === 0) break;
      const own = joinBytes([held, more.subarray(0, n)]);
      const end = own.lastIndexOf(lf) + 1;
      if (end > 0) yield own.slice(0, end);
      held = own.slice(end);
    }
    if (held.length > 0) yield held;
  } catch (cause) {
    throw fileError('read', path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
