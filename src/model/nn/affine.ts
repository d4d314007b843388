// y = x W + b over the last axis, whatever stands before it: what attention and the layers around it are made of. The layer dense takes flat samples.
import type { Value } from '../../onnx/ir/graph.js';
import type { Init } from './init.js';
import type { LayerContext } from './layer.js';

export interface Affine {
  readonly fanIn: number;
  readonly units: number;
  readonly init: Init;
  /** Without b where false. */
  readonly bias?: boolean;
  /** Factors of W and b: a factor of y or of x costs more, since they have more elements. */
  readonly weightBy?: number;
  readonly biasBy?: number;
}

/** Names the parameters `<what>/weight` [fanIn,units] and `<what>/bias` [units], which begins at 0. */
export function affine({ g, trainable }: LayerContext, x: Value, what: string, o: Affine): Value {
  const by = (v: Value, factor = 1) => (factor === 1 ? v : g.mul(v, factor));
  const weight = trainable(`${what}/weight`, [o.fanIn, o.units], { by: o.init, fanIn: o.fanIn, fanOut: o.units });
  const y = g.matMul(x, by(weight, o.weightBy));
  return o.bias === false ? y : g.add(y, by(trainable(`${what}/bias`, [o.units], { fill: 0 }), o.biasBy));
}
