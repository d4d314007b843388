// Inputs to be answered, whatever they stand in: files of arrays and tables, texts, images, folders of them, stdin.
import { alphaNote, type ImageBytes } from '../../data/images/decode-all.js';
import { type Decoding, isSized } from '../../data/images/decoding.js';
import { isHub } from '../../data/sources/hub/parts.js';
import { takesText } from '../../data/text/tokenizer.js';
import { defaultMaxBytes } from '../../formats/data-error.js';
import { bytesOnDisk } from '../../formats/disk-bytes.js';
import { openParquetGroups } from '../../formats/parquet-file.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { onlyOf } from '../../model/progressive/inputs.js';
import { DataError, must } from '../../onnx/core/errors.js';
import { readWhole } from '../../onnx/files/read-file.js';
import { decodeInputs, imagesIn } from '../decoding-of.js';
import { arrayParts, isArray } from './arrays.js';
import { type AskedFile, type InputFormat, openAsked, stdin } from './asked-file.js';
import { csvSheet } from './csv-sheet.js';
import { hubParts } from './hub.js';
import { jsonLines } from './json-lines.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { namedArrays, namedColumns } from './several.js';
import { groupedSheet, type Sheet, sheetParts } from './sheets.js';
import { lineParts } from './texts.js';

/** What is asked about. */
export interface AskedInputs extends ReadingInputs {
  /** A file, a folder, or `-`. */
  readonly path: string;
  readonly format?: InputFormat | undefined;
  /** How images become what the task takes; undefined where it was not trained on images. */
  readonly decoding?: Decoding | undefined;
  /** Ends waiting for stdin. */
  readonly signal?: AbortSignal;
}

/** Images that are decoded together. */
const imagesTogether = 100;

/**
 * The samples of the network's only input [D, ...shape], part by part: axes of size 1 may be missing, and the batch of a single sample. Categories are
 * indices, -1 for a text that is none; texts are token ids. Throws DataError.
 */
export async function* readInputs(asked: AskedInputs, inputs: readonly NetworkInput[]): InputParts {
  const { path, decoding } = asked;
  let [count, transparent] = [0, 0];
  const decode = async function* (images: readonly ImageBytes[]): InputParts {
    // Where any size is taken each image has its own.
    const each = decoding === undefined || isSized(decoding) ? imagesTogether : 1;
    for (let from = 0; from < images.length; from += each) {
      const together = images.slice(from, from + each);
      const { samples, withAlpha } = await decodeInputs(together, inputs, decoding, path);
      count += together.length;
      transparent += withAlpha;
      yield samples;
    }
  };
  yield* partsOf(asked, inputs, decode);
  const note = decoding && alphaNote(path, transparent, count, decoding);
  if (note !== undefined) asked.onNote?.(note);
}

async function* partsOf(
  asked: AskedInputs,
  inputs: readonly NetworkInput[],
  decode: (images: readonly ImageBytes[]) => InputParts,
): InputParts {
  const { path, format, signal } = asked;
  if (inputs.length > 1) return yield* severalParts(asked, inputs);
  const input = onlyOf(inputs, 'reading this kind of file');
  if (path !== stdin && isHub(path)) return yield* hubParts(path, input, asked, decode);
  const folder = path === stdin ? undefined : imagesIn(path);
  if (folder !== undefined) return yield* decode(folder);
  const file = await openAsked(path, format, inputs, signal);
  try {
    if (file.format === 'image') {
      const image = await file.path();
      yield* decode([{ name: file.name, bytes: async () => readWhole(image) }]);
    } else if (isArray(file.format)) yield* arrayParts(file, input, asked);
    else if (file.format === 'jsonl') yield* jsonLines(file, inputs, asked);
    else if (takesText(input) && file.format === 'txt') yield* lineParts(file, input);
    else yield* sheetParts(file.format === 'parquet' ? await parquetSheet(file) : csvSheet(file, input, asked), input, asked);
  } finally {
    file.close();
  }
}

/** Of a network of several inputs. */
async function* severalParts(asked: AskedInputs, inputs: readonly NetworkInput[]): InputParts {
  const { path, format, signal } = asked;
  const expected = 'a .npz file with an array for each, a table with the columns of all, or .jsonl with an object a line';
  const refuse = (): never => {
    throw new DataError(`${path}: the task reads the inputs ${inputs.map(({ name }) => name).join(', ')}, expected ${expected}`, {
      path,
      expected,
    });
  };
  if (path !== stdin && (isHub(path) || imagesIn(path) !== undefined)) refuse();
  const file = await openAsked(path, format, inputs, signal);
  try {
    if (file.format === 'npz') yield* namedArrays(file, inputs, asked);
    else if (file.format === 'jsonl') yield* jsonLines(file, inputs, asked);
    else if (file.format === 'parquet') yield* namedColumns(await parquetSheet(file), inputs, asked, asked.decoding);
    else if (file.format === 'csv' || file.format === 'tsv')
      yield* namedColumns(csvSheet(file, { ...must(inputs[0], 'input'), features: [] }, asked), inputs, asked, asked.decoding);
    else refuse();
  } finally {
    file.close();
  }
}

async function parquetSheet(file: AskedFile): Promise<Sheet> {
  const { name } = file;
  return groupedSheet(name, await openParquetGroups(bytesOnDisk(await file.path()), name, defaultMaxBytes));
}
