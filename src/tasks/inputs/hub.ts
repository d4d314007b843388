// A dataset of Hugging Face to be answered: its part test, or train where there is no other.
import type { ImageBytes } from '../../data/images/decode-all.js';
import { featuresOf } from '../../data/sources/hub/features.js';
import { imagesOf } from '../../data/sources/hub/images.js';
import { openFile, openPart, partsOf } from '../../data/sources/hub/parts.js';
import { takesText } from '../../data/text/tokenizer.js';
import { tableOf, widthOf } from '../../formats/open-table.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { must } from '../../onnx/core/errors.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { sheetParts } from './sheets.js';

/** The samples of a folder. `decode` makes samples of images. Throws DataError. */
export async function* hubParts(
  path: string,
  input: NetworkInput,
  reading: ReadingInputs,
  decode: (images: readonly ImageBytes[]) => InputParts,
): InputParts {
  const parts = partsOf(path);
  const part = must(['test', 'train'].flatMap((name) => parts.filter((each) => each.part === name))[0] ?? parts[0], 'part');
  reading.onNote?.(`${path}: the part "${part.part}" is answered`);
  const file = must(part.files[0], 'file');
  const features = featuresOf(await openFile(part, file, true), part, file) ?? [];
  const image = features.find(({ kind }) => kind === 'image');
  if (image !== undefined && !takesText(input) && input.features === undefined) {
    for (const name of part.files) yield* decode(await imagesOf(await openFile(part, name, true), image.name, name));
    return;
  }
  const classes = features.filter(({ kind }) => kind === 'class').map(({ name }) => name);
  const label = reading.data?.label ?? (classes.length > 0 ? classes : undefined);
  const open = await openPart(part);
  const name = `${path}: ${part.part}`;
  const sheet = {
    name,
    how: {},
    width: () => widthOf(open),
    read: async function* (options: object) {
      yield await tableOf(open, options, name);
    },
  };
  const data = { source: path, ...reading.data, ...(label !== undefined && { label }) };
  yield* sheetParts(sheet, input, { ...reading, data });
}
