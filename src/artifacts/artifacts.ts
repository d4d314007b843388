// The official training artifacts of a column, as ONNX Runtime's training API takes them: three models and a checkpoint.

import type { Clip } from '../model/description/train-schema.js';
import type { Weights } from '../model/progressive/weights.js';
import { InternalError, must, UsageError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import type { CheckpointVersion, TrainingCheckpoint } from './checkpoint/schema.js';
import type { ArtifactParameter, ColumnRequest } from './column-graph.js';
import { evalModel } from './eval-model.js';
import { type OfficialOptimizer, optimizerModel, type RateScale } from './optimizer-model.js';
import { officialState } from './optimizer-state.js';
import { trainingModel } from './training-model.js';

export interface ArtifactsRequest extends ColumnRequest {
  /** The column's own parameters and statistics. */
  readonly weights: Weights;
  readonly optimizer: OfficialOptimizer;
  /**
   * By norm in the optimizer model; by value in the training model, hence for each minibatch before it is accumulated. With
   * `copiedMoments` both in the training model.
   */
  readonly clip?: Clip;
  readonly rateScale?: RateScale;
  readonly checkpointVersion?: CheckpointVersion;
  /** Leaves the data out of the checkpoint: they must be loaded before the first step. */
  readonly nominal?: boolean;
  /** Adds the parameters to the outputs of the eval model. */
  readonly parametersFromEval?: boolean;
  /** Keeps a copy of the optimizer's moments among the parameters (moments.ts), for a training that makes each minibatch a step. */
  readonly copiedMoments?: boolean;
  /** To go on where a training of ours stopped: its optimizer's tensors, updates done, and rate. */
  readonly resumed?: { readonly tensors: ReadonlyMap<string, Tensor>; readonly step: number; readonly rate: number };
}

export interface Artifacts {
  readonly trainingModel: Model;
  readonly evalModel: Model;
  readonly optimizerModel: Model;
  readonly checkpoint: TrainingCheckpoint;
  /** Names of what a training step is fed, in order. */
  readonly userInputs: readonly string[];
  readonly parameters: readonly ArtifactParameter[];
}

/** Throws UsageError where ONNX Runtime's training API has no counterpart. */
export function trainingArtifacts(request: ArtifactsRequest): Artifacts {
  const { weights, frozen, optimizer, clip, rateScale, checkpointVersion = 2, nominal = false, resumed, copiedMoments } = request;
  if (nominal && checkpointVersion === 1) {
    throw new UsageError('checkpoints of version 1 cannot be nominal, take version 2', { expected: '2', got: '1' });
  }
  const here = clip !== undefined && (copiedMoments === true || clip.kind === 'value');
  const moments = copiedMoments === true ? { momentsOf: optimizer } : {};
  const training = trainingModel(request, { ...(here && { clip }), ...moments });
  const { parameters } = training;
  const of = (p: ArtifactParameter): [string, Tensor] => {
    if (p.role === 'moment') return [p.name, resumed?.tensors.get(p.name) ?? Tensor.zeros('float32', p.shape)];
    const from = p.task === request.column.task ? weights : must(frozen.get(p.task), `weights of ${p.task}`);
    return [p.name, must(from.get(p.name), `weight ${p.name}`)];
  };
  const checkpoint: TrainingCheckpoint = {
    version: checkpointVersion,
    trainable: new Map(parameters.filter((p) => p.role === 'trainable').map(of)),
    frozen: new Map(parameters.filter((p) => p.role !== 'trainable').map(of)),
    nominal,
    properties: new Map(),
    ...(resumed && { optimizer: officialState(optimizer, parameters, resumed.tensors, resumed.step, resumed.rate) }),
  };
  const part = { ...(clip !== undefined && !here && { clip }), ...(rateScale !== undefined && { rateScale }) };
  return {
    trainingModel: training.model,
    evalModel: evalModel(request, { withParameters: request.parametersFromEval === true, ...moments }),
    optimizerModel: optimizerModel({ optimizer, ...part }),
    checkpoint,
    userInputs: training.userInputs,
    parameters,
  };
}

/** The parameters by name out of the eval model's output. */
export function splitParameters(parameters: readonly ArtifactParameter[], flat: Tensor): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  let at = 0;
  for (const { name, shape } of parameters) {
    const to = at + elementCount(shape);
    out.set(name, new Tensor('float32', shape, Float32Array.from(flat.data.slice(at, to), Number)));
    at = to;
  }
  if (at !== flat.size) throw new InternalError(`the session has ${flat.size} values, its artifacts ${at}`);
  return out;
}
