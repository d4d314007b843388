// Trains a column for each customer of a folder of data, in this process or several at one time in processes of their own. A column that is there is left as it is, so that a run which was broken off
// goes on when it is begun again.
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Customer, listCustomers } from '../fleet/customer-data.js';
import type { FleetTableOptions } from '../fleet/customer-table.js';
import { modelFiles, readFleet } from '../fleet/folder.js';
import { type CustomerDone, type CustomerJob, trainCustomer } from '../fleet/train-customer.js';
import { FleetTrainer } from '../fleet/trainer.js';
import { readTraining, trainingFile } from '../fleet/training-folder.js';
import { settleFleet } from '../fleet/write-column.js';
import { InternalError, InterruptedError, PrognetError, stopIfAborted, TrainingError } from '../onnx/core/errors.js';
import { aCount, anObject, either, given, optional, text } from '../onnx/core/given.js';
import { errorFrom, type PlainError } from '../onnx/core/plain-error.js';
import { acquireLock } from '../onnx/files/lock-file.js';
import type { Runtime } from '../onnx/runtime/session.js';
import { processRunner } from './process-runner.js';
import { type Runner, sideBySide } from './side-by-side.js';

/** How the columns of a fleet are trained. */
export interface TrainFleetOptions {
  /** Columns at one time, each in a process of its own; default: one after another in this process. The columns are the same, bit for bit. */
  readonly jobs?: number;
  /** How tables of customers are read. */
  readonly table?: FleetTableOptions;
  /** Whether a customer whose data or training fails is noted among `failed`, and the others are trained; default: the first failure is thrown. */
  readonly keepGoing?: boolean;
  /** Told of each customer that is done. */
  readonly onColumn?: (column: FleetProgress) => void;
  /** A line that the user should know: what was taken for granted in reading tables, each thing once; a process ended by itself, and its column is trained again. */
  readonly onNote?: (line: string) => void;
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

/** What a process says of a customer. Of what is broken no other customer can do better. */
export type CustomerOutcome = CustomerDone | { readonly state: 'refused' | 'broken'; readonly error: PlainError };

/**
 * Trains a column over the base of a fleet for each customer, on one thread each, and writes it into the fleet as an ordinary file, whole or not at all.
 * @param folder of a fleet that was exported with `training`
 * @param data a folder with `NAME.npz`, or a folder `NAME` of .npy files, for each customer: an array [N, ...] for each input by its name, and `targets`; or of a fleet with one input a
 *   table, `NAME.csv`, `.tsv` or `.parquet`. Every fifth row is held back as test data
 * @throws WorkspaceError for a folder that is no such fleet, and while another process trains its columns, DataError for data that do not fit and for a column that was trained on other rows,
 *   TrainingError where a loss is not finite, and where the process of a column ended by itself twice
 */
export async function trainFleet(
  runtime: Runtime,
  folder: string,
  data: string,
  options: TrainFleetOptions = {},
): Promise<TrainedFleet> {
  given('trainFleet', { runtime, folder, data, options }, { runtime: anObject, folder: text, data: text, options: anObject });
  given('trainFleet', { jobs: options.jobs, table: options.table }, { jobs: optional(aCount), table: optional(anObject) });
  given('trainFleet: table', { ...options.table }, tableKinds);
  const begun = performance.now();
  const customers = listCustomers(data);
  readFleet(folder);
  readTraining(folder);
  const ended = new Ended(customers, options);
  const lock = acquireLock(join(folder, 'lock'));
  try {
    settleFleet(folder);
    const jobs = Math.min(options.jobs ?? 1, customers.length);
    try {
      if (jobs > 1) await inProcesses(folder, jobs, customers, options, ended);
      else await inThisProcess(runtime, folder, customers, options, ended);
    } finally {
      settleFleet(folder);
    }
    ended.refuseInterrupted();
  } finally {
    lock.release();
  }
  return { folder, ...ended.all(), seconds: (performance.now() - begun) / 1000 };
}

const tableKinds = {
  label: optional(either(text, { what: 'a whole number', holds: Number.isSafeInteger })),
  header: optional({ what: 'true or false', holds: (value: unknown) => typeof value === 'boolean' }),
};

/** Bytes that a process takes beside the sessions of the base. */
const bytesOfProcess = 200e6;
/** Sessions hold the base's weights twice, and copies while they are made. */
const copiesOfBase = 3;

/** Columns that this machine trains at one time: one for each core, fewer where memory is short. Throws WorkspaceError for a folder that is no fleet with `training`. */
export function fleetJobs(folder: string): number {
  readTraining(folder);
  const base = [trainingFile(folder, 'taps.onnx'), join(folder, modelFiles.required)].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
  );
  const each = bytesOfProcess + copiesOfBase * base.reduce((a, b) => a + b, 0);
  return Math.max(1, Math.min(availableParallelism(), Math.floor(process.availableMemory() / each)));
}

/** Customers that are done. */
class Ended {
  private readonly trained = new Map<string, Readonly<Record<string, number>>>();
  private readonly there = new Set<string>();
  private readonly failed = new Map<string, PrognetError>();
  private readonly said = new Set<string>();

  constructor(
    private readonly customers: readonly Customer[],
    private readonly options: TrainFleetOptions,
  ) {}

  add({ name, path }: Customer, done: CustomerDone): void {
    // Of a thousand tables that are alike it is said once.
    for (const note of done.notes) {
      const what = note.replace(path, '');
      if (!this.said.has(what)) this.options.onNote?.(note);
      this.said.add(what);
    }
    if (done.state === 'trained') this.trained.set(name, done.metrics);
    else this.there.add(name);
    this.tell({ name, state: done.state });
  }

  /** Throws the error where the first failure ends all. */
  fail({ name }: Customer, error: unknown): void {
    if (!(error instanceof PrognetError)) throw error;
    if (!this.options.keepGoing)
      throw error instanceof TrainingError
        ? new TrainingError(`${name}: ${error.statement}`, { ...error.fields, cause: error })
        : error;
    this.failed.set(name, error);
    this.tell({ name, state: 'failed', error });
  }

  refuseInterrupted(): void {
    const { signal } = this.options;
    if (signal?.aborted !== true || this.done === this.customers.length) return;
    const said = `interrupted after ${this.done} of ${this.customers.length} columns; the same command goes on`;
    throw new InterruptedError(said, { cause: signal.reason });
  }

  /** In the order of the customers. */
  all(): Pick<TrainedFleet, 'trained' | 'there' | 'failed'> {
    const names = this.customers.map(({ name }) => name);
    const of = <V, R>(map: ReadonlyMap<string, V>, made: (name: string, value: V) => R): R[] =>
      names.flatMap((name) => {
        const value = map.get(name);
        return value === undefined ? [] : [made(name, value)];
      });
    return {
      trained: of(this.trained, (name, metrics) => ({ name, metrics })),
      there: names.filter((name) => this.there.has(name)),
      failed: of(this.failed, (name, error) => ({ name, error })),
    };
  }

  private get done(): number {
    return this.trained.size + this.there.size + this.failed.size;
  }

  private tell(column: Pick<FleetProgress, 'name' | 'state' | 'error'>): void {
    this.options.onColumn?.({ ...column, done: this.done, total: this.customers.length });
  }
}

async function inThisProcess(
  runtime: Runtime,
  folder: string,
  customers: readonly Customer[],
  { signal, table = {} }: TrainFleetOptions,
  ended: Ended,
): Promise<void> {
  const trainer = await FleetTrainer.open(runtime, folder);
  try {
    for (const customer of customers) {
      try {
        stopIfAborted(signal);
        ended.add(customer, await trainCustomer(trainer, folder, { ...customer, table }, signal));
      } catch (error) {
        if (error instanceof InterruptedError) return;
        ended.fail(customer, error);
      }
    }
  } finally {
    await trainer.release();
  }
}

/** `failed`: the process ended, or a defect of ours. */
type Said = CustomerOutcome | { readonly state: 'failed'; readonly reason: string; readonly ended?: true };

async function inProcesses(
  folder: string,
  jobs: number,
  customers: readonly Customer[],
  { signal, onNote, table = {} }: TrainFleetOptions,
  ended: Ended,
): Promise<void> {
  await sideBySide<Customer, CustomerJob, Said>({
    left: customers,
    jobs,
    runner: () => twice(processRunner<CustomerJob, CustomerOutcome>('fleet-process', folder), onNote),
    job: (customer) => ({ ...customer, table }),
    signal,
    ended: (customer, said) => {
      if ('notes' in said) ended.add(customer, said);
      else if (said.state === 'failed')
        ended.fail(customer, said.ended ? endedTwice(said.reason) : new InternalError(said.reason));
      else if (said.state === 'refused') ended.fail(customer, errorFrom(said.error));
      else throw errorFrom(said.error);
    },
  });
}

const endedTwice = (reason: string): TrainingError =>
  new TrainingError(`${reason}, for the second time; if memory is short, fewer jobs at one time need less`);

/** Does a job again whose process ended by itself, once. */
function twice(own: Runner<CustomerJob, Said>, onNote: TrainFleetOptions['onNote']): Runner<CustomerJob, Said> {
  let closed = false;
  return {
    run: async (customer) => {
      const said = await own.run(customer);
      if (said.state !== 'failed' || !said.ended || closed) return said;
      onNote?.(`${customer.name}: ${said.reason}; it is trained again`);
      return await own.run(customer);
    },
    close: () => {
      closed = true;
      own.close();
    },
  };
}
