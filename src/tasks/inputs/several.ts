// Several inputs to be answered, each by its name: the arrays of a .npz file, or the columns of one table.
import { toInputs } from '../../data/from-arrays.js';
import { type Decoding, isSized } from '../../data/images/decoding.js';
import { featuresOfAll, inputsOfTable } from '../../data/sources/several.js';
import { withCells } from '../../data/sources/text-columns.js';
import { UnknownCategories } from '../../formats/csv.js';
import { defaultMaxBytes, quote } from '../../formats/data-error.js';
import { npzKeys, readNpz } from '../../formats/npz.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import { DataError, must } from '../../onnx/core/errors.js';
import { readWhole } from '../../onnx/files/read-file.js';
import type { AskedFile } from './asked-file.js';
import type { InputParts, ReadingInputs } from './parts.js';
import { pause } from './pipe.js';
import type { Sheet } from './sheets.js';

/** The arrays of a .npz file, each called as its input is. Throws DataError. */
export async function* namedArrays(file: AskedFile, inputs: readonly NetworkInput[], { missing }: ReadingInputs): InputParts {
  const { name: called } = file;
  const bytes = readWhole(await file.path());
  const names = inputs.map(({ name }) => name);
  const keys = npzKeys(bytes, called);
  const lacking = names.filter((name) => !keys.includes(name));
  if (lacking.length > 0) {
    const [expected, got] = [names.join(', '), keys.slice(0, 20).map(quote).join(', ') || 'none'];
    const message = `${called}: has no array ${lacking.map(quote).join(', ')}, its arrays are ${got}; expected ${expected}`;
    throw new DataError(message, { path: called, expected, got });
  }
  const arrays = readNpz(bytes, called, defaultMaxBytes, (key) => names.includes(key));
  yield Object.fromEntries(
    inputs.map((input) => {
      const where = `${called}: ${quote(input.name)}`;
      return [input.name, toInputs(must(arrays.get(input.name), input.name), where, missing ?? false, 0, input)];
    }),
  );
}

/** The columns of a table that the inputs are made of. Throws DataError. */
export async function* namedColumns(
  sheet: Sheet,
  inputs: readonly NetworkInput[],
  { missing = false, onNote }: ReadingInputs,
  decoding?: Decoding,
): InputParts {
  const { name: called, how } = sheet;
  const features = featuresOfAll(inputs, called);
  const resize = decoding !== undefined && decoding.fit !== undefined && isSized(decoding) ? decoding : undefined;
  const whole = await withCells(inputs, called, resize);
  const unknown = new UnknownCategories();
  let first = 0;
  for await (const table of sheet.read({ unlabelled: true, unknown: true, ...how, missing, features })) {
    if (table === pause) {
      yield pause;
      continue;
    }
    if (table.unknown !== undefined) unknown.add(table.unknown);
    if (first === 0) for (const line of table.notes) onNote?.(line);
    const numbers = await whole(table, called);
    const own = inputsOfTable(inputs, numbers, called);
    const row = first;
    yield Object.fromEntries(inputs.map((input) => [input.name, toInputs(own(input), called, missing, row, input)]));
    first += numbers.dims[0] ?? 0;
  }
  for (const line of unknown.lines(called)) onNote?.(line);
}
