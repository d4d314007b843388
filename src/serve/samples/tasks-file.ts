// The file that tells what samples of tasks are and what their answers are called: what `prognet deploy node` writes beside the models, as tasks.json.
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Tokens } from '../../model/description/tokens.js';
import type { Seen } from '../../model/progressive/facts.js';
import { DataError } from '../../onnx/core/errors.js';
import { fileError } from '../../onnx/files/file-error.js';

const text = z.string().min(1);
const seen = z.custom<Seen>((value) => typeof value === 'object' && value !== null);
const head = z.object({
  /** `scores`, `probabilities`, `labels`: the model's outputs. */
  outputs: z.record(text, text),
  classes: z.array(z.string()).optional(),
});
const input = z.object({
  name: text,
  dtype: z.enum(['float32', 'float16', 'int64', 'int32', 'uint8', 'bool']),
  /** Of one sample; a name stands for a size that is open. */
  shape: z.array(z.union([z.number().int().min(0), text])),
  features: z.array(z.object({ name: text, categories: z.array(z.string()).optional() })).optional(),
  tokens: z.custom<Tokens>((value) => typeof value === 'object' && value !== null).optional(),
  /** The file of a text's tokenizer, from this file's folder. */
  tokenizer: text.optional(),
  mask: text.optional(),
  types: text.optional(),
});
const task = z.object({
  task: text,
  /** The name of the model that answers. */
  model: text,
  /** Of several inputs those that it reads. */
  inputs: z.array(text).optional(),
  /** What a routed model is fed to compute this task. */
  feeds: z.record(text, z.number().int()).optional(),
  outputs: head.shape.outputs.optional(),
  classes: head.shape.classes,
  heads: z.record(text, head).optional(),
  /** Whether values may be missing; of several inputs, in which. */
  missing: z.union([z.literal(true), z.array(text)]).optional(),
  /** The most that whole numbers of an input may be: a number, or the name of an open size. */
  most: z.record(text, z.union([z.number(), text])).optional(),
  /** What values the training saw; of several inputs each by its name. */
  seen: z.union([z.record(text, seen), seen]).optional(),
  /** How images become the input. */
  decoding: z.unknown().optional(),
});
const schema = z
  .object({ input: input.optional(), inputs: z.array(input).min(1).optional(), tasks: z.array(task).min(1) })
  .refine((file) => (file.input === undefined) !== (file.inputs === undefined), { error: 'expected one of input and inputs' });

export type TaskInput = z.output<typeof input>;
export type Head = z.output<typeof head>;
export type Task = z.output<typeof task>;
export type TasksFile = z.output<typeof schema>;

/** Reads it. Throws DataError in one line. */
export function readTasks(path: string): TasksFile {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError('read', path, cause);
  }
  const expected = 'the tasks.json of prognet deploy node';
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new DataError(`${path}: is no JSON, expected ${expected}`, { path, expected, cause });
  }
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new DataError(`${path}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}, expected ${expected}`, {
    path,
    expected,
  });
}
