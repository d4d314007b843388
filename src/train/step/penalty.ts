// What holds a column's parameters near to where they were, in the loss of its training steps.
import type { LayerScope, ParameterSpec } from '../../model/nn/scope.js';
import type { Weights } from '../../model/progressive/weights.js';
import { InternalError, must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** What holds parameters near to where they were: half the sum of `weight (parameter - towards)^2` over all their elements is added to the loss. */
export interface Penalty {
  /** Where they are held, by name. */
  readonly towards: Weights;
  /** How much each element counts, by name, float32 in the parameter's shape; parameters that are not named are free. */
  readonly weight: Weights;
}

/** What a penalty adds to the loss; `parameter` gives what the layers read. */
export function penaltyOf(
  g: Ops,
  { towards, weight }: Penalty,
  { scope, specs }: { scope: LayerScope; specs: readonly ParameterSpec[] },
): Value {
  const parts = specs
    .filter(({ name }) => weight.has(name))
    .map((spec) => {
      const value = scope.parameter(spec);
      if (value.shape?.join() !== spec.shape.join())
        throw new InternalError(`${spec.name} is read beside others, which no penalty can hold`);
      const away = g.sub(value, g.constant(must(towards.get(spec.name), spec.name)));
      return g.reduceSum(g.mul(g.mul(away, away), g.constant(must(weight.get(spec.name), spec.name))), { keepdims: 0 });
    });
  return g.mul(
    parts.reduce((a, b) => g.add(a, b)),
    0.5,
  );
}
