// One customer of a fleet, in whichever process: the column is there, or it is trained and written.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../data/fingerprint.js';
import { DataError } from '../onnx/core/errors.js';
import type { ColumnRecord } from '../workspace/column-record.js';
import { type Customer, type CustomerData, readCustomer } from './customer-data.js';
import type { FleetTableOptions } from './customer-table.js';
import { columnFile, readColumn } from './folder.js';
import type { FleetTrainer } from './trainer.js';
import { columnFiles, writeFleetFiles } from './write-column.js';

/** A customer whose column is in the fleet. */
export interface CustomerDone {
  readonly state: 'there' | 'trained';
  /** What was measured on the test rows when it was trained. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What was taken for granted in reading its table, a line each. */
  readonly notes: readonly string[];
}

/** A customer, and how its table is read. */
export interface CustomerJob extends Customer {
  readonly table?: FleetTableOptions;
}

/**
 * Trains the column of a customer and writes it, unless it is there.
 * @throws DataError for data that do not fit and for a column that was trained on others, TrainingError, WorkspaceError, InterruptedError on abort
 */
export async function trainCustomer(
  trainer: FleetTrainer,
  folder: string,
  customer: CustomerJob,
  signal?: AbortSignal,
): Promise<CustomerDone> {
  const notes: string[] = [];
  const rows = await readCustomer(customer, trainer.training, customer.table, (line) => notes.push(line));
  const there = isThere(folder, trainer, customer, rows);
  if (there !== undefined) return { state: 'there', metrics: there.metrics, notes };
  const column = await trainer.column(customer.name, rows, signal);
  writeFleetFiles(folder, columnFiles(column, trainer.fleet));
  return { state: 'trained', metrics: column.record.metrics, notes };
}

/** The record of the column where it is there, trained on these rows. Throws DataError for one that was trained on others, and as `readColumn`. */
function isThere(
  folder: string,
  { fleet }: FleetTrainer,
  { name, path }: Customer,
  { train }: CustomerData,
): ColumnRecord | undefined {
  const file = columnFile(name);
  if (!existsSync(join(folder, file))) return undefined;
  const { record } = readColumn(folder, fleet, name);
  if (record.data.fingerprint === fingerprint(train)) return record;
  const expected = `no such file, or the rows that it was trained on in ${path}`;
  throw new DataError(`${join(folder, file)}: was trained on other rows, expected ${expected}`, {
    path: join(folder, file),
    expected,
  });
}
