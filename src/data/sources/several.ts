// Data sets of several inputs: each by its name, from arrays or from columns of one table. A column of one input is read as ever (named-arrays.ts, tables.ts).

import { dataError, quote } from '../../formats/data-error.js';
import type { Feature } from '../../model/description/features.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { checkSource, type TargetHead } from '../checks.js';
import type { Dataset, NamedSet } from '../dataset.js';
import { toInputs, toTargets } from '../from-arrays.js';
import { inMemory } from '../rows.js';
import { packedSet } from '../stored/packed.js';
import { isPictured } from './image-columns.js';
import type { RowStream, SeveralContext, Source, SourceContext } from './source.js';
import { isInCells } from './text-columns.js';

interface NamedArray {
  readonly tensor: Tensor;
  /** Names it in errors. */
  readonly where: string;
}

interface NamedOptions {
  readonly head?: TargetHead | undefined;
  readonly missing?: boolean | undefined;
  /** The number of the first row, where the arrays are a part of others. */
  readonly first?: number;
}

/** A data set of an array for each input, and one of targets, which are checked for the head. Throws DataError. */
export function namedSet(
  inputs: readonly NetworkInput[],
  arrays: (input: NetworkInput) => NamedArray,
  targets: NamedArray,
  { head, missing = false, first = 0 }: NamedOptions,
): NamedSet {
  const count = targets.tensor.dims[0] ?? 0;
  if (count === 0) throw dataError(targets.where, 'holds no rows', { expected: 'at least one row' });
  const samples = inputs.map((input) => {
    const { tensor, where } = arrays(input);
    const found = tensor.dims[0] ?? 0;
    if (found !== count) {
      const [expected, got] = [`${count} rows`, `${found} rows`];
      throw dataError(where, `has ${got}, ${targets.where} has ${expected}`, { expected, got });
    }
    return [input.name, toInputs(tensor, where, missing, first, input)] as const;
  });
  const set: NamedSet = {
    inputs: Object.fromEntries(samples),
    targets: toTargets(targets.tensor, targets.where, head?.steps !== undefined),
  };
  if (head !== undefined) checkSource(targets.tensor, set, head, targets.where);
  return set;
}

/** A column of a table: numbers, categories, or texts. */
type TableColumn = Feature & { readonly text?: true };

/** The columns of a table that several inputs are made of: what each has as features, else a column of its own name for one value. Throws DataError. */
export function featuresOfAll(inputs: readonly NetworkInput[], path: string): readonly TableColumn[] {
  const all = new Map<string, TableColumn>();
  for (const input of inputs)
    for (const feature of columnsOf(input, path)) {
      const known = all.get(feature.name);
      const differ = known?.text !== feature.text || known?.categories?.join('\n') !== feature.categories?.join('\n');
      if (known !== undefined && differ) {
        const expected = 'the same categories in all of them, or text in all';
        throw dataError(path, `inputs read the column ${quote(feature.name)} each in its own way, expected ${expected}`, {
          expected,
        });
      }
      all.set(feature.name, feature);
    }
  return [...all.values()];
}

function columnsOf(input: NetworkInput, path: string): readonly TableColumn[] {
  const { name, shape, features, tokens } = input;
  if (features !== undefined) return features;
  if (isInCells(input)) return [{ name, text: true }];
  if (shape.length === 0 || shape.join() === '1') return [{ name }];
  const what = tokens === undefined ? `is [${shape}] and has no "features"` : 'is text of any length';
  const expected = 'inputs with "features", of one value or of images, or arrays as in a .npz file';
  throw dataError(path, `the input ${quote(name)} ${what}, a table gives its columns; expected ${expected}`, { expected });
}

/** The columns of `featuresOfAll`, float32 [D, columns], token ids of texts behind the numbers, parted into the inputs that they are for. */
export function inputsOfTable(inputs: readonly NetworkInput[], features: Tensor, path: string): (input: NetworkInput) => Tensor {
  const numbers = featuresOfAll(inputs, path).filter(({ text }) => text !== true);
  const places = new Map(numbers.map(({ name }, i) => [name, [i]]));
  let next = numbers.length;
  for (const { name, shape } of inputs.filter(isInCells))
    places.set(
      name,
      Array.from({ length: elementCount(shape.map(Number)) }, () => next++),
    );
  const [count = 0, width = 0] = features.dims;
  return (input) => {
    const from = columnsOf(input, path).flatMap(({ name }) => must(places.get(name), name));
    const out = new Float32Array(count * from.length);
    for (let row = 0; row < count; row++)
      from.forEach((place, i) => {
        out[row * from.length + i] = Number(features.data[row * width + place]);
      });
    // The bytes of images.
    return isPictured(input)
      ? new Tensor('uint8', [count, ...input.shape.map(Number)], Uint8Array.from(out))
      : new Tensor('float32', [count, from.length], out);
  };
}

/** Rows of a table with the columns of all inputs as packed rows of each input. Throws DataError. */
function packedTable({ bytes, parts }: RowStream, { inputs, missing }: SeveralContext, path: string): RowStream {
  return {
    bytes,
    parts: async function* (step) {
      let first = 0;
      for await (const { inputs: table, ...rest } of parts(step)) {
        const own = inputsOfTable(inputs, table, path);
        const samples = inputs.map((input) => [input.name, toInputs(own(input), path, missing ?? false, first, input)] as const);
        yield packedPart({ ...rest, inputs: Object.fromEntries(samples) });
        first += table.dims[0] ?? 0;
      }
    },
  };
}

/** Named rows as rows of bytes, in memory. */
export function packedPart(set: NamedSet): Dataset {
  const { inputs, ...rest } = packedSet(set);
  if (!inMemory(inputs)) throw new InternalError('a part of rows that is not in memory');
  return { ...rest, inputs };
}

/** How the columns of all inputs are read: as the features of one table. Throws DataError. */
const asOneTable = (context: SeveralContext): SourceContext => ({
  ...context,
  features: featuresOfAll(context.inputs, context.path ?? 'data'),
  texts: context.inputs.filter(isInCells),
  inputs: [],
});

const severalStreams =
  (open: NonNullable<Source['open']>): NonNullable<Source['openSeveral']> =>
  async (place, options, context) => {
    const pictured = context.inputs.find(isPictured);
    if (pictured !== undefined) {
      // What is kept is found again by the table alone, which does not change with its images.
      const expected = 'a greater "memory", or arrays in a .npz file';
      const text = `images that a table names are read into memory, those of input ${quote(pictured.name)} too; expected ${expected}`;
      throw dataError(`${context.path ?? 'data'}.memory`, text, { expected });
    }
    const { train, test } = await open(place, options, asOneTable(context));
    return {
      train: packedTable(train, context, place.path),
      ...(test !== undefined && { test: packedTable(test, context, place.path) }),
    };
  };

const severalRows =
  (read: Source['read']): NonNullable<Source['readSeveral']> =>
  async (place, options, context) => {
    const found = await read(place, options, asOneTable(context));
    const [{ missing }, { path }] = [context, place];
    const parted = ({ inputs: table, targets, ...rest }: Dataset): NamedSet => {
      const own = inputsOfTable(context.inputs, table, path);
      const set = namedSet(
        context.inputs,
        (input) => ({ tensor: own(input), where: path }),
        { tensor: targets, where: path },
        { missing },
      );
      return { ...rest, ...set };
    };
    return 'whole' in found
      ? { whole: parted(found.whole) }
      : { split: { train: parted(found.split.train), test: parted(found.split.test) } };
  };

/** A source of tables that gives several inputs too, each of its columns. */
export const ofSeveral = (source: Source): Source => ({
  ...source,
  readSeveral: severalRows(source.read),
  ...(source.open !== undefined && { openSeveral: severalStreams(source.open) }),
});
