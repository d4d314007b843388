// Asks the columns of a fleet: one session of the base, whose runs are given the weights of the column that is asked, and one for rows of many columns.
import { must, UsageError } from '../onnx/core/errors.js';
import { anObject, given, names as someNames, text } from '../onnx/core/given.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { ColumnBank } from './bank.js';
import { type Fleet, listFleet, readFleet, readModel } from './folder.js';
import { columnName, fleetOutputs } from './forms.js';

/** How a fleet is opened. */
export interface FleetRunnerOptions {
  /** Bytes of columns' weights that are in memory at most. Default 256 MiB. */
  readonly memory?: number;
  /** Providers and threads of the sessions. */
  readonly session?: SessionOptions;
}

/** What the columns of a fleet answer. */
export interface FleetAnswer {
  /** Raw scores, float32 [N, k]. */
  readonly scores: Tensor;
  /** float32 [N, k]; absent for regress. */
  readonly probabilities?: Tensor;
  /** Classes, int64 [N], or one bool for each label, [N, k]; absent for regress. */
  readonly label?: Tensor;
}

/** Inputs by name, [N, ...]: those that fleet.json lists. */
export type FleetInputs = Readonly<Record<string, Tensor>>;

/**
 * Rows of one column, at the mean, from which on a run for each column is quicker than one run with the weights of each row beside it: the weights of a column are then
 * copied for every row of it (docs/fleet.md).
 */
const rowsOfOwnRun = 12;

const defaultMemory = 2 ** 28;

/** The columns of a fleet, asked by name. One run goes at a time; others wait. */
export class FleetRunner {
  private stackedSession: Promise<Session> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly runtime: Runtime,
    /** The folder that it reads columns from. */
    readonly folder: string,
    /** What fleet.json says. */
    readonly fleet: Fleet,
    private readonly session: Session,
    private readonly bank: ColumnBank,
    private readonly options: FleetRunnerOptions,
  ) {}

  /**
   * Opens the folder of a fleet. Columns are read when they are first asked.
   * @throws WorkspaceError where there is none, DataError for files that were changed, UsageError for a memory that holds no column
   */
  static async open(runtime: Runtime, folder: string, options: FleetRunnerOptions = {}): Promise<FleetRunner> {
    given('FleetRunner.open', { runtime, folder, options }, { runtime: anObject, folder: text, options: anObject });
    const fleet = readFleet(folder);
    const bank = new ColumnBank(folder, fleet, options.memory ?? defaultMemory);
    const session = await runtime.createSession(readModel(folder, fleet, 'required'), options.session);
    return new FleetRunner(runtime, folder, fleet, session, bank, options);
  }

  /** Names of the columns in the folder, as it is now. */
  get columns(): readonly string[] {
    return listFleet(this.folder);
  }

  /** How many columns are in memory. */
  get held(): number {
    return this.bank.size;
  }

  /** How many fit. */
  get capacity(): number {
    return this.bank.capacity;
  }

  /** Bytes of the weights of one column. */
  get bytesOfColumn(): number {
    return this.bank.bytesEach;
  }

  /** What a column's labels are called, in the order of its scores; undefined where they have no names. Throws as `run`. */
  labels(column: string): Promise<readonly string[] | undefined> {
    return this.inTurn(async () => {
      const { labels } = must(this.bank.take([column])[0], column);
      return labels;
    });
  }

  /**
   * Rows of one column: the answers of `prognet export --task`, bit for bit.
   * @throws UsageError for an unknown column, DataError for a column that was changed or is of another fleet, RuntimeError for inputs that do not fit
   */
  async run(column: string, inputs: FleetInputs): Promise<FleetAnswer> {
    given('run', { column, inputs }, { column: text, inputs: anObject });
    return this.inTurn(() => this.one(column, inputs));
  }

  /**
   * Rows of many columns: row i is answered by `columns[i]`. One run where few rows have the same column; answers then equal those of `run` up to rounding.
   * @throws UsageError for no rows, or other rows than names; and as `run`
   */
  async runMixed(columns: readonly string[], inputs: FleetInputs): Promise<FleetAnswer> {
    given('runMixed', { columns, inputs }, { columns: someNames, inputs: anObject });
    if (columns.length === 0) throw new UsageError('runMixed: found no columns, expected a name for each row, one at least');
    this.refuseOtherCount(columns.length, inputs);
    return this.inTurn(() => this.mixed(columns, inputs));
  }

  /** Gives the sessions back; the runner is not to be used after. */
  release(): Promise<void> {
    return this.inTurn(async () => {
      await this.session.release();
      await (await this.stackedSession)?.release();
    });
  }

  private async one(column: string, inputs: FleetInputs): Promise<FleetAnswer> {
    const { place } = must(this.bank.take([column])[0], column);
    return answerOf(await this.session.run({ ...inputs, ...this.bank.weightsAt(place) }));
  }

  private async mixed(columns: readonly string[], inputs: FleetInputs): Promise<FleetAnswer> {
    const rows = new Map<string, number[]>();
    columns.forEach((name, row) => {
      const own = rows.get(name);
      if (own === undefined) rows.set(name, [row]);
      else own.push(row);
    });
    const [first] = rows.keys();
    if (first !== undefined && rows.size === 1) return this.one(first, inputs);
    const alone = this.fleet.models.stacked === undefined || columns.length / rows.size >= rowsOfOwnRun;
    const groups = alone ? [...rows].map((each) => [each]) : chunks([...rows], this.capacity);
    if (groups.length === 1) return this.together(columns, inputs);
    const parts: { readonly numbers: readonly number[]; readonly answer: FleetAnswer }[] = [];
    for (const group of groups) {
      const numbers = group.flatMap(([, own]) => own).sort((a, b) => a - b);
      const taken = Object.fromEntries(Object.entries(inputs).map(([name, t]) => [name, takeRows(t, numbers)]));
      const own = numbers.map((row) => must(columns[row], 'column'));
      const [only] = group;
      const answer = group.length === 1 && only !== undefined ? await this.one(only[0], taken) : await this.together(own, taken);
      parts.push({ numbers, answer });
    }
    return joined(parts, columns.length);
  }

  /** Rows of no more columns than fit, in one run. */
  private async together(columns: readonly string[], inputs: FleetInputs): Promise<FleetAnswer> {
    const distinct = [...new Set(columns)];
    const held = this.bank.take(distinct);
    const places = new Map(distinct.map((name, i) => [name, BigInt(must(held[i], name).place)]));
    this.stackedSession ??= this.runtime.createSession(readModel(this.folder, this.fleet, 'stacked'), this.options.session);
    const session = await this.stackedSession;
    const index = new Tensor(
      'int64',
      [columns.length],
      BigInt64Array.from(columns, (name) => must(places.get(name), name)),
    );
    return answerOf(await session.run({ ...inputs, ...this.bank.stacked(), [columnName]: index }));
  }

  private refuseOtherCount(count: number, inputs: FleetInputs): void {
    for (const [name, { dims }] of Object.entries(inputs)) {
      if (dims[0] === count) continue;
      throw new UsageError(
        `runMixed: the input "${name}" has ${dims[0] ?? 'no'} rows, expected ${count}, one for each name of a column`,
        {
          path: name,
          expected: String(count),
          got: String(dims[0]),
        },
      );
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const now = this.last.then(work);
    this.last = now.catch(() => {});
    return now;
  }
}

function answerOf(outputs: Readonly<Record<string, Tensor>>): FleetAnswer {
  const { scores, probabilities, label } = outputs;
  return {
    scores: must(scores, 'scores'),
    ...(probabilities !== undefined && { probabilities }),
    ...(label !== undefined && { label }),
  };
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Rows by their numbers, texts among them. */
function takeRows({ dtype, dims, data }: Tensor, numbers: readonly number[]): Tensor {
  const width = elementCount(dims.slice(1));
  const shape = [numbers.length, ...dims.slice(1)];
  if (!ArrayBuffer.isView(data))
    return new Tensor(
      dtype,
      shape,
      numbers.flatMap((row) => data.slice(row * width, (row + 1) * width)),
    );
  const taken = data.slice(0, width * numbers.length);
  numbers.forEach((row, i) => {
    taken.set(data.subarray(row * width, (row + 1) * width) as never, i * width);
  });
  return new Tensor(dtype, shape, taken);
}

/** The answers of parts of a batch in the order of the batch. */
function joined(
  parts: readonly { readonly numbers: readonly number[]; readonly answer: FleetAnswer }[],
  rows: number,
): FleetAnswer {
  const joinOf = (name: (typeof fleetOutputs)[number]): Tensor | undefined => {
    const [first] = parts;
    const like = first?.answer[name];
    if (like === undefined) return undefined;
    const shape = like.dims.slice(1);
    const width = elementCount(shape);
    const out = Tensor.zeros(like.dtype, [rows, ...shape]);
    for (const { numbers, answer } of parts) {
      const from = must(answer[name], name).data;
      numbers.forEach((row, i) => {
        if (ArrayBuffer.isView(from) && ArrayBuffer.isView(out.data))
          out.data.set(from.subarray(i * width, (i + 1) * width) as never, row * width);
      });
    }
    return out;
  };
  const [scores, probabilities, label] = fleetOutputs.map(joinOf);
  return answerOf({
    ...(scores !== undefined && { scores }),
    ...(probabilities !== undefined && { probabilities }),
    ...(label !== undefined && { label }),
  });
}
