// All transforms by name, the schema of how they are written, and their application to a split. A transform is a bare name ('invert') or an
// object with one key ({ permute: { seed: 1 } }).
import * as z from 'zod';
import { stepNames } from '../../model/prepare/prepare.js';
import { DataError } from '../../onnx/core/errors.js';
import type { RowSet, Split } from '../dataset.js';
import { inMemory } from '../rows.js';
import { flip } from './flip.js';
import { invert } from './invert.js';
import { noise } from './noise.js';
import { permute } from './permute.js';
import { classes, oneHot, subset } from './rows.js';
import type { Bound, Rewrite, Transform } from './transform.js';
import { rotate, zoom } from './warp.js';

const transforms = [permute, invert, noise, zoom, flip, rotate, classes, subset, oneHot] as const;
const byName = new Map<string, Transform>(transforms.map((transform) => [transform.name, transform]));

/** Those that look at rows and targets alone. */
const ofRows: readonly Transform[] = [classes, subset, oneHot];

/** Names of all transforms. */
export const transformNames: readonly string[] = [...byName.keys()];

/** A transform at its place in the list. */
interface Placed extends Bound {
  readonly path: string;
  readonly refuseTokens: (dataset: RowSet) => void;
}

/** Looks up and checks one transform as written. Throws a DataError that begins with `path`. */
function bindTransform(written: unknown, path: string): Placed {
  const keys = typeof written === 'object' && written !== null && !Array.isArray(written) ? Object.keys(written) : [];
  const name = typeof written === 'string' ? written : keys[0];
  if (name === undefined || keys.length > 1) {
    const got = JSON.stringify(written) ?? 'nothing';
    throw new DataError(
      `${path}: a transform is a name or an object with one key, such as { permute: { seed: 1 } }, got ${got}`,
      {
        path,
        expected: 'a name or an object with one key',
        got,
      },
    );
  }
  const transform = byName.get(name);
  if (transform === undefined && stepNames.includes(name)) {
    const right = `"prepare" of the column or of the input, prepare: [${typeof written === 'string' ? name : JSON.stringify(written)}]`;
    throw new DataError(`${path}: ${name} is a part of the model, which must answer raw data: write it as ${right}`, {
      path,
      expected: right,
      got: name,
    });
  }
  if (transform === undefined) {
    const expected = transformNames.join(', ');
    throw new DataError(`${path}: unknown transform ${JSON.stringify(name)}, expected one of ${expected}`, {
      path,
      expected,
      got: name,
    });
  }
  const options = typeof written === 'object' && written !== null ? Reflect.get(written, name) : undefined;
  const { run, values } = transform.bind(options, path);
  const refuseTokens = ({ inputs: { dtype } }: RowSet): void => {
    if (dtype !== 'int64' || ofRows.includes(transform)) return;
    const expected = ofRows.map(({ name }) => name).join(', ');
    throw new DataError(`${path}: ${name} is for numbers, the inputs are token ids, expected one of ${expected}`, {
      path,
      expected,
      got: name,
    });
  };
  return { path, refuseTokens, run, ...(values && { values }) };
}

/** Throws a DataError that begins with `path` for a transform that is not written as it must be. */
export function checkTransform(written: unknown, path: string): void {
  bindTransform(written, path);
}

/** Whether a transform makes other targets, so that those of the file need not fit a head yet. */
export function changesTargets(written: TransformSpec): boolean {
  const name = typeof written === 'string' ? written : Object.keys(written)[0];
  return name === classes.name || name === oneHot.name;
}

/** A transform in a description. Bare names are those whose options may all be left out. */
export const transformSchema = z.union([
  z.enum(['invert', 'one_hot']),
  z.strictObject({ permute: permute.options }),
  z.strictObject({ invert: invert.options }),
  z.strictObject({ noise: noise.options }),
  z.strictObject({ zoom: zoom.options }),
  z.strictObject({ flip: flip.options }),
  z.strictObject({ rotate: rotate.options }),
  z.strictObject({ classes: classes.options }),
  z.strictObject({ subset: subset.options }),
  z.strictObject({ one_hot: oneHot.options }),
]);

/** A transform as one writes it: a name, or an object of one key whose value has its options. docs/data.md says what each does. */
export type TransformSpec =
  | 'invert'
  | 'one_hot'
  | { permute: { seed: number } }
  | { invert: Record<string, never> }
  | { noise: { std: number; seed?: number | undefined } }
  | { zoom: { factor: number } }
  | { flip: { axis: 'horizontal' | 'vertical' } }
  | { rotate: { degrees: number } }
  | { classes: number[] }
  | { subset: { count: number; test?: number | undefined; seed?: number | undefined } }
  | { one_hot: { classes?: number | undefined } };

/** The transforms of a list, each at its place. Throws DataError. */
export const bindAll = (list: readonly TransformSpec[], path: string): Placed[] =>
  list.map((written, i) => bindTransform(written, `${path}[${i}]`));

/**
 * Applies transforms in order to train and test alike; only the draws of noise and of subset differ between the two.
 * @param path place of the list, for errors: with `columns[1].data.transform`, the first is `columns[1].data.transform[0]`
 * @throws DataError for unknown transforms and bad options, before any work is done, and for data that a transform cannot take
 */
export function applyTransforms(split: Split, list: readonly TransformSpec[], path?: string): Split;
export function applyTransforms(split: Split<RowSet>, list: readonly TransformSpec[], path = 'transform'): Split<RowSet> {
  let { train, test } = split;
  for (const { run, refuseTokens, path: place } of bindAll(list, path)) {
    const before = train;
    refuseTokens(before);
    train = run(before, { path: place, part: 'train', train: before });
    refuseTokens(test);
    test = run(test, { path: place, part: 'test', train: before });
  }
  return { train, test };
}

/** The same of rows on disk: `rewrite` says where those go whose values are made others. */
export async function transformStored(
  split: Split<RowSet>,
  list: readonly TransformSpec[],
  path: string,
  rewrite: Rewrite,
): Promise<Split<RowSet>> {
  let { train, test } = split;
  for (const { run, values, refuseTokens, path: place } of bindAll(list, path)) {
    const before = train;
    const apply = async (dataset: RowSet, part: 'train' | 'test'): Promise<RowSet> => {
      refuseTokens(dataset);
      const context = { path: place, part, train: before };
      const { inputs } = dataset;
      if (values === undefined || inMemory(inputs)) return run(dataset, context);
      return { ...dataset, inputs: await rewrite(inputs, values(context)) };
    };
    train = await apply(before, 'train');
    test = await apply(test, 'test');
  }
  return { train, test };
}
