// The training step as a graph: (parameters, optimizer state, minibatch) to (parameters', state', loss), rolled in an ONNX Loop over the
// minibatches of one run; or, for providers that lack Loop, one step for each run. Only the newest column is in it: what earlier columns feed to its laterals comes in as taps, computed once for
// the data set by the tap graph (taps/tap-graph.ts), so frozen columns cannot move.

import type { Clip } from '../../model/description/train-schema.js';
import { lowerLoss, targetsOf } from '../../model/heads/heads.js';
import type { ParameterSpec } from '../../model/nn/scope.js';
import type { Column } from '../../model/progressive/column.js';
import { aColumn } from '../../model/progressive/column.js';
import type { ByInput } from '../../model/progressive/inputs.js';
import { NetworkLowering } from '../../model/progressive/lowering.js';
import { boundTo, knownShape, type Sizes } from '../../model/progressive/open-inputs.js';
import { type FrozenWeights, frozenScope } from '../../model/progressive/weights.js';
import { gradient } from '../../onnx/autodiff/gradient.js';
import type { DType } from '../../onnx/core/dtype.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import { anObject, given } from '../../onnx/core/given.js';
import { int64, Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { ops } from '../../onnx/ops/ops.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { toChannelsLast } from '../../onnx/passes/channels-last/channels-last.js';
import { ImageGradients } from '../../onnx/passes/channels-last/image-gradients.js';
import { addConvolutions } from '../../onnx/passes/fuse/add-convolutions.js';
import { noParameters, optimise } from '../../onnx/passes/optimise.js';
import { refuseSingleRows } from '../least-rows.js';
import { dataInputs, firstData, networkInputsFrom } from '../network-input.js';
import { clipGradients } from '../optim/clip.js';
import type { Optimizer } from '../optim/optimizer.js';
import { type TapInput, tapInputs, tapOptions } from '../taps/tap-inputs.js';
import { type Carried, CarriedState } from './carried-state.js';
import { type Penalty, penaltyOf } from './penalty.js';
import { saltOf, uniformLike } from './random-graph.js';
import { sumsByProduct } from './row-sums.js';

/** Names of the step graph's inputs beside the parameters, which stand under their own names. */
export const stepInputs = {
  /** Of the first input; a further one's data are `step/data/<input>`. */
  data: firstData,
  targets: 'step/targets',
  /** int64 [S, B]: rows of data, targets and taps that make each minibatch. In the form `step` they come as the minibatch itself. */
  order: 'step/order',
  /** float32 [S, scalars of the optimizer]; [scalars] in the form `step`. */
  scalars: 'step/scalars',
  /** int64 [S]: seeds of dropout; a scalar in the form `step`. */
  seeds: 'step/seeds',
} as const;

/** Suffix of a parameter's or slot's value after the run. */
export const nextName = (name: string): string => `${name}/next`;
/** float32 [S]; a scalar in the form `step`. */
export const lossOutput = 'step/loss';
/** Where they are asked for: float32 [S, B, width]; [B, width] in the form `step`; of a head of each step [S, B, T, width] and [B, T, width]. */
export const stepScores = 'step/scores';

/** What a step graph is made of. */
export interface StepRequest {
  /** The column to train. */
  readonly column: Column;
  /** Sizes of the network's inputs that are open, by their names. */
  readonly sizes?: Sizes;
  /** The rule of an update. */
  readonly optimizer: Optimizer;
  /** Weights of the column that it tunes; of no use for others. */
  readonly frozen?: FrozenWeights;
  /** How gradients are bounded; not at all when absent. */
  readonly clip?: Clip;
  /** What is added to the loss. */
  readonly penalty?: Penalty;
  /** Rows of a minibatch, when all have the same. */
  readonly batch?: number;
  /** dtype of each input's data as they are kept: uint8 (scaled to 0..1 in the graph) or float32. */
  readonly dtypes: ByInput<DType>;
  /** Of ai.onnx; 17 when absent. */
  readonly opset?: number;
  /**
   * `loop` (the default): many minibatches in one run. `step`: one, for providers without Loop, such as WebGPU, where the carried values stay
   * on the device between runs.
   */
  readonly form?: 'loop' | 'step';
  /** dtype of class targets: int64 (the default), or int32 for a loss without SoftmaxCrossEntropyLoss, which graphics processors lack. */
  readonly classes?: 'int64' | 'int32';
  /** In the form `loop`: convolutions as matrix products over channels-last images, which suits processors (onnx/passes/channels-last/channels-last.ts). */
  readonly channelsLast?: boolean;
  /** Gives the scores as well, as they are before each step. */
  readonly scores?: boolean;
}

/** The graph of a training step. */
export interface StepGraph {
  /** The graph itself. */
  readonly model: Model;
  /** The parameters that it trains. */
  readonly specs: readonly ParameterSpec[];
  /** What it reads of earlier columns. */
  readonly taps: readonly TapInput[];
  /** Every value that is carried from step to step, by name: parameters, statistics, optimizer slots. */
  readonly carried: readonly Carried[];
}

/** Builds the training graph of a column. Pure: the same request gives the same bytes. */
export function stepGraph(request: StepRequest): StepGraph {
  given('stepGraph', { request }, { 'request.column': aColumn, 'request.optimizer': anObject });
  const { optimizer } = request;
  const column = boundTo(request.column, request.sizes ?? {});
  for (const input of column.inputs) knownShape(input, 'a training step', 'its size, such as sizes: { length: 100 }');
  const { task, head, network } = column;
  const { specs } = column.parameters;
  if (request.batch !== undefined) refuseSingleRows(column, request.batch);
  const taps = tapInputs(column);
  const g = ops({ name: `${task}-step`, opset: request.opset ?? network.opset });

  const loop = request.form !== 'step';
  const rowsHere = loop ? 'D' : (request.batch ?? 'D');
  const data = dataInputs(g, column.inputs, request.dtypes, rowsHere);
  const wanted = targetsOf(head, rowsHere, request.classes);
  const targets = g.input(stepInputs.targets, wanted.dtype, wanted.shape);
  const tapValues = new Map(taps.map(({ name, shape }) => [name, g.input(name, 'float32', [rowsHere, ...shape])]));
  const order = loop ? g.input(stepInputs.order, 'int64', ['S', request.batch ?? 'B']) : undefined;
  const steps = loop ? ['S'] : [];
  const scalars = g.input(stepInputs.scalars, 'float32', [...steps, optimizer.scalars(0, 1).length]);
  const seeds = g.input(stepInputs.seeds, 'int64', steps);

  const carrying = new CarriedState(specs, optimizer, loop);
  const carried = carrying.outside;
  const outer = new Map(carried.map((c) => [c.name, g.input(c.name, 'float32', c.shape)]));
  const initial = carrying.enter(g, outer);

  const body = loop ? g.subgraph('step') : g;
  const scope = `${task}/step`;
  const iteration = loop ? body.input(`${scope}/iteration`, 'int64', []) : undefined;
  const condition = loop ? body.input(`${scope}/condition`, 'bool', []) : undefined;
  const state = carrying.step(
    body,
    loop ? carrying.inside.map((c) => body.input(`${scope}/${c.name}`, 'float32', c.shape)) : initial,
  );
  /** What belongs to this step of a value that holds something for each. */
  const ofStep = (v: Value) => (iteration === undefined ? v : body.gather(v, iteration, { axis: 0 }));
  const rows = order && ofStep(order);
  const take = (v: Value) => (rows === undefined ? v : body.gather(v, rows, { axis: 0 }));
  const batchTargets = take(targets);

  const layerScope = state.scope((name, like) => uniformLike(body, like, ofStep(seeds), saltOf(name)));
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(body, column.inputs, Object.fromEntries(Object.entries(data).map(([name, v]) => [name, take(v)]))),
    scope: (other) => {
      if (other === column) return layerScope;
      if (other !== column.tuned?.base) throw new InternalError(`the training step of "${task}" reaches into "${other.task}"`);
      return frozenScope(g, must(request.frozen?.get(other.task), `weights of ${other.task}`));
    },
    ...tapOptions(taps, ({ name }) => take(must(tapValues.get(name), name))),
  });
  const scores = lowering.scores(column);
  const own = lowerLoss(body, head, scores, batchTargets, 'mean', request.classes);
  const held = request.penalty && penaltyOf(body, request.penalty, { scope: layerScope, specs });
  const loss = held === undefined ? own : body.add(own, held);
  const told = request.scores === true ? [scores] : [];
  const images = new ImageGradients();
  const channelsLast = loop && request.channelsLast === true;
  if (channelsLast) addConvolutions(body);
  const plain = gradient(body, { of: loss, by: state.by(), onRule: images.note });
  const quick = order && sumsByProduct(g, order);
  const raw = quick === undefined ? plain : plain.map((d) => quick(body, d));
  const gradients = request.clip === undefined ? raw : clipGradients(body, raw, request.clip);
  const now = scalarsOf(body, ofStep(scalars), optimizer.scalars(0, 1).length);
  const after = state.after(gradients, now, carrying.inside);

  if (order === undefined || condition === undefined) {
    const last = carrying.leave(
      g,
      after.map((v) => (v.producer === undefined ? g.identity(v) : v)),
    );
    for (const { name } of carried) g.output(must(last.get(name), name), nextName(name));
    g.output(loss, lossOutput);
    for (const value of told) g.output(value, stepScores);
    optimise(g.graph, { opset: g.opset, ...noParameters });
    return { model: g.model(), specs, taps, carried };
  }

  body.output(condition, `${scope}/continue`);
  after.forEach((v, i) => {
    body.output(v, `${scope}/${must(carrying.inside[i], 'carried').name}/next`);
  });
  body.output(loss, `${scope}/loss`);
  for (const value of told) body.output(value, `${scope}/scores`);
  if (channelsLast) toChannelsLast(images)(body);

  const trips = g.squeeze(g.shape(order, { start: 0, end: 1 }), [0]);
  const results = g.op(
    'Loop',
    [trips, g.constant(new Tensor('bool', [], Uint8Array.of(1))), ...initial],
    { body: body.graph },
    carrying.inside.length + 1 + told.length,
  );
  const { length } = carrying.inside;
  const last = carrying.leave(g, results.slice(0, length));
  for (const { name } of carried) g.output(must(last.get(name), name), nextName(name));
  g.output(must(results[length], 'loss'), lossOutput);
  for (const value of results.slice(length + 1)) g.output(value, stepScores);
  optimise(g.graph, { opset: g.opset, ...noParameters });
  return { model: g.model(), specs, taps, carried };
}

/** The elements of a vector, as scalars. */
function scalarsOf(g: Ops, row: Value, count: number): Value[] {
  return Array.from({ length: count }, (_, j) => g.gather(row, g.constant(int64(j)), { axis: 0 }));
}
