// How images become what a task takes: as the record of its column says, and carried out on files to be answered.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { imageEndings } from '../data/images/decode.js';
import { decodeAll, type ImageBytes } from '../data/images/decode-all.js';
import { type Decoding, decodingSchema } from '../data/images/decoding.js';
import { loadSharp } from '../data/images/sharp.js';
import type { Samples } from '../data/samples.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { DataError, WorkspaceError } from '../onnx/core/errors.js';
import { readWhole } from '../onnx/files/read-file.js';
import type { LoadedWorkspace } from './load-workspace.js';

/** How the images were decoded that a frozen column was trained on; undefined where it was not trained on images. Throws WorkspaceError. */
export function decodingOf({ frozen }: LoadedWorkspace, task: string): Decoding | undefined {
  const found = frozen.get(task)?.record.data.decoding;
  if (found === undefined) return undefined;
  const parsed = decodingSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  const path = `column.json of task "${task}": data.decoding`;
  throw new WorkspaceError(`${path}: found ${JSON.stringify(found)}, expected how images are decoded`, { path });
}

/** The images of a folder in the order of their names; undefined where the path is none. */
export function imagesIn(path: string): ImageBytes[] | undefined {
  const imageOf = (file: string): ImageBytes => ({ name: file, bytes: async () => readWhole(file) });
  if (!(statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)) return undefined;
  const names = readdirSync(path).filter((name) => !name.startsWith('.'));
  const odd = names.find((name) => !imageEndings.test(name));
  if (odd !== undefined || names.length === 0) {
    const [expected, got] = ['PNG, JPEG or WebP files alone', odd === undefined ? 'nothing' : JSON.stringify(odd)];
    throw new DataError(`${path}: holds ${got}, expected ${expected}`, { path, expected, got });
  }
  return names.toSorted().map((name) => imageOf(join(path, name)));
}

/** Images as the network's only input, and how many of them have an alpha channel. Throws DataError where the task was not trained on images. */
export async function decodeInputs(
  images: readonly ImageBytes[],
  inputs: readonly NetworkInput[],
  decoding: Decoding | undefined,
  where: string,
): Promise<{ readonly samples: Samples; readonly withAlpha: number }> {
  if (decoding === undefined) {
    const text = 'is an image, and the task was trained on arrays: nothing says how an image becomes one';
    throw new DataError(`${where}: ${text}, expected .npy, .npz, IDX, .csv or .parquet`, {
      path: where,
      expected: '.npy, .npz, IDX, .csv or .parquet',
    });
  }
  const decoded = await decodeAll(await loadSharp(where), images, decoding, where);
  return { samples: { [onlyOf(inputs, 'reading image files').name]: decoded.inputs }, withAlpha: decoded.withAlpha };
}
