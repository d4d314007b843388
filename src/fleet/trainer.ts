// Trains columns of a fleet one after another from the graphs of training/: their sessions are made once, the taps of the base are computed once for the rows of each column. Order, seeds and
// numbers are those of the loop (train/loop.ts), so that a column has the bits that it would have there, whatever was trained before it.
import type { NamedSet } from '../data/dataset.js';
import { fingerprint } from '../data/fingerprint.js';
import { countOf, type Samples } from '../data/samples.js';
import { metricName } from '../model/heads/heads.js';
import { DataError, must, stopIfAborted } from '../onnx/core/errors.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';
import { version } from '../onnx/core/version.js';
import { sha256 } from '../onnx/files/hash.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import { DivergedError } from '../train/diverged.js';
import { meanMetric } from '../train/evaluate.js';
import { notFinite, stepsPerRun } from '../train/loop.js';
import { dataFeeds } from '../train/network-input.js';
import { type Optimizer, optimizer } from '../train/optim/optimizer.js';
import { allOutputsOf, outputsOf } from '../train/outputs.js';
import { lossOutput, nextName, stepInputs } from '../train/step/step-graph.js';
import { writeRecord } from '../workspace/column-record.js';
import { type FrozenColumn, weightsFile } from '../workspace/column-store.js';
import type { CustomerData } from './customer-data.js';
import { type Fleet, readFleet, readModel } from './folder.js';
import { ownName } from './forms.js';
import { type FleetTraining, readGraph, readStart, readTraining, type TrainingGraph } from './training-folder.js';

/** One thread: the bits of a column depend on their number, and small columns gain nothing of more. */
const threads = 1;

/** A column that was trained. */
interface Trained {
  /** By the names of the models' inputs. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}

/** Minibatches of one size, one after another; epochs that they are of. */
interface Chunk {
  readonly size: number;
  readonly orders: readonly Uint32Array[];
  readonly epochs: readonly number[];
}

export class FleetTrainer {
  /** Steps per run; grows to what is quick. The numbers do not depend on it. */
  private chunk = 4;

  private constructor(
    readonly fleet: Fleet,
    readonly training: FleetTraining,
    private readonly runtime: Runtime,
    private readonly start: ReadonlyMap<string, Tensor>,
    private readonly sessions: Readonly<Record<TrainingGraph | 'model', Session>>,
    private readonly rule: Optimizer,
  ) {}

  /** Opens the folder of a fleet that was exported with `--training`. Throws WorkspaceError, DataError for files that are not of it, RuntimeError. */
  static async open(runtime: Runtime, folder: string): Promise<FleetTrainer> {
    const fleet = readFleet(folder);
    const training = readTraining(folder);
    const start = readStart(folder, training);
    const options: SessionOptions = { providers: ['cpu'], threads };
    const model = readModel(folder, fleet, 'required');
    const opened: Session[] = [];
    const open = async (bytes: Uint8Array) => {
      const session = await runtime.createSession(bytes, options);
      opened.push(session);
      return session;
    };
    try {
      const sessions = {
        taps: await open(readGraph(folder, 'taps')),
        step: await open(readGraph(folder, 'step')),
        loss: await open(readGraph(folder, 'loss')),
        model: await open(model),
      };
      refuseOther(folder, fleet, training, sessions.step);
      return new FleetTrainer(fleet, training, runtime, start, sessions, optimizer(training.optimizer));
    } catch (error) {
      for (const session of opened) await session.release();
      throw error;
    }
  }

  /**
   * The column of a customer, trained, tested and with its record.
   * @throws DivergedError where the loss or the weights are not finite, InterruptedError on abort
   */
  async column(name: string, { train, test }: CustomerData, signal?: AbortSignal): Promise<FrozenColumn> {
    const { fleet, training, sessions, runtime } = this;
    const begun = performance.now();
    const { weights, losses } = await this.trained(train, signal);
    const given = Object.fromEntries(weights);
    const { head } = training;
    const model = {
      inputNames: sessions.model.inputNames,
      run: (feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]) =>
        sessions.model.run({ ...feeds, ...given }, fetches),
    };
    const scores = await outputsOf(model, 'scores', training.inputs, test.inputs);
    const { loss } = await sessions.loss.run({ scores, targets: test.targets });
    const metrics = { loss: Number(must(loss, 'loss').data[0]), [metricName(head)]: meanMetric(head, scores, test.targets) };
    const bad = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) throw new DivergedError(`the ${bad[0]} on the test rows is ${bad[1]}`, 0);
    const own = new Map(fleet.weights.map(({ name: key }) => [ownName(name, key), must(weights.get(key), key)]));
    const { record } = writeRecord(
      {
        task: name,
        description: fleet.column,
        sources: { ...fleet.sources },
        seed: training.seed,
        data: { fingerprint: fingerprint(train), test: fingerprint(test), rows: countOf(train.inputs), loss: training.loss },
        metrics: { ...metrics, seconds: (performance.now() - begun) / 1000, epochs: losses.length },
        history: losses.map((each, i) => ({ epoch: i + 1, loss: each })),
        outputs: { sha256: sha256(scores.bytes), count: countOf(test.inputs), provider: sessions.model.provider, threads },
        versions: { prognet: version, onnxruntime: runtime.version, trainer: 'fleet' },
        sha256: { graph: fleet.models.required },
      },
      sha256(weightsFile(name, own)),
      name,
    );
    return { record, tensors: own };
  }

  async release(): Promise<void> {
    for (const session of Object.values(this.sessions)) await session.release();
  }

  private async trained({ inputs, targets }: NamedSet, signal: AbortSignal | undefined): Promise<Trained> {
    const { training, sessions, rule } = this;
    const { seed, epochs, rate, carried } = training;
    const rows = countOf(inputs);
    const data = { ...dataFeeds(inputs), ...(await this.taps(inputs)), [stepInputs.targets]: targets };
    let state: ReadonlyMap<string, Tensor> = this.start;
    const sums = new Array<number>(epochs).fill(0);
    let step = 0;
    for (const { size, orders, epochs: of } of this.chunks(rows)) {
      stopIfAborted(signal);
      const begun = performance.now();
      const count = orders.length;
      const scalars = orders.flatMap((_, i) => [...rule.scalars(rate, step + i + 1)]);
      const seeds = orders.map((_, i) => BigInt(new Random(seed, 'dropout', step + i).below(2 ** 31 - 1)));
      const feeds: Readonly<Record<string, Tensor>> = {
        ...data,
        ...Object.fromEntries(state),
        [stepInputs.order]: new Tensor(
          'int64',
          [count, size],
          BigInt64Array.from(
            orders.flatMap((rows) => [...rows]),
            BigInt,
          ),
        ),
        [stepInputs.scalars]: Tensor.from('float32', scalars, [count, scalars.length / count]),
        [stepInputs.seeds]: new Tensor('int64', [count], BigInt64Array.from(seeds)),
      };
      const results = await sessions.step.run(
        Object.fromEntries(sessions.step.inputNames.map((name) => [name, must(feeds[name], name)])),
      );
      const losses = must(results[lossOutput], lossOutput).data as Float32Array;
      losses.forEach((loss, i) => {
        if (!Number.isFinite(loss))
          throw new DivergedError(`the loss is ${loss} at step ${step + i + 1} (rate ${rate})`, step + i);
        const epoch = must(of[i], 'epoch');
        sums[epoch] = (sums[epoch] ?? 0) + loss * size;
      });
      state = new Map(carried.map(({ name }) => [name, must(results[nextName(name)], name)]));
      step += count;
      if (count === this.chunk) this.chunk = stepsPerRun(count, (performance.now() - begun) / 1000 / count);
      // Signals come in between runs alone.
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [name, { data: values }] of state) {
      const bad = notFinite(values as Float32Array);
      if (bad !== undefined) throw new DivergedError(`"${name}" holds ${bad} after step ${step} (rate ${rate})`, step);
    }
    return { weights: state, losses: sums.map((sum) => sum / rows) };
  }

  /** All minibatches in order, as many to a run as have one size. */
  private *chunks(rows: number): Generator<Chunk> {
    const { seed, epochs, batch } = this.training;
    const size = Math.min(batch, rows);
    let [orders, of]: [Uint32Array[], number[]] = [[], []];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = new Random(seed, 'order', epoch).permutation(rows);
      for (let at = 0; at < rows; at += size) {
        const own = order.subarray(at, at + size);
        if (orders.length > 0 && (own.length < size || orders.length >= this.chunk)) {
          yield { size, orders, epochs: of };
          [orders, of] = [[], []];
        }
        if (own.length < size) yield { size: own.length, orders: [own], epochs: [epoch] };
        else {
          orders.push(own);
          of.push(epoch);
        }
      }
    }
    if (orders.length > 0) yield { size, orders, epochs: of };
  }

  /** What the base gives for these rows: once, for all epochs. */
  private async taps(inputs: Samples): Promise<Record<string, Tensor>> {
    const { training, sessions } = this;
    const { inputNames } = sessions.taps;
    const given = training.inputs.filter(({ data }) => inputNames.includes(data));
    const named = Object.fromEntries(given.map(({ name, data }) => [data, must(inputs[name], name)]));
    if (training.taps.length === 0) return {};
    const taken = given.map(({ data, dtype }) => ({ name: data, dtype }));
    return Object.fromEntries(await allOutputsOf(sessions.taps, training.taps, taken, named));
  }
}

/** Files that were put together of two fleets. */
function refuseOther(folder: string, fleet: Fleet, training: FleetTraining, step: Session): void {
  const known = new Set([
    ...training.inputs.map(({ data }) => data),
    ...training.taps,
    ...training.carried.map(({ name }) => name),
    ...Object.values(stepInputs),
  ]);
  const odd =
    step.inputNames.find((name) => !known.has(name)) ??
    training.carried.find(({ name }) => !step.outputNames.includes(nextName(name)))?.name ??
    fleet.weights.find(({ name, shape }) => !training.carried.some((c) => c.name === name && c.shape.join() === shape.join()))
      ?.name;
  if (odd === undefined) return;
  const expected = 'files of one prognet export --fleet --training';
  throw new DataError(`${folder}: training/ is of another fleet, "${odd}" is not in all of its files, expected ${expected}`, {
    path: folder,
    expected,
    got: odd,
  });
}
