// The TypeScript way to write a description: each function gives the same plain form that YAML would, and parseDescription checks it.
// Growing and training (`prognet({...}).grow()`) is in network/network.ts.

import { anObject, text as aText, given, type Kind } from '../../onnx/core/given.js';
import type { ColumnInput, Description, DescriptionInput, InputInput } from './description.js';
import type { FeatureInput } from './features.js';
import type { AdapterInput, LateralsInput, LinearInput } from './lateral-schema.js';
import { parseDescription } from './parse.js';

const aList: Kind = { what: 'a list of sizes', holds: Array.isArray };

/** A network input; `shape` is without the batch, `prepare` what the model does to it first. */
export function input(
  name: string,
  shape: Readonly<NonNullable<InputInput['shape']>>,
  dtype?: InputInput['dtype'],
  prepare?: InputInput['prepare'],
): InputInput {
  given('input', { shape }, { shape: aList });
  return { name, shape: [...shape], ...(dtype === undefined ? {} : { dtype }), ...(prepare === undefined ? {} : { prepare }) };
}

/** The input of a network over a table: its columns by name, a category as `{ city: ['Basel', 'Bern'] }`; `prepare` is what the model does to it first. */
export function table(name: string, features: readonly FeatureInput[], prepare?: InputInput['prepare']): InputInput {
  given('table', { features }, { features: { what: 'a list of features', holds: Array.isArray } });
  return { name, features: [...features], ...(prepare === undefined ? {} : { prepare }) };
}

/**
 * The input of a network over texts: `tokenizer` is the content of a tokenizer.json, `length` how many tokens a sample has, `pad` the token that fills up
 * short ones where the file does not say it.
 */
export function text(name: string, tokenizer: string, length: number, pad?: string): InputInput {
  given('text', { tokenizer }, { tokenizer: aText });
  return { name, tokenizer, length, ...(pad === undefined ? {} : { pad }) };
}

export * from '../heads/index.js';
// Layers and heads by their names in YAML, in camel case.
export * from '../nn/layers/index.js';
// Steps of `prepare` as well.
export * from '../prepare/steps/index.js';

// ---- laterals -------------------------------------------------------------------------------------------------------------

/** Eq. 1: one matrix for each source. What a column after the first has when it says nothing. */
export function linearLaterals(options: LinearInput = {}): LateralsInput {
  return { kind: 'linear', ...options };
}
/** Eq. 2: scale, project, activate, map. */
export function adapter(options: AdapterInput = {}): LateralsInput {
  return { kind: 'adapter', ...options };
}

// ---- columns and the whole ------------------------------------------------------------------------------------------------

/** What `column` takes beside the task; `like` may be the column itself. */
export type ColumnOptions = Omit<ColumnInput, 'task' | 'like'> & { like?: string | ColumnInput };

/** A column as written. */
export function column(task: string, options: ColumnOptions): ColumnInput {
  given('column', { options }, { options: anObject });
  const { like, ...rest } = options;
  return { task, ...rest, ...(like === undefined ? {} : { like: typeof like === 'string' ? like : like.task }) };
}

/** A checked description of these columns. @throws DescriptionError */
export function buildDescription(parts: Omit<DescriptionInput, 'prognet' | 'name'> & { name?: string }): Description {
  given('buildDescription', { parts }, { parts: anObject });
  return parseDescription({ prognet: 1, ...parts, name: parts.name ?? 'network' });
}
