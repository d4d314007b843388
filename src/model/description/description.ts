// The description of a network: its form as written (DescriptionInput) and as everything else reads it (Description).
// What one part says of another (like, laterals, unique names) is resolve.ts; reading files is parse.ts.
import * as z from 'zod';
import { type Head, type HeadInput, headSchema } from '../heads/heads.js';
import { type HeadsInput, headsSchema } from '../heads/several-schema.js';
import { type Layer, type LayerInput, layerSchema } from '../nn/layers.js';
import { integer, oneOf, size, strict } from '../nn/schema.js';
import { type Step, type StepInput, stepSchema } from '../prepare/prepare.js';
import { type Feature, type FeatureInput, featureList } from './features.js';
import { type ImportedInput, importedSchema } from './imported-schema.js';
import { type Laterals, type LateralsInput, lateralsSchema } from './lateral-schema.js';
import { isTokenizerText, type Tokens, tokensOf } from './tokens.js';
import { type Train, type TrainInput, trainSchema } from './train-schema.js';
import { type Tune, type TuneInput, tuneSchema } from './tune-schema.js';

/** Names become folder names, file names and ONNX value names. */
const nameText = 'a name: a letter, then letters, digits, "_" or "-", at most 100';
const name = z
  .string({ error: nameText })
  .max(100, { error: nameText })
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: nameText })
  // Runtimes in JavaScript keep values by name in plain objects, where these names are taken.
  .refine((n) => !(n in Object.prototype), { error: 'a name that JavaScript objects do not have of themselves' });

const inputDtypes = ['float32', 'float16', 'int64', 'int32', 'uint8', 'bool'] as const;

/** N is what exported files call the batch: two dimensions of one name would be of one size. */
const openText = 'a positive integer, or the name of a dimension that stays open, not N, which is the batch';
const dimension = z.union([size, z.string().regex(/^(?!N$)[A-Za-z][A-Za-z0-9_]*$/, { error: openText })], {
  error: openText,
});

const prepare = z.array(stepSchema, { error: 'a list of steps' }).min(1, { error: 'at least one step' });

const tokenizerError = 'the path of a tokenizer.json, or its text';
const tokenizerText = z.string({ error: tokenizerError }).min(1, { error: tokenizerError });
const token = z.string({ error: 'a token' }).min(1, { error: 'a token' });
/** Tokens of a sample at most. */
const maxLength = 65536;

const shapeText = 'a list of positive integers, without the batch';
const inputSchema = strict(
  {
    name: name.describe('What the input is called in every graph.'),
    shape: z
      .array(dimension, { error: shapeText })
      .optional()
      .describe('Without the batch; [] is one number per sample. A name stands for a dimension that stays open.'),
    features: featureList
      .optional()
      .describe(
        'In place of shape, of a table: the names of its columns in their order; { city: [Basel, Bern] } is a category and its texts.',
      ),
    tokenizer: tokenizerText
      .optional()
      .describe('In place of shape, of text: the path of a tokenizer.json in the workspace; its text once it is read.'),
    length: size.max(maxLength).optional().describe('Of text: how many tokens a sample has, cut or padded.'),
    pad: token.optional().describe("Of text: the token that fills up short ones; the tokenizer's own when absent."),
    mask: name
      .optional()
      .describe(
        'In place of shape: an input of text, whose mask this is: 1 for tokens, 0 for what fills up short texts; int64 of the same length.',
      ),
    types: name
      .optional()
      .describe(
        'In place of shape: an input of text, whose token types these are: 0, as one text has them; int64 of the same length.',
      ),
    dtype: oneOf(inputDtypes).optional().describe('The type of its elements: float32 when absent, int64 of text.'),
    prepare: prepare
      .optional()
      .describe('What every column that states nothing else does to it before its first block, in every exported graph.'),
  },
  'an input: { name, shape }',
).transform(({ name, shape, features, dtype: stated, prepare, tokenizer, length, pad, mask, types }, ctx): Input => {
  const wrong = (path: readonly string[], message: string, got: string) => {
    ctx.addIssue({ code: 'custom', message, path: [...path], params: { got } });
    return z.NEVER;
  };
  const dtype = stated ?? 'float32';
  const rest = { dtype, ...(prepare !== undefined && { prepare }) };
  const follows = mask !== undefined ? { mask } : types !== undefined ? { types } : undefined;
  if (follows !== undefined) {
    const [key = ''] = Object.keys(follows);
    const others = {
      types: mask === undefined ? undefined : types,
      shape,
      features,
      tokenizer,
      length,
      pad,
      dtype: stated,
      prepare,
    };
    const beside = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
    if (beside !== undefined) return wrong([beside], `expected none beside "${key}", of which it follows`, `found "${beside}"`);
    // The length is that of the text, which the list knows.
    return { name, shape: [], dtype: 'int64', ...follows };
  }
  if (tokenizer === undefined) {
    const strange = Object.entries({ length, pad }).find(([, value]) => value !== undefined)?.[0];
    if (strange !== undefined) return wrong([strange], 'expected it beside "tokenizer"', `found "${strange}"`);
  } else {
    const beside = Object.entries({ shape, features, dtype: stated, prepare }).find(([, value]) => value !== undefined)?.[0];
    if (beside !== undefined) return wrong([beside], 'expected none beside "tokenizer"', `found "${beside}"`);
    if (length === undefined)
      return wrong([], 'expected how many tokens a sample has, such as length: 64', '"length" is missing');
    if (!isTokenizerText(tokenizer))
      return wrong(
        ['tokenizer'],
        'expected the text of the file, which a workspace reads itself',
        `found the path ${JSON.stringify(tokenizer)}`,
      );
    const tokens = tokensOf(tokenizer, pad);
    if ('got' in tokens) return wrong(['tokenizer'], `expected ${tokens.expected}`, tokens.got);
    return { name, shape: [length], dtype: 'int64', tokenizer, ...(pad !== undefined && { pad }), tokens };
  }
  if (features === undefined) {
    if (shape !== undefined) return { name, shape, ...rest };
    return wrong([], `expected ${shapeText}, or "features" of a table`, '"shape" is missing');
  }
  const own = [features.length];
  if (shape !== undefined && shape.join() !== own.join())
    return wrong(['shape'], `expected no shape beside ${features.length} features, or [${own}]`, `found [${shape}]`);
  if (dtype !== 'float32') return wrong(['dtype'], 'expected float32, which features are', `found ${JSON.stringify(dtype)}`);
  return { name, shape: own, features, ...rest };
});

/** Where a task's data come from; kept as written, src/data checks it. */
const dataText = 'a source, or { source, transform: [...] }';
const transformText = 'a transform: a name, or an object of one key';
const source = z.string({ error: dataText }).min(1, { error: dataText });
const oneKey = z
  .record(z.string(), z.unknown(), { error: transformText })
  .refine((o) => Object.keys(o).length === 1, { error: transformText });
const transforms = z.array(z.union([z.string(), oneKey], { error: transformText }), { error: 'a list of transforms' });
const dataSchema = z
  .union([source, z.looseObject({ source, transform: transforms.optional() }, { error: dataText })], { error: dataText })
  .meta({ $ref: '#/$defs/data' });

const block = z.array(layerSchema, { error: 'a list of layers' }).min(1, { error: 'at least one layer' });

const columnSchema = strict(
  {
    task: name.describe('What the column is for; files and values are named by it.'),
    data: dataSchema.optional().describe('Where its data come from: a source, or a source with options and transforms.'),
    prepare: prepare
      .optional()
      .describe("What the column does to the network's input before its first block, in place of the input's own steps."),
    inputs: z
      .array(name, { error: 'a list of names of inputs' })
      .min(1, { error: 'at least one input' })
      .optional()
      .describe(
        "The network's inputs that it reads: its first block gets the first, its layers name the others. The network's first when absent.",
      ),
    blocks: z
      .array(block, { error: 'a list of blocks' })
      .optional()
      .describe(
        "Lists of layers. The output of block i is the tap that later columns' block i+1 may read. [] is a head alone, over the last taps of earlier columns.",
      ),
    onnx: importedSchema.optional().describe('In place of blocks: a column that `prognet import` took from an ONNX model.'),
    tune: tuneSchema
      .optional()
      .describe('In place of blocks: an earlier imported column with some or all of its weights trained anew for this task.'),
    head: headSchema.optional().describe('What is predicted from the last tap.'),
    heads: headsSchema(name)
      .optional()
      .describe('In place of head: several by name, each with its own target; their losses are added, each by its weight.'),
    like: z
      .string({ error: 'the name of an earlier task' })
      .optional()
      .describe('An earlier task: its blocks and head are taken where this column states none.'),
    laterals: lateralsSchema
      .optional()
      .describe('What it takes from earlier columns: linear from all into all when absent, nothing for the first.'),
    train: trainSchema.optional().describe('How it is trained.'),
  },
  'a column: { task, blocks, head, ... }',
);

/** The name of the input by which a routed model is told the task; no other input may have it. */
export const taskIdName = 'task_id';

const inputList = z
  .array(inputSchema, { error: 'an input { name, shape }, or a list of them' })
  .min(1, { error: 'at least one input' })
  .superRefine((list, ctx) => {
    list.forEach((input, i) => {
      const taken =
        input.name === taskIdName ? 'the input of routed models' : list.findIndex((other) => other.name === input.name);
      if (taken === i) return;
      const got = `found "${input.name}", the name of ${typeof taken === 'number' ? `input[${taken}]` : taken}`;
      ctx.addIssue({ code: 'custom', message: 'expected a name of its own', path: [i, 'name'], params: { got } });
    });
  })
  .transform((list, ctx) =>
    list.map((input, i): Input => {
      const { mask, types = mask } = input;
      if (types === undefined) return input;
      const text = list.find(({ name, tokens }) => name === types && tokens !== undefined);
      if (text !== undefined) return { ...input, shape: [...text.shape] };
      const key = mask === undefined ? 'types' : 'mask';
      const texts = list.flatMap(({ name, tokens }) => (tokens === undefined ? [] : [JSON.stringify(name)]));
      const message = `expected an input with a tokenizer${texts.length > 0 ? `: ${texts.join(', ')}` : ''}`;
      ctx.addIssue({ code: 'custom', message, path: [i, key], params: { got: `found ${JSON.stringify(types)}` } });
      return z.NEVER;
    }),
  );

/** One input or a list; a list comes out. The value decides which of the two it is checked as, so that an error speaks of that one. */
const inputs = z
  .custom<z.input<typeof inputSchema> | z.input<typeof inputList>>()
  .transform((value, ctx) => {
    const single = typeof value === 'object' && value !== null && !Array.isArray(value);
    const result = inputList.safeParse(single ? [value] : value);
    if (result.success) return result.data;
    for (const issue of result.error.issues)
      ctx.issues.push({ ...issue, path: issue.path.slice(single ? 1 : 0), input: undefined });
    return z.NEVER;
  })
  .meta({ $ref: '#/$defs/inputs' });
/** What `#/$defs` of a JSON Schema must hold for inputs. */
export const inputDefinitions = { inputs: z.union([inputSchema, inputList]) };

const [ofInput, ofColumn] = [Object.keys(inputSchema.in.shape), Object.keys(columnSchema.shape)];
/** Where keys belong that stand beside the input and the columns; "inputs" there is a slip of "input". */
const belongs = Object.fromEntries([
  ...ofInput.map((key) => [key, 'expected it in "input"']),
  ...ofColumn
    .filter((key) => key !== 'inputs')
    .map((key) => [key, `expected it in ${ofInput.includes(key) ? '"input" or in ' : ''}a column`]),
]);

export const descriptionSchema = strict(
  {
    prognet: z.literal(1, { error: '1, the version of this format' }).describe('The version of this format: 1.'),
    name: name.describe("What the network is called; the ONNX graphs' name."),
    seed: integer(0, 'a non-negative integer').default(0).describe('What all that is random is drawn from; 0 when absent.'),
    input: inputs.describe('What columns read: one input or a list.'),
    columns: z.array(columnSchema, { error: 'a list of columns' }).describe('A column for each task, in the order of training.'),
  },
  'a description: { prognet: 1, name, input, columns }',
  belongs,
);

/** An input as written. */
export interface InputInput {
  /** What the input is called in every graph. */
  name: string;
  /** Without the batch; [] is one number per sample. A name stands for a dimension that stays open. */
  shape?: (string | number)[] | undefined;
  /** In place of shape, of a table: the names of its columns in their order; { city: [Basel, Bern] } is a category and its texts. */
  features?: FeatureInput[] | undefined;
  /** In place of shape, of text: the path of a tokenizer.json in the workspace; its text once it is read. */
  tokenizer?: string | undefined;
  /** Of text: how many tokens a sample has, cut or padded. */
  length?: number | undefined;
  /** Of text: the token that fills up short ones; the tokenizer's own when absent. */
  pad?: string | undefined;
  /** In place of shape: an input of text, whose mask this is: 1 for tokens, 0 for what fills up short texts; int64 of the same length. */
  mask?: string | undefined;
  /** In place of shape: an input of text, whose token types these are: 0, as one text has them; int64 of the same length. */
  types?: string | undefined;
  /** The type of its elements: float32 when absent, int64 of text. */
  dtype?: (typeof inputDtypes)[number] | undefined;
  /** What every column that states nothing else does to it before its first block, in every exported graph. */
  prepare?: StepInput[] | undefined;
}

/** A column as written. */
export interface ColumnInput {
  /** What the column is for; files and values are named by it. */
  task: string;
  /** Where its data come from: a source, or a source with options and transforms. */
  data?: DataInput | undefined;
  /** What the column does to the network's input before its first block, in place of the input's own steps. */
  prepare?: StepInput[] | undefined;
  /** The network's inputs that it reads: its first block gets the first, its layers name the others. The network's first when absent. */
  inputs?: string[] | undefined;
  /** Lists of layers. The output of block i is the tap that later columns' block i+1 may read. [] is a head alone, over the last taps of earlier columns. */
  blocks?: LayerInput[][] | undefined;
  /** In place of blocks: a column that `prognet import` took from an ONNX model. */
  onnx?: ImportedInput | undefined;
  /** In place of blocks: an earlier imported column with some or all of its weights trained anew for this task. */
  tune?: TuneInput | undefined;
  /** What is predicted from the last tap. */
  head?: HeadInput | undefined;
  /** In place of head: several by name, each with its own target; their losses are added, each by its weight. */
  heads?: HeadsInput | undefined;
  /** An earlier task: its blocks and head are taken where this column states none. */
  like?: string | undefined;
  /** What it takes from earlier columns: linear from all into all when absent, nothing for the first. */
  laterals?: LateralsInput | undefined;
  /** How it is trained. */
  train?: TrainInput | undefined;
}

/** A description as written in YAML, JSON or with the builder. */
export interface DescriptionInput {
  /** The version of this format: 1. */
  prognet: 1;
  /** What the network is called; the ONNX graphs' name. */
  name: string;
  /** What all that is random is drawn from; 0 when absent. */
  seed?: number | undefined;
  /** What columns read: one input or a list. */
  input: InputInput | InputInput[];
  /** A column for each task, in the order of training. */
  columns: ColumnInput[];
}

/** Checked part by part, not yet resolved. */
export type DescriptionWritten = z.output<typeof descriptionSchema>;

/** Data of a task, as written: a source, or a source with its transforms and what else its format takes (docs of `loadData`). */
export type DataInput =
  | string
  | { [option: string]: unknown; source: string; transform?: (string | Record<string, unknown>)[] | undefined };

/** A network input. */
export interface Input {
  /** What it is called in every graph. */
  name: string;
  /** Without the batch. */
  shape: (string | number)[];
  /** Of a table: what its numbers are, in their order. */
  features?: Feature[] | undefined;
  /** Of text: the tokenizer's file, as text. */
  tokenizer?: string;
  /** Of text: the token that fills up short ones, where the description says it. */
  pad?: string;
  /** Of text: what the ids are. */
  tokens?: Tokens;
  /** The input of text whose mask it is. */
  mask?: string;
  /** The input of text whose token types it holds. */
  types?: string;
  /** The type of its elements. */
  dtype: (typeof inputDtypes)[number];
  /** What every column that states nothing else does to it before its first block. */
  prepare?: Step[] | undefined;
}
export type { Head, Laterals, Layer, Step, Train, Tune };

/** A column with everything filled in. */
export interface ColumnDescription {
  /** What the column is for. */
  task: string;
  /** Where its data come from, as written. */
  data?: DataInput;
  /** What it does to the network's input before its first block: its own steps, else those of the input. */
  prepare?: Step[];
  /** The inputs that it reads, where they are others than the network's first alone; a head alone reads none. */
  inputs?: string[];
  /** One for each tap; empty ones where the column is imported. */
  blocks: Layer[][];
  /** In place of blocks: the graph of an imported column. */
  onnx?: ImportedInput;
  /** In place of blocks: what it tunes. */
  tune?: Tune;
  /** What is predicted from the last tap. */
  head: Head;
  /** Where blocks or head came from; already copied here. */
  like?: string;
  /** What it takes from earlier columns. */
  laterals: Laterals;
  /** Absent options are train's own defaults. */
  train: Train;
}

/** The one validated object that everything else reads. */
export interface Description {
  /** The version of this format. */
  prognet: 1;
  /** What the network is called. */
  name: string;
  /** What all that is random is drawn from. */
  seed: number;
  /** What columns read. */
  inputs: Input[];
  /** A column for each task, in the order of training. */
  columns: ColumnDescription[];
}
