// training_model.onnx: loss, scores, and every gradient added into its buffer. Standard ops, plus InPlaceAccumulatorV2. batch_norm's running
// statistics are parameters without gradient that the same op overwrites in place, as ONNX Runtime's own batch_norm does, so that the
// checkpoint it saves holds them.

import type { Clip } from '../model/description/train-schema.js';
import { gradient } from '../onnx/autodiff/gradient.js';
import { must } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Model } from '../onnx/ir/model.js';
import { clipGradients } from '../train/optim/clip.js';
import { type ArtifactParameter, type ColumnRequest, columnGraph } from './column-graph.js';
import { declareMoments, moveMoments } from './moments.js';
import { accumulatedOutput, bufferInput, lossOutput, movedOutput, resetInput } from './names.js';
import type { OfficialOptimizer } from './optimizer-model.js';

export interface TrainingModel {
  readonly model: Model;
  readonly userInputs: readonly string[];
  readonly parameters: readonly ArtifactParameter[];
}

export interface TrainingModelOptions {
  /** Clips the gradients of each minibatch, before they are accumulated. */
  readonly clip?: Clip;
  /** With copies of this optimizer's moments among the parameters. A minibatch must then be a step. */
  readonly momentsOf?: OfficialOptimizer;
}

export function trainingModel(request: ColumnRequest, options: TrainingModelOptions = {}): TrainingModel {
  const { clip, momentsOf } = options;
  const { task } = request.column;
  const graph = columnGraph(request, true);
  const { g, userInputs, parameters, values, moved, scores, loss } = graph;
  const trainable = parameters.filter((p) => p.role === 'trainable');
  const raw = gradient(g, { of: loss, by: trainable.map((p) => must(values.get(p.name), p.name)) });
  const gradients = clip === undefined ? raw : clipGradients(g, raw, clip);

  const buffers = trainable.map((p) => g.input(bufferInput(p.name), 'float32', p.shape));
  const reset = g.input(resetInput, 'bool', [1]);
  g.output(loss, lossOutput);
  g.output(scores, task);
  trainable.forEach((p, i) => {
    const [buffer, value] = [must(buffers[i], p.name), must(gradients[i], p.name)];
    g.output(g.microsoft('InPlaceAccumulatorV2', [buffer, value, reset]), accumulatedOutput(p.name));
  });
  if (momentsOf !== undefined) {
    declareMoments(graph, momentsOf);
    moveMoments(graph, new Map(trainable.map((p, i) => [p.name, must(gradients[i], p.name)])), momentsOf);
  }
  if (moved.size > 0) {
    const overwrite = g.constant(new Tensor('bool', [1], Uint8Array.of(1)), 'overwrite');
    for (const [name, next] of moved) {
      g.output(g.microsoft('InPlaceAccumulatorV2', [must(values.get(name), name), next, overwrite]), movedOutput(name));
    }
  }
  g.graph.inputs = [...userInputs, ...values.values(), ...buffers, reset];
  return { model: graph.finished(), userInputs: userInputs.map((v) => v.name), parameters };
}
