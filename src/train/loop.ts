// The training loop: chunks of minibatches through the step graph, an evaluation per epoch, checkpoints, early stopping. It knows the
// runtime's interface only; files belong to the caller.
import { InterruptedError, must, TrainingError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { Tensor } from '../core/tensor.js';
import { optimizer as makeOptimizer } from '../optim/optimizer.js';
import { rateFactor } from '../optim/schedule.js';
import type { Description } from '../progressive/description/description.js';
import { initialWeights, type Weights } from '../progressive/parameters.js';
import type { CarryingSession, Runtime, Session, SessionOptions } from '../runtime/session.js';
import { toBinary } from '../serde/to-binary.js';
import { bestName, type Checkpoint, type CheckpointStore, type EpochRecord, freshState, type TrainState } from './checkpoint.js';
import { type Evaluation, EvaluationSum } from './evaluate.js';
import { defaultTapBudget, FeaturedData, Features, type TapStorage } from './features.js';
import { evalGraph, lossesOutput, scoresOutput } from './frozen-graph.js';
import type { TrainSettings } from './settings.js';
import { lossOutput, nextName, type StepGraph, stepGraph, stepInputs } from './step-graph.js';

/** Rows of data with their targets. */
export interface TrainData {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

export type TrainEvent =
  | { readonly kind: 'features'; readonly done: number; readonly total: number }
  /** Taps pass the memory budget and are on disk; `found` by an earlier training. */
  | { readonly kind: 'stored'; readonly bytes: number; readonly budget: number; readonly found: boolean }
  /** Taps pass the budget, there is no store, and they are computed again for each chunk. */
  | { readonly kind: 'uncached'; readonly bytes: number; readonly budget: number }
  | { readonly kind: 'resumed'; readonly epoch: number; readonly step: number }
  | {
      readonly kind: 'step';
      readonly epoch: number;
      readonly done: number;
      readonly total: number;
      /** Mean over the epoch so far. */
      readonly loss: number;
      /** Of each minibatch since the last event. */
      readonly losses: Float32Array;
    }
  | { readonly kind: 'epoch'; readonly record: EpochRecord; readonly epochs: number; readonly seconds: number }
  | { readonly kind: 'stopped'; readonly epoch: number; readonly best: number };

export interface TrainRequest {
  readonly runtime: Runtime;
  readonly description: Description;
  readonly column: number;
  /** Weights of the earlier columns, by index. They are read only. */
  readonly frozen: readonly Weights[];
  readonly settings: TrainSettings;
  readonly train: TrainData;
  readonly validation?: TrainData;
  readonly session?: SessionOptions;
  /** Bytes of taps kept in memory; default 1 GiB. */
  readonly tapBudget?: number;
  /** Where taps beyond the budget go. */
  readonly tapStorage?: TapStorage;
  readonly store?: CheckpointStore;
  readonly onEvent?: (event: TrainEvent) => void;
  /** On abort the running chunk ends, a checkpoint is saved and InterruptedError is thrown. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  /** Parameters and statistics of the column, the best epoch's under early stopping. */
  readonly weights: Map<string, Tensor>;
  readonly history: readonly EpochRecord[];
  readonly steps: number;
}

/** Seconds that one run of the step graph should take, so that ctrl-C and progress are prompt: `run` blocks the event loop. */
const secondsPerRun = 0.4;
const secondsPerCheckpoint = 10;
const rowsPerEvaluation = 500;
/** Providers that hand a Loop to the CPU, weights and all: they run one step at a time. */
const loopless: ReadonlySet<string> = new Set(['webgpu', 'webnn']);
/** Providers without a kernel for SoftmaxCrossEntropyLoss (ONNX Runtime, docs/OperatorKernels.md): they take classes as int32. */
const withoutClassLoss: ReadonlySet<string> = new Set([...loopless, 'cuda', 'tensorrt', 'dml', 'coreml']);

/** Trains the column until its epochs are done. */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const training = await Training.create(request);
  try {
    return await training.run();
  } finally {
    await training.release();
  }
}

class Training {
  private state: TrainState = freshState;
  private tensors: Map<string, Tensor>;
  /** Minibatches per run; grows to what `secondsPerRun` allows. The numbers do not depend on it. */
  private chunk = 4;
  private saved = performance.now();
  /** In the form `step`: whether the session holds the carried values, which are then newer than `tensors`. */
  private held = false;

  private constructor(
    private readonly request: TrainRequest,
    private readonly graph: StepGraph,
    private readonly form: 'loop' | 'step',
    private readonly features: Features,
    private readonly data: FeaturedData,
    private readonly validation: FeaturedData | undefined,
    private readonly stepSession: CarryingSession,
    private readonly evalSession: Session | undefined,
  ) {
    this.tensors = initialWeights(request.description, request.column);
    for (const c of graph.carried) if (!this.tensors.has(c.name)) this.tensors.set(c.name, Tensor.zeros('float32', c.shape));
  }

  static async create(request: TrainRequest): Promise<Training> {
    const { runtime, description, column, settings, onEvent, tapBudget = defaultTapBudget, tapStorage, session = {} } = request;
    const dataType = request.train.inputs.dtype === 'uint8' ? 'uint8' : 'float32';
    const features = await Features.create(runtime, description, column, request.frozen, dataType, session);
    const onRows = (done: number, total: number) => onEvent?.({ kind: 'features', done, total });
    const provider = session.providers?.[0] ?? 'cpu';
    const classes = withoutClassLoss.has(provider) ? 'int32' : 'int64';
    const data = await FeaturedData.create(features, withClasses(request.train, classes), tapBudget, tapStorage, onRows);
    const size = { bytes: features.bytes(data.rows), budget: tapBudget };
    if (data.place === 'store') onEvent?.({ kind: 'stored', ...size, found: data.stored?.found === true });
    if (data.place === 'nowhere') onEvent?.({ kind: 'uncached', ...size });
    const left = data.place === 'memory' ? tapBudget - size.bytes : 0;
    const validation = request.validation && (await FeaturedData.create(features, request.validation, left, tapStorage));
    const form = loopless.has(provider) ? 'step' : 'loop';
    const graph = stepGraph({
      description,
      column,
      optimizer: makeOptimizer(settings.optimizer),
      dataType,
      ...(settings.clip === undefined ? {} : { clip: settings.clip }),
      form,
      classes,
    });
    const carried = Object.fromEntries(graph.carried.map(({ name }) => [name, nextName(name)]));
    const stepSession = await runtime.createCarryingSession(toBinary(graph.model), form === 'loop' ? {} : carried, {
      ...session,
      hostNodes: graph.hostNodes,
    });
    const evalSession =
      validation && (await runtime.createSession(toBinary(evalGraph(description, column, features.inputs, dataType)), session));
    return new Training(request, graph, form, features, data, validation, stepSession, evalSession);
  }

  async release(): Promise<void> {
    await this.stepSession.release();
    await this.evalSession?.release();
    await this.features.release();
    this.data.close();
    this.validation?.close();
  }

  async run(): Promise<TrainResult> {
    await this.restore();
    while (!this.state.done) await this.epoch();
    const weights = new Map<string, Tensor>();
    const { best } = this.state;
    for (const { name } of this.graph.specs) {
      weights.set(name, must(this.tensors.get(best === undefined ? name : bestName(name)), name));
    }
    return { weights, history: this.state.history, steps: this.state.step };
  }

  private async restore(): Promise<void> {
    const checkpoint = await this.request.store?.load();
    if (checkpoint === undefined) return;
    this.state = checkpoint.state;
    this.tensors = new Map(checkpoint.tensors);
    this.request.onEvent?.({ kind: 'resumed', epoch: this.state.epoch, step: this.state.step });
  }

  /** Brings what the session holds into `tensors`. */
  private async collect(): Promise<void> {
    if (!this.held) return;
    for (const [name, tensor] of Object.entries(await this.stepSession.read())) this.tensors.set(name, tensor);
  }

  private async save(): Promise<void> {
    await this.collect();
    const checkpoint: Checkpoint = { state: this.state, tensors: this.tensors };
    await this.request.store?.save(checkpoint);
    this.saved = performance.now();
  }

  private async epoch(): Promise<void> {
    const { settings, onEvent } = this.request;
    const started = performance.now();
    const rows = this.data.rows;
    const batch = Math.min(settings.batch, rows);
    const whole = Math.floor(rows / batch);
    const perEpoch = Math.ceil(rows / batch);
    const order = new Random(settings.seed, 'order', this.state.epoch).permutation(rows);
    while (this.state.offset < perEpoch) {
      const { offset } = this.state;
      const steps = offset < whole ? Math.min(this.chunk, whole - offset) : 1;
      const size = offset < whole ? batch : rows - whole * batch;
      const rowsNow = order.slice(offset * batch, offset * batch + steps * size);
      const before = performance.now();
      const losses = await this.steps(rowsNow, steps, size, perEpoch);
      const seconds = (performance.now() - before) / 1000;
      if (steps === this.chunk) this.chunk = Math.max(1, Math.min(this.chunk * 2, Math.round((steps * secondsPerRun) / seconds)));
      let { lossSum } = this.state;
      for (const loss of losses) lossSum += loss * size;
      this.state = { ...this.state, offset: offset + steps, step: this.state.step + steps, lossSum };
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
    await this.endEpoch(perEpoch, rows, (performance.now() - started) / 1000);
  }

  /** Lets signals in; saves when it is time or when told to stop. */
  private async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    const stop = this.request.signal?.aborted === true;
    if (stop || performance.now() - this.saved > secondsPerCheckpoint * 1000) await this.save();
    if (stop) throw new InterruptedError(`interrupted at epoch ${this.state.epoch + 1}, step ${this.state.step}`);
  }

  private rate(step: number, perEpoch: number): number {
    const { settings } = this.request;
    return settings.rate * rateFactor(settings.schedule, step, settings.epochs * perEpoch, perEpoch);
  }

  private async steps(rows: Uint32Array, steps: number, size: number, perEpoch: number): Promise<Float32Array> {
    const { settings } = this.request;
    const { step } = this.state;
    const scalars: number[] = [];
    const seeds = new BigInt64Array(steps);
    const optimizer = makeOptimizer(settings.optimizer);
    for (let i = 0; i < steps; i++) {
      scalars.push(...optimizer.scalars(this.rate(step + i, perEpoch), step + i + 1));
      seeds[i] = BigInt(new Random(settings.seed, 'dropout', step + i).below(2 ** 31 - 1));
    }
    if (this.form === 'step') return await this.singly(rows, size, scalars, seeds, perEpoch);
    const feeds: Record<string, Tensor> = {
      ...(await this.data.chunk(rows, size)),
      [stepInputs.scalars]: Tensor.from('float32', scalars, [steps, scalars.length / steps]),
      [stepInputs.seeds]: new Tensor('int64', [steps], seeds),
    };
    for (const { name } of this.graph.carried) feeds[name] = must(this.tensors.get(name), name);
    // A column without dropout has no use for seeds: the graph then lacks that input.
    const given = Object.fromEntries(this.stepSession.inputNames.map((name) => [name, must(feeds[name], name)]));
    const results = await this.stepSession.run(given);
    const losses = must(results[lossOutput], lossOutput).data as Float32Array;
    losses.forEach((loss, i) => {
      this.checkLoss(loss, step + i, perEpoch);
    });
    for (const { name } of this.graph.carried) this.tensors.set(name, must(results[nextName(name)], name));
    return losses;
  }

  /** The same by runs of one step each, the carried values staying with the session. */
  private async singly(
    rows: Uint32Array,
    size: number,
    scalars: readonly number[],
    seeds: BigInt64Array,
    perEpoch: number,
  ): Promise<Float32Array> {
    const { stepSession } = this;
    if (!this.held) {
      stepSession.write(Object.fromEntries(this.graph.carried.map(({ name }) => [name, must(this.tensors.get(name), name)])));
      this.held = true;
    }
    const losses = new Float32Array(seeds.length);
    const width = scalars.length / seeds.length;
    for (let i = 0; i < losses.length; i++) {
      const feeds: Record<string, Tensor> = {
        ...(await this.data.minibatch(rows.subarray(i * size, (i + 1) * size))),
        [stepInputs.scalars]: Tensor.from('float32', scalars.slice(i * width, (i + 1) * width)),
        [stepInputs.seeds]: new Tensor('int64', [], seeds.slice(i, i + 1)),
      };
      const given = Object.fromEntries(stepSession.inputNames.map((name) => [name, must(feeds[name], name)]));
      const results = await stepSession.run(given);
      const loss = Number(must(results[lossOutput], lossOutput).data[0]);
      this.checkLoss(loss, this.state.step + i, perEpoch);
      losses[i] = loss;
    }
    return losses;
  }

  private checkLoss(loss: number, step: number, perEpoch: number): void {
    if (Number.isFinite(loss)) return;
    const rate = this.rate(step, perEpoch);
    throw new TrainingError(
      `the loss is ${loss} at step ${step + 1} (rate ${rate.toPrecision(3)}): lower the rate, clip gradients or normalise the data`,
    );
  }

  private async endEpoch(perEpoch: number, rows: number, seconds: number): Promise<void> {
    const { settings, request } = { settings: this.request.settings, request: this.request };
    const epoch = this.state.epoch + 1;
    this.refuseNotFinite(perEpoch);
    const found = await this.evaluate();
    const record: EpochRecord = {
      epoch,
      loss: this.state.lossSum / rows,
      rate: this.rate(this.state.step - 1, perEpoch),
      ...(found === undefined ? {} : { validation: { loss: found.loss, metric: found.metric } }),
    };
    let { best } = this.state;
    let done = epoch >= settings.epochs;
    const stop = settings.earlyStopping;
    if (stop !== undefined && found !== undefined) {
      const head = must(request.description.columns[request.column], 'column').head;
      // Smaller is better for a loss and for a regression's error.
      const value =
        stop.monitor === 'loss' || head.kind === 'regress'
          ? stop.monitor === 'loss'
            ? found.loss
            : found.metric
          : -found.metric;
      if (best === undefined || value < best.value) {
        best = { epoch, value };
        for (const { name } of this.graph.specs) this.tensors.set(bestName(name), must(this.tensors.get(name), name));
      } else if (epoch - best.epoch >= stop.patience) {
        done = true;
        request.onEvent?.({ kind: 'stopped', epoch, best: best.epoch });
      }
    }
    const history = [...this.state.history, record];
    this.state = { epoch, offset: 0, step: this.state.step, lossSum: 0, history, done, ...(best === undefined ? {} : { best }) };
    request.onEvent?.({ kind: 'epoch', record, epochs: settings.epochs, seconds });
    await this.save();
  }

  /** A loss is seen before its step: the last step's harm shows in the weights alone. */
  private refuseNotFinite(perEpoch: number): void {
    const { step } = this.state;
    for (const { name } of this.graph.specs) {
      const bad = (must(this.tensors.get(name), name).data as Float32Array).find((v) => v - v !== 0);
      if (bad === undefined) continue;
      const rate = this.rate(step - 1, perEpoch).toPrecision(3);
      throw new TrainingError(
        `"${name}" holds ${bad} after step ${step} (rate ${rate}): lower the rate, clip gradients or normalise the data`,
      );
    }
  }

  private async evaluate(): Promise<Evaluation | undefined> {
    const { validation, evalSession, request } = this;
    if (validation === undefined || evalSession === undefined) return undefined;
    const sum = new EvaluationSum(must(request.description.columns[request.column], 'column').head);
    for (let from = 0; from < validation.rows; from += rowsPerEvaluation) {
      const feeds = await validation.range(from, Math.min(from + rowsPerEvaluation, validation.rows));
      for (const { name } of this.graph.specs) feeds[name] = must(this.tensors.get(name), name);
      const results = await evalSession.run(feeds);
      sum.add(
        must(results[scoresOutput], 'scores'),
        must(results[lossesOutput], 'losses'),
        must(feeds[stepInputs.targets], 'targets'),
      );
    }
    return sum.result();
  }
}

/** The data with class targets of that dtype; targets of other heads are float32 and stay. */
function withClasses(data: TrainData, dtype: 'int64' | 'int32'): TrainData {
  const { targets } = data;
  return targets.dtype === 'int64' && dtype === 'int32'
    ? { ...data, targets: Tensor.from('int32', targets.numbers(), targets.dims) }
    : data;
}
