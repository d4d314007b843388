// What an exported model says of itself: read from its signature and its metadata alone, without the workspace that wrote it. `prognet inspect`, the
// card beside a model and services tell it; nothing here runs a model or writes one.
import * as z from 'zod';
import { jsonOrNothing } from '../../formats/json-or-nothing.js';
import type { DType } from '../../onnx/core/dtype.js';
import { formatShape, type Shape } from '../../onnx/core/shape.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { taskIdName } from '../description/description.js';
import { categoriesName } from '../description/features.js';
import { namesInMetadata, outputNames, routedNames } from '../heads/output-names.js';
import { outputsBegin } from '../heads/several.js';
import { type ColumnFacts, factsInMetadata } from './facts.js';
import { columnKey, type Form, forms, inputsInMetadata, preparedKey, tokenizerKey } from './forms.js';

/** A column of a table. */
export interface FeatureFacts {
  readonly name: string;
  /** Its texts, of a category. */
  readonly categories?: readonly string[];
  /** Its place in the row that a table is, numbers and categories alike. */
  readonly place: number;
}

/** An input with what stands in it. */
export interface InputFacts {
  readonly name: string;
  readonly dtype: DType;
  /** With the batch. */
  readonly shape: Shape;
  /** What its numbers or texts are called, in order; absent where it is no table. */
  readonly features?: readonly FeatureFacts[];
}

/** An output with what stands in it. */
export interface OutputFacts {
  readonly name: string;
  readonly type: string;
  readonly what: 'raw scores' | 'probabilities' | 'label' | 'name of the label';
}

/** One of several heads. */
export interface HeadFacts {
  readonly name: string;
  readonly begin: string;
  readonly classes?: readonly string[];
}

/** What a model answers for one task. */
export interface TaskFacts extends ColumnFacts {
  readonly task: string;
  /** classify, binary or regress; of several heads each by its name, `group classify, age regress`. */
  readonly head?: string;
  /** Of several heads: their names, what their outputs begin with, and what their classes, labels or numbers are called. */
  readonly heads?: readonly HeadFacts[];
  readonly outputs: readonly OutputFacts[];
  /** What its classes, labels or numbers are called. */
  readonly classes?: readonly string[];
  /** The steps that the model does to its input itself, as they are written. */
  readonly prepare: readonly string[];
  /** Of its weights. */
  readonly sha256?: string;
}

/** What a model that prognet wrote says of itself. */
export interface ModelFacts {
  readonly name: string;
  readonly form: Form;
  /** Of prognet. */
  readonly version: string;
  readonly inputs: readonly InputFacts[];
  readonly tasks: readonly TaskFacts[];
  /** Whether the input is to be prepared by who asks, by the steps in `prepare`. */
  readonly prepared: boolean;
  /** Of what tokenizer its input takes ids, and how many, as JSON. */
  readonly tokenizer?: string;
}

const featureList = z.array(z.object({ name: z.string(), categories: z.array(z.string()).optional() }));
const described = z.array(z.object({ name: z.string(), features: featureList.optional() }));
const canonicalColumn = z.object({
  head: z.object({ kind: z.string(), heads: z.array(z.object({ name: z.string(), kind: z.string() })).optional() }),
  prepare: z.array(z.looseObject({ kind: z.string() })).optional(),
});

/** undefined for a model that prognet did not write. What its metadata say in another form than prognet's is left out. */
export function modelFacts(model: Model): ModelFacts | undefined {
  const { metadata, graph } = model;
  const form = forms.find((name) => name === metadata.get('prognet.form'));
  const tasks = metadata.get('prognet.tasks')?.split(',');
  if (form === undefined || tasks === undefined) return undefined;
  const tokenizer = metadata.get(tokenizerKey);
  const initialized = new Set(graph.initializers);
  const inputs = graph.inputs.filter((v) => !initialized.has(v));
  return {
    name: graph.name,
    form,
    version: metadata.get('prognet.version') ?? '',
    inputs: inputs.map((v) => inputFacts(v, inputs, metadata)),
    tasks: tasks.map((task) => taskFacts(task, model, form)),
    prepared: metadata.has(preparedKey),
    ...(tokenizer !== undefined && { tokenizer }),
  };
}

function inputFacts(v: Value, inputs: readonly Value[], metadata: Model['metadata']): InputFacts {
  const parsed = described.safeParse(inputsInMetadata(metadata));
  const plain = { name: v.name, dtype: v.dtype ?? 'undefined', shape: v.shape ?? [] };
  for (const { name, features = [] } of parsed.success ? parsed.data : []) {
    const placed = features.map(({ name: called, categories }, place): FeatureFacts => {
      return { name: called, place, ...(categories !== undefined && { categories }) };
    });
    const apart = inputs.some((other) => other.name === categoriesName(name));
    const own = placed.filter(({ categories }) => !apart || (categories !== undefined) === (v.name === categoriesName(name)));
    if (own.length > 0 && (v.name === name || v.name === categoriesName(name))) return { ...plain, features: own };
  }
  return plain;
}

function taskFacts(task: string, { metadata, graph }: Model, form: Form): TaskFacts {
  const heads = headsInMetadata(metadata, task);
  const named =
    form === 'routed'
      ? (heads ?? [{ name: undefined }]).map(({ name }) => routedNames(name))
      : (heads ?? [{ begin: task }]).map(({ begin }) => outputNames(begin));
  const whats = named.flatMap(
    (names) =>
      [
        [names.scores, 'raw scores'],
        [names.probabilities, 'probabilities'],
        [names.label, 'label'],
        [names.labelName, 'name of the label'],
      ] as const,
  );
  const outputs = whats.flatMap(([name, what]) => {
    const v = graph.outputs.find((output) => output.name === name);
    return v === undefined ? [] : [{ name, type: typeOf(v), what }];
  });
  const classes = namesInMetadata(metadata, task);
  const column = canonicalColumn.safeParse(jsonOrNothing(metadata.get(columnKey(task))));
  const sha256 = metadata.get(`prognet.sha256.${task}`);
  return {
    task,
    ...(column.success && { head: headText(column.data.head) }),
    ...(heads !== undefined && { heads }),
    outputs,
    prepare: column.success ? (column.data.prepare ?? []).map(stepText) : [],
    ...(classes !== undefined && { classes }),
    ...(sha256 !== undefined && { sha256 }),
    ...factsInMetadata(metadata, task),
  };
}

const headText = ({ kind, heads }: z.output<typeof canonicalColumn>['head']): string =>
  heads === undefined ? kind : heads.map((own) => `${own.name} ${own.kind}`).join(', ');

/** The heads of a task, where it has several. */
export function headsInMetadata(metadata: ReadonlyMap<string, string>, task: string): readonly HeadFacts[] | undefined {
  const column = canonicalColumn.safeParse(jsonOrNothing(metadata.get(columnKey(task))));
  return column.data?.head.heads?.map(({ name }) => {
    const begin = outputsBegin(task, name);
    const classes = namesInMetadata(metadata, begin);
    return { name, begin, ...(classes !== undefined && { classes }) };
  });
}

/** `float32 [N, 10]`. */
export const typeOf = ({ dtype, shape }: { dtype?: DType; shape?: Shape | undefined }): string =>
  `${dtype ?? '?'} ${shape === undefined ? '' : formatShape(shape)}`.trim();

/** `standardise`, `fill by median`. */
function stepText({ kind, ...options }: { kind: string; [option: string]: unknown }): string {
  const said = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value).replace(/"/g, '')}`);
  return [kind, ...said].join(' ');
}

/** The inputs that samples come in: not the task's number of a routed model. */
export const sampleInputs = ({ inputs, form }: ModelFacts): readonly InputFacts[] =>
  inputs.filter(({ name }) => form !== 'routed' || name !== taskIdName);
