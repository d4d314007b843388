// Tables of a FlatBuffers file from strangers: each offset and size is checked against the file before it is followed, and no byte counts
// twice, so that what is read can never be larger than the file. Format: flatbuffers, "FlatBuffer Internals".
import { ModelError } from '../../onnx/core/errors.js';

/** The file, and how much of it may still be copied out. */
export class FlatFile {
  readonly view: DataView;
  private left: number;

  constructor(
    readonly bytes: Uint8Array,
    /** Name of the file, for messages. */
    readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.left = bytes.byteLength;
  }

  fail(path: string, message: string): never {
    throw new ModelError(`${this.file}: ${path}${path === '' ? '' : ' '}${message}`, { path: this.file });
  }

  /** [at, at + length) lies in the file. */
  check(path: string, at: number, length: number): void {
    if (at >= 0 && at + length <= this.bytes.byteLength) return;
    this.fail(path, `leads to bytes ${at} to ${at + length}, the file has ${this.bytes.byteLength}`);
  }

  /** Counts bytes that are taken out of the file. */
  spend(path: string, length: number): void {
    this.left -= length;
    if (this.left < 0) this.fail(path, 'overlaps other parts of the file');
  }

  /** Follows the offset at `at`. */
  follow(path: string, at: number): number {
    this.check(path, at, 4);
    const to = at + this.view.getUint32(at, true);
    this.check(path, to, 4);
    return to;
  }

  /** The table that the file begins with. */
  root(): FlatTable {
    return new FlatTable(this, this.follow('root', 0), '');
  }
}

/** One table. Absent fields are undefined. */
export class FlatTable {
  private readonly vtable: number;
  private readonly vtableSize: number;
  private readonly size: number;

  constructor(
    private readonly file: FlatFile,
    private readonly at: number,
    /** `module_state.frozen_params[3]` */
    readonly path: string,
  ) {
    const { view } = file;
    const name = path === '' ? 'root' : path;
    file.check(name, at, 4);
    file.spend(name, 4);
    this.vtable = at - view.getInt32(at, true);
    file.check(`${name}: vtable`, this.vtable, 4);
    this.vtableSize = view.getUint16(this.vtable, true);
    this.size = view.getUint16(this.vtable + 2, true);
    if (this.vtableSize < 4 || this.size < 4) file.fail(`${name}: vtable`, 'is damaged');
    file.check(`${name}: vtable`, this.vtable, this.vtableSize);
    file.check(name, at, this.size);
  }

  fail(message: string): never {
    return this.file.fail(this.path, message);
  }

  private child(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** Place of a field that is `width` bytes wide. */
  private place(id: number, name: string, width: number): number | undefined {
    const slot = 4 + 2 * id;
    if (slot + 2 > this.vtableSize) return undefined;
    const offset = this.file.view.getUint16(this.vtable + slot, true);
    if (offset === 0) return undefined;
    if (offset + width > this.size) this.file.fail(this.child(name), 'lies outside of its table');
    return this.at + offset;
  }

  int32(id: number, name: string): number {
    const at = this.place(id, name, 4);
    return at === undefined ? 0 : this.file.view.getInt32(at, true);
  }
  int64(id: number, name: string, missing = 0n): bigint {
    const at = this.place(id, name, 8);
    return at === undefined ? missing : this.file.view.getBigInt64(at, true);
  }
  float(id: number, name: string): number {
    const at = this.place(id, name, 4);
    return at === undefined ? 0 : this.file.view.getFloat32(at, true);
  }
  bool(id: number, name: string): boolean {
    const at = this.place(id, name, 1);
    return at !== undefined && this.file.view.getUint8(at) !== 0;
  }

  table(id: number, name: string): FlatTable | undefined {
    const at = this.place(id, name, 4);
    return at === undefined ? undefined : new FlatTable(this.file, this.file.follow(this.child(name), at), this.child(name));
  }

  /** First element and count of a vector. */
  private vector(id: number, name: string, width: number): { at: number; count: number } | undefined {
    const field = this.place(id, name, 4);
    if (field === undefined) return undefined;
    const path = this.child(name);
    const at = this.file.follow(path, field);
    const count = this.file.view.getUint32(at, true);
    this.file.check(path, at + 4, count * width);
    this.file.spend(path, count * width);
    return { at: at + 4, count };
  }

  tables(id: number, name: string): FlatTable[] | undefined {
    const found = this.vector(id, name, 4);
    if (found === undefined) return undefined;
    return Array.from({ length: found.count }, (_, i) => {
      const path = `${this.child(name)}[${i}]`;
      return new FlatTable(this.file, this.file.follow(path, found.at + 4 * i), path);
    });
  }

  int64s(id: number, name: string): bigint[] | undefined {
    const found = this.vector(id, name, 8);
    return found && Array.from({ length: found.count }, (_, i) => this.file.view.getBigInt64(found.at + 8 * i, true));
  }

  /** A view, not a copy. */
  data(id: number, name: string): Uint8Array | undefined {
    const found = this.vector(id, name, 1);
    return found && this.file.bytes.subarray(found.at, found.at + found.count);
  }

  text(id: number, name: string): string | undefined {
    const bytes = this.data(id, name);
    if (bytes === undefined) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return this.file.fail(this.child(name), 'is not valid UTF-8');
    }
  }
}
