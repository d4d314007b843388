// The graph of an evaluation: a column's scores and losses over the taps of the columns before it.

import { lowerLoss, targetsOf } from '../model/heads/heads.js';
import { inferenceScope } from '../model/nn/scope.js';
import type { Column } from '../model/progressive/column.js';
import { withDomains } from '../model/progressive/imported-versions.js';
import type { ByInput } from '../model/progressive/inputs.js';
import { NetworkLowering } from '../model/progressive/lowering.js';
import { type FrozenWeights, frozenScope } from '../model/progressive/weights.js';
import type { DType } from '../onnx/core/dtype.js';
import { must } from '../onnx/core/errors.js';
import type { Model } from '../onnx/ir/model.js';
import { ops } from '../onnx/ops/ops.js';
import { noParameters, optimise } from '../onnx/passes/optimise.js';
import { dataInputs, networkInputsFrom } from './network-input.js';
import { stepInputs } from './step/step-graph.js';
import { type TapInput, tapOptions } from './taps/tap-inputs.js';

export const scoresOutput = 'eval/scores';
export const lossesOutput = 'eval/losses';

/** Data, targets, taps and the column's parameters (inputs), and the weights of a column that it tunes, to scores [N, k] and losses [N], dropout and batch_norm in inference mode. */
export function evalGraph(
  column: Column,
  taps: readonly TapInput[],
  dtypes: ByInput<DType>,
  frozen: FrozenWeights = new Map(),
): Model {
  const { head, network } = column;
  const g = ops({ name: 'eval', opset: network.opset });
  const data = dataInputs(g, column.inputs, dtypes, 'N');
  const wanted = targetsOf(head, 'N');
  const targets = g.input(stepInputs.targets, wanted.dtype, wanted.shape);
  const scope = inferenceScope(g, (spec) => g.input(spec.name, 'float32', spec.shape));
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, column.inputs, data),
    scope: (other) => (other === column ? scope : frozenScope(g, must(frozen.get(other.task), `weights of ${other.task}`))),
    ...tapOptions(taps, ({ name, shape }) => g.input(name, 'float32', ['N', ...shape])),
  });
  const scores = lowering.scores(column);
  g.output(lowerLoss(g, head, scores, targets, 'none'), lossesOutput);
  g.output(scores, scoresOutput);
  lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset, ...noParameters }));
  return withDomains(g.model(), network);
}
