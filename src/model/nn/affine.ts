// y = x W + b over the last axis, whatever stands before it: what attention and the layers around it are made of. The layer dense takes flat samples.
import type { Value } from '../../onnx/ir/graph.js';
import type { Init } from './init.js';
import type { LayerContext } from './layer.js';

/** Names the parameters `<what>/weight` [fanIn,units] and `<what>/bias` [units], which begins at 0. */
export function affine(
  { g, trainable }: LayerContext,
  x: Value,
  what: string,
  { fanIn, units, init, bias = true }: { fanIn: number; units: number; init: Init; bias?: boolean },
): Value {
  const y = g.matMul(x, trainable(`${what}/weight`, [fanIn, units], { by: init, fanIn, fanOut: units }));
  return bias ? g.add(y, trainable(`${what}/bias`, [units], { fill: 0 })) : y;
}
