// Weights that stand in Constant nodes, as PaddlePaddle and some other exporters write them.
import { isFloat } from '../core/dtype.js';
import type { Tensor } from '../core/tensor.js';
import type { Node, Value } from './graph.js';

/** The tensor that a Constant node gives, where it is of floats and more than a number; else none. */
export function weightsOfConstant(node: Node): readonly { readonly value: Value; readonly tensor: Tensor }[] {
  if (node.opType !== 'Constant' || (node.domain !== '' && node.domain !== 'ai.onnx')) return [];
  const a = node.attributes.get('value');
  const [value] = node.outputs;
  if (a?.kind !== 'tensor' || value === undefined || !isFloat(a.value.dtype) || a.value.size < 2) return [];
  return [{ value, tensor: a.value }];
}
