// Dropout of a value, inverted: what is kept is scaled by 1 / (1 - rate), so that inference is the identity.
import type { Value } from '../../onnx/ir/graph.js';
import type { LayerContext } from './layer.js';

/** `name` is what its numbers are drawn by. */
export function dropped({ g, scope }: Pick<LayerContext, 'g' | 'scope'>, name: string, rate: number, x: Value): Value {
  if (!scope.training || rate === 0) return x;
  const keep = g.greaterOrEqual(scope.random(name, x), rate);
  return g.mul(x, g.mul(g.cast(keep, { to: 'float32' }), 1 / (1 - rate)));
}
