// Data of one's own as arrays: `dataset({ x, y })` makes of nested arrays, typed arrays and tensors what files give, split and transformed alike.
// Files are read in sources.ts; what a network and its head take is seen when they are used (checks.ts, train/prepare-data.ts).
import { dataError, quote } from '../formats/data-error.js';
import { sideBySide } from '../model/heads/several.js';
import { anObject, given, type Kind, optional } from '../onnx/core/given.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor, type TypedArray } from '../onnx/core/tensor.js';
import { type Dataset, type Split, splitTest } from './dataset.js';
import { datasetFrom, sameInputs, withClasses } from './from-arrays.js';
import { applyTransforms, type TransformSpec } from './transforms/registry.js';

/** Arrays in arrays, of any depth: `[[0, 1], [1, 0]]`. The innermost may be typed arrays. */
export type NestedNumbers = readonly (number | NumberArray | NestedNumbers)[];
/** A flat array of numbers. */
export type NumberArray = TypedArray | Uint8ClampedArray;

/** A target for each row. */
export type OwnTargets = NestedNumbers | NumberArray | Tensor;

/** Rows of inputs with a target each. */
export interface OwnData {
  /**
   * `[D, ...]`: a row for each sample. Uint8Array is raw grey levels 0..255, which the network scales to 0..1; all else becomes float32. Of a typed
   * array alone, `shape` says what a sample is.
   */
  readonly x: NestedNumbers | NumberArray | Tensor;
  /** Whole numbers [D] are classes, counted from 0; [D, k] and what is not whole become float32, for regress and binary. Of several heads those of each by its name. */
  readonly y: OwnTargets | Readonly<Record<string, OwnTargets>>;
  /** The shape of one sample, such as [1, 28, 28], where the arrays do not have it. */
  readonly shape?: readonly number[];
}

/** Arrays of a program as data. */
export interface OwnDataOptions {
  /** The part of the rows that is drawn as the test set (more than 0, less than 1), or a test set. Default 0.2. */
  readonly test?: number | OwnData;
  /** Seed of that draw. Default 0. */
  readonly seed?: number;
  /** Applied in this order, to train and test alike: `['invert', { noise: { std: 0.1 } }]`. */
  readonly transform?: readonly TransformSpec[];
}

const whole: Kind = { what: 'a whole number', holds: Number.isSafeInteger };
const list: Kind = { what: 'an array', holds: Array.isArray };
const testSet: Kind = {
  what: 'a part between 0 and 1, or { x, y }',
  holds: (v) => typeof v === 'number' || (anObject.holds(v) && !isArray(v)),
};
const shapeKind: Kind = {
  what: 'the sizes of one sample, such as [1, 28, 28]',
  holds: (v) => Array.isArray(v) && v.every((size) => Number.isSafeInteger(size) && size > 0),
};

/**
 * A data set of own arrays, as `train` and `evaluate` take it: `dataset({ x: [[0, 1], [1, 1]], y: [1, 0] })`. The same seed gives the same split.
 * @throws DataError for rows of different lengths, NaN and what is no number (naming the index), other numbers of targets than rows, transforms
 *   that the data cannot take; UsageError for other arguments
 */
export function dataset(data: OwnData, options: OwnDataOptions = {}): Split {
  given('dataset', { data, options }, { data: anObject, options: anObject });
  onlyKeys(options, ['test', 'seed', 'transform'], 'dataset: options');
  given(
    'dataset',
    { options },
    { 'options.test': optional(testSet), 'options.seed': optional(whole), 'options.transform': optional(list) },
  );
  const { test = 0.2, seed, transform = [] } = options;
  const rows = rowsOf(data, 'dataset');
  return applyTransforms(withClasses(divided()), transform, 'dataset.transform');

  function divided(): Split {
    if (typeof test === 'number') return splitTest(rows, test, seed ?? 0, 'dataset.test');
    if (seed !== undefined)
      throw dataError('dataset.seed', 'is for data without a test set, "test" is one', { got: String(seed) });
    return sameInputs({ train: rows, test: rowsOf(test, 'dataset.test') }, 'dataset');
  }
}

function rowsOf(data: OwnData, where: string, named = `${where}.y`): Dataset {
  const { x, y, shape } = data;
  onlyKeys(data, ['x', 'y', 'shape'], where);
  given(where, { shape }, { shape: optional(shapeKind) });
  if (isByName(y)) return rowsOfHeads(x, y, shape, where);
  const targets = targetsOf(y, named);
  const inputs = inputsOf(x, shape, targets.dims[0] ?? 0, `${where}.x`);
  return datasetFrom(inputs, targets, { inputs: `${where}.x`, targets: named });
}

const isByName = (y: OwnData['y']): y is Readonly<Record<string, OwnTargets>> =>
  anObject.holds(y) && !isArray(y) && !(y instanceof Tensor);

/** Targets of several heads side by side, in the order of their names. */
function rowsOfHeads(
  x: OwnData['x'],
  y: Readonly<Record<string, OwnTargets>>,
  shape: readonly number[] | undefined,
  where: string,
): Dataset {
  const heads = Object.keys(y);
  const sets = heads.map((name) => rowsOf({ x, y: y[name] ?? [], ...(shape && { shape }) }, where, `${where}.y.${name}`));
  const [first] = sets;
  if (first === undefined) throw dataError(`${where}.y`, 'holds no targets, expected those of each head by its name');
  return { ...first, targets: sideBySide(sets.map(({ targets }) => targets)), heads };
}

function onlyKeys(value: object, known: readonly string[], where: string): void {
  const odd = Object.keys(value).find((key) => !known.includes(key));
  if (odd === undefined) return;
  const expected = `one of ${known.join(', ')}`;
  throw dataError(where, `unknown key ${quote(odd)}, expected ${expected}`, { expected, got: odd });
}

function inputsOf(x: unknown, shape: readonly number[] | undefined, targets: number, where: string): Tensor {
  const tensor = tensorOf(x, where);
  const { size, dims } = tensor;
  if (shape !== undefined) {
    const count = size / elementCount(shape);
    const fits = dims.length > 1 ? dims[0] === count : Number.isInteger(count);
    if (fits) return tensor.reshape([count, ...shape]);
    const got = `[${dims.join(',')}]`;
    throw dataError(where, `has shape ${got}, which are not rows of [${shape.join(',')}]`, { expected: `[D,${shape}]`, got });
  }
  if (ArrayBuffer.isView(x) && size !== targets) {
    const expected = 'shape, what one sample is';
    const advice = `"shape" says what one sample is${size % targets === 0 && size > 0 ? `, such as shape: [${size / targets}]` : ''}`;
    throw dataError(where, `${size} numbers for ${targets} targets: ${advice}`, { expected, got: `${size} numbers` });
  }
  return tensor;
}

/** Plain numbers that are all whole are int64, so that they may be classes. */
function targetsOf(y: unknown, where: string): Tensor {
  const tensor = tensorOf(y, where);
  const { data, dims } = tensor;
  if (!Array.isArray(y) || !(data instanceof Float64Array) || !data.every(Number.isSafeInteger)) return tensor;
  return new Tensor('int64', dims, BigInt64Array.from(data, BigInt));
}

/** The numbers with the shape that they are written in: float64 for numbers, else the dtype of the typed arrays. */
function tensorOf(value: unknown, where: string): Tensor {
  if (value instanceof Tensor) return value;
  const typed = typedOf(value);
  if (typed !== undefined) return new Tensor(typed.dtype, [typed.data.length], typed.data);
  if (Array.isArray(value)) return nested(value, where);
  const names = anObject.holds(value) ? Object.keys(Object(value)) : [];
  const got =
    value === undefined ? 'is missing' : names.length > 0 ? `holds arrays by name (${names.join(', ')})` : 'is no array';
  const expected = 'arrays of numbers, a typed array or a Tensor';
  throw dataError(where, `${got}, expected ${expected}`, { expected, got });
}

const isArray = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

type Typed = { readonly dtype: Tensor['dtype']; readonly data: TypedArray };

function typedOf(value: unknown): Typed | undefined {
  if (value instanceof Uint8ClampedArray)
    return { dtype: 'uint8', data: new Uint8Array(value.buffer, value.byteOffset, value.length) };
  if (value instanceof Uint8Array) return { dtype: 'uint8', data: value };
  if (value instanceof Float32Array) return { dtype: 'float32', data: value };
  if (value instanceof Float64Array) return { dtype: 'float64', data: value };
  if (value instanceof Int8Array) return { dtype: 'int8', data: value };
  if (value instanceof Int16Array) return { dtype: 'int16', data: value };
  if (value instanceof Uint16Array) return { dtype: 'uint16', data: value };
  if (value instanceof Int32Array) return { dtype: 'int32', data: value };
  if (value instanceof Uint32Array) return { dtype: 'uint32', data: value };
  if (value instanceof BigInt64Array) return { dtype: 'int64', data: value };
  if (value instanceof BigUint64Array) return { dtype: 'uint64', data: value };
  return undefined;
}

/** More axes than any layer takes: an array that holds itself ends here. */
const mostAxes = 8;

function nested(value: readonly unknown[], where: string): Tensor {
  const dims: number[] = [];
  let first: unknown = value;
  for (; Array.isArray(first); first = first[0]) {
    dims.push(first.length);
    if (dims.length > mostAxes)
      throw dataError(where, `is nested more than ${mostAxes} deep`, { expected: `at most ${mostAxes} axes` });
  }
  const row = typedOf(first);
  if (row !== undefined) dims.push(row.data.length);
  const size = elementCount(dims);
  // Whole numbers of 64 bits would lose digits among floats, grey levels their meaning: both keep their dtype.
  const grey = row?.dtype === 'uint8' ? new Uint8Array(size) : undefined;
  const wide = row?.data instanceof BigInt64Array ? new BigInt64Array(size) : undefined;
  const out = grey ?? wide ?? new Float64Array(size);
  let at = 0;
  const trail: number[] = [];
  const fill = (part: unknown, axis: number): void => {
    const own = typedOf(part);
    const place = () => `[${trail.slice(0, axis).join(',')}]`;
    if (axis === dims.length) {
      if (typeof part !== 'number') throw wrongAt(where, place(), part, 'a number');
      out[at++] = part;
    } else if (own !== undefined && row !== undefined && axis === dims.length - 1) {
      if (own.data.length !== row.data.length) throw raggedAt(where, place(), own.data.length, row.data.length);
      if (own.dtype !== row.dtype)
        throw dataError(where, `holds a row of ${own.dtype} at ${place()}, expected ${row.dtype}, as the first`, {
          expected: row.dtype,
          got: own.dtype,
        });
      for (const v of own.data) out[at++] = v;
    } else if (Array.isArray(part)) {
      const want = dims[axis] ?? 0;
      if (part.length !== want) throw raggedAt(where, place(), part.length, want);
      // not forEach, which leaves out holes
      for (let i = 0; i < want; i++) {
        trail[axis] = i;
        fill(part[i], axis + 1);
      }
    } else throw wrongAt(where, place(), part, `an array of ${dims[axis]}`);
  };
  fill(value, 0);
  return new Tensor(grey !== undefined ? 'uint8' : wide !== undefined ? 'int64' : 'float64', dims, out);
}

function wrongAt(where: string, place: string, found: unknown, expected: string): Error {
  const number = typeof found === 'number' || typeof found === 'boolean' || found === null || found === undefined;
  const got =
    typeof found === 'string' ? quote(found) : number ? String(found) : Array.isArray(found) ? 'an array' : typeof found;
  return dataError(where, `holds ${got} at ${place}, expected ${expected}`, { expected, got });
}

function raggedAt(where: string, place: string, got: number, want: number): Error {
  return dataError(where, `${place} has length ${got}, the first has ${want}`, { expected: String(want), got: String(got) });
}
