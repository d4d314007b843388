// Arrays by name: .npy files of a folder, the arrays of a .npz file.
import { join } from 'node:path';
import { type Extent, openNpy } from '../../formats/array-file.js';
import { dataError, defaultMaxBytes, quote } from '../../formats/data-error.js';
import { readNpy } from '../../formats/npy.js';
import { npzKeys, readNpz } from '../../formats/npz.js';
import { zipEntries } from '../../formats/zip-file.js';
import { must } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Dataset } from '../dataset.js';
import { arrayStream, wholeNpy } from './array-stream.js';
import { bytesOf, firstFile, kindOf, pathsIn } from './files.js';
import { fitting } from './fitting.js';
import type { Found, RowStream, Source, SourceContext, Streams } from './source.js';

/** Arrays by name; only those that are asked for are read. */
interface NamedArrays {
  readonly names: readonly string[];
  readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

const arrayNames = ['x_train', 'y_train', 'x_test', 'y_test', 'x', 'y'];

/** Sets of names, the first of which that is whole is read: inputs are called x, or as the network's input is. */
function setsOf(input: string | undefined): string[][] {
  return [...new Set(['x', ...(input === undefined ? [] : [input])])].flatMap((x) => [
    [`${x}_train`, 'y_train', `${x}_test`, 'y_test'],
    [x, 'y'],
  ]);
}

/** The first set of names that is whole. Throws DataError where none is. */
function setIn(names: readonly string[], where: string, input: string | undefined): string[] {
  const used = setsOf(input).find((set) => set.every((name) => names.includes(name)));
  if (used !== undefined) return used;
  const got = names.slice(0, 20).map(quote).join(', ') || 'none';
  const expected = setsOf(input)
    .map((set) => set.join(', '))
    .join(' or ');
  throw dataError(where, `arrays are ${got}, expected ${expected}`, { expected, got });
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
  input: string | undefined,
  { head, missing }: SourceContext,
): Promise<Found> {
  const used = setIn(names, where, input);
  const arrays = await read(used);
  const dataset = (x: string, y: string): Dataset =>
    fitting(must(arrays.get(x), x), must(arrays.get(y), y), { inputs: file(x), targets: file(y), missing }, head);
  const [x = '', y = '', xTest, yTest] = used;
  return xTest === undefined || yTest === undefined
    ? { whole: dataset(x, y) }
    : { split: { train: dataset(x, y), test: dataset(xTest, yTest) } };
}

const fileIn = (folder: string) => (key: string) => join(folder, `${key}.npy`);

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const key of arrayNames) if ((await kindOf(fileIn(folder)(key))) === 'file') names.push(key);
  return names;
}

/** A folder with x_train.npy or x.npy and their companions. */
export const npyFolder: Source = {
  what: 'a folder of .npy files',
  options: [],
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, ['x_train.npy', 'x.npy'])) !== undefined,
  read: async ({ path }, _, context) => {
    const file = fileIn(path);
    const names = await namesIn(path);
    const read = async (keys: readonly string[]) => {
      const arrays = new Map<string, Tensor>();
      for (const key of keys) arrays.set(key, readNpy(await bytesOf(file(key)), file(key)));
      return arrays;
    };
    return await fromNamed({ names, read }, path, file, undefined, context);
  },
  open: async ({ path }, _, context) => {
    const file = fileIn(path);
    return await streamsOf(
      setIn(await namesIn(path), path, undefined),
      (key) => ({ path: file(key), where: file(key) }),
      context,
    );
  },
  files: (folder) => pathsIn(folder, (name) => arrayNames.some((key) => name === `${key}.npy`)),
};

/** A .npz file with the arrays x_train, y_train, x_test, y_test, or x, y; x may be called as the input is. */
export const npzFile: Source = {
  what: 'a .npz file',
  options: [],
  is: ({ kind, extension }) => kind === 'file' && extension === 'npz',
  read: async ({ path }, _, context) => {
    const bytes = await bytesOf(path);
    const read = async (keys: readonly string[]) => readNpz(bytes, path, defaultMaxBytes, (key) => keys.includes(key));
    return await fromNamed(
      { names: npzKeys(bytes, path), read },
      path,
      (key) => `${path}: ${quote(key)}`,
      context.inputs?.[0]?.name,
      context,
    );
  },
  open: async ({ path }, _, context) => {
    const entries = zipEntries(path);
    const names = [...entries.keys()].flatMap((name) => (name.endsWith('.npy') ? [name.slice(0, -'.npy'.length)] : []));
    const used = setIn(names, path, context.inputs?.[0]?.name);
    return await streamsOf(used, (key) => must(entries.get(`${key}.npy`), key), context);
  },
};
