// The columns of a fleet that are in memory: for each weight one bank [T, ...] with a place for each column. A run of one column is given a view of its place, a run of many the banks
// themselves, so that a column takes its weights and nothing more. Which was asked for least recently makes room for another.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { must, UsageError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import { seenOf } from '../onnx/files/stored-file.js';
import { columnFile, type Fleet, readColumn } from './folder.js';

/** A column in memory. */
export interface HeldColumn {
  /** Its place in the banks. */
  readonly place: number;
  /** What its labels are called. Nothing else of its record is kept, which would take a fifth of what its weights do. */
  readonly labels?: readonly string[];
}

interface Held extends HeldColumn {
  /** What told its file from another when it was read. */
  readonly seen: string | undefined;
}

interface Bank {
  readonly name: string;
  readonly shape: readonly number[];
  readonly size: number;
  /** Pages that no column was written to take no memory. */
  readonly data: Float32Array;
}

export class ColumnBank {
  /** Least recently used first. */
  private readonly held = new Map<string, Held>();
  private readonly banks: readonly Bank[];
  /** Places that were in use and are free again. */
  private readonly free: number[] = [];
  private used = 0;
  /** Columns that fit. */
  readonly capacity: number;
  /** Bytes of the weights of a column. */
  readonly bytesEach: number;

  /** Throws UsageError where `memory`, in bytes, does not hold one column. */
  constructor(
    private readonly folder: string,
    private readonly fleet: Fleet,
    memory: number,
  ) {
    const sizes = fleet.weights.map(({ shape }) => elementCount(shape));
    this.bytesEach = 4 * sizes.reduce((a, b) => a + b, 0);
    this.capacity = Math.floor(memory / this.bytesEach);
    if (!(this.capacity >= 1)) {
      const expected = `at least ${this.bytesEach} bytes`;
      throw new UsageError(`memory: found ${memory}, expected ${expected}, the weights of one column`, {
        path: 'memory',
        expected,
        got: String(memory),
      });
    }
    this.banks = fleet.weights.map(({ name, shape }, i) => {
      const size = must(sizes[i], name);
      return { name, shape, size, data: new Float32Array(this.capacity * size) };
    });
  }

  /** Columns in memory. */
  get size(): number {
    return this.held.size;
  }

  /**
   * Columns by name, read from the folder where they are not there or their files are others by now. `names` differ, and are no more than fit. Throws as `readColumn`; columns that were there stay.
   */
  take(names: readonly string[]): readonly HeldColumn[] {
    const wanted = new Set(names);
    return names.map((name) => {
      const known = this.held.get(name);
      const seen = this.seen(name);
      if (known !== undefined && known.seen === seen && seen !== undefined) {
        this.held.delete(name);
        this.held.set(name, known);
        return known;
      }
      const { record, tensors } = readColumn(this.folder, this.fleet, name);
      if (known !== undefined) this.drop(name);
      const place = this.place(wanted);
      for (const { name: weight, data, size } of this.banks)
        data.set(must(tensors.get(weight), weight).data as Float32Array, place * size);
      const { classes: labels } = record.data;
      const held = { place, seen, ...(labels && { labels }) };
      this.held.set(name, held);
      return held;
    });
  }

  private seen(name: string): string | undefined {
    const stat = statSync(join(this.folder, columnFile(name)), { throwIfNoEntry: false });
    return stat && seenOf(stat);
  }

  private drop(name: string): void {
    this.free.push(must(this.held.get(name), name).place);
    this.held.delete(name);
  }

  private place(wanted: ReadonlySet<string>): number {
    if (this.free.length === 0 && this.used === this.capacity)
      this.drop(
        must(
          [...this.held.keys()].find((name) => !wanted.has(name)),
          'column to leave',
        ),
      );
    return this.free.pop() ?? this.used++;
  }

  /** The weights of one column, views of the banks, by the names of the models' inputs. */
  weightsAt(place: number): Record<string, Tensor> {
    return this.feeds(place, place + 1, (shape) => shape);
  }

  /** The banks, [T, ...], as far as they are in use. */
  stacked(): Record<string, Tensor> {
    return this.feeds(0, this.used, (shape) => [this.used, ...shape]);
  }

  private feeds(from: number, to: number, dims: (shape: readonly number[]) => readonly number[]): Record<string, Tensor> {
    const entries = this.banks.map(({ name, shape, size, data }): [string, Tensor] => [
      name,
      new Tensor('float32', dims(shape), data.subarray(from * size, to * size)),
    ]);
    return Object.fromEntries(entries);
  }
}
