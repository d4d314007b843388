// What a transform is: a name, a schema of its options, a pure function on data sets. And how its options are checked. One of values works on part after part
// of the rows in their order, so that they need not be in memory together.

import * as z from 'zod';
import { formatPath } from '../../model/description/issues.js';
import { DataError, InternalError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { RowSet } from '../dataset.js';
import { complaintOf, expectedOf } from '../expected.js';
import type { Planes } from '../planes.js';
import { inMemory, type RowsOnDisk } from '../rows.js';

export interface TransformContext {
  /** Place of the transform in the description, for errors: `columns[1].data.transform[0]`. */
  readonly path: string;
  /** Which part `dataset` is: noise draws differ between them, everything else is the same. */
  readonly part: 'train' | 'test';
  /** The train set as it enters this transform, for what must be decided once for both parts. */
  readonly train: RowSet;
}

/** Rows on disk made others, part by part in their order. */
export type Rewrite = (rows: RowsOnDisk, each: Values) => Promise<RowsOnDisk>;
/** Part of the rows with other values. Parts come in the order of the rows. */
export type Values = (part: Tensor) => Tensor;

/** A transform with its options bound. */
export interface Bound {
  /** One of values takes rows in memory alone. */
  readonly run: (dataset: RowSet, context: TransformContext) => RowSet;
  /** Of a transform of values: begun for all rows of a data set. */
  readonly values?: (context: TransformContext) => Values;
}

export interface Transform<Name extends string = string, Options extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly options: Options;
  /** Checks the options as written at `path` (undefined where the bare name stands). Throws a DataError. */
  readonly bind: (options: unknown, path: string) => Bound;
}

/** `noise.std: is missing, expected a number` from the first issue of zod. `name` is the transform, `options` what was written. */
function optionError(name: string, issue: z.core.$ZodIssue, options: unknown, path: string): DataError {
  const key = formatPath([name, ...issue.path]);
  const { text, expected, got } = complaintOf(issue, options);
  return new DataError(`${path}: ${key}: ${text}`, { path: `${path}.${key}`, expected, got });
}

/** Ties a schema to a function over its parsed options, so that the registry needs no casts. */
export function defineTransform<Name extends string, Options extends z.ZodType>(
  name: Name,
  options: Options,
  apply: (dataset: RowSet, options: z.output<Options>, context: TransformContext) => RowSet,
  begin?: (options: z.output<Options>, context: TransformContext) => Values,
): Transform<Name, Options> {
  return {
    name,
    options,
    bind(written, path) {
      const parsed = options.safeParse(written ?? {}, { error: expectedOf });
      if (parsed.success) {
        const { data } = parsed;
        return {
          run: (dataset, context) => apply(dataset, data, context),
          ...(begin && { values: (context) => begin(data, context) }),
        };
      }
      const [issue] = parsed.error.issues;
      throw issue === undefined
        ? new DataError(`${path}: ${name} is not valid`, { path })
        : optionError(name, issue, written, path);
    },
  };
}

/** A transform of values alone: `begin` is called once for all rows of a data set. */
export function defineValues<Name extends string, Options extends z.ZodType>(
  name: Name,
  options: Options,
  begin: (options: z.output<Options>, context: TransformContext) => Values,
): Transform<Name, Options> {
  const inside = (dataset: RowSet, parsed: z.output<Options>, context: TransformContext): RowSet => {
    const { inputs } = dataset;
    if (!inMemory(inputs)) throw new InternalError(`${name} of rows on disk, which are rewritten`);
    return { ...dataset, inputs: begin(parsed, context)(inputs) };
  };
  return defineTransform(name, options, inside, begin);
}

/** The elements of inputs. */
export function valuesOf({ dtype, data }: Tensor): Uint8Array | Float32Array {
  if (dtype === 'uint8' && data instanceof Uint8Array) return data;
  if (data instanceof Float32Array) return data;
  throw new InternalError(`data set inputs are ${dtype}, not uint8 or float32`);
}

/** The last two axes are height and width. Throws a DataError when the inputs are no images. */
export function imageLayout({ dims, size }: Tensor, name: string, context: TransformContext): Planes {
  const [height, width] = dims.slice(-2);
  if (dims.length < 3 || height === undefined || width === undefined) {
    throw new DataError(`${context.path}: ${name} needs images [D,C,H,W], the inputs are [${dims.join(',')}]`, {
      path: context.path,
      expected: '[D,C,H,W]',
      got: `[${dims.join(',')}]`,
    });
  }
  return { planes: size / (height * width), height, width, planeStep: height * width, pixelStep: 1 };
}

/** A seed: a whole number. */
export const seed = z.int();
