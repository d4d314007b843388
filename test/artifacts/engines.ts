// The same steps by different engines: our own step graph on onnxruntime-node, and official artifacts in TrainingSession.

import { type Artifacts, type ArtifactsRequest, splitParameters, trainingArtifacts } from '../../src/artifacts/artifacts.js';
import { writeCheckpoint } from '../../src/artifacts/checkpoint/write-checkpoint.js';
import type { FrozenForm } from '../../src/artifacts/column-graph.js';
import { parametersOutput, seedInput, targetInput } from '../../src/artifacts/names.js';
import { officialOptimizer, type RateScale } from '../../src/artifacts/optimizer-model.js';
import { sliceRows } from '../../src/data/rows.js';
import { mapSamples } from '../../src/data/samples.js';
import type { Clip } from '../../src/model/description/train-schema.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { verifyModel } from '../../src/onnx/ops/verify-model.js';
import type { TrainingFiles, TrainingRuntime } from '../../src/onnx/runtime/training-session.js';
import { defaultLearningRate } from '../../src/onnx/runtime/training-session.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { optimizer as makeOptimizer, type OptimizerOptions } from '../../src/train/optim/optimizer.js';
import { lossOutput, nextName, stepGraph, stepInputs } from '../../src/train/step/step-graph.js';
import { ColumnTaps } from '../../src/train/taps/column-taps.js';
import { TappedData } from '../../src/train/taps/tapped-data.js';
import { runtime } from '../support/run.js';
import { batch, type EngineCase, steps } from './cases.js';

export interface EngineSettings {
  readonly optimizer: OptimizerOptions;
  readonly clip?: Clip;
  /** Of each step. */
  readonly rates: readonly number[];
}

export interface Trained {
  readonly losses: readonly number[];
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Seed of a step's dropout. */
export const seedOf = (step: number): bigint => BigInt(1000 + 7 * step);

/** `count` steps in one run of the step graph, as the engine `ort` does them; the weights include the optimizer's slots. */
export async function trainWithLoop(given: EngineCase, settings: EngineSettings, count = steps): Promise<Trained> {
  const { column, frozen } = given;
  const optimizer = makeOptimizer(settings.optimizer);
  const dtypes = Object.fromEntries(column.inputs.map(({ name, dtype }) => [name, dtype]));
  const taps = await ColumnTaps.create({ runtime, column, frozen, dtypes, session: { threads: 1 } });
  const data = await TappedData.create(taps, given, 1 << 30);
  const { clip } = settings;
  const graph = stepGraph({ column, optimizer, dtypes, ...(clip && { clip }) });
  const session = await runtime.createSession(toBinary(graph.model), { threads: 1 });
  const scalars = settings.rates.slice(0, count).flatMap((rate, i) => optimizer.scalars(rate, i + 1));
  const feeds: Record<string, Tensor> = {
    ...(await data.chunk(
      Uint32Array.from({ length: count * batch }, (_, i) => i),
      batch,
      0,
    )),
    [stepInputs.scalars]: Tensor.from('float32', scalars, [count, scalars.length / count]),
    [stepInputs.seeds]: new Tensor(
      'int64',
      [count],
      BigInt64Array.from({ length: count }, (_, i) => seedOf(i)),
    ),
  };
  const first = initialWeights(column);
  for (const { name, shape } of graph.carried) feeds[name] = first.get(name) ?? Tensor.zeros('float32', shape);
  const results = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, must(feeds[name], name)])));
  await session.release();
  await taps.release();
  return {
    losses: Array.from(must(results[lossOutput], 'loss').data, Number),
    weights: new Map(graph.carried.map(({ name }) => [name, must(results[nextName(name)], name)])),
  };
}

export function artifactsOf(
  given: EngineCase,
  settings: EngineSettings,
  frozenForm: FrozenForm,
  more: Partial<ArtifactsRequest> = {},
): Artifacts {
  const { column, frozen } = given;
  const artifacts = trainingArtifacts({
    column,
    frozen,
    frozenForm,
    weights: initialWeights(column),
    optimizer: officialOptimizer(settings.optimizer),
    rateScale: rateScaleOf(settings),
    parametersFromEval: true,
    ...(settings.clip && { clip: settings.clip }),
    ...more,
  });
  for (const model of [artifacts.trainingModel, artifacts.evalModel, artifacts.optimizerModel]) verifyModel(model);
  return artifacts;
}

const rateScaleOf = ({ rates }: EngineSettings): RateScale => rates.map((rate) => rate / defaultLearningRate);

export function filesOf({ trainingModel, evalModel, optimizerModel, checkpoint }: Artifacts): TrainingFiles {
  return {
    trainingModel: toBinary(trainingModel),
    evalModel: toBinary(evalModel),
    optimizerModel: toBinary(optimizerModel),
    checkpoint: writeCheckpoint(checkpoint),
  };
}

/** What step `i` is fed. */
export function feedsOf({ column, inputs, targets }: EngineCase, i: number): Record<string, Tensor> {
  const [from, to] = [i * batch, (i + 1) * batch];
  return {
    ...mapSamples(inputs, (t) => sliceRows(t, from, to)),
    [targetInput(column.head)]: sliceRows(targets, from, to),
    [seedInput]: new Tensor('int64', [], BigInt64Array.of(seedOf(i))),
  };
}

/** The steps [from, to) in ONNX Runtime's TrainingSession; the weights include frozen inputs. */
export async function trainWithSession(
  training: TrainingRuntime,
  given: EngineCase,
  artifacts: Artifacts,
  [from, to]: readonly [number, number] = [0, steps],
): Promise<Trained> {
  const session = await training.createTrainingSession(filesOf(artifacts));
  const losses: number[] = [];
  for (let i = from; i < to; i++) {
    const outputs = await session.trainStep(feedsOf(given, i));
    losses.push(Number(must(outputs.loss, 'loss').data[0]));
    await session.optimizerStep();
    await session.resetGradients();
  }
  const { [seedInput]: _, ...feeds } = feedsOf(given, 0);
  const outputs = await session.evalStep(feeds);
  await session.release();
  return { losses, weights: splitParameters(artifacts.parameters, must(outputs[parametersOutput], 'parameters')) };
}

/** Largest relative difference. */
export function apart(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)) / Math.max(Math.abs(x), 1e-3)));
}

/**
 * What weights of two engines may differ by after `steps` steps. Losses show that the gradients agree; a weight is a sum of steps, so that its
 * error is one of float32 at the size of the weights, which is about 1 (spacing 1.2e-7): sixteen such units. Relative to the weight itself
 * there is no such bound, since a weight that happens to end near zero keeps the error of the steps that led there.
 */
export const weightTolerance = 2e-6;

/** Largest difference, relative where the value is beyond 1. */
export function weightsApart(a: Tensor | undefined, b: Tensor | undefined): number {
  const [x, y] = [must(a, 'weight').numbers(), must(b, 'weight').numbers()];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  return Math.max(...x.map((v, i) => Math.abs(v - must(y[i], 'value')) / Math.max(1, Math.abs(v))));
}
