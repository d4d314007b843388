// The weights of columns: their first values, and frozen ones in a graph.

import { must, UsageError } from '../../onnx/core/errors.js';
import { given, instance } from '../../onnx/core/given.js';
import { Random } from '../../onnx/core/random.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { initialise } from '../nn/init.js';
import { inferenceScope, type LayerScope, type ParameterSpec } from '../nn/scope.js';
import { aColumn, type Column } from './column.js';

/** Parameters by name, in the order of lowering. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Those of several columns, by task. */
export type FrozenWeights = ReadonlyMap<string, Weights>;

/**
 * First values of a column's parameters by its seed; each parameter has a random stream of its own. A column that tunes all weights of another begins with
 * those, which are taken of `frozen`. Throws UsageError where they are not there.
 */
export function initialWeights(column: Column, frozen: FrozenWeights = new Map()): Map<string, Tensor> {
  given('initialWeights', { column, frozen }, { column: aColumn, frozen: weightsByTask });
  const { seed, parameters, tuned } = column;
  const base = tuned && frozen.get(tuned.base.task);
  const first = ({ name, shape, init }: ParameterSpec): Tensor => {
    if (!('like' in init)) return initialise(init, shape, new Random(seed, 'init', name));
    const found = base?.get(init.like);
    if (found !== undefined) return found;
    throw new UsageError(`task "${column.task}" begins with the weights of "${tuned?.base.task}", expected them in "frozen"`, {
      path: 'frozen',
    });
  };
  return new Map(parameters.specs.map((spec) => [spec.name, first(spec)]));
}

/** Initializers from frozen weights. */
export function frozenScope(g: Ops, weights: Weights): LayerScope {
  return inferenceScope(g, (spec) => g.initializer(spec.name, must(weights.get(spec.name), `weight ${spec.name}`)));
}

/** For checks of what programs without types give. */
export const weightsByTask = instance(Map, 'a Map of weights by task');
