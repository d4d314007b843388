// Trains a column for each customer of a folder of data. A column that is there is left as it is, so that a run which was broken off goes on when it is begun again.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../data/fingerprint.js';
import { DataError, InterruptedError, PrognetError, stopIfAborted } from '../onnx/core/errors.js';
import { anObject, given, text } from '../onnx/core/given.js';
import { acquireLock, type Lock } from '../onnx/files/lock-file.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { type Customer, type CustomerData, listCustomers, readCustomer } from './customer-data.js';
import { columnFile, readColumn } from './folder.js';
import { FleetTrainer } from './trainer.js';
import { columnFiles, settleFleet, writeFleetFiles } from './write-column.js';

/** How the columns of a fleet are trained. */
export interface TrainFleetOptions {
  /** Whether a customer whose data or training fails is noted among `failed`, and the others are trained; default: the first failure is thrown. */
  readonly keepGoing?: boolean;
  /** Told of each customer that is done. */
  readonly onColumn?: (column: FleetProgress) => void;
  /** On abort InterruptedError is thrown; columns that are finished stay. */
  readonly signal?: AbortSignal;
}

/** A customer that is done. */
export interface FleetProgress {
  /** Of the column. */
  readonly name: string;
  /** Whether it was trained now, was there already, or failed. */
  readonly state: 'trained' | 'there' | 'failed';
  /** Customers that are done. */
  readonly done: number;
  /** All customers. */
  readonly total: number;
  /** Why it failed. */
  readonly error?: PrognetError;
}

/** A training of many columns that has ended. */
export interface TrainedFleet {
  /** The folder of the fleet. */
  readonly folder: string;
  /** Columns that were trained now, each with what was measured on its test rows. */
  readonly trained: readonly { readonly name: string; readonly metrics: Readonly<Record<string, number>> }[];
  /** Columns that were there, trained on these rows. */
  readonly there: readonly string[];
  /** Customers without a column, with `keepGoing`. */
  readonly failed: readonly { readonly name: string; readonly error: PrognetError }[];
  /** How long it took. */
  readonly seconds: number;
}

/**
 * Trains a column over the base of a fleet for each customer, on one thread, and writes it into the fleet as an ordinary file, whole or not at all.
 * @param folder of a fleet that was exported with `training`
 * @param data a folder with `NAME.npz`, or a folder `NAME` of .npy files, for each customer: an array [N, ...] for each input by its name, and `targets`. Every fifth row is held back
 *   as test data
 * @throws WorkspaceError for a folder that is no such fleet, and while another process trains its columns, DataError for data that do not fit and for a column that was trained on other rows, TrainingError where a loss is not finite
 */
export async function trainFleet(
  runtime: Runtime,
  folder: string,
  data: string,
  options: TrainFleetOptions = {},
): Promise<TrainedFleet> {
  given('trainFleet', { runtime, folder, data, options }, { runtime: anObject, folder: text, data: text, options: anObject });
  const { keepGoing = false, onColumn, signal } = options;
  const begun = performance.now();
  const customers = listCustomers(data);
  const trainer = await FleetTrainer.open(runtime, folder);
  const trained: { name: string; metrics: Readonly<Record<string, number>> }[] = [];
  const there: string[] = [];
  const failed: { name: string; error: PrognetError }[] = [];
  let lock: Lock | undefined;
  try {
    lock = acquireLock(join(folder, 'lock'));
    settleFleet(folder);
    try {
      for (const [i, customer] of customers.entries()) {
        const { name } = customer;
        const told = { name, done: i + 1, total: customers.length };
        try {
          stopIfAborted(signal);
          const rows = readCustomer(customer, trainer.training);
          if (isThere(folder, trainer, customer, rows)) {
            there.push(name);
            onColumn?.({ ...told, state: 'there' });
            continue;
          }
          const column = await trainer.column(name, rows, signal);
          writeFleetFiles(folder, columnFiles(column, trainer.fleet));
          trained.push({ name, metrics: column.record.metrics });
          onColumn?.({ ...told, state: 'trained' });
        } catch (error) {
          if (error instanceof InterruptedError) throw interrupted(i, customers.length, error);
          if (!keepGoing || !(error instanceof PrognetError)) throw error;
          failed.push({ name, error });
          onColumn?.({ ...told, state: 'failed', error });
        }
      }
    } finally {
      settleFleet(folder);
    }
  } finally {
    await trainer.release();
    lock?.release();
  }
  return { folder, trained, there, failed, seconds: (performance.now() - begun) / 1000 };
}

const interrupted = (done: number, total: number, { cause }: InterruptedError): InterruptedError =>
  new InterruptedError(`interrupted after ${done} of ${total} columns; the same command goes on`, { cause });

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
