// Arrays to be answered, .npy, .npz and IDX, read by parts of their first axis; whole where they are one sample, or in Fortran's order.
import { datasetFrom } from '../../data/from-arrays.js';
import { rowBytes } from '../../data/rows.js';
import { type TextInput, takesText } from '../../data/text/tokenizer.js';
import { type ArrayFile, openIdx, openNpy } from '../../formats/array-file.js';
import { defaultMaxBytes, quote } from '../../formats/data-error.js';
import { readIdx } from '../../formats/gzip-idx.js';
import { readNpy } from '../../formats/npy.js';
import { readNpz } from '../../formats/npz.js';
import { zipEntries } from '../../formats/zip-file.js';
import { areKnown } from '../../model/nn/open-size.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { fitsShape } from '../../model/progressive/open-inputs.js';
import { DataError, must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import { readWhole } from '../../onnx/files/read-file.js';
import { rowsPerRun } from '../../train/outputs.js';
import type { AskedFile, InputFormat } from './asked-file.js';
import { bytesTogether, type InputParts, type ReadingInputs } from './parts.js';

export const isArray = (format: InputFormat): boolean => format === 'npy' || format === 'npz' || format === 'idx';

/** An array that is not read yet. */
interface Opened extends ArrayFile {
  readonly whole: () => Tensor;
}

async function open({ name, format, path: pathOf }: AskedFile, input: string): Promise<Opened> {
  const path = await pathOf();
  if (format === 'npy') return { ...(await openNpy({ path, where: name })), whole: () => readNpy(readWhole(path), name) };
  if (format === 'idx') return { ...(await openIdx(path, name)), whole: () => readIdx(readWhole(path), name) };
  const entries = zipEntries(path, name);
  const keys = [...entries.keys()].flatMap((entry) => (entry.endsWith('.npy') ? [entry.slice(0, -'.npy'.length)] : []));
  const key = keyOf(keys, name, input);
  const whole = () => must(readNpz(readWhole(path), name, defaultMaxBytes, (other) => other === key).get(key), key);
  return { ...(await openNpy(must(entries.get(`${key}.npy`), key))), whole };
}

/** The only array of a .npz, or the one that is called as the input or x. */
function keyOf(keys: readonly string[], file: string, input: string): string {
  const key = [input, 'x'].find((name) => keys.includes(name)) ?? (keys.length === 1 ? keys[0] : undefined);
  if (key !== undefined) return key;
  const expected = `an array ${[...new Set([input, 'x'])].map(quote).join(' or ')}`;
  const got = keys.slice(0, 20).map(quote).join(', ') || 'none';
  throw new DataError(`${file}: arrays are ${got}, expected ${expected}`, { path: file, expected, got });
}

const withoutOnes = (dims: readonly number[]): string => dims.filter((d) => d !== 1).join();

/** The shape of a sample in an array: where sizes are open those that stand there, with or without an axis of samples. Throws DataError. */
function sampleShape(called: string, dims: readonly number[], shape: NetworkInput['shape']): readonly number[] {
  if (areKnown(shape)) return shape;
  const found = [dims.slice(1), dims].find((sample) => fitsShape(sample, shape));
  if (found !== undefined) return found;
  const expected = `[D${shape.map((d) => `,${d}`).join('')}]`;
  throw new DataError(`${called}: holds shape [${dims}], expected ${expected}`, { path: called, expected, got: `[${dims}]` });
}

/** An array as the network's only input. Throws DataError. */
export async function* arrayParts(file: AskedFile, input: NetworkInput, { missing }: ReadingInputs): InputParts {
  const { name: called } = file;
  const opened = await open(file, input.name);
  if (takesText(input)) {
    yield* tokenParts(opened, called, input);
    return;
  }
  const { name } = input;
  const { dims } = opened;
  const shape = sampleShape(called, dims, input.shape);
  const batched = dims.length > 0 && withoutOnes(dims.slice(1)) === withoutOnes(shape);
  // [1,28,28] for [1,28,28] is a sample rather than a batch of images without channels; both are the same bytes.
  const single = dims.join() === shape.join() || (!batched && withoutOnes(dims) === withoutOnes(shape));
  if (!batched && !single) {
    const expected = `[D${shape.map((d) => `,${d}`).join('')}]`;
    throw new DataError(`${called}: holds shape [${dims}], expected ${expected}`, { path: called, expected, got: `[${dims}]` });
  }
  let first = 0;
  for await (const part of single ? [opened.whole()] : tensorsOf(opened)) {
    const count = single ? 1 : (part.dims[0] ?? 0);
    const where = { inputs: called, targets: called, missing, first, input };
    const samples = datasetFrom(part.reshape([count, ...shape]), Tensor.zeros('int64', [count]), where).inputs;
    yield { [name]: samples.reshape([count, ...shape]) };
    first += count;
  }
}

/** Token ids that an array has already. */
async function* tokenParts(opened: Opened, called: string, { name, shape }: TextInput): InputParts {
  const { dtype, dims } = opened;
  const wanted = `token ids, whole numbers [D,${shape}], or texts as .txt, .csv or .parquet`;
  if (!/^u?int/.test(dtype) || dims.at(-1) !== shape[0] || dims.length > 2)
    throw new DataError(`${called}: holds ${dtype} [${dims}], input "${name}" takes ${wanted}`, {
      path: called,
      expected: wanted,
      got: `${dtype} [${dims}]`,
    });
  for await (const part of dims.length < 2 ? [opened.whole()] : tensorsOf(opened)) {
    const ids = BigInt64Array.from(part.numbers(), BigInt);
    yield { [name]: new Tensor('int64', [ids.length / Number(shape[0]), ...shape], ids) };
  }
}

/** Parts of an array; one of no rows is handed on, since nobody else would say so. */
function tensorsOf(opened: Opened): AsyncIterable<Tensor> | Iterable<Tensor> {
  const { dims, byRows, parts, whole } = opened;
  if (!byRows || dims[0] === 0) return [whole()];
  // As many runs as fit, so that none is put together of two parts.
  const runs = Math.max(1, Math.floor(bytesTogether / Math.max(1, rowBytes(opened) * rowsPerRun)));
  return parts(runs * rowsPerRun);
}
