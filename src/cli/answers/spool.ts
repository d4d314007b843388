// Bytes that are written later than they are made: in memory while they are few, else in a file without a name, which ends with the process.
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../onnx/files/file-error.js';
import { fill } from '../../onnx/files/fill.js';
import { removeQuietly, temporaryName } from '../../onnx/files/temporary.js';
import { writeAll } from '../../onnx/files/write-all.js';

/** Bytes that stay in memory. */
const few = 2 ** 20;
const copiedAtOnce = 2 ** 20;

export class Spool {
  private held: Uint8Array[] = [];
  private size = 0;
  private written = 0;
  private fd: number | undefined;

  /** @param folder where the file stands */
  constructor(private readonly folder: string) {}

  add(bytes: Uint8Array): void {
    this.held.push(bytes);
    this.size += bytes.length;
    if (this.size - this.written > few) this.flush();
  }

  /** All bytes, in order. */
  *parts(): Generator<Uint8Array> {
    if (this.fd !== undefined)
      for (let at = 0; at < this.written; at += copiedAtOnce) {
        const part = new Uint8Array(Math.min(copiedAtOnce, this.written - at));
        this.trying('read', (fd) => {
          if (fill(fd, part, at) < part.length) throw new Error('it ended before all was read');
        });
        yield part;
      }
    yield* this.held;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    this.held = [];
  }

  private flush(): void {
    this.trying('write', (fd) => writeAll(fd, this.held));
    this.written = this.size;
    this.held = [];
  }

  private trying<T>(verb: 'read' | 'write', work: (fd: number) => T): T {
    const path = join(this.folder, temporaryName('answers'));
    try {
      if (this.fd === undefined) {
        this.fd = openSync(path, 'wx+');
        removeQuietly(path);
      }
      return work(this.fd);
    } catch (cause) {
      throw fileError(verb, this.folder, cause);
    }
  }
}
