// The `data` entry of a column: a source, or a source with options and transforms. Schema only; loading is in sources.ts.
import * as z from 'zod';
import { transformSchema } from './transforms/registry.js';

const label = z.union([z.string(), z.int()]);

/** The object form. `label`, `header` and `delimiter` are for CSV; `test` and `seed` for sources without a test set of their own. */
const dataObjectSchema = z.strictObject({
  source: z
    .string()
    .min(1)
    .describe('mnist, a folder of IDX or .npy files, a .npz or .csv file; paths are relative to the description'),
  transform: z.array(transformSchema).optional().describe('Applied in this order, to train and test alike'),
  label: z
    .union([label, z.array(label).min(1)], { error: 'expected a column name, an index, or a list of them' })
    .optional()
    .describe('CSV: label column by name or index, negative from the end; default -1'),
  header: z.boolean().optional().describe('CSV: whether the first row is a header; default: when none of its cells is a number'),
  delimiter: z.string().length(1).optional().describe('CSV: default a comma'),
  test: z.number().gt(0).lt(1).optional().describe('Fraction of the rows drawn as the test set; default 0.2'),
  seed: z.int().optional().describe('Seed of that draw; default 0'),
});

export const dataSchema = z.union([z.string().min(1), dataObjectSchema], {
  error: ({ input }) =>
    typeof input === 'object' && input !== null && !Array.isArray(input)
      ? explain(input)
      : 'expected a source (mnist or a path) or { source, transform?, label?, header?, test? }',
});

/** The first problem inside the object form, which a union would hide. */
function explain(input: object): string {
  const issue = dataObjectSchema.safeParse(input).error?.issues[0];
  if (issue === undefined) return 'expected a source';
  return issue.path.length === 0 ? issue.message : `${z.core.toDotPath(issue.path)}: ${issue.message}`;
}

export type DataSpec = z.infer<typeof dataSchema>;
export type DataOptions = z.infer<typeof dataObjectSchema>;
