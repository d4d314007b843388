// The engine `ort`: the step graph on any runtime, many minibatches in one run where the provider has a Loop.
import { gatherRows } from '../../data/rows.js';
import { leastCount } from '../../model/nn/open-size.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { CarryingSession } from '../../onnx/runtime/session.js';
import { traitsOf } from '../../onnx/runtime/traits.js';
import { toBinary } from '../../onnx/serde/to-binary.js';
import type { Engine, Minibatches, StepResults } from '../engine.js';
import { optimizer as makeOptimizer, type Optimizer } from '../optim/optimizer.js';
import type { EngineContext, TrainData } from '../request.js';
import { TappedData, tapBudgetOf } from '../taps/tapped-data.js';
import { hostNodes } from './host-nodes.js';
import { lossOutput, nextName, type StepGraph, stepGraph, stepInputs, stepScores } from './step-graph.js';

/** Bytes of scores, rows and taps of one run at most, of the latter where they are not all in memory as they are: more gain nothing, and stand there several times. */
const bytesPerRun = 1 << 25;

export class StepEngine implements Engine {
  private tensors = new Map<string, Tensor>();
  /** In the form `step`: whether the session holds the carried values, which are then newer than `tensors`. */
  private held = false;

  private constructor(
    private readonly context: EngineContext,
    private readonly optimizer: Optimizer,
    private readonly graph: StepGraph,
    private readonly form: 'loop' | 'step',
    private readonly data: TappedData,
    private readonly session: CarryingSession,
    readonly tapBytes: number,
  ) {}

  static async create(context: EngineContext): Promise<StepEngine> {
    const { runtime, column, frozen, settings, taps, dtypes, augmenter, session = {}, onEvent, tapStorage } = context;
    const budget = tapBudgetOf(context);
    const onRows = (done: number, total: number) => onEvent?.({ kind: 'tapping', done, total });
    const traits = traitsOf(session.providers?.[0] ?? 'cpu');
    const { classes, channelsLast } = traits;
    const train = withClasses(context.train, classes);
    const data =
      augmenter === undefined
        ? await TappedData.create(taps, train, budget, tapStorage, onRows)
        : TappedData.varied(taps, train, augmenter);
    const bytes = taps.bytes(data.rows);
    if (data.place === 'store') onEvent?.({ kind: 'stored', bytes, budget, found: data.stored?.found === true });
    if (data.place === 'memory' && bytes > 0) onEvent?.({ kind: 'taps', ...data.made });
    if (data.place === 'varied' && bytes > 0) onEvent?.({ kind: 'augmented', bytes });
    if (data.place === 'nowhere') onEvent?.({ kind: 'uncached', bytes, budget });
    const form = traits.loop ? 'loop' : 'step';
    const optimizer = makeOptimizer(settings.optimizer);
    const { clip } = settings;
    const { penalty } = context;
    const graph = stepGraph({
      column,
      frozen,
      optimizer,
      dtypes,
      ...(clip && { clip }),
      ...(penalty && { penalty }),
      form,
      classes,
      channelsLast,
      scores: true,
    });
    const carried = Object.fromEntries(graph.carried.map(({ name }) => [name, nextName(name)]));
    const stepSession = await runtime.createCarryingSession(toBinary(graph.model), form === 'loop' ? {} : carried, {
      ...session,
      hostNodes: hostNodes(graph.model.graph, traits),
    });
    return new StepEngine(
      context,
      optimizer,
      graph,
      form,
      data,
      stepSession,
      { memory: bytes, varied: 0, store: budget, nowhere: budget }[data.place],
    );
  }

  async begin(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    const parameters = new Set(this.graph.specs.map(({ name }) => name));
    for (const { name, shape } of this.graph.carried) {
      const given = tensors.get(name);
      this.tensors.set(name, parameters.has(name) ? must(given, name) : (given ?? Tensor.zeros('float32', shape)));
    }
  }

  async run(minibatches: Minibatches): Promise<StepResults> {
    if (this.form === 'step') return await this.singly(minibatches);
    const { epoch, first, count, size, rows, seeds } = minibatches;
    const brought = this.data.brought(size);
    const most = Math.max(
      1,
      Math.floor(bytesPerRun / Math.max(brought, 4 * size * leastCount(this.context.column.parameters.scores))),
    );
    const losses = new Float32Array(count);
    const answers: Answered[] = [];
    for (let at = 0; at < count; at += most) {
      const to = Math.min(at + most, count);
      const part = {
        epoch,
        first: first + at,
        count: to - at,
        size,
        rows: rows.subarray(at * size, to * size),
        seeds: seeds.slice(at, to),
      };
      const results = await this.together(part);
      losses.set(must(results[lossOutput], lossOutput).data as Float32Array, at);
      answers.push(this.answered(results, part.rows));
    }
    return { losses, answers };
  }

  async read(): Promise<ReadonlyMap<string, Tensor>> {
    if (this.held) for (const [name, tensor] of Object.entries(await this.session.read())) this.tensors.set(name, tensor);
    return this.tensors;
  }

  async release(): Promise<void> {
    await this.session.release();
    this.data.close();
  }

  private scalars(step: number): readonly number[] {
    return this.optimizer.scalars(this.context.rate(step), step + 1);
  }

  /** A column without dropout has no use for seeds: the graph then lacks that input. */
  private given(feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    return Object.fromEntries(this.session.inputNames.map((name) => [name, must(feeds[name], name)]));
  }

  private async together({ epoch, first, count, size, rows, seeds }: Minibatches): Promise<Record<string, Tensor>> {
    const scalars = Array.from({ length: count }, (_, i) => this.scalars(first + i)).flat();
    const feeds: Record<string, Tensor> = {
      ...(await this.data.chunk(rows, size, epoch)),
      [stepInputs.scalars]: Tensor.from('float32', scalars, [count, scalars.length / count]),
      [stepInputs.seeds]: new Tensor('int64', [count], seeds),
    };
    for (const { name } of this.graph.carried) feeds[name] = must(this.tensors.get(name), name);
    const results = await this.session.run(this.given(feeds));
    for (const { name } of this.graph.carried) this.tensors.set(name, must(results[nextName(name)], name));
    return results;
  }

  /** The same by runs of one step each, the carried values staying with the session. */
  private async singly({ epoch, first, count, size, rows, seeds }: Minibatches): Promise<StepResults> {
    if (!this.held) {
      this.session.write(Object.fromEntries(this.tensors));
      this.held = true;
    }
    const losses = new Float32Array(count);
    const answers: Answered[] = [];
    for (let i = 0; i < count; i++) {
      const own = rows.subarray(i * size, (i + 1) * size);
      const feeds: Record<string, Tensor> = {
        ...(await this.data.minibatch(own, epoch)),
        [stepInputs.scalars]: Tensor.from('float32', this.scalars(first + i)),
        [stepInputs.seeds]: new Tensor('int64', [], seeds.slice(i, i + 1)),
      };
      const results = await this.session.run(this.given(feeds));
      losses[i] = Number(must(results[lossOutput], lossOutput).data[0]);
      answers.push(this.answered(results, own));
    }
    return { losses, answers };
  }

  private answered(results: Readonly<Record<string, Tensor>>, rows: Uint32Array): Answered {
    const { dims, data } = must(results[stepScores], stepScores);
    const each = dims.slice(this.form === 'loop' ? 2 : 1);
    const scores = new Tensor('float32', [rows.length, ...each], data);
    return { scores, targets: gatherRows(this.data.targets, rows) };
  }
}

type Answered = NonNullable<StepResults['answers']>[number];

/** The data with class targets of that dtype; targets of other heads are float32 and stay. */
function withClasses(data: TrainData, dtype: 'int64' | 'int32'): TrainData {
  const { targets } = data;
  return targets.dtype === 'int64' && dtype === 'int32'
    ? { ...data, targets: Tensor.from('int32', targets.numbers(), targets.dims) }
    : data;
}
