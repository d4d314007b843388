// What a transform is: a name, a schema of its options, a pure function on data sets. And how its options are checked.
import * as z from 'zod';
import { DataError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Dataset } from '../dataset.js';
import { complaintOf, expectedOf } from '../expected.js';
import type { Planes } from '../planes.js';

export interface TransformContext {
  /** Place of the transform in the description, for errors: `columns[1].data.transform[0]`. */
  readonly path: string;
  /** Which part `dataset` is: noise draws differ between them, everything else is the same. */
  readonly part: 'train' | 'test';
  /** The train set as it enters this transform, for what must be decided once for both parts. */
  readonly train: Dataset;
}

/** A transform with its options bound. */
export type Bound = (dataset: Dataset, context: TransformContext) => Dataset;

export interface Transform<Name extends string = string, Options extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly options: Options;
  /** Checks the options as written at `path` (undefined where the bare name stands). Throws a DataError. */
  readonly bind: (options: unknown, path: string) => Bound;
}

/** `noise.std: is missing, expected a number` from the first issue of zod. `name` is the transform, `options` what was written. */
function optionError(name: string, issue: z.core.$ZodIssue, options: unknown, path: string): DataError {
  const key = z.core.toDotPath([name, ...issue.path]);
  const { text, expected, got } = complaintOf(issue, options);
  return new DataError(`${path}: ${key}: ${text}`, { path: `${path}.${key}`, expected, got });
}

/** Ties a schema to a function over its parsed options, so that the registry needs no casts. */
export function defineTransform<Name extends string, Options extends z.ZodType>(
  name: Name,
  options: Options,
  apply: (dataset: Dataset, options: z.output<Options>, context: TransformContext) => Dataset,
): Transform<Name, Options> {
  return {
    name,
    options,
    bind(written, path) {
      const parsed = options.safeParse(written ?? {}, { error: expectedOf });
      if (parsed.success) return (dataset, context) => apply(dataset, parsed.data, context);
      const [issue] = parsed.error.issues;
      throw issue === undefined
        ? new DataError(`${path}: ${name} is not valid`, { path })
        : optionError(name, issue, written, path);
    },
  };
}

/** The data set with other inputs. */
export function withInputs(dataset: Dataset, inputs: Tensor): Dataset {
  return { ...dataset, inputs };
}

/** The last two axes are height and width. Throws a DataError when the inputs are no images. */
export function imageLayout(dataset: Dataset, name: string, context: TransformContext): Planes {
  const { dims, size } = dataset.inputs;
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
