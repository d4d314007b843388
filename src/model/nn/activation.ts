// Activations lowered to ops of opset 17.
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops.js';
import type { Activation } from './layer-schema.js';

export function lowerActivation(g: Ops, a: Activation, x: Value): Value {
  switch (a.kind) {
    case 'relu':
      return g.relu(x);
    case 'leaky_relu':
      return g.leakyRelu(x, { alpha: a.alpha });
    case 'elu':
      return g.elu(x, { alpha: a.alpha });
    case 'selu':
      return g.selu(x);
    case 'sigmoid':
      return g.sigmoid(x);
    case 'tanh':
      return g.tanh(x);
    case 'softplus':
      return g.softplus(x);
    case 'hardswish':
      return g.hardSwish(x);
    case 'softmax':
      return g.softmax(x, { axis: a.axis });
    // x sigmoid(x)
    case 'silu':
      return g.mul(x, g.sigmoid(x));
    // x (1 + erf(x / sqrt 2)) / 2; the op Gelu begins at opset 20
    case 'gelu':
      return g.mul(g.mul(x, 0.5), g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1));
  }
}
