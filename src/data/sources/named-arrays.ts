// Arrays by name: .npy files of a folder, the arrays of a .npz file.
import { join } from 'node:path';
import { type Extent, openNpy } from '../../formats/array-file.js';
import { dataError, defaultMaxBytes, quote } from '../../formats/data-error.js';
import { readNpy } from '../../formats/npy.js';
import { npzKeys, readNpz } from '../../formats/npz.js';
import { zipEntries } from '../../formats/zip-file.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Dataset, NamedSet } from '../dataset.js';
import { arrayStream, arraysStream, wholeNpy } from './array-stream.js';
import { bytesOf, firstFile, kindOf, pathsIn } from './files.js';
import { fitting } from './fitting.js';
import { namedSet } from './several.js';
import type { Found, RowStream, SeveralContext, Source, SourceContext, Streams } from './source.js';

/** Arrays by name; only those that are asked for are read. */
interface NamedArrays {
  readonly names: readonly string[];
  readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

/** What the array of targets is called: y, of one of several heads as the data entry or the head says. Throws DataError. */
function targetsIn({ target, path = 'data' }: SourceContext): string {
  if (target === undefined) return 'y';
  if (!target.said) return target.head;
  if (typeof target.of === 'string') return target.of;
  const expected = 'the name of one array';
  throw dataError(`${path}.targets.${target.head}`, `found ${JSON.stringify(target.of)}, expected ${expected}`, { expected });
}

/** Sets of names, the first of which that is whole is read: inputs are called x, or as the network's input is. */
function setsOf(input: string | undefined, y: string): string[][] {
  return [...new Set(['x', ...(input === undefined ? [] : [input])])].flatMap((x) => [
    [`${x}_train`, `${y}_train`, `${x}_test`, `${y}_test`],
    [x, y],
  ]);
}

/** The first set of names that is whole. Throws DataError where none is. */
function setIn(names: readonly string[], where: string, input: string | undefined, y: string): string[] {
  const used = setsOf(input, y).find((set) => set.every((name) => names.includes(name)));
  if (used !== undefined) return used;
  const got = names.slice(0, 20).map(quote).join(', ') || 'none';
  const expected = setsOf(input, y)
    .map((set) => set.join(', '))
    .join(' or ');
  throw dataError(where, `arrays are ${got}, expected ${expected}`, { expected, got });
}

/** Arrays named as the inputs are, with y: `<input>_train`, `y_train`, `<input>_test`, `y_test`, or `<input>`, `y`. */
async function severalFrom(
  { names, read }: NamedArrays,
  where: string,
  file: (key: string) => string,
  context: SeveralContext,
): Promise<Found<NamedSet>> {
  const { inputs, head, missing } = context;
  const used = severalSets(names, where, inputs, targetsIn(context));
  const arrays = await read(used.flat());
  const array = (key: string) => ({ tensor: must(arrays.get(key), key), where: file(key) });
  const [train, test] = used.map((keys) =>
    namedSet(inputs, (input) => array(must(keys[inputs.indexOf(input)], input.name)), array(must(keys.at(-1), 'y')), {
      head,
      missing,
    }),
  );
  if (test === undefined) return { whole: must(train, 'set') };
  return { split: { train: must(train, 'train'), test } };
}

/** Names of the arrays of each part, the inputs in their order and y. Throws DataError where one is not there. */
function severalSets(
  names: readonly string[],
  where: string,
  inputs: readonly NetworkInput[],
  y: string,
): readonly (readonly string[])[] {
  const called = [...inputs.map(({ name }) => name), y];
  const sets = [['_train', '_test'], ['']].map((parts) => parts.map((part) => called.map((name) => `${name}${part}`)));
  const used = sets.find((set) => set.flat().every((name) => names.includes(name)));
  if (used === undefined) {
    const near = sets.find((set) => set.flat().some((name) => name !== y && names.includes(name))) ?? must(sets[1], 'names');
    const lacking = near.flat().filter((name) => !names.includes(name));
    const got = names.slice(0, 20).map(quote).join(', ') || 'none';
    const expected = sets.map((set) => set.flat().join(', ')).join(' or ');
    throw dataError(where, `has no array ${lacking.map(quote).join(', ')}, its arrays are ${got}; expected ${expected}`, {
      expected,
      got,
    });
  }
  return used;
}

/** The same arrays of several inputs, where each stands in a file: read in step, packed. */
async function severalStreamsOf(
  names: readonly string[],
  where: string,
  extentOf: (name: string) => Extent,
  context: SeveralContext,
): Promise<Streams> {
  const stream = async (keys: readonly string[]): Promise<RowStream> => {
    const extents = keys.slice(0, -1).map(extentOf);
    const targets = extentOf(must(keys.at(-1), 'y'));
    return arraysStream(
      await Promise.all(extents.map(openNpy)),
      extents.map((e) => e.where),
      () => wholeNpy(targets),
      targets.where,
      context,
    );
  };
  const [train = [], test] = severalSets(names, where, context.inputs, targetsIn(context));
  return { train: await stream(train), ...(test !== undefined && { test: await stream(test) }) };
}

/** The same arrays, where each stands in a file. */
async function streamsOf(used: readonly string[], extentOf: (name: string) => Extent, context: SourceContext): Promise<Streams> {
  const stream = async (x: string, y: string): Promise<RowStream> => {
    const [inputs, targets] = [extentOf(x), extentOf(y)];
    return arrayStream(await openNpy(inputs), () => wholeNpy(targets), { inputs: inputs.where, targets: targets.where }, context);
  };
  const [x = '', y = '', xTest, yTest] = used;
  const train = await stream(x, y);
  return xTest === undefined || yTest === undefined ? { train } : { train, test: await stream(xTest, yTest) };
}

/** Arrays named x_train, y_train, x_test, y_test, or x, y; or `input` in the place of x. `file` says where an array stands, for errors. */
async function fromNamed(
  { names, read }: NamedArrays,
  where: string,
  file: (key: string) => string,
  called: string | undefined,
  context: SourceContext,
): Promise<Found> {
  const { head, missing, inputs: [input] = [] } = context;
  const used = setIn(names, where, called, targetsIn(context));
  const arrays = await read(used);
  const dataset = (x: string, y: string): Dataset =>
    fitting(must(arrays.get(x), x), must(arrays.get(y), y), { inputs: file(x), targets: file(y), missing, input }, head);
  const [x = '', y = '', xTest, yTest] = used;
  return xTest === undefined || yTest === undefined
    ? { whole: dataset(x, y) }
    : { split: { train: dataset(x, y), test: dataset(xTest, yTest) } };
}

const fileIn = (folder: string) => (key: string) => join(folder, `${key}.npy`);

async function readIn(folder: string, keys: readonly string[]): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  for (const key of keys) arrays.set(key, readNpy(await bytesOf(fileIn(folder)(key)), fileIn(folder)(key)));
  return arrays;
}

async function namesIn(folder: string, wanted: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const key of wanted) if ((await kindOf(fileIn(folder)(key))) === 'file') names.push(key);
  return names;
}

/** All that arrays of several inputs may be called. */
const namesOfAll = (context: SeveralContext): string[] =>
  [...context.inputs.map(({ name }) => name), targetsIn(context)].flatMap((name) => [name, `${name}_train`, `${name}_test`]);

/** A folder with x_train.npy or x.npy and their companions. */
export const npyFolder: Source = {
  what: 'a folder of .npy files',
  options: ['targets'],
  is: async ({ kind, path }) =>
    kind === 'folder' && (await firstFile(path, ['x_train.npy', 'x.npy', 'y_train.npy', 'y.npy'])) !== undefined,
  read: async ({ path }, _, context) => {
    const file = fileIn(path);
    const names = await namesIn(path, setsOf(undefined, targetsIn(context)).flat());
    return await fromNamed({ names, read: (keys) => readIn(path, keys) }, path, file, undefined, context);
  },
  readSeveral: async ({ path }, _, context) => {
    const names = await namesIn(path, namesOfAll(context));
    return await severalFrom({ names, read: (keys) => readIn(path, keys) }, path, fileIn(path), context);
  },
  open: async ({ path }, _, context) => {
    const file = fileIn(path);
    const y = targetsIn(context);
    return await streamsOf(
      setIn(await namesIn(path, setsOf(undefined, y).flat()), path, undefined, y),
      (key) => ({ path: file(key), where: file(key) }),
      context,
    );
  },
  openSeveral: async ({ path }, _, context) => {
    const file = fileIn(path);
    return await severalStreamsOf(
      await namesIn(path, namesOfAll(context)),
      path,
      (key) => ({ path: file(key), where: file(key) }),
      context,
    );
  },
  files: (folder) => pathsIn(folder, (name) => name.endsWith('.npy')),
};

async function arraysOfNpz(path: string): Promise<NamedArrays> {
  const bytes = await bytesOf(path);
  const read = async (keys: readonly string[]) => readNpz(bytes, path, defaultMaxBytes, (key) => keys.includes(key));
  return { names: npzKeys(bytes, path), read };
}

/** A .npz file with the arrays x_train, y_train, x_test, y_test, or x, y; x may be called as the input is; of several inputs each is. */
export const npzFile: Source = {
  what: 'a .npz file',
  options: ['targets'],
  is: ({ kind, extension }) => kind === 'file' && extension === 'npz',
  read: async ({ path }, _, context) => {
    return await fromNamed(await arraysOfNpz(path), path, (key) => `${path}: ${quote(key)}`, context.inputs?.[0]?.name, context);
  },
  readSeveral: async ({ path }, _, context) =>
    await severalFrom(await arraysOfNpz(path), path, (key) => `${path}: ${quote(key)}`, context),
  open: async ({ path }, _, context) => {
    const entries = zipEntries(path);
    const names = [...entries.keys()].flatMap((name) => (name.endsWith('.npy') ? [name.slice(0, -'.npy'.length)] : []));
    const used = setIn(names, path, context.inputs?.[0]?.name, targetsIn(context));
    return await streamsOf(used, (key) => must(entries.get(`${key}.npy`), key), context);
  },
  openSeveral: async ({ path }, _, context) => {
    const entries = zipEntries(path);
    const names = [...entries.keys()].flatMap((name) => (name.endsWith('.npy') ? [name.slice(0, -'.npy'.length)] : []));
    return await severalStreamsOf(names, path, (key) => must(entries.get(`${key}.npy`), key), context);
  },
};
