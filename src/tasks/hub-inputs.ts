// A dataset of Hugging Face to be answered: its part test, or train where there is no other.
import type { ImageBytes } from '../data/images/decode-all.js';
import type { Samples } from '../data/samples.js';
import { featuresOf } from '../data/sources/hub/features.js';
import { imagesOf } from '../data/sources/hub/images.js';
import { isHub, openFile, openPart, partsOf } from '../data/sources/hub/parts.js';
import { takesText } from '../data/text/tokenizer.js';
import { tableOf, widthOf } from '../formats/open-table.js';
import { type NetworkInput, onlyOf } from '../model/progressive/inputs.js';
import { must } from '../onnx/core/errors.js';
import { type ReadingInputs, sheetInputs } from './sheets.js';

/** The samples of a folder; undefined where it is no such dataset. `decode` makes samples of images. Throws DataError. */
export async function hubInputs(
  path: string,
  inputs: readonly NetworkInput[],
  reading: ReadingInputs,
  decode: (images: readonly ImageBytes[]) => Promise<Samples>,
): Promise<Samples | undefined> {
  if (!isHub(path)) return undefined;
  const input = onlyOf(inputs);
  const parts = partsOf(path);
  const part = must(['test', 'train'].flatMap((name) => parts.filter((each) => each.part === name))[0] ?? parts[0], 'part');
  reading.onNote?.(`${path}: the part "${part.part}" is answered`);
  const file = must(part.files[0], 'file');
  const features = featuresOf(await openFile(part, file, true), part, file) ?? [];
  const image = features.find(({ kind }) => kind === 'image');
  if (image !== undefined && !takesText(input) && input.features === undefined) {
    const images: ImageBytes[] = [];
    for (const name of part.files) images.push(...(await imagesOf(await openFile(part, name, true), image.name, name)));
    return await decode(images);
  }
  const classes = features.filter(({ kind }) => kind === 'class').map(({ name }) => name);
  const label = reading.data?.label ?? (classes.length > 0 ? classes : undefined);
  const open = await openPart(part);
  const name = `${path}: ${part.part}`;
  const sheet = { name, how: {}, width: () => widthOf(open), read: (options: object) => tableOf(open, options, name) };
  const data = { source: path, ...reading.data, ...(label !== undefined && { label }) };
  return await sheetInputs(sheet, input, { ...reading, data });
}
