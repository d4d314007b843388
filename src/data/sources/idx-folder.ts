// A folder of IDX files under the names of MNIST: images and labels of a train and a test set.
import { openIdx } from '../../formats/array-file.js';
import { dataError } from '../../formats/data-error.js';
import { readIdx } from '../../formats/gzip-idx.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { TargetHead } from '../checks.js';
import type { Dataset, Split } from '../dataset.js';
import { arrayStream } from './array-stream.js';
import { bytesOf, firstFile, pathsIn } from './files.js';
import { fitting } from './fitting.js';
import type { RowStream, Source, SourceContext } from './source.js';

const namesOf = (part: string, what: string, rank: number): string[] =>
  [`${part}-${what}-idx${rank}-ubyte`, `${part}-${what}.idx${rank}-ubyte`].flatMap((n) => [n, `${n}.gz`]);

async function fileOf(folder: string, part: string, what: string, rank: number): Promise<string> {
  const names = namesOf(part, what, rank);
  const file = await firstFile(folder, names);
  if (file === undefined) throw dataError(folder, `has no file ${names[0]}[.gz]`, { expected: `${names[0]}[.gz]` });
  return file;
}

async function idxPart(folder: string, part: string, head: TargetHead | undefined): Promise<Dataset> {
  const read = async (what: string, rank: number): Promise<{ file: string; tensor: Tensor }> => {
    const file = await fileOf(folder, part, what, rank);
    const tensor = readIdx(await bytesOf(file), file);
    return { file, tensor };
  };
  const inputs = await read('images', 3);
  const targets = await read('labels', 1);
  const { dims } = inputs.tensor;
  const images = dims.length === 3 ? inputs.tensor.reshape([dims[0] ?? 0, 1, ...dims.slice(1)]) : inputs.tensor;
  return fitting(images, targets.tensor, { inputs: inputs.file, targets: targets.file }, head);
}

/** The same, read part by part. */
async function idxStream(folder: string, part: string, context: SourceContext): Promise<RowStream> {
  const images = await fileOf(folder, part, 'images', 3);
  const labels = await fileOf(folder, part, 'labels', 1);
  const inputs = await openIdx(images);
  const { dims } = inputs;
  const sample = dims.length === 3 ? [1, ...dims.slice(1)] : dims.slice(1);
  return arrayStream(
    inputs,
    async () => readIdx(await bytesOf(labels), labels),
    { inputs: images, targets: labels },
    context,
    sample,
  );
}

/** Train and test set of a folder. Throws DataError. */
export async function readIdxFolder(folder: string, head: TargetHead | undefined): Promise<Split> {
  return { train: await idxPart(folder, 'train', head), test: await idxPart(folder, 't10k', head) };
}

/** A folder with train-images-idx3-ubyte and its three companions. */
export const idxFolder: Source = {
  what: 'a folder of IDX files',
  options: [],
  is: async ({ kind, path }) => kind === 'folder' && (await firstFile(path, namesOf('train', 'images', 3))) !== undefined,
  read: async ({ path }, _, { head }) => ({ split: await readIdxFolder(path, head) }),
  open: async ({ path }, _, context) => ({
    train: await idxStream(path, 'train', context),
    test: await idxStream(path, 't10k', context),
  }),
  files: (folder) => pathsIn(folder, (name) => /^(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/.test(name)),
};
