// The inputs of a network: by name, with dtype and shape. Columns take one input of float32, uint8 or token ids and of known shape so far; what else a
// description may say is refused here, by name.
import { DescriptionError, must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Description } from '../description/description.js';
import { type Feature, hasCategories } from '../description/features.js';
import type { Tokens } from '../description/tokens.js';
import { addTableInput } from './categories.js';

/** An input that columns can take. */
export interface NetworkInput {
  /** What it is called in every graph. */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: 'float32' | 'uint8' | 'int64';
  /** Of one sample. */
  readonly shape: readonly number[];
  /** What its numbers are, of a table. */
  readonly features?: readonly Feature[];
  /** Of text: what its ids are. */
  readonly tokens?: Tokens;
  /** Of text: the tokenizer.json that makes the ids, as text. */
  readonly tokenizer?: string;
}

/** The inputs by name, each a value of a graph [N, ...] or a tensor. */
export type ByInput<T> = Readonly<Record<string, T>>;

/** Throws DescriptionError for several inputs, another dtype or an open dimension, which no layer takes yet. */
export function networkInputs({ inputs }: Description): readonly NetworkInput[] {
  const refuse = (path: string, got: string, right: string): never => {
    throw new DescriptionError(`${path}: found ${got}, expected ${right}; others are not supported yet`, { path, got });
  };
  if (inputs.length > 1) refuse('input', `${inputs.length} inputs`, 'one input of float32 or uint8');
  return inputs.map(({ name, dtype, shape, features, tokens, tokenizer }) => {
    const taken = dtype === 'float32' || dtype === 'uint8' || (dtype === 'int64' && tokens !== undefined);
    if (!taken) return refuse('input.dtype', dtype, 'one input of float32 or uint8');
    const known = shape.filter((d) => typeof d === 'number');
    if (known.length < shape.length) refuse('input.shape', `[${shape}]`, 'an input whose dimensions are known');
    const text = tokens !== undefined && tokenizer !== undefined && { tokens, tokenizer };
    return { name, dtype, shape: known, ...(features !== undefined && { features }), ...text };
  });
}

/** What exported files say of the tokenizer whose ids they take; undefined where they take none. */
export function tokenizerInMetadata(inputs: readonly NetworkInput[]): object | undefined {
  const [found] = inputs.flatMap(({ name, shape: [length], tokens }) =>
    tokens === undefined ? [] : [{ kind: 'tokenizer', input: name, length, ...tokens }],
  );
  return found;
}

/** The inputs as programs keep them, [N, ...]: a table's categories as indices among its numbers. */
export function keptInputs(inputs: readonly NetworkInput[]): readonly NetworkInput[] {
  return inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
}

/** The inputs in a graph, [N, ...]: of a table with categories numbers and texts apart, which the graph joins. */
export function addInputs(g: Ops, inputs: readonly NetworkInput[]): ByInput<Value> {
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape, features }) => [
      name,
      hasCategories(features) ? addTableInput(g, name, features) : g.input(name, dtype, ['N', ...shape]),
    ]),
  );
}

/** The one input that a first block or an imported graph takes, or what stands for it. */
export function onlyOf<T>(inputs: readonly T[]): T {
  const [only] = inputs;
  return must(only, 'input');
}
