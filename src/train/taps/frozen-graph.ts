// Graphs without gradients that training needs: the taps of frozen columns, and the newest column in inference mode for evaluation.

import type { Description } from '../../model/description/description.js';
import { lowerLoss } from '../../model/heads/head.js';
import { headWidth } from '../../model/heads/head-schema.js';
import type { LayerScope, ParameterSpec } from '../../model/nn/scope.js';
import { opsetOf } from '../../model/progressive/imported.js';
import { NetworkLowering } from '../../model/progressive/lowering.js';
import type { Weights } from '../../model/progressive/parameters.js';
import type { DType } from '../../onnx/core/dtype.js';
import { must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { type Ops, ops } from '../../onnx/ops/ops.js';
import { noParameters, optimise } from '../../onnx/passes/optimise.js';
import { networkInputFrom } from '../network-input.js';
import { stepInputs } from '../step/step-graph.js';
import { joinedInput, type TapInput, tapOptions } from './tap-inputs.js';
import { isWhole, type KnownTaps, type Piece, piecesOf } from './tap-pieces.js';

/** A scope in inference mode: parameters from a function, nothing updated, nothing random. */
export function inferenceScope(g: Ops, parameter: (spec: ParameterSpec) => Value): LayerScope {
  return { g, training: false, parameter, update: () => {}, random: (_, like) => like };
}

/** Initializers from frozen weights. */
export function frozenScope(g: Ops, weights: Weights): LayerScope {
  return inferenceScope(g, (spec) => g.initializer(spec.name, must(weights.get(spec.name), `weight ${spec.name}`)));
}

/**
 * Data [N, ...], and taps that are there already, to what the inputs of the step lack: the other taps of each, side by side under its name;
 * frozen weights are initializers. Adapters read their sources joined, alpha going to V, so that a tap has the same bits whether what it
 * stands on is computed in the same graph or comes in.
 */
export function featureGraph(
  description: Description,
  inputs: readonly TapInput[],
  frozen: readonly (Weights | undefined)[],
  dataType: DType,
  known: readonly KnownTaps[] = [],
): Model {
  const g = ops({ name: 'features', opset: opsetOf(description) });
  const input = must(description.inputs[0], 'input');
  const data = g.input(stepInputs.data, dataType, ['N', ...input.shape]);
  const given = new Map(known.map((k) => [k, g.input(k.name, 'float32', ['N', ...k.shape])]));
  const join = (taps: readonly Value[]) => must(taps.length === 1 ? taps[0] : g.op('Concat', taps, { axis: 1 })[0], 'tap');
  const pieceValue = (piece: Piece<KnownTaps>): Value => {
    const { ref, source, at, width } = piece;
    if (source === undefined) return lowering.tap(ref);
    const value = must(given.get(source), source.name);
    return isWhole(piece) ? value : g.slice(value, [at], [at + width], [1]);
  };
  const scopes = new Map<number, LayerScope>();
  const lowering: NetworkLowering = new NetworkLowering(description, {
    x: networkInputFrom(g, data),
    scope: (c) => {
      const scope = scopes.get(c) ?? frozenScope(g, must(frozen[c], `weights of column ${c}`));
      scopes.set(c, scope);
      return scope;
    },
    tap: (ref) => {
      const [piece] = piecesOf([ref], [], known);
      return piece?.source && pieceValue(piece);
    },
    joined: (column, block) => {
      const input = joinedInput(description, column, block);
      return input && { value: join(piecesOf(input.refs, input.widths, known).map(pieceValue)), widths: input.widths };
    },
  });
  const values = inputs.map(({ refs, widths }) => {
    const missing = piecesOf(refs, widths, known).filter(({ source }) => source === undefined);
    return missing.length === 0 ? undefined : join(missing.map(pieceValue));
  });
  inputs.forEach(({ name }, i) => {
    const v = values[i];
    if (v !== undefined) g.output(values.indexOf(v) < i ? g.identity(v) : v, name);
  });
  optimise(g.graph, { opset: g.opset });
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
  optimise(g.graph, { opset: g.opset, ...noParameters });
  return g.model();
}
