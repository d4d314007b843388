// Transforms of rows and labels: classes (keep some, relabel), subset (fewer rows), one_hot (labels as vectors).
import * as z from 'zod';
import { DataError } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { classLabels, type RowSet, rows, take } from '../dataset.js';
import { defineTransform, seed, type TransformContext } from './transform.js';

function labelsOf(dataset: RowSet, name: string, context: TransformContext): BigInt64Array {
  const labels = classLabels(dataset);
  if (labels !== undefined) return labels;
  const { dtype, dims } = dataset.targets;
  throw new DataError(`${context.path}: ${name} needs class labels int64 [D], the targets are ${dtype} [${dims.join(',')}]`, {
    path: context.path,
    expected: 'int64 [D]',
    got: `${dtype} [${dims.join(',')}]`,
  });
}

const classList = z
  .array(z.int().nonnegative())
  .min(1)
  .refine((list) => new Set(list).size === list.length, { error: 'each class once' })
  .describe('Keeps the rows of these classes; the first becomes 0, the second 1, and so on.');

/** Keeps the rows of the listed classes; the first in the list becomes 0, the second 1, and so on. */
export const classes = defineTransform('classes', classList, (dataset, list, context) => {
  const labels = labelsOf(dataset, 'classes', context);
  const relabel = new Map(list.map((label, i) => [BigInt(label), BigInt(i)]));
  const kept: number[] = [];
  const seen = new Set<bigint>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as bigint;
    if (!relabel.has(label)) continue;
    seen.add(label);
    kept.push(row);
  }
  const absent = list.find((label) => !seen.has(BigInt(label)));
  if (absent !== undefined && (context.part === 'train' || kept.length === 0)) {
    throw new DataError(`${context.path}: class ${absent} does not occur in the ${context.part} set`, {
      path: context.path,
      expected: 'classes that occur',
      got: String(absent),
    });
  }
  const taken = take(dataset, kept);
  const relabelled = new BigInt64Array(kept.length);
  for (let i = 0; i < kept.length; i++) relabelled[i] = relabel.get(labels[kept[i] as number] as bigint) ?? 0n;
  const { classNames } = taken;
  const names = classNames && { classNames: list.map((label) => classNames[label] ?? String(label)) };
  return { ...taken, targets: new Tensor('int64', [kept.length], relabelled), classes: list.length, ...names };
});

/** `count` rows of the train set drawn by seed, in their old order; of the test set `test` rows, or all of it, so that a figure means the same. */
export const subset = defineTransform(
  'subset',
  z
    .strictObject({
      count: z.int().positive().describe('Rows of the training data.'),
      test: z.int().positive().optional().describe('Rows of the test data; all when absent.'),
      seed: seed.default(0).describe('Seed of the draw; 0 when absent.'),
    })
    .describe('Some rows, drawn by seed, in their old order.'),
  (dataset, options, context) => {
    const available = rows(dataset);
    const [option, wanted] = context.part === 'train' ? ['count', options.count] : ['test', options.test ?? available];
    if (wanted > available) {
      throw new DataError(`${context.path}: subset of ${wanted} rows is more than the ${available} of the ${context.part} set`, {
        path: `${context.path}.subset.${option}`,
        expected: `at most ${available}`,
        got: String(wanted),
      });
    }
    if (wanted === available) return dataset;
    const order = new Random(options.seed, 'subset', context.part).permutation(available);
    return take(dataset, order.subarray(0, wanted).toSorted());
  },
);

/** int64 [D] to float32 [D, classes], for binary and regress heads. The number of classes defaults to the data set's. */
export const oneHot = defineTransform(
  'one_hot',
  z
    .strictObject({
      classes: z.int().positive().max(65536).optional().describe("How many there are; the data's own number when absent."),
    })
    .describe('Classes as rows of 0 and 1, for binary and regress heads.'),
  (dataset, options, context) => {
    const labels = labelsOf(dataset, 'one_hot', context);
    const width = options.classes ?? dataset.classes;
    if (width === undefined) {
      throw new DataError(`${context.path}: one_hot.classes is missing and the data set does not tell its number of classes`, {
        path: `${context.path}.one_hot.classes`,
        expected: 'the number of classes',
      });
    }
    const hot = new Float32Array(labels.length * width);
    for (let row = 0; row < labels.length; row++) {
      const label = Number(labels[row]);
      if (label < 0 || label >= width) {
        throw new DataError(`${context.path}: label ${label} at row ${row} is out of range, expected 0..${width - 1}`, {
          path: context.path,
          expected: `0..${width - 1}`,
          got: String(label),
        });
      }
      hot[row * width + label] = 1;
    }
    const { classes: _, ...rest } = dataset;
    return { ...rest, targets: new Tensor('float32', [labels.length, width], hot) };
  },
);
