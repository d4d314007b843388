// The weights of columns: their first values, and frozen ones in a graph.

import { must } from '../../onnx/core/errors.js';
import { given, instance } from '../../onnx/core/given.js';
import { Random } from '../../onnx/core/random.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { initialise } from '../nn/init.js';
import { inferenceScope, type LayerScope } from '../nn/scope.js';
import { aColumn, type Column } from './column.js';

/** Parameters by name, in the order of lowering. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Those of several columns, by task. */
export type FrozenWeights = ReadonlyMap<string, Weights>;

/** First values of a column's parameters by its seed; each parameter has a random stream of its own. */
export function initialWeights(column: Column): Map<string, Tensor> {
  given('initialWeights', { column }, { column: aColumn });
  const { seed, parameters } = column;
  return new Map(parameters.specs.map((s) => [s.name, initialise(s.init, s.shape, new Random(seed, 'init', s.name))]));
}

/** Initializers from frozen weights. */
export function frozenScope(g: Ops, weights: Weights): LayerScope {
  return inferenceScope(g, (spec) => g.initializer(spec.name, must(weights.get(spec.name), `weight ${spec.name}`)));
}

/** For checks of what programs without types give. */
export const weightsByTask = instance(Map, 'a Map of weights by task');
