// Files of rows while they are made: what a stream gives, what transforms make of it, and the two parts under their names at the end.
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { dataError } from '../../formats/data-error.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { sha256 } from '../../onnx/files/hash.js';
import { removeQuietly } from '../../onnx/files/temporary.js';
import { writeAll } from '../../onnx/files/write-all.js';
import type { Dataset, RowSet } from '../dataset.js';
import { decodingSchema } from '../images/decoding.js';
import type { Step } from '../reading.js';
import { joinRows, type Rows, rowBytes, runsOf, storedTypes } from '../rows.js';
import type { RowStream } from '../sources/source.js';
import type { Rewrite } from '../transforms/transform.js';
import { RowsFile, type RowsShape } from './rows-file.js';

/** Bytes that are read and written together. */
const bytesAtOnce = 2 ** 23;

/** What the note says of a part. */
export const partSchema = z.strictObject({
  dtype: z.enum(storedTypes),
  dims: z.array(z.int().min(0)).min(1),
  content: z.string(),
  targets: z.strictObject({ dtype: z.enum(['int64', 'float32']), dims: z.array(z.int().min(0)).min(1), sha256: z.string() }),
  classes: z.int().exactOptional(),
  classNames: z.array(z.string()).exactOptional(),
  decoding: decodingSchema.exactOptional(),
  packed: z
    .array(z.strictObject({ name: z.string(), dtype: z.enum(storedTypes), shape: z.array(z.int().min(0)) }))
    .exactOptional(),
});
/** What the note says of a part. */
export type Part = z.output<typeof partSchema>;

/** Files of rows in a folder. */
export class Writer {
  private count = 0;
  private readonly made = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly memory: number,
    private readonly where: string,
    private readonly step: Step,
  ) {}

  /** The rows of a stream, one part after another. Throws DataError for parts that do not fit together. */
  async write({ parts }: RowStream): Promise<RowSet> {
    const file = new Appending(this.path());
    const targets: Tensor[] = [];
    let first: Dataset | undefined;
    try {
      for await (const part of parts(this.step)) {
        first ??= part;
        file.add(part.inputs, this.where);
        targets.push(part.targets);
      }
      file.end();
    } finally {
      file.close();
    }
    return { ...must(first, 'part'), inputs: RowsFile.open(file.path, file.shape, this.memory), targets: joinRows(targets) };
  }

  /** Rows whose values are made others. */
  readonly rewrite: Rewrite = (rows, each) => this.copy(rows, each, 'rows transformed');

  private async copy(rows: Rows, each: (part: Tensor) => Tensor, what: string): Promise<RowsFile> {
    const file = new Appending(this.path());
    try {
      for (const { from, part } of runsOf(rows, Math.max(1, Math.floor(bytesAtOnce / rowBytes(rows))))) {
        file.add(each(part), this.where);
        await this.step(what, from + (part.dims[0] ?? 0), rows.dims[0] ?? 0);
      }
      file.end();
    } finally {
      file.close();
    }
    return RowsFile.open(file.path, file.shape, this.memory);
  }

  /** A part under its name, and what the note says of it. */
  async finish(name: string, { inputs, targets, ...rest }: RowSet): Promise<Part> {
    const own =
      inputs instanceof RowsFile && inputs.path !== undefined
        ? inputs
        : await this.copy(inputs, (part) => part, `rows put into ${name}`);
    const path = must(own.path, name);
    await own.hash(this.step);
    const { content } = own;
    renameSync(path, join(this.folder, `${name}.rows`));
    this.made.delete(path);
    writeFileSync(join(this.folder, `${name}.targets`), targets.bytes);
    const { dtype, dims } = targets;
    return partSchema.parse({
      ...rest,
      dtype: own.dtype,
      dims: own.dims,
      content,
      targets: { dtype, dims, sha256: sha256(targets.bytes) },
    });
  }

  /** Removes what was made on the way. */
  clear(): void {
    for (const path of this.made) removeQuietly(path);
  }

  private path(): string {
    const path = join(this.folder, `${this.count++}.rows`);
    this.made.add(path);
    return path;
  }
}

/** A file that rows are added to. */
class Appending {
  private readonly fd: number;
  private first: Tensor | undefined;
  private rows = 0;

  constructor(readonly path: string) {
    this.fd = openSync(path, 'wx');
  }

  add(part: Tensor, where: string): void {
    this.first ??= part;
    const [a, b] = [this.first, part].map(({ dtype, dims }) => `${dtype} [${dims.slice(1)}]`);
    if (a !== b) throw dataError(where, `row ${this.rows} is ${b}, the first is ${a}`, { expected: `${a}`, got: `${b}` });
    writeAll(this.fd, part.bytes);
    this.rows += part.dims[0] ?? 0;
  }

  end(): void {
    fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }

  get shape(): RowsShape {
    const { dtype, dims } = must(this.first, 'row');
    return {
      dtype: must(
        storedTypes.find((type) => type === dtype),
        dtype,
      ),
      dims: [this.rows, ...dims.slice(1)],
    };
  }
}
