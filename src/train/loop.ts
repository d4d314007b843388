// The training loop: chunks of minibatches through an engine, an evaluation per epoch, checkpoints, early stopping. It knows the runtime's
// interface only; files belong to the caller.

import { epochOrder } from '../data/epoch-order.js';
import { countOf, mapSamples } from '../data/samples.js';
import type { ParameterSpec } from '../model/nn/scope.js';
import { aColumn } from '../model/progressive/column.js';
import { boundToData } from '../model/progressive/open-inputs.js';
import { initialWeights, weightsByTask } from '../model/progressive/weights.js';
import { InterruptedError, must, UsageError } from '../onnx/core/errors.js';
import { anObject, given, instance } from '../onnx/core/given.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';
import { Augmenter } from './augment/augmenter.js';
import { balanceEvent, learnBalance, withNumbers } from './balance.js';
import { bestName, type Checkpoint, type EpochRecord, freshState, type TrainState } from './checkpoint.js';
import { type Counts, countsOf } from './counts.js';
import { DivergedError } from './diverged.js';
import { watched } from './early-stopping.js';
import type { Engine, StepResults } from './engine.js';
import type { TrainEvent } from './events.js';
import { learnPrepare } from './learn-prepare.js';
import { refuseSingleRows } from './least-rows.js';
import { keptDtype } from './network-input.js';
import { Rates } from './rates.js';
import type { TrainRequest } from './request.js';
import { inputOfBytes } from './seen.js';
import { watchesValidation } from './settings.js';
import { StepEngine } from './step/step-engine.js';
import { ColumnTaps } from './taps/column-taps.js';
import { tapBudgetOf } from './taps/tapped-data.js';
import { Validation } from './validation.js';

/** A training that has ended. */
export interface TrainResult {
  /** Parameters and statistics of the column, the best epoch's under early stopping. */
  readonly weights: Map<string, Tensor>;
  /** A record for each epoch. */
  readonly history: readonly EpochRecord[];
  /** How many updates were done. */
  readonly steps: number;
  /** The epoch whose weights these are: the last, or the best under early stopping. */
  readonly epoch: number;
  /** What the loss learned of the training data in place of "balanced"; absent where it does not say so. */
  readonly balance?: readonly number[];
}

/** Seconds that one run of the engine should take, so that ctrl-C and progress are prompt: it blocks the event loop. */
const secondsPerRun = 0.4;
/** Slow steps share a run too, as many as this and within `secondsAtMost`: a run brings the whole state in and out. */
const [stepsAtLeast, secondsAtMost] = [4, 2];
const secondsPerCheckpoint = 10;

/** Trains the column until its epochs are done. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  given(
    'train',
    { request },
    {
      'request.runtime': anObject,
      'request.column': aColumn,
      'request.frozen': weightsByTask,
      'request.settings': anObject,
      'request.train.inputs': anObject,
      'request.train.targets': instance(Tensor, 'a Tensor'),
    },
  );
  const training = await Training.create(request);
  try {
    return await training.run();
  } finally {
    await training.release();
  }
}

/** Rows of a minibatch, whole minibatches and all minibatches of an epoch: the last may be smaller. */
interface Plan {
  readonly rows: number;
  readonly batch: number;
  readonly whole: number;
  readonly perEpoch: number;
}

function planOf({ train: { inputs }, settings }: TrainRequest): Plan {
  const rows = countOf(inputs);
  const batch = Math.min(settings.batch, rows);
  return { rows, batch, whole: Math.floor(rows / batch), perEpoch: Math.ceil(rows / batch) };
}

class Training {
  private tensors: Map<string, Tensor>;
  /** Minibatches per run; grows to what `secondsPerRun` allows. The numbers do not depend on it. */
  private chunk = 4;
  private saved = performance.now();
  /** Of the running epoch; undefined where a checkpoint of older days lacks its beginning. */
  private counts: Counts | undefined;
  private readonly specs: readonly ParameterSpec[];

  private constructor(
    private readonly request: TrainRequest,
    private state: TrainState,
    private readonly checkpoint: Checkpoint | undefined,
    private readonly plan: Plan,
    private readonly rates: Rates,
    private readonly taps: ColumnTaps,
    private readonly engine: Engine,
    private readonly validation: Validation | undefined,
  ) {
    this.specs = request.column.parameters.specs;
    this.tensors = request.start === undefined ? initialWeights(request.column, request.frozen) : new Map(request.start);
  }

  static async create(given: TrainRequest): Promise<Training> {
    const checkpoint = await given.store?.load();
    const balance = checkpoint === undefined ? learnBalance(given.column, given.train) : checkpoint.state.balance;
    if (checkpoint === undefined && balance !== undefined) given.onEvent?.(balanceEvent(given.column, balance, given.train));
    const open = withNumbers(given.column, balance);
    const request = { ...given, column: boundToData(open, given.train.inputs, 'training data') };
    const state = checkpoint?.state ?? { ...freshState, ...(balance && { balance }) };
    const { column, settings, session = {} } = request;
    const { engine: make = (context) => StepEngine.create(context) } = request;
    const tapBudget = tapBudgetOf(request);
    const plan = planOf(request);
    refuseSingleRows(column, plan.batch);
    if (request.validation === undefined && watchesValidation(settings.schedule))
      throw new UsageError(`task "${column.task}": the schedule plateau watches validation data, none are given`, {
        path: 'validation',
        expected: 'validation data, or monitor: training_loss',
      });
    const dtypes = mapSamples(request.train.inputs, ({ dtype }) => keptDtype(dtype));
    const taps = await ColumnTaps.create({ ...request, session, dtypes });
    await taps.retain([request.train, ...(request.validation ? [request.validation] : [])].map(({ inputs }) => inputs));
    const augmenter = Augmenter.create(column, settings, request.train.inputs);
    const rates = new Rates(settings, plan.perEpoch);
    const rate = (step: number) => rates.at(step);
    const steps = settings.epochs * plan.perEpoch;
    const engine = await make({ ...request, taps, dtypes, ...(augmenter && { augmenter }), steps, rate });
    const validation = await Validation.create(request, open, taps, dtypes, tapBudget - engine.tapBytes);
    return new Training(request, state, checkpoint, plan, rates, taps, engine, validation);
  }

  async release(): Promise<void> {
    await this.engine.release();
    await this.validation?.release();
    await this.taps.release();
  }

  async run(): Promise<TrainResult> {
    const { settings, column, train: trained, validation: seen, onEvent } = this.request;
    const validationRows = seen === undefined ? 0 : countOf(seen.inputs);
    const bytes = inputOfBytes(trained.inputs, column);
    if (bytes !== undefined) onEvent?.({ kind: 'bytes', input: bytes });
    onEvent?.({ kind: 'started', epochs: settings.epochs, rows: this.plan.rows, validationRows });
    if (!this.restore() && this.request.prepared !== true) await this.learn();
    if (!this.state.done) await this.engine.begin(this.tensors, this.state.step);
    while (!this.state.done) await this.epoch();
    const weights = new Map<string, Tensor>();
    const { best } = this.state;
    for (const { name } of this.specs) {
      weights.set(name, must(this.tensors.get(best === undefined ? name : bestName(name)), name));
    }
    const { history, step, epoch, balance } = this.state;
    return { weights, history, steps: step, epoch: best?.epoch ?? epoch, ...(balance && { balance }) };
  }

  /** Before the first step: what the column's `prepare` takes from the training data. */
  private async learn(): Promise<void> {
    const { runtime, column, train, session } = this.request;
    for (const [name, tensor] of await learnPrepare(runtime, column, train.inputs, session)) this.tensors.set(name, tensor);
  }

  /** Goes on from a checkpoint, if there is one. */
  private restore(): boolean {
    if (this.checkpoint === undefined) return false;
    this.tensors = new Map(this.checkpoint.tensors);
    const { epoch, step, history } = this.state;
    this.rates.follow(history);
    this.request.onEvent?.({ kind: 'resumed', epoch, step, history });
    return true;
  }

  /** Brings what the engine holds into `tensors`. */
  private async collect(): Promise<void> {
    for (const [name, tensor] of await this.engine.read()) this.tensors.set(name, tensor);
  }

  private async save(): Promise<void> {
    const checkpoint: Checkpoint = { state: this.state, tensors: this.tensors };
    await this.request.store?.save(checkpoint);
    this.saved = performance.now();
  }

  private async epoch(): Promise<void> {
    const { settings, onEvent } = this.request;
    const { rows, batch, whole, perEpoch } = this.plan;
    const started = performance.now();
    const order = epochOrder(
      must(Object.values(this.request.train.inputs)[0], 'input'),
      new Random(settings.seed, 'order', this.state.epoch),
    );
    const { head } = this.request.column;
    this.counts = this.state.offset === 0 || this.state.counts !== undefined ? countsOf(head, this.state.counts) : undefined;
    while (this.state.offset < perEpoch) {
      const { offset } = this.state;
      const steps = offset < whole ? Math.min(this.chunk, whole - offset) : 1;
      const size = offset < whole ? batch : rows - whole * batch;
      const rowsNow = order.slice(offset * batch, offset * batch + steps * size);
      const before = performance.now();
      const { losses, answers = [] } = await this.steps(rowsNow, steps, size);
      const seconds = (performance.now() - before) / 1000;
      if (steps === this.chunk) this.chunk = stepsPerRun(steps, seconds / steps);
      let { lossSum } = this.state;
      for (const loss of losses) lossSum += loss * size;
      for (const { scores, targets } of answers) this.counts?.add(scores, targets);
      const counts = this.counts?.state();
      this.state = { ...this.state, offset: offset + steps, step: this.state.step + steps, lossSum, ...(counts && { counts }) };
      const done = Math.min((offset + steps) * batch, rows);
      onEvent?.({
        kind: 'step',
        epoch: this.state.epoch + 1,
        done: offset + steps,
        total: perEpoch,
        loss: lossSum / done,
        losses,
      });
      await this.pause();
    }
    await this.collect();
    await this.endEpoch((performance.now() - started) / 1000);
  }

  /** Lets signals in; saves when it is time or when told to stop. */
  private async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const stop = this.request.signal?.aborted === true;
    if (stop || performance.now() - this.saved > secondsPerCheckpoint * 1000) {
      await this.collect();
      this.refuseNotFinite();
      await this.save();
    }
    if (stop) {
      const { epoch, step } = this.state;
      throw new InterruptedError(`interrupted at epoch ${epoch + 1}, step ${step}`, { cause: this.request.signal?.reason });
    }
  }

  private async steps(rows: Uint32Array, count: number, size: number): Promise<StepResults> {
    const { step: first, epoch } = this.state;
    const seeds = BigInt64Array.from({ length: count }, (_, i) =>
      BigInt(new Random(this.request.settings.seed, 'dropout', first + i).below(2 ** 31 - 1)),
    );
    const results = await this.engine.run({ epoch, first, count, size, rows, seeds });
    results.losses.forEach((loss, i) => {
      if (Number.isFinite(loss)) return;
      const rate = this.rates.at(first + i).toPrecision(3);
      throw new DivergedError(`the loss is ${loss} at step ${first + i + 1} (rate ${rate})`, first + i);
    });
    return results;
  }

  private async endEpoch(seconds: number): Promise<void> {
    const { request } = this;
    const { settings } = request;
    const epoch = this.state.epoch + 1;
    this.refuseNotFinite();
    const found = await this.validation?.measure(this.tensors);
    if (found !== undefined && !(Number.isFinite(found.loss) && Number.isFinite(found.metric)))
      throw new DivergedError(`epoch ${epoch}: the loss on the validation data is ${found.loss}`, this.state.step);
    const measures = this.counts?.overall() ?? {};
    const record: EpochRecord = {
      epoch,
      loss: this.state.lossSum / this.plan.rows,
      rate: this.rates.at(this.state.step - 1),
      ...(Object.keys(measures).length > 0 && { measures }),
      ...(found && { validation: found }),
    };
    let { best } = this.state;
    let stopped: TrainEvent | undefined;
    let done = epoch >= settings.epochs;
    const stop = settings.earlyStopping;
    if (stop !== undefined && found !== undefined) {
      const value = watched(stop.monitor, found);
      if (best === undefined || value < best.value) {
        best = { epoch, value };
        for (const { name } of this.specs) this.tensors.set(bestName(name), must(this.tensors.get(name), name));
      } else if (epoch - best.epoch >= stop.patience) {
        done = true;
        stopped = { kind: 'stopped', epoch, best: best.epoch };
      }
    }
    const history = [...this.state.history, record];
    const { counts: _, ...state } = this.state;
    this.state = { ...state, epoch, offset: 0, lossSum: 0, history, done, ...(best === undefined ? {} : { best }) };
    request.onEvent?.({ kind: 'epoch', record, epochs: settings.epochs, seconds });
    if (stopped !== undefined) request.onEvent?.(stopped);
    if (!done) this.follow(epoch);
    await this.save();
  }

  /** The rate of the next epoch, as the epochs so far have it. */
  private follow(epoch: number): void {
    const { step, history } = this.state;
    const before = this.rates.at(step);
    this.rates.follow(history);
    const rate = this.rates.at(step);
    if (rate !== before) this.request.onEvent?.({ kind: 'plateau', epoch, rate });
  }

  /** A loss is seen before its step: the last step's harm shows in the weights and the optimizer's state alone. No checkpoint holds it. */
  private refuseNotFinite(): void {
    const { step } = this.state;
    for (const [name, { data }] of this.tensors) {
      const bad = data instanceof Float32Array ? notFinite(data) : undefined;
      if (bad === undefined) continue;
      throw new DivergedError(`"${name}" holds ${bad} after step ${step} (rate ${this.rates.at(step - 1).toPrecision(3)})`, step);
    }
  }
}

/** How many steps the next run takes, after one of `steps` that took so many seconds each. */
export function stepsPerRun(steps: number, seconds: number): number {
  const wanted = Math.max(secondsPerRun, Math.min(stepsAtLeast * seconds, secondsAtMost));
  return Math.max(1, Math.min(steps * 4, Math.round(wanted / seconds)));
}

/** The first infinity or NaN. A plain loop, since `find` is slow and weights are many. */
export function notFinite(values: Float32Array): number | undefined {
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number;
    if (v - v !== 0) return v;
  }
  return undefined;
}
