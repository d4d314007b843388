// The inputs of a network: by name, with dtype and shape, in which a name stands for an open size.
import { DescriptionError, must, ShapeError, UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Description, Input } from '../description/description.js';
import { type Feature, hasCategories } from '../description/features.js';
import type { Tokens } from '../description/tokens.js';
import { numbersOf } from '../nn/numbers.js';
import { addTableInput } from './categories.js';

/** What the elements of an input may be. */
export type InputDtype = Input['dtype'];

/** An input that columns can take. */
export interface NetworkInput {
  /** What it is called in every graph. */
  readonly name: string;
  /** The type of its elements. */
  readonly dtype: InputDtype;
  /** Of one sample; a name stands for a size that is open: each data set has one of its own. */
  readonly shape: readonly (number | string)[];
  /** What its numbers are, of a table. */
  readonly features?: readonly Feature[];
  /** Of text: what its ids are. */
  readonly tokens?: Tokens;
  /** The input of text whose mask it is: 1 for tokens, 0 for what fills up short texts. */
  readonly mask?: string;
  /** The input of text whose token types it holds: 0. */
  readonly types?: string;
  /** Of text: the tokenizer.json that makes the ids, as text. */
  readonly tokenizer?: string;
}

/** The inputs by name, each a value of a graph [N, ...] or a tensor. */
export type ByInput<T> = Readonly<Record<string, T>>;

/** The inputs of a description as columns take them. */
export function networkInputs({ inputs }: Description): readonly NetworkInput[] {
  return inputs.map(({ name, dtype, shape, features, tokens, tokenizer, mask, types }) => {
    const text = tokens !== undefined && tokenizer !== undefined && { tokens, tokenizer };
    return {
      name,
      dtype,
      shape,
      ...(features !== undefined && { features }),
      ...text,
      ...(mask !== undefined && { mask }),
      ...(types !== undefined && { types }),
    };
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

/** The numbers of an input that a layer names, 0 and 1 of a mask. Throws DescriptionError for ids and bytes. */
export function inputNumbers(g: Ops, x: Value, { name, tokens, mask }: NetworkInput, path: string): Value {
  if (mask !== undefined) return g.cast(x, { to: 'float32' });
  try {
    return numbersOf(g, x, tokens);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new DescriptionError(`${path}: reads the input "${name}" as numbers; ${error.message}`, { path, cause: error });
  }
}

/** The one input, or what stands for it, of those who take no more. Throws UsageError for several. */
export function onlyOf<T>(inputs: readonly T[], who: string): T {
  const [only] = inputs;
  if (inputs.length > 1) {
    const expected = 'a network of one input';
    throw new UsageError(`${who} of a network of several inputs, here ${inputs.length}, is not there, expected ${expected}`, {
      expected,
    });
  }
  return must(only, 'input');
}
