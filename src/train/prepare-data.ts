// Data made ready for a column: checked against the network's input and the column's head, and split for validation.

import { fitTargets, type TargetHead } from '../data/checks.js';
import { type Dataset, inputData, rows, splitValidation } from '../data/dataset.js';
import { formatIndex } from '../formats/data-error.js';
import type { Column, Description, Head } from '../model/description/description.js';
import { headWidth } from '../model/heads/head-schema.js';
import { DataError, must } from '../onnx/core/errors.js';
import type { TrainSettings } from './settings.js';

/**
 * The data set with targets as the head takes them. Throws DataError for no rows, another shape or dtype of samples, NaN, targets that do
 * not fit the head.
 * @param where names the data set in errors
 */
export function fitData(description: Description, column: Column, data: Dataset, where: string): Dataset {
  const { shape, name } = must(description.inputs[0], 'input');
  const { dims, dtype } = data.inputs;
  const found = dims.slice(1);
  if (found.join() !== shape.join()) {
    throw new DataError(`${where}: a sample has shape [${found}], input "${name}" is [${shape}]`, {
      path: where,
      expected: `[${shape}]`,
      got: `[${found}]`,
    });
  }
  if (dtype !== 'float32' && dtype !== 'uint8') {
    throw new DataError(`${where}: inputs are ${dtype}, expected float32 or uint8`, {
      path: where,
      expected: 'float32 or uint8',
      got: dtype,
    });
  }
  if (rows(data) === 0) throw new DataError(`${where}: has no rows`, { path: where, expected: 'at least one row', got: '0' });
  const values = inputData(data);
  const bad = dtype === 'uint8' ? -1 : values.findIndex((v) => v - v !== 0);
  if (bad >= 0) {
    const at = formatIndex(bad, dims);
    throw new DataError(`${where}: inputs hold ${values[bad]} at ${at}, expected a finite number`, {
      path: where,
      got: `${values[bad]}`,
    });
  }
  return fitTargets(data, targetHead(column.head), where);
}

/** What the checks of data need to know of a head. */
export function targetHead(head: Head): TargetHead {
  return { kind: head.kind, size: headWidth(head) };
}

/** Training and, where the settings ask for it, validation part of a data set. `where` names it in errors. */
export function partition(data: Dataset, settings: TrainSettings, where: string): { train: Dataset; validation?: Dataset } {
  return settings.validation > 0 ? splitValidation(data, settings.validation, settings.seed, where) : { train: data };
}
