// Bytes of a pipe as they come: whole lines to be answered, or a file to be read like any other. Whether a pipe pauses is told too, since somebody may be
// waiting for answers to what has come so far.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { stopIfAborted } from '../../onnx/core/errors.js';
import { joinBytes } from '../../onnx/core/join-bytes.js';
import { GrowingFile } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';

/** Nothing more has come for a moment. */
export const pause = Symbol('pause');
export type Pause = typeof pause;

/** How long nothing must have come, in milliseconds. */
const patience = 50;
/** Lines that are handed on together, in bytes, while more come. */
const blockBytes = 2 ** 20;
const lf = 10;

/** What comes out of a pipe, once. */
export class Pipe {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private next: Promise<IteratorResult<Uint8Array, unknown>> | undefined;
  private held: Uint8Array[] = [];
  private folder: string | undefined;

  constructor(
    private readonly stream: Readable,
    private readonly signal: AbortSignal | undefined,
  ) {
    if (signal !== undefined) addAbortSignal(signal, stream);
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** How it begins, `count` bytes or more; fewer where it ends or pauses before. */
  async begin(count: number): Promise<Uint8Array> {
    while (size(this.held) < count) {
      const chunk = await this.take(this.held.length > 0);
      if (chunk === undefined || chunk === pause) break;
      this.held.push(chunk);
    }
    this.held = [joinBytes(this.held)];
    return this.held[0] ?? new Uint8Array();
  }

  /** Blocks of whole lines; the last may end without a line break. */
  async *lines(): AsyncGenerator<Uint8Array<ArrayBuffer> | Pause> {
    try {
      // After a pause nothing is told until there is more.
      for (let patiently = true; ; ) {
        const chunk = await this.take(patiently);
        if (chunk === undefined) break;
        patiently = chunk !== pause;
        if (chunk !== pause) this.held.push(chunk);
        if (chunk !== pause && size(this.held) < blockBytes) continue;
        const bytes = joinBytes(this.held);
        const end = bytes.lastIndexOf(lf) + 1;
        this.held = [bytes.subarray(end)];
        if (end > 0) yield bytes.slice(0, end);
        if (chunk === pause) yield pause;
      }
      const rest = joinBytes(this.held);
      if (rest.length > 0) yield rest;
    } finally {
      this.close();
    }
  }

  /** All of it in a file, which stands until `close`. */
  async file(): Promise<string> {
    this.folder = mkdtempSync(join(tmpdir(), 'prognet-stdin-'));
    const file = new GrowingFile(join(this.folder, 'stdin'));
    try {
      file.write(this.held);
      this.held = [];
      for (let chunk = await this.take(false); chunk !== undefined && chunk !== pause; chunk = await this.take(false))
        file.write(chunk);
      file.commit();
    } finally {
      file.abandon();
    }
    return join(this.folder, 'stdin');
  }

  /** Nothing more is read, and its file goes. */
  close(): void {
    this.stream.destroy();
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  /** The next bytes; undefined at the end. */
  private async take(patiently: boolean): Promise<Uint8Array | Pause | undefined> {
    if (this.next === undefined) {
      this.next = this.chunks.next();
      // Nobody may be waiting when it fails; whoever takes it next hears of it.
      this.next.catch(() => {});
    }
    let timer: NodeJS.Timeout | undefined;
    try {
      const waiting = new Promise<Pause>((resolve) => {
        if (patiently) timer = setTimeout(() => resolve(pause), patience);
      });
      const found = await Promise.race([this.next, waiting]);
      if (found === pause) return pause;
      this.next = undefined;
      return found.done === true ? undefined : found.value;
    } catch (cause) {
      stopIfAborted(this.signal);
      throw fileError('read', 'stdin', cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

const size = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);
