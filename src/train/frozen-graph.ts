// Graphs without gradients that training needs: the taps of frozen columns, and the newest column in inference mode for evaluation.

import type { DType } from '../core/dtype.js';
import { must } from '../core/errors.js';
import type { Value } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { LayerScope, ParameterSpec } from '../nn/scope.js';
import { type Ops, ops } from '../ops/ops.js';
import { noParameters, optimise } from '../passes/optimise.js';
import type { Description } from '../progressive/description/description.js';
import { headWidth } from '../progressive/description/head-schema.js';
import { lowerLoss } from '../progressive/head.js';
import { opsetOf } from '../progressive/imported.js';
import { NetworkLowering } from '../progressive/lowering.js';
import type { Weights } from '../progressive/parameters.js';
import { networkInputFrom } from './network-input.js';
import { stepInputs } from './step-graph.js';
import { type TapInput, tapOptions } from './tap-inputs.js';

/** A scope in inference mode: parameters from a function, nothing updated, nothing random. */
export function inferenceScope(g: Ops, parameter: (spec: ParameterSpec) => Value): LayerScope {
  return { g, training: false, parameter, update: () => {}, random: (_, like) => like };
}

/** Initializers from frozen weights. */
export function frozenScope(g: Ops, weights: Weights): LayerScope {
  return inferenceScope(g, (spec) => g.initializer(spec.name, must(weights.get(spec.name), `weight ${spec.name}`)));
}

/** Data [N, ...] to what the inputs of the step hold, each under its name; frozen weights are initializers. */
export function featureGraph(
  description: Description,
  inputs: readonly TapInput[],
  frozen: readonly (Weights | undefined)[],
  dataType: DType,
): Model {
  const g = ops({ name: 'features', opset: opsetOf(description) });
  const input = must(description.inputs[0], 'input');
  const data = g.input(stepInputs.data, dataType, ['N', ...input.shape]);
  const scopes = new Map<number, LayerScope>();
  const lowering = new NetworkLowering(description, {
    x: networkInputFrom(g, data),
    scope: (c) => {
      const scope = scopes.get(c) ?? frozenScope(g, must(frozen[c], `weights of column ${c}`));
      scopes.set(c, scope);
      return scope;
    },
  });
  const values = inputs.map(({ refs }) => {
    const taps = refs.map((ref) => lowering.tap(ref));
    return must(taps.length === 1 ? taps[0] : g.op('Concat', taps, { axis: 1 })[0], 'tap');
  });
  inputs.forEach(({ name }, i) => {
    const v = must(values[i], name);
    g.output(values.indexOf(v) < i ? g.identity(v) : v, name);
  });
  optimise(g.graph, g.opset);
  return g.model();
}

export const scoresOutput = 'eval/scores';
export const lossesOutput = 'eval/losses';

/** Data, targets, taps and the column's parameters (inputs) to scores [N, k] and losses [N], dropout and batch_norm in inference mode. */
export function evalGraph(description: Description, column: number, inputs: readonly TapInput[], dataType: DType): Model {
  const g = ops({ name: 'eval', opset: opsetOf(description) });
  const input = must(description.inputs[0], 'input');
  const { head } = must(description.columns[column], `column ${column}`);
  const data = g.input(stepInputs.data, dataType, ['N', ...input.shape]);
  const classify = head.kind === 'classify';
  const targets = g.input(stepInputs.targets, classify ? 'int64' : 'float32', classify ? ['N'] : ['N', headWidth(head)]);
  const scope = inferenceScope(g, (spec) => g.input(spec.name, 'float32', spec.shape));
  const lowering = new NetworkLowering(description, {
    x: networkInputFrom(g, data),
    scope: () => scope,
    ...tapOptions(inputs, ({ name, shape }) => g.input(name, 'float32', ['N', ...shape])),
  });
  const scores = lowering.scores(column);
  g.output(lowerLoss(g, head, scores, targets, 'none'), lossesOutput);
  g.output(scores, scoresOutput);
  optimise(g.graph, g.opset, noParameters);
  return g.model();
}
