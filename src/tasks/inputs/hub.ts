// A dataset of Hugging Face to be answered: its part test, or train where there is no other.
import type { ImageBytes } from '../../data/images/decode-all.js';
import { featuresIn } from '../../data/sources/hub/features.js';
import { imagesOf } from '../../data/sources/hub/images.js';
import { openFileGroups, openPartGroups, partsOf } from '../../data/sources/hub/parts.js';
import { takesText } from '../../data/text/tokenizer.js';
import { defaultMaxBytes } from '../../formats/data-error.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { must } from '../../onnx/core/errors.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { groupedSheet, sheetParts } from './sheets.js';

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
  const features = (await featuresIn(part)) ?? [];
  const image = features.find(({ kind }) => kind === 'image');
  if (image !== undefined && !takesText(input) && input.features === undefined) {
    for (const name of part.files)
      for (const group of (await openFileGroups(part, name, true, defaultMaxBytes)).groups)
        yield* decode(await imagesOf(group.open(), image.name, name));
    return;
  }
  const classes = features.filter(({ kind }) => kind === 'class').map(({ name }) => name);
  const label = reading.data?.label ?? (classes.length > 0 ? classes : undefined);
  const sheet = groupedSheet(`${path}: ${part.part}`, await openPartGroups(part, defaultMaxBytes));
  const data = { source: path, ...reading.data, ...(label !== undefined && { label }) };
  yield* sheetParts(sheet, input, { ...reading, data });
}
