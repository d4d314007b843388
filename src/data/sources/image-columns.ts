// Columns of paths beside the numbers of one table: each holds, of each row, an image that stands beside the table, for an input of images.
import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { dataError, quote } from '../../formats/data-error.js';
import { areKnown } from '../../model/nn/open-size.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { decodeAll, type ImageBytes } from '../images/decode-all.js';
import { type Decoding, decodingFor, isImageShape, type Resize } from '../images/decoding.js';
import { loadSharp } from '../images/sharp.js';
import { bytesOf } from './files.js';

/** Whether a table gives the input as the paths of images. */
export const isPictured = ({ shape, dtype, features, tokens }: NetworkInput): boolean =>
  features === undefined &&
  tokens === undefined &&
  (dtype === 'uint8' || dtype === 'float32') &&
  areKnown(shape) &&
  isImageShape(shape);

/** How the images of an input become samples. Throws DataError for a `resize` to another size. */
export const decodingIn = ({ shape }: NetworkInput, resize: Resize | undefined, where: string): Decoding =>
  decodingFor(shape, resize, where);

/** The images that cells name, uint8 [rows, ...]. Throws DataError naming the row of one that is not there, lies elsewhere or cannot be decoded. */
export async function imagesOf(
  paths: readonly string[],
  { name }: NetworkInput,
  decoding: Decoding,
  table: string,
  rowOf: (row: number) => number,
): Promise<Tensor> {
  const sharp = await loadSharp(table);
  const folder = realpathSync(statSync(table, { throwIfNoEntry: false })?.isDirectory() === true ? table : dirname(table));
  const images = paths.map((path, row): ImageBytes => {
    const cell = `${table}: row ${rowOf(row)}, column ${quote(name)}: ${quote(path)}`;
    const file = fileIn(folder, path, cell);
    return { name: cell, bytes: async () => await bytesOf(file) };
  });
  return (await decodeAll(sharp, images, decoding, table)).inputs;
}

function fileIn(folder: string, path: string, cell: string): string {
  const expected = 'the path of an image from the folder of the table';
  if (path === '') throw dataError(cell, `is empty, expected ${expected}`, { expected, got: path });
  let real: string;
  try {
    real = realpathSync(resolve(folder, path));
  } catch (cause) {
    throw dataError(cell, `is no file, expected ${expected}`, { expected, got: path, cause });
  }
  if (!real.startsWith(`${folder}${sep}`))
    throw dataError(cell, `leads out of ${folder}, expected ${expected}`, { expected, got: path });
  if (!statSync(real).isFile()) throw dataError(cell, `is a folder, expected ${expected}`, { expected, got: path });
  return real;
}
