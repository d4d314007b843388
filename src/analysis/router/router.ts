// Routers that are fitted: which task a sample is of, by features of a frozen column. Three ways: the nearest mean of a class, the smallest error of an
// autoencoder of each task (Aljundi et al., Expert Gate, arXiv 1611.06194), a small network trained to name the task. They need training data of every task.

import type { Labelled } from '../../data/dataset.js';
import { joinRows } from '../../data/rows.js';
import { countOf, type Samples } from '../../data/samples.js';
import { parseDescription } from '../../model/description/parse.js';
import { answersOf, eachOf, type HeadInput } from '../../model/heads/heads.js';
import { inferenceScope } from '../../model/nn/scope.js';
import { entropyShare, type Route, type Router } from '../../model/progressive/auto.js';
import { type Column, columnsOf, type TapRef } from '../../model/progressive/column.js';
import { NetworkLowering } from '../../model/progressive/lowering.js';
import { type FrozenWeights, initialWeights, type Weights } from '../../model/progressive/weights.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import { ops } from '../../onnx/ops/ops.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { train } from '../../train/loop.js';
import { firstData } from '../../train/network-input.js';
import { trainSettings } from '../../train/settings.js';
import { featureCount, featuresOf, onScale, type Place, pooled, runRows, scaled, scaleOf } from './features.js';

/** How a router finds the task. */
export const routerKinds = ['mean', 'autoencoder', 'trained'] as const;
export type RouterKind = (typeof routerKinds)[number];

/** What a router is fitted to. */
export interface RouterRequest extends Place {
  readonly kind: RouterKind;
  /** The tap whose features it reads. */
  readonly features: TapRef;
  /** Of the columns that the features follow from, by task. */
  readonly weights: FrozenWeights;
  /** Training samples of each task, in the order in which the router counts them. */
  readonly data: readonly { readonly column: Column; readonly samples: Labelled<Samples> }[];
  readonly seed: number;
}

/** The trainings of a router: steps of so many rows with adam at 0.001. */
export const routerTraining = { steps: 2000, batch: 64, lr: 0.001, units: 64 } as const;
const stepsPerEpoch = 32;
/** The hidden layer of an autoencoder for so many features: a quarter of them, 32 at most. */
export const bottleneck = (features: number): number => Math.max(1, Math.min(32, features >> 2));
/** Into how many parts the distances of a task's own samples are cut, to tell how far another one is. */
const quantiles = 200;

/** Distances of features on their scale to a task, [N]. */
type Distance = (g: Ops, x: Value) => Value;

/** Fits a router. Throws UsageError for fewer than two tasks, and for a task whose samples lack an input that the features follow from. */
export async function fitRouter(request: RouterRequest): Promise<Router> {
  const { kind, features: ref, weights, data } = request;
  if (data.length < 2)
    throw new UsageError(`auto: found ${data.length}, expected two tasks or more that have a head`, { got: String(data.length) });
  const rows: Tensor[] = [];
  for (const { column, samples } of data) {
    const missing = ref.column.inputs.find(({ name }) => samples.inputs[name] === undefined);
    if (missing !== undefined) {
      const expected = 'features of a column that reads what all tasks read';
      const found = `the features of "${ref.column.task}" follow from the input "${missing.name}", which task "${column.task}" lacks`;
      throw new UsageError(`auto: ${found}, expected ${expected}`, { expected, got: missing.name });
    }
    rows.push(await featuresOf(request, ref, weights, samples.inputs));
  }
  const scale = scaleOf(rows, featureCount(ref));
  const own = rows.map((features) => scaled(scale, features));
  const route = kind === 'trained' ? await trained(request, own) : await nearest(request, own);
  return {
    kind,
    features: { task: ref.column.task, block: ref.block },
    tasks: data.map(({ column }) => column.task),
    route: (g, at, tap) => route(g, onScale(g, scale, pooled(g, at, tap))),
  };
}

type RouteOf = (g: Ops, x: Value) => Route;

/** The task to which the distance is smallest; its doubt is the share of that task's training samples which are no farther than the sample. */
async function nearest(request: RouterRequest, own: readonly Tensor[]): Promise<RouteOf> {
  const distances: Distance[] = [];
  for (const [i, features] of own.entries())
    distances.push(request.kind === 'mean' ? toMeans(request, i, features) : await toAutoencoder(request, features));
  const farness: Tensor[] = [];
  for (const [i, features] of own.entries())
    farness.push(quantilesOf(await distancesOf(request, must(distances[i], 'd'), features)));
  return (g, x) => {
    const all = g.concat(...distances.map((distance) => g.unsqueeze(distance(g, x), [1])), { axis: 1 });
    const task = g.argMin(all, { axis: 1, keepdims: 0 });
    const known = g.gather(g.constant(joinRows(farness), 'auto_farness'), task, { axis: 0 });
    const least = g.reduceMin(all, [1], { keepdims: 1 });
    return { task, doubt: g.reduceMean(g.cast(g.greater(least, known), { to: 'float32' }), [1], { keepdims: 0 }) };
  };
}

/** Distances of a task's own samples. */
async function distancesOf(place: Place, distance: Distance, features: Tensor): Promise<number[]> {
  const g = ops({ name: 'router' });
  const x = g.input(firstData, 'float32', ['N', must(features.dims[1], 'width')]);
  g.output(g.unsqueeze(distance(g, x), [1]), 'distance');
  return (await runRows(place, g.model(), { features }, 'distance', 1)).numbers();
}

/** The distance below which each 200th of them lies, ascending: float32 [200]. */
function quantilesOf(distances: readonly number[]): Tensor {
  const sorted = Float64Array.from(distances).sort();
  const at = (k: number) => must(sorted[Math.ceil(((k + 1) / quantiles) * sorted.length) - 1], 'distance');
  return Tensor.from(
    'float32',
    Array.from({ length: quantiles }, (_, k) => at(k)),
    [1, quantiles],
  );
}

/** To the nearest of the means of a task's classes; of a task without classes there is one mean. */
function toMeans({ data }: RouterRequest, i: number, features: Tensor): Distance {
  const { column, samples } = must(data[i], 'task');
  const { head } = column;
  const width = must(features.dims[1], 'width');
  const count = must(features.dims[0], 'rows');
  const classes = answersOf(head)?.each === 'class' && eachOf(head) === undefined;
  const sums = new Map<number, { rows: number; sum: Float64Array }>();
  for (let row = 0; row < count; row++) {
    const own = classes ? Number(samples.targets.data[row]) : 0;
    const found = sums.get(own) ?? { rows: 0, sum: new Float64Array(width) };
    sums.set(own, found);
    found.rows++;
    for (let j = 0; j < width; j++) found.sum[j] = must(found.sum[j], 'sum') + Number(features.data[row * width + j]);
  }
  const means = [...sums.values()].map(({ rows, sum }) => sum.map((s) => s / rows));
  const matrix = Tensor.from(
    'float32',
    Array.from({ length: width * means.length }, (_, i) => must(means[i % means.length]?.[Math.floor(i / means.length)], 'mean')),
    [width, means.length],
  );
  const squares = Tensor.from(
    'float32',
    means.map((m) => m.reduce((sum, v) => sum + v * v, 0)),
    [1, means.length],
  );
  return (g, x) => {
    // |x - m|^2 = |x|^2 - 2 x m + |m|^2, by the feature: no sample times class times feature is held.
    const apart = g.add(
      g.sub(g.reduceSum(g.mul(x, x), [1], { keepdims: 1 }), g.mul(g.matMul(x, g.constant(matrix, 'auto_means')), 2)),
      g.constant(squares, 'auto_squares'),
    );
    return g.div(g.max(g.reduceMin(apart, [1], { keepdims: 0 }), 0), width);
  };
}

/** The mean squared error of an autoencoder that was trained on a task's features. */
async function toAutoencoder(request: RouterRequest, features: Tensor): Promise<Distance> {
  const width = must(features.dims[1], 'width');
  const net = smallNetwork(width, bottleneck(width), { regress: width });
  const weights = await trainedOn(request, net, features, features);
  return (g, x) => {
    const apart = g.sub(x, scoresOf(g, net, weights, x));
    return g.reduceMean(g.mul(apart, apart), [1], { keepdims: 0 });
  };
}

/** A hidden layer and a class for each task; its doubt is the entropy of what it predicts. */
async function trained(request: RouterRequest, own: readonly Tensor[]): Promise<RouteOf> {
  const width = must(own[0]?.dims[1], 'width');
  const net = smallNetwork(width, routerTraining.units, { classify: { classes: own.length, class_weights: 'balanced' } });
  const tasks = own.flatMap((features, i) => Array.from({ length: must(features.dims[0], 'rows') }, () => i));
  const weights = await trainedOn(request, net, joinRows(own), Tensor.from('int64', tasks, [tasks.length]));
  return (g, x) => {
    const scores = scoresOf(g, net, weights, x);
    return { task: g.argMax(scores, { axis: 1, keepdims: 0 }), doubt: entropyShare(g, net.head, scores) };
  };
}

/** Features, a hidden layer, a head. */
function smallNetwork(width: number, units: number, head: HeadInput): Column {
  const columns = [{ task: 'auto', blocks: [[{ dense: units }, 'relu']], head }];
  return columnsOf(parseDescription({ prognet: 1, name: 'router', input: { name: 'features', shape: [width] }, columns })).column(
    'auto',
  );
}

async function trainedOn({ runtime, session, signal, seed }: RouterRequest, column: Column, features: Tensor, targets: Tensor) {
  const { steps, batch, lr } = routerTraining;
  // The engine takes many steps of one epoch in one run: few rows are repeated, so that it can.
  const times = Math.ceil((stepsPerEpoch * batch) / countOf({ features }));
  const repeated = (rows: Tensor) => joinRows(Array.from({ length: times }, () => rows));
  const inputs = { features: repeated(features) };
  const epochs = Math.max(1, Math.round(steps / Math.ceil(countOf(inputs) / batch)));
  const { weights } = await train({
    runtime,
    column,
    frozen: new Map(),
    start: initialWeights(column),
    settings: trainSettings({ epochs, batch, lr, optimizer: 'adam' }, seed, column.head),
    train: { inputs, targets: repeated(targets) },
    ...(session && { session }),
    ...(signal && { signal }),
  });
  return weights;
}

/** What a small network gives for features, its weights being constants of the graph. */
function scoresOf(g: Ops, column: Column, weights: Weights, x: Value): Value {
  const lowering = new NetworkLowering<Column>({
    inputs: { features: x },
    scope: () => inferenceScope(g, ({ name }) => g.constant(must(weights.get(name), name), `auto_${name}`)),
  });
  return lowering.scores(column);
}
