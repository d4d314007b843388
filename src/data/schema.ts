// The `data` entry of a column: a source, or a source with options and transforms. Schema only; loading is in sources.ts.

import * as z from 'zod';
import { formatPath } from '../model/description/issues.js';
import { DataError, must } from '../onnx/core/errors.js';
import { valueAt } from '../onnx/core/value-at.js';
import { complaintOf, expectedOf } from './expected.js';
import { resizeSchema } from './images/decoding.js';
import { leastMemory, memoryBytes, memoryPattern } from './stored/memory.js';
import { checkTransform, transformSchema } from './transforms/registry.js';

const label = z.union([z.string(), z.int()]);

const keys = 'source, transform, label, targets, header, delimiter, decimal, columns, drop, resize, memory, test, seed';

const listText = 'a list of columns by name or index, as in [age, height]';
const memoryText = 'at least 1 MiB, as 500MB, 2GiB or a number of bytes';

/** The object form. `label`, `header`, `delimiter`, `decimal`, `columns` and `drop` are for CSV; `test` and `seed` for sources without a test set of their own. */
const dataObjectSchema = z.strictObject(
  {
    source: z
      .string()
      .min(1)
      .describe(
        'What is read: mnist, a folder of IDX or .npy files or of train.csv and test.csv, a folder of images by class, a dataset of Hugging Face, a .npz, .csv or .parquet file; paths are relative to the description.',
      ),
    transform: z.array(transformSchema).optional().describe('Applied in this order, to train and test alike.'),
    label: z
      .union([label, z.array(label).min(1)], { error: 'a column name, an index, or a list of them' })
      .optional()
      .describe('CSV: label column by name or index, negative from the end; default -1, with features the last that is none.'),
    targets: z
      .record(
        z.string(),
        z.union([label, z.array(label).min(1)], { error: 'a column or an array by name, or a list of columns' }),
        {
          error: 'columns or arrays by head, as in { age: age, group: kind }',
        },
      )
      .optional()
      .describe('Of several heads: the column, or the array, that holds the targets of each; called as the head when absent.'),
    header: z
      .boolean()
      .optional()
      .describe(
        'CSV: whether the first row is a header; default: when none of its cells is a number, and refused where that cannot be told.',
      ),
    delimiter: z
      .string()
      .length(1)
      .optional()
      .describe('CSV: what parts cells; default: what stands equally often in each of the first lines.'),
    decimal: z.enum(['.', ',']).optional().describe('CSV: the sign before the decimals; default a point.'),
    columns: z
      .array(label, { error: `${listText}; columns of targets stand under "targets", those of inputs in their "features"` })
      .min(1)
      .optional()
      .describe(
        'CSV: the columns of the features by name or index, in this order; default all but the labels. Of text: its one column.',
      ),
    drop: z.array(label, { error: listText }).min(1).optional().describe('CSV: columns by name or index that are no features.'),
    resize: resizeSchema.optional().describe('Images: the size that all are brought to, in the height and width of the input.'),
    memory: z
      .union([z.int(), z.string().regex(memoryPattern, { error: memoryText })], { error: memoryText })
      .refine((written) => memoryBytes(written) >= leastMemory, { error: memoryText })
      .optional()
      .describe('Rows that take more than this are kept on disk and read in blocks; default 2GiB.'),
    test: z.number().gt(0).lt(1).optional().describe('Fraction of the rows drawn as the test set; default 0.2.'),
    seed: z.int().optional().describe('Seed of that draw; default 0.'),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? `one of ${keys}` : undefined) },
);

const written = z.union([z.string().min(1), dataObjectSchema]);

/** What `#/$defs` of a JSON Schema must hold for data. */
export const dataDefinitions = { data: written };

/** Checks a `data` entry that stands at `path`. Throws a DataError. */
export function parseDataSpec(value: unknown, path: string): DataSpec {
  if (typeof value === 'string' && value !== '') return value;
  const wrong = (at: string, text: string, expected: string, got: string) =>
    new DataError(`${at}: ${text}`, { path: at, expected, got });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const [expected, got] = [
      'a source (mnist or a path) or { source, transform?, label?, header?, test? }',
      JSON.stringify(value),
    ];
    throw wrong(path, `found ${got}, expected ${expected}`, expected, got);
  }
  const transforms: unknown = valueAt(value, ['transform']);
  if (Array.isArray(transforms)) for (const [i, t] of transforms.entries()) checkTransform(t, `${path}.transform[${i}]`);
  const result = dataObjectSchema.safeParse(value, { error: expectedOf });
  if (result.success) return result.data;
  const issue = must(result.error.issues[0], 'issue');
  const at = issue.path.length === 0 ? path : `${path}.${formatPath(issue.path)}`;
  const { text, expected, got } = complaintOf(issue, value);
  throw wrong(at, text, expected, got);
}

/** A `data` entry as one writes it, defaults left out or not. */
export type DataSpec = z.input<typeof written>;
export type DataOptions = z.input<typeof dataObjectSchema>;
