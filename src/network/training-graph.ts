// The step graph of a network's column, for those who train it in a loop of their own.
import type { Column } from '../model/progressive/column.js';
import type { FrozenWeights } from '../model/progressive/weights.js';
import { anObject, given } from '../onnx/core/given.js';
import { defaultRate, optimizer } from '../train/optim/optimizer.js';
import { stepGraph } from '../train/step/step-graph.js';
import { defined } from './defined.js';
import type { TrainingGraph, TrainingGraphOptions } from './options.js';

/** (parameters, optimizer state, minibatches) to the same after them, and the losses. Throws UsageError for options that do not fit. */
export function trainingGraph(column: Column, frozen: FrozenWeights, options: TrainingGraphOptions): TrainingGraph {
  given('trainingGraph', { options }, { options: anObject, 'options.optimizer': anObject });
  const { optimizer: chosen, dataType = 'float32', batch, clip, sizes } = options;
  const rule = optimizer(chosen);
  const dtypes = column.inputs.map(({ name, dtype }) => [name, dtype === 'float32' || dtype === 'uint8' ? dataType : dtype]);
  const graph = stepGraph({
    column,
    frozen,
    optimizer: rule,
    dtypes: Object.fromEntries(dtypes),
    ...defined({ batch, clip, sizes }),
  });
  const { kind, lr = defaultRate[kind] } = chosen;
  return { ...graph, scalars: (step, rate = lr) => rule.scalars(rate, step) };
}
