// Activation functions, softmax and dropout. Rules reuse the forward output where they can. Specification: Operators.md.
import type { Value } from '../../ir/graph.js';
import { formatType, tensorType } from '../../ir/types.js';
import type { GradientContext, GradientRule, NodeContext, OpRules } from '../op-def.js';
import { broadcastWith, castLike, floatType, requireFloat, sameType, unary } from './elementwise.js';
import { reduceSum } from './reduce.js';

type ActivationOp =
  | 'Relu'
  | 'LeakyRelu'
  | 'PRelu'
  | 'ThresholdedRelu'
  | 'Shrink'
  | 'Elu'
  | 'Selu'
  | 'Celu'
  | 'Softplus'
  | 'Softsign'
  | 'Sigmoid'
  | 'Tanh'
  | 'HardSigmoid'
  | 'HardSwish'
  | 'Mish'
  | 'Swish'
  | 'Gelu'
  | 'Softmax'
  | 'LogSoftmax'
  | 'Hardmax'
  | 'Dropout';

const k = (c: GradientContext, value: number): Value => c.g.scalar(value, c.dy());

/** `above` where x > bound, else `below`. */
function beyond(c: GradientContext, bound: number, above: Value, below: Value): Value {
  return c.g.where(c.g.greater(c.x(0), k(c, bound)), above, below);
}

function geluGradient(c: GradientContext): Value[] {
  const { g } = c;
  const x = c.x(0);
  if (c.string('approximate') === 'tanh') {
    // y = x/2 (1 + t), t = tanh(s (x + r x^3)): y' = (1 + t)/2 + x/2 (1 - t^2) s (1 + 3 r x^2)
    const [s, r] = [Math.sqrt(2 / Math.PI), 0.044715];
    const xx = g.mul(x, x);
    const t = g.tanh(g.mul(g.mul(x, k(c, s)), g.add(g.mul(xx, k(c, r)), k(c, 1))));
    const du = g.add(g.mul(xx, k(c, 3 * r * s)), k(c, s));
    const inner = g.mul(g.mul(x, du), g.sub(k(c, 1), g.mul(t, t)));
    return [g.mul(c.dy(), g.mul(k(c, 0.5), g.add(g.add(t, k(c, 1)), inner)))];
  }
  // y = x P(x): y' = P(x) + x p(x), with P(x) = (1 + erf(x / sqrt 2)) / 2 and p(x) = exp(-x^2/2) / sqrt(2 pi)
  const cdf = g.mul(g.add(g.erf(g.mul(x, k(c, Math.SQRT1_2))), k(c, 1)), k(c, 0.5));
  const density = g.mul(g.exp(g.mul(g.mul(x, x), k(c, -0.5))), k(c, 1 / Math.sqrt(2 * Math.PI)));
  return [g.mul(c.dy(), g.add(cdf, g.mul(x, density)))];
}

/** Axes that Softmax sums over: `axis`, and before opset 13 all from it on (the input is read as a matrix). */
function softmaxAxes(c: NodeContext): number[] {
  const rank = c.rank(0);
  const axis = c.int('axis');
  if (rank === undefined) return c.opset < 13 ? c.fail('before opset 13 the rank of the input must be known') : [axis];
  const first = c.axis(axis, rank);
  return c.opset < 13 ? Array.from({ length: rank - first }, (_, i) => first + i) : [first];
}

function softmaxLike(gradient: GradientRule | 'zero'): OpRules {
  return {
    infer: (c) => {
      requireFloat(c, 0);
      const rank = c.rank(0);
      if (rank !== undefined) softmaxAxes(c);
      return sameType(c);
    },
    gradient,
  };
}

function dropoutGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const training = c.constant(2);
  if (!c.has(2) || training?.data[0] === 0) return [c.dy()];
  const one = k(c, 1);
  const ratio = c.has(1) ? castLike(g, c.x(1), c.dy()) : k(c, 0.5);
  // In inference mode the mask is all true and nothing is scaled.
  const dropped = training !== undefined ? ratio : g.where(c.x(2), ratio, k(c, 0));
  const mask = g.cast(c.output(1, tensorType('bool', c.shape(0))), { to: c.dtype(0) });
  return [g.mul(c.dy(), g.mul(mask, g.div(one, g.sub(one, dropped))))];
}

export const activation: Readonly<Record<ActivationOp, OpRules>> = {
  // relu'(x) = [x > 0], 0 at the kink, as in ONNX Runtime and PyTorch
  Relu: {
    ...unary((c) => [c.g.where(c.g.greater(c.y(), k(c, 0)), c.dy(), k(c, 0))], { infer: sameType }),
    traits: ['elementwise', 'activation', 'half', 'int8'],
  },
  // [x > 0] + alpha [x <= 0]
  LeakyRelu: {
    ...unary((c) => [beyond(c, 0, c.dy(), c.g.mul(c.dy(), k(c, c.float('alpha'))))]),
    traits: ['elementwise', 'activation', 'half', 'int8'],
  },
  // y = x above 0, slope x below: dx = dy or slope dy, dslope = x dy below
  PRelu: {
    traits: ['activation', 'half'],
    infer: (c) => {
      if (c.dtype(1) !== c.dtype(0)) c.fail(`dtypes differ, input 0 is ${c.dtype(0)}, input 1 is ${c.dtype(1)}`);
      broadcastWith(c, c.shape(0), 1);
      return sameType(c);
    },
    gradient: (c) => {
      const below = c.g.less(c.x(0), k(c, 0));
      return [
        c.needs(0) ? c.g.where(below, c.g.mul(c.dy(), c.x(1)), c.dy()) : null,
        c.needs(1) ? c.g.where(below, c.g.mul(c.dy(), c.x(0)), k(c, 0)) : null,
      ];
    },
  },
  ThresholdedRelu: unary((c) => [beyond(c, c.float('alpha'), c.dy(), k(c, 0))]),
  // x + bias below -lambd, x - bias above lambd, 0 between
  Shrink: unary(
    (c) => {
      const beyond = c.g.greater(c.g.abs(c.x(0)), k(c, c.float('lambd')));
      return [c.g.where(beyond, c.dy(), k(c, 0))];
    },
    { infer: sameType },
  ),
  // y = alpha (exp x - 1) below 0, where y' = y + alpha
  Elu: {
    ...unary((c) => [beyond(c, 0, c.dy(), c.g.mul(c.dy(), c.g.add(c.y(), k(c, c.float('alpha')))))]),
    traits: ['elementwise', 'activation', 'half'],
  },
  // y = gamma x above 0, gamma alpha (exp x - 1) below, where y' = y + gamma alpha; both are float32 also where x is float64
  Selu: {
    ...unary((c) => {
      const gamma = Math.fround(c.float('gamma'));
      const slope = c.g.add(c.y(), k(c, gamma * Math.fround(c.float('alpha'))));
      return [c.g.mul(c.dy(), beyond(c, 0, k(c, gamma), slope))];
    }),
    traits: ['elementwise', 'activation', 'half'],
  },
  // y = alpha (exp(x / alpha) - 1) below 0, where y' = exp(x / alpha) = y / alpha + 1
  Celu: {
    ...unary((c) => {
      const slope = c.g.add(c.g.div(c.y(), k(c, c.float('alpha'))), k(c, 1));
      return [beyond(c, 0, c.dy(), c.g.mul(c.dy(), slope))];
    }),
    traits: ['activation'],
  },
  // softplus' = sigmoid
  Softplus: { ...unary((c) => [c.g.mul(c.dy(), c.g.sigmoid(c.x(0)))]), traits: ['elementwise', 'activation', 'half'] },
  // y = x / (1 + |x|): y' = 1 / (1 + |x|)^2 = (1 - |y|)^2
  Softsign: {
    ...unary((c) => {
      const r = c.g.sub(k(c, 1), c.g.abs(c.y()));
      return [c.g.mul(c.dy(), c.g.mul(r, r))];
    }),
    traits: ['elementwise', 'activation', 'half'],
  },
  // sigmoid' = y (1 - y)
  Sigmoid: {
    ...unary((c) => [c.g.mul(c.dy(), c.g.mul(c.y(), c.g.sub(k(c, 1), c.y())))]),
    traits: ['elementwise', 'activation', 'half', 'int8', 'probabilities'],
  },
  // tanh' = 1 - y^2
  Tanh: {
    ...unary((c) => [c.g.mul(c.dy(), c.g.sub(k(c, 1), c.g.mul(c.y(), c.y())))]),
    traits: ['elementwise', 'activation', 'half'],
  },
  // y = clamp(alpha x + beta, 0, 1): alpha where 0 < y < 1, that is y (1 - y) > 0
  HardSigmoid: {
    ...unary((c) => {
      const inside = c.g.greater(c.g.mul(c.y(), c.g.sub(k(c, 1), c.y())), k(c, 0));
      return [c.g.where(inside, c.g.mul(c.dy(), k(c, c.float('alpha'))), k(c, 0))];
    }),
    traits: ['elementwise', 'activation', 'half', 'probabilities'],
  },
  // y = x clamp(x/6 + 1/2, 0, 1): y' = 0 below -3, 1 above 3, x/3 + 1/2 between
  HardSwish: {
    ...unary((c) => {
      const between = c.g.add(c.g.mul(c.x(0), k(c, 1 / 3)), k(c, 0.5));
      return [c.g.mul(c.dy(), beyond(c, 3, k(c, 1), beyond(c, -3, between, k(c, 0))))];
    }),
    traits: ['elementwise', 'activation', 'half'],
  },
  // y = x t, t = tanh(softplus x): y' = t + x (1 - t^2) sigmoid(x)
  Mish: {
    ...unary((c) => {
      const { g } = c;
      const t = g.tanh(g.softplus(c.x(0)));
      const rest = g.mul(g.mul(c.x(0), g.sigmoid(c.x(0))), g.sub(k(c, 1), g.mul(t, t)));
      return [g.mul(c.dy(), g.add(t, rest))];
    }),
    traits: ['activation', 'half'],
  },
  // y = x s, s = sigmoid(alpha x): y' = s + alpha y (1 - s)
  Swish: unary((c) => {
    const { g } = c;
    const alpha = k(c, c.float('alpha'));
    const s = g.sigmoid(g.mul(c.x(0), alpha));
    return [g.mul(c.dy(), g.add(s, g.mul(g.mul(c.y(), alpha), g.sub(k(c, 1), s))))];
  }),
  Gelu: {
    ...unary(geluGradient, {
      infer: (c) => {
        const approximate = c.string('approximate');
        if (approximate !== 'none' && approximate !== 'tanh') {
          c.fail(`approximate must be "none" or "tanh", it is "${approximate}"`, { expected: 'none, tanh', got: approximate });
        }
        return floatType(c);
      },
    }),
    traits: ['activation', 'half'],
  },

  // dx = y (dy - sum(y dy))
  Softmax: {
    ...softmaxLike((c) => {
      const ydy = c.g.mul(c.dy(), c.y());
      return [c.g.sub(ydy, c.g.mul(c.y(), reduceSum(c.g, ydy, softmaxAxes(c))))];
    }),
    traits: ['probabilities'],
  },
  // dx = dy - exp(y) sum(dy)
  LogSoftmax: {
    ...softmaxLike((c) => [c.g.sub(c.dy(), c.g.mul(c.g.exp(c.y()), reduceSum(c.g, c.dy(), softmaxAxes(c))))]),
    traits: ['probabilities'],
  },
  Hardmax: { ...softmaxLike('zero'), traits: ['labels'] },

  // y = x mask / (1 - ratio) in training, x else
  Dropout: {
    traits: ['random', 'keepsAnswers'],
    infer: (c) => {
      if (c.has(1)) requireFloat(c, 1);
      if (c.has(2) && c.dtype(2) !== 'bool') {
        c.fail(`input 2 must be bool, it is ${formatType(c.type(2))}`, { expected: 'bool', got: c.dtype(2) });
      }
      const [output] = floatType(c);
      // before opset 10 the mask is of the input's type
      return [output, c.opset < 10 ? output : tensorType('bool', c.shape(0))];
    },
    gradient: dropoutGradient,
  },
};
