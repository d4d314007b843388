// eval_model.onnx: loss and scores, dropout and batch_norm in inference mode, over the parameters of the training model in the same order.
import type { Model } from '../onnx/ir/model.js';
import { type ColumnRequest, columnGraph } from './column-graph.js';
import { declareMoments } from './moments.js';
import { lossOutput, parametersOutput } from './names.js';
import type { OfficialOptimizer } from './optimizer-model.js';

export interface EvalModelOptions {
  /** The parameters are an output too, since TrainingSession in JavaScript has no safe way to read them. */
  readonly withParameters?: boolean;
  /** With copies of this optimizer's moments among the parameters, as the training model has them. */
  readonly momentsOf?: OfficialOptimizer;
}

export function evalModel(request: ColumnRequest, options: EvalModelOptions = {}): Model {
  const { task } = request.column;
  const graph = columnGraph(request, false);
  const { g, userInputs, values, scores, loss } = graph;
  if (options.momentsOf !== undefined) declareMoments(graph, options.momentsOf);
  g.output(loss, lossOutput);
  g.output(scores, task);
  if (options.withParameters === true) {
    const flat = [...values.values()].map((v) => g.reshape(v, [-1]));
    g.output(g.concat(...flat, { axis: 0 }), parametersOutput);
  }
  g.graph.inputs = [...userInputs, ...values.values()];
  return graph.finished();
}
