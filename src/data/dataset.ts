// Data sets: rows of inputs, in memory or on disk, and their targets. Splitting and taking rows; no reading, no transforms.
//
// What a network sees: where it takes uint8, data of uint8 as they are. Where it takes float32, uint8 data are grey levels, which the training
// graph divides by 255 (a quarter of the memory of floats), and float32 data are taken as they are.

import { dataError } from '../formats/data-error.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Decoding } from './images/decoding.js';
import { inMemory, type PackedInput, type Rows } from './rows.js';
import { countOf, isRows, mapSamples, type SampleRows, type Samples } from './samples.js';

/** D rows; `inputs` and `targets` agree in D. */
export interface Labelled<Inputs extends Rows | SampleRows> {
  /** [D, ...shape], uint8 (full range 0..255) or float32 (full range 0..1 for images, anything for tables); int64 of token ids. */
  readonly inputs: Inputs;
  /** int64 [D] class labels; or float32 [D, k] for regression and multi-label. */
  readonly targets: Tensor;
  /** Number of classes where it is known: the source says so, or 1 + the largest label of train and test. */
  readonly classes?: number;
  /** What the classes are called in the data, where their labels are texts. */
  readonly classNames?: readonly string[];
  /** Of several heads: their names, in the order in which their targets stand side by side, float32 [D, ...], a class as its number. */
  readonly heads?: readonly string[];
  /** How image files became samples: what is to be done to other images. */
  readonly decoding?: Decoding;
  /** @internal Of rows of bytes: the inputs that are packed in each, one after another. */
  readonly packed?: readonly PackedInput[];
}

/** One array of inputs, as a file holds it: which input of a network it is, the network says (train/prepare-data.ts). */
export type Dataset = Labelled<Tensor>;
/** The same, in memory or on disk. */
export type RowSet = Labelled<Rows>;
/** The inputs of a network, by name. */
export type SampleSet = Labelled<SampleRows>;
/** The same, in memory. */
export type NamedSet = Labelled<Samples>;
/** Any of them. */
export type AnySet = Labelled<Rows | SampleRows>;

/** Training and test data. */
export interface Split<D = Dataset> {
  /** What is trained on. */
  readonly train: D;
  /** What the finished column is measured on. */
  readonly test: D;
}

/** Number of rows. */
export function rows(dataset: AnySet): number {
  return countOf(dataset.inputs);
}

/** The class labels, or undefined where the targets are float32. */
export function classLabels(dataset: AnySet): BigInt64Array | undefined {
  return dataset.targets.data instanceof BigInt64Array ? dataset.targets.data : undefined;
}

/** Rows of a tensor, copied in the order of `indices`. */
function takeRows(tensor: Tensor, indices: ArrayLike<number>): Tensor {
  const { bytes, dims, dtype } = tensor;
  const count = dims[0] ?? 0;
  const width = count === 0 ? 0 : bytes.length / count;
  const out = new Uint8Array(width * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i] as number;
    if (!Number.isInteger(row) || row < 0 || row >= count) {
      throw dataError('data set', `row ${row} is out of range, expected 0..${count - 1}`, {
        expected: `0..${count - 1}`,
        got: String(row),
      });
    }
    out.set(bytes.subarray(row * width, (row + 1) * width), i * width);
  }
  return Tensor.fromBytes(dtype, [indices.length, ...dims.slice(1)], out);
}

/** The rows at `indices`, in that order; a row may come more than once. Throws a DataError for a row that is not there. */
export function take<D extends AnySet>(dataset: D, indices: ArrayLike<number>): D {
  const { inputs } = dataset;
  // Once for all inputs of a row: what holds them together tells by it that they are the same rows.
  let numbers: Uint32Array | undefined;
  const choose = (rows: Rows): Rows => {
    if (inMemory(rows)) return takeRows(rows, indices);
    numbers ??= Uint32Array.from(indices);
    return rows.select(numbers);
  };
  const chosen = isRows(inputs) ? choose(inputs) : mapSamples(inputs, choose);
  return { ...dataset, inputs: chosen, targets: takeRows(dataset.targets, indices) };
}

/** Two parts: `part` of the rows drawn by seed and the rest, both in the order of the data set. Neither is empty. */
function divide<D extends AnySet>(dataset: D, part: number, seed: number, label: string, where: string): [rest: D, drawn: D] {
  const count = rows(dataset);
  if (!(part > 0 && part < 1)) {
    throw dataError(where, `${label} fraction ${part} is out of range, expected more than 0 and less than 1`, {
      expected: '0 < fraction < 1',
      got: String(part),
    });
  }
  if (count < 2) {
    throw dataError(where, `${count} row${count === 1 ? '' : 's'} cannot be split into train and ${label}, expected at least 2`, {
      expected: 'at least 2 rows',
      got: String(count),
    });
  }
  const size = Math.min(count - 1, Math.max(1, Math.round(count * part)));
  const order = new Random(seed, label).permutation(count);
  return [take(dataset, order.subarray(size).toSorted()), take(dataset, order.subarray(0, size).toSorted())];
}

/** Splits off `fraction` of the rows as a test set. Same seed, same split. `where` names the data set in errors. */
export function splitTest<D extends AnySet>(dataset: D, fraction: number, seed: number, where = 'data set'): Split<D> {
  const [train, test] = divide(dataset, fraction, seed, 'test', where);
  return { train, test };
}

/** Splits off `fraction` of the rows for validation. Same seed, same split. `where` names the data set in errors. */
export function splitValidation<D extends AnySet>(
  dataset: D,
  fraction: number,
  seed: number,
  where = 'data set',
): { train: D; validation: D } {
  const [train, validation] = divide(dataset, fraction, seed, 'validation', where);
  return { train, validation };
}
