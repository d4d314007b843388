// Arrays as they stand in files to a Dataset: which dtypes become what, and what is refused.
import { getFloat16 } from '@petamoriken/float16';
import { dataError, formatIndex } from '../formats/data-error.js';
import { areKnown } from '../model/nn/open-size.js';
import type { InputDtype, NetworkInput } from '../model/progressive/inputs.js';
import type { DType } from '../onnx/core/dtype.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { AnySet, Dataset, RowSet, Split } from './dataset.js';

const numeric: ReadonlySet<DType> = new Set<DType>([
  'float16',
  'float32',
  'float64',
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
]);

function isInteger(dtype: DType): boolean {
  return dtype === 'bool' || dtype.startsWith('int') || dtype.startsWith('uint');
}

/** float32 of all 65536 halves. */
function halfTable(): Float32Array {
  const table = new Float32Array(65536);
  const view = new DataView(new ArrayBuffer(2));
  for (let bits = 0; bits < 65536; bits++) {
    view.setUint16(0, bits, true);
    table[bits] = getFloat16(view, 0, true);
  }
  return table;
}

/**
 * As float32, rounded to nearest (integers beyond 2^24 and float64 lose digits). Throws a DataError at what is beyond float32, and at NaN unless
 * values may be missing.
 */
function toFloat32(tensor: Tensor, where: string, missing = false, first = 0): Tensor {
  const { data, dims, dtype } = tensor;
  const out = dtype === 'float32' && data instanceof Float32Array ? data : new Float32Array(data.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
  else if (dtype === 'float16') {
    const table = halfTable();
    for (let i = 0; i < out.length; i++) out[i] = table[data[i] as number] as number;
  } else if (out !== data) for (let i = 0; i < out.length; i++) out[i] = data[i] as number;
  for (let i = 0; i < out.length; i++) {
    const value = out[i] as number;
    if (value - value === 0 || (missing && Number.isNaN(value))) continue;
    const found = dtype === 'float16' ? value : data[i];
    throw dataError(
      where,
      `holds ${found} at ${formatIndex(first * elementCount(dims.slice(1)) + i, dims)}, expected a finite float32`,
      {
        expected: 'a finite float32',
        got: String(found),
      },
    );
  }
  return new Tensor('float32', dims, out);
}

function toInt64(tensor: Tensor, where: string): Tensor {
  const { data, dims } = tensor;
  if (tensor.dtype === 'int64') return tensor;
  const out = new BigInt64Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const value = BigInt(data[i] as number | bigint);
    if (value >= 2n ** 63n)
      throw dataError(where, `holds ${value} at ${formatIndex(i, dims)}, beyond int64`, { got: String(value) });
    out[i] = value;
  }
  return new Tensor('int64', dims, out);
}

/** uint8 stays, everything else becomes what the input is, float32 where nothing is known of it. [D] becomes [D,1], unless a sample is one value. */
export function toInputs(tensor: Tensor, where: string, missing: boolean, first: number, input?: NetworkInput): Tensor {
  if (!numeric.has(tensor.dtype)) throw dataError(where, `inputs are ${tensor.dtype}, expected numbers`, { got: tensor.dtype });
  const out = ofDtype(tensor, where, missing, first, input?.dtype);
  const { dims } = out;
  if (input?.shape.length === 0) return dims.length === 2 && dims[1] === 1 ? out.reshape([out.size]) : out;
  return dims.length === 1 ? out.reshape([out.size, 1]) : out;
}

function ofDtype(tensor: Tensor, where: string, missing: boolean, first: number, wanted: InputDtype | undefined): Tensor {
  const { dtype, dims } = tensor;
  if (wanted === 'int64' || wanted === 'int32' || wanted === 'bool')
    return dtype === wanted ? tensor : toWhole(tensor, wanted, where, first);
  if (dtype === 'uint8') return tensor;
  const floats = toFloat32(tensor, where, missing, first);
  if (wanted !== 'float16') return floats;
  return dtype === 'float16' ? tensor : Tensor.from('float16', [...floats.numbers()], dims);
}

const wholeRange = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  bool: [0, 1],
} as const;
/** From 2^24 on a float32 may stand for its neighbours as well. */
const wholeFloats = 2 ** 24 - 1;

/** Whole numbers of another dtype, none of them changed. */
function toWhole(tensor: Tensor, wanted: keyof typeof wholeRange, where: string, first: number): Tensor {
  const { data, dims, dtype } = tensor;
  const numbers = dtype === 'float16' ? toFloat32(tensor, where).data : data;
  const [low, high] = wholeRange[wanted];
  const most = dtype === 'float32' || dtype === 'float16' ? wholeFloats : Number.POSITIVE_INFINITY;
  const out =
    wanted === 'int64'
      ? new BigInt64Array(data.length)
      : wanted === 'int32'
        ? new Int32Array(data.length)
        : new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const value = Number(numbers[i]);
    if (!Number.isInteger(value) || value < low || value > high || Math.abs(value) > most) {
      const at = formatIndex(first * elementCount(dims.slice(1)) + i, dims);
      const expected =
        wanted === 'bool' ? '0 or 1' : `a whole number of ${wanted}${most < high ? ', as float32 below 2^24' : ''}`;
      throw dataError(where, `holds ${data[i]} at ${at}, expected ${expected}`, { expected, got: String(data[i]) });
    }
    out[i] = wanted === 'int64' ? BigInt(value) : value;
  }
  return new Tensor(wanted, dims, out);
}

/**
 * Integers [D] or [D,1] become int64 labels [D]; floats, and integers [D,k] and [D,T,k], become float32. NaN, where a step does not count, may be where there
 * are steps.
 */
export function toTargets(tensor: Tensor, where: string, steps = false): Tensor {
  const { dims, dtype } = tensor;
  if (!numeric.has(dtype)) throw dataError(where, `targets are ${dtype}, expected numbers`, { got: dtype });
  if (dims.length < 1 || dims.length > 3) {
    throw dataError(where, `targets have shape [${dims.join(',')}], expected [D] or [D,k], or of each step [D,T] or [D,T,k]`, {
      expected: '[D], [D,k] or [D,T,k]',
      got: `[${dims.join(',')}]`,
    });
  }
  if (isInteger(dtype) && (dims.length === 1 || dims[1] === 1)) return toInt64(tensor, where).reshape([dims[0] ?? 0]);
  const out = toFloat32(tensor, where, steps || dims.length === 3);
  return dims.length === 1 ? out.reshape([out.size, 1]) : out;
}

/** How arrays are called in errors, and whether inputs may be NaN. */
export interface ArraysFrom {
  readonly inputs: string;
  readonly targets: string;
  readonly missing?: boolean | undefined;
  /** The number of the first row, where the arrays are a part of others. */
  readonly first?: number;
  /** Whether the targets are of each step: NaN where one does not count. */
  readonly steps?: boolean;
  /** What they are for, where that is known. */
  readonly input?: NetworkInput | undefined;
}

/**
 * A data set of inputs and targets read from a file. uint8 inputs stay uint8, all other numbers become float32.
 * @throws DataError for NaN and infinities (naming the index), different numbers of rows, no rows, dtypes that are no numbers
 */
export function datasetFrom(inputs: Tensor, targets: Tensor, where: ArraysFrom): Dataset {
  const count = inputs.dims[0] ?? 0;
  if (inputs.size === 0) {
    throw dataError(where.inputs, `shape [${inputs.dims.join(',')}] holds no rows, expected [D, ...] with D of at least 1`, {
      expected: 'at least one row',
      got: `[${inputs.dims.join(',')}]`,
    });
  }
  if (inputs.dims.length === 0 || targets.dims[0] !== count) {
    throw dataError(where.targets, `${targets.dims[0] ?? 0} targets for ${count} inputs, expected one each`, {
      expected: `${count} rows`,
      got: `${targets.dims[0] ?? 0} rows`,
    });
  }
  return {
    inputs: toInputs(inputs, where.inputs, where.missing ?? false, where.first ?? 0, where.input),
    targets: toTargets(targets, where.targets, where.steps),
  };
}

/** A data set of token ids, int64 [D, length], and targets. Throws as `datasetFrom`. */
export function textDataset(ids: Tensor, targets: Tensor, where: ArraysFrom): Dataset {
  return { ...datasetFrom(Tensor.zeros('uint8', [ids.dims[0] ?? 0, 1]), targets, where), inputs: ids };
}

/** 1 + the largest label of the data sets together; undefined where there are other targets or negative labels. */
function countClasses(datasets: readonly Pick<RowSet, 'targets'>[]): number | undefined {
  let largest = -1n;
  for (const { targets } of datasets) {
    if (!(targets.data instanceof BigInt64Array)) return undefined;
    for (const label of targets.data) {
      if (label < 0n) return undefined;
      if (label > largest) largest = label;
    }
  }
  const classes = Number(largest) + 1;
  return Number.isSafeInteger(classes) ? classes : undefined;
}

/** The split again. @throws DataError when a sample of train has another dtype or shape than one of test, as far as no size of the `inputs` is open */
export function sameInputs<D extends RowSet>(split: Split<D>, where: string, inputs: readonly NetworkInput[] = []): Split<D> {
  if (!inputs.every(({ shape }) => areKnown(shape))) return split;
  const [a, b] = [split.train, split.test].map(({ inputs }) => `${inputs.dtype} [${inputs.dims.slice(1).join(',')}]`);
  if (a === b) return split;
  throw dataError(where, `inputs of train are ${a}, those of test ${b}, expected the same`, { expected: `${a}`, got: `${b}` });
}

/** The number of classes filled in, the same for both parts. */
export function withClasses<D extends AnySet>(split: Split<D>): Split<D> {
  const classes = countClasses([split.train, split.test]);
  return classes === undefined ? split : { train: { ...split.train, classes }, test: { ...split.test, classes } };
}
