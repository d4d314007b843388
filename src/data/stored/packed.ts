// Rows of several inputs packed into rows of bytes, one after another, so that one file and one shuffle hold them all; and each input of them again, as rows
// of its own.
import { createHash } from 'node:crypto';
import { byteLength } from '../../onnx/core/dtype.js';
import { must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Labelled, RowSet, SampleSet } from '../dataset.js';
import {
  type BlockShuffle,
  inMemory,
  type PackedInput,
  type Rows,
  type RowsOnDisk,
  type StoredType,
  sliceRows,
  storedTypes,
} from '../rows.js';
import { mapSamples, type SampleRows, type Samples } from '../samples.js';

const widthOf = ({ dtype, shape }: PackedInput): number => byteLength(dtype, elementCount(shape));

function layoutOf(samples: SampleRows): PackedInput[] {
  return Object.entries(samples).map(([name, { dtype, dims }]) => ({
    name,
    dtype: must(
      storedTypes.find((type) => type === dtype),
      dtype,
    ),
    shape: dims.slice(1),
  }));
}

/** Rows in memory, uint8 [D, bytes]. */
function packRows(samples: Samples): Tensor {
  const parts = Object.values(samples);
  const count = must(parts[0], 'input').dims[0] ?? 0;
  const widths = parts.map(({ bytes }) => bytes.length / Math.max(1, count));
  const width = widths.reduce((a, b) => a + b, 0);
  const out = new Uint8Array(count * width);
  let at = 0;
  parts.forEach(({ bytes }, i) => {
    const own = widths[i] ?? 0;
    for (let row = 0; row < count; row++) out.set(bytes.subarray(row * own, (row + 1) * own), row * width + at);
    at += own;
  });
  return new Tensor('uint8', [count, width], out);
}

/** One input of packed rows. */
function inputIn({ data, dims: [count = 0, width = 0] }: Tensor, from: number, input: PackedInput): Tensor {
  const own = widthOf(input);
  const out = new Uint8Array(count * own);
  const bytes = data as Uint8Array;
  for (let row = 0; row < count; row++) out.set(bytes.subarray(row * width + from, row * width + from + own), row * own);
  return Tensor.fromBytes(input.dtype, [count, ...input.shape], out);
}

/** Some of packed rows: the same rows for each of their inputs, so that the blocks in memory are shared. */
const selected = new WeakMap<RowsOnDisk, WeakMap<Uint32Array, RowsOnDisk>>();
function select(rows: RowsOnDisk, numbers: Uint32Array): RowsOnDisk {
  const known = selected.get(rows) ?? new WeakMap<Uint32Array, RowsOnDisk>();
  selected.set(rows, known);
  const own = known.get(numbers) ?? rows.select(numbers);
  known.set(numbers, own);
  return own;
}

/** An input of packed rows on disk. */
class InputRows implements RowsOnDisk {
  readonly dims: readonly number[];

  constructor(
    private readonly packed: RowsOnDisk,
    private readonly from: number,
    private readonly input: PackedInput,
  ) {
    this.dims = [packed.dims[0] ?? 0, ...input.shape];
  }

  get dtype(): StoredType {
    return this.input.dtype;
  }
  get memory(): number {
    return this.packed.memory;
  }
  get shuffle(): BlockShuffle {
    return this.packed.shuffle;
  }
  get content(): string {
    return createHash('sha256').update(`${this.packed.content}/${this.input.name}`).digest('hex');
  }

  read(numbers: ArrayLike<number>): Tensor {
    return inputIn(this.packed.read(numbers), this.from, this.input);
  }

  slice(from: number, to: number): Tensor {
    return inputIn(this.packed.slice(from, to), this.from, this.input);
  }

  select(numbers: Uint32Array): RowsOnDisk {
    return new InputRows(select(this.packed, numbers), this.from, this.input);
  }
}

/** Inputs that stand apart, as packed rows: what is written again. */
class PackedRows implements RowsOnDisk {
  readonly dtype = 'uint8';
  readonly dims: readonly number[];
  readonly memory: number;
  readonly shuffle: BlockShuffle;

  constructor(private readonly inputs: Readonly<Record<string, RowsOnDisk>>) {
    const first = must(Object.values(inputs)[0], 'input');
    this.dims = [first.dims[0] ?? 0, layoutOf(inputs).reduce((sum, input) => sum + widthOf(input), 0)];
    this.memory = first.memory;
    this.shuffle = first.shuffle;
  }

  get content(): string {
    const hash = createHash('sha256');
    for (const { content } of Object.values(this.inputs)) hash.update(content);
    return hash.digest('hex');
  }

  read(numbers: ArrayLike<number>): Tensor {
    return packRows(mapSamples(this.inputs, (rows) => rows.read(numbers)));
  }

  slice(from: number, to: number): Tensor {
    return packRows(mapSamples(this.inputs, (rows) => sliceRows(rows, from, to)));
  }

  select(numbers: Uint32Array): RowsOnDisk {
    return new PackedRows(mapSamples(this.inputs, (rows) => rows.select(numbers)));
  }
}

/** A data set of several inputs as one of packed rows. */
export function packedSet<T extends Rows>({ inputs, ...rest }: Labelled<Readonly<Record<string, T>>>): RowSet {
  const packed = layoutOf(inputs);
  const tensors: Record<string, Tensor> = {};
  const onDisk: Record<string, RowsOnDisk> = {};
  for (const [name, rows] of Object.entries<Rows>(inputs)) {
    if (inMemory(rows)) tensors[name] = rows;
    else onDisk[name] = rows;
  }
  const all = Object.keys(onDisk).length === 0 ? packRows(tensors) : new PackedRows(onDisk);
  return { ...rest, inputs: all, packed };
}

/** The inputs of packed rows, each by its name. */
export function unpackedSet({ inputs: rows, packed = [], ...rest }: RowSet): SampleSet {
  let from = 0;
  const inputs: Record<string, Rows> = {};
  for (const input of packed) {
    inputs[input.name] = inMemory(rows) ? inputIn(rows, from, input) : new InputRows(rows, from, input);
    from += widthOf(input);
  }
  return { ...rest, inputs };
}
