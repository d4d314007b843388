// How many rows a minibatch must have: batch_norm over features has one value of each feature in a row, and one value has no variance, so that
// nothing before it is trained. PyTorch refuses the same.
import type { Column } from '../model/progressive/column.js';
import { UsageError } from '../onnx/core/errors.js';

/** The layer that needs more than one row, by its name in the column; undefined where none does. */
function needy(column: Column): string | undefined {
  const spec = column.parameters.specs.find(({ minRows = 1 }) => minRows > 1);
  return spec?.name.slice(0, spec.name.lastIndexOf('/'));
}

/** Throws UsageError for minibatches of one row where a layer learns nothing from one. */
export function refuseSingleRows(column: Column, batch: number): void {
  const layer = needy(column);
  if (batch > 1 || layer === undefined) return;
  throw new UsageError(
    `task "${column.task}": batch_norm "${layer}" has one value of each feature in a minibatch of one row, expected a batch of at least 2`,
    { expected: 'at least 2', got: String(batch) },
  );
}

/** A line where the last minibatch of an epoch has one row that such a layer learns nothing from. */
export function singleRowNote(column: Column, rows: number, batch: number): string | undefined {
  const layer = needy(column);
  if (layer === undefined || rows % batch !== 1) return undefined;
  return `task "${column.task}": the last minibatch of an epoch has one row (${rows} rows, batch ${batch}): batch_norm "${layer}" passes on no more than its bias there, PyTorch would stop`;
}
