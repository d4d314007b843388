// eval_model.onnx: loss and scores, dropout and batch_norm in inference mode, over the parameters of the training model in the same order.
import { must } from '../../core/errors.js';
import type { Model } from '../../ir/model.js';
import { optimise } from '../../passes/optimise.js';
import { version } from '../../version.js';
import { type ColumnRequest, columnGraph } from './column-graph.js';
import { lossOutput, parametersOutput } from './names.js';

/** `withParameters`: the parameters are an output too, since TrainingSession in JavaScript has no safe way to read them. */
export function evalModel(request: ColumnRequest, withParameters = false): Model {
  const { task } = must(request.description.columns[request.column], `column ${request.column}`);
  const { g, userInputs, values, scores, loss } = columnGraph(request, false);
  g.output(loss, lossOutput);
  g.output(scores, task);
  if (withParameters) {
    const flat = [...values.values()].map((v) => g.reshape(v, g.ints([-1])));
    g.output(g.concat(...flat, { axis: 0 }), parametersOutput);
  }
  g.graph.inputs = [...userInputs, ...values.values()];
  optimise(g.graph);
  const model = g.model();
  model.producerVersion = version;
  return model;
}
