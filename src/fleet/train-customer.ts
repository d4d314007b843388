// One customer of a fleet, in whichever process: the column is there, or it is trained and written.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../data/fingerprint.js';
import { DataError } from '../onnx/core/errors.js';
import { type Customer, type CustomerData, readCustomer } from './customer-data.js';
import { columnFile, readColumn } from './folder.js';
import type { FleetTrainer } from './trainer.js';
import { columnFiles, writeFleetFiles } from './write-column.js';

/** A customer whose column is in the fleet. */
export type CustomerDone =
  | { readonly state: 'there' }
  /** What was measured on the test rows. */
  | { readonly state: 'trained'; readonly metrics: Readonly<Record<string, number>> };

/**
 * Trains the column of a customer and writes it, unless it is there.
 * @throws DataError for data that do not fit and for a column that was trained on others, TrainingError, WorkspaceError, InterruptedError on abort
 */
export async function trainCustomer(
  trainer: FleetTrainer,
  folder: string,
  customer: Customer,
  signal?: AbortSignal,
): Promise<CustomerDone> {
  const rows = readCustomer(customer, trainer.training);
  if (isThere(folder, trainer, customer, rows)) return { state: 'there' };
  const column = await trainer.column(customer.name, rows, signal);
  writeFleetFiles(folder, columnFiles(column, trainer.fleet));
  return { state: 'trained', metrics: column.record.metrics };
}

/** Whether the column is there, trained on these rows. Throws DataError for one that was trained on others, and as `readColumn`. */
function isThere(folder: string, { fleet }: FleetTrainer, { name, path }: Customer, { train }: CustomerData): boolean {
  const file = columnFile(name);
  if (!existsSync(join(folder, file))) return false;
  const { record } = readColumn(folder, fleet, name);
  if (record.data.fingerprint === fingerprint(train)) return true;
  const expected = `no such file, or the rows that it was trained on in ${path}`;
  throw new DataError(`${join(folder, file)}: was trained on other rows, expected ${expected}`, {
    path: join(folder, file),
    expected,
  });
}
