// Update rules as graph fragments: (parameter, gradient, slots) to (parameter', slots'). What changes from step to step on a known
// schedule (rate, bias correction) is computed outside in float64 and comes in as scalars. Formulas, and defaults but for the rates, are PyTorch's (torch.optim).

import { must } from '../../onnx/core/errors.js';
import { anObject, given, type Kind } from '../../onnx/core/given.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';

/** The rule of an update and its numbers. */
export interface OptimizerOptions {
  /** Which rule it is. */
  readonly kind: 'sgd' | 'adam' | 'adamw' | 'rmsprop';
  /** The base rate, which a schedule scales. Default 0.1 for sgd, else 0.001. */
  readonly lr?: number;
  /** sgd and rmsprop. Default 0. */
  readonly momentum?: number;
  /** sgd with momentum. */
  readonly nesterov?: boolean;
  /** Added to the gradient (L2) for sgd, adam and rmsprop; decoupled for adamw (default 0.01 there, else 0). */
  readonly weightDecay?: number;
  /** adam and adamw. Default 0.9. */
  readonly beta1?: number;
  /** adam and adamw (default 0.999); rmsprop's alpha (default 0.99). */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
}

/** The numbers of a rule. */
export type Rule = Omit<OptimizerOptions, 'kind'>;
/** Plain or momentum gradient descent. */
export const sgd = (options: Pick<Rule, 'lr' | 'momentum' | 'nesterov' | 'weightDecay'> = {}): OptimizerOptions => ({
  kind: 'sgd',
  ...options,
});
/** Adam, with moments corrected for their start. L2 by `weightDecay`. */
export const adam = (options: Pick<Rule, 'lr' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'> = {}): OptimizerOptions => ({
  kind: 'adam',
  ...options,
});
/** Adam with decoupled weight decay. */
export const adamw = (options: Pick<Rule, 'lr' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay'> = {}): OptimizerOptions => ({
  kind: 'adamw',
  ...options,
});
/** RMSProp: the gradient over the root of its mean square, with or without momentum. */
export const rmsprop = (options: Pick<Rule, 'lr' | 'beta2' | 'epsilon' | 'momentum' | 'weightDecay'> = {}): OptimizerOptions => ({
  kind: 'rmsprop',
  ...options,
});

/** The rate where none is given. */
export const defaultRate = { sgd: 0.1, adam: 1e-3, adamw: 1e-3, rmsprop: 1e-3 } as const;

/** The rule of an update, in ops of ONNX. */
export interface Optimizer {
  /** State per parameter, of its shape, zero at first. */
  readonly slots: readonly string[];
  /** Scalars of a step, in the order `update` takes them. `step` counts from 1. */
  readonly scalars: (rate: number, step: number) => readonly number[];
  /** New parameter and slots of a parameter `p` and its gradient. */
  readonly update: (
    g: Ops,
    p: Value,
    grad: Value,
    slots: readonly Value[],
    scalars: readonly Value[],
  ) => { p: Value; slots: Value[] };
}

const kindName: Kind = {
  what: Object.keys(defaultRate).join(', '),
  holds: (v) => typeof v === 'string' && Object.hasOwn(defaultRate, v),
};

/** The rule of these options as graphs take it. Throws UsageError for an unknown kind. */
export function optimizer(options: OptimizerOptions): Optimizer {
  given('optimizer', { options }, { options: anObject, 'options.kind': kindName });
  switch (options.kind) {
    case 'sgd':
      return sgdRule(options.momentum ?? 0, options.nesterov ?? false, options.weightDecay ?? 0);
    case 'adam':
      return adamRule(options, options.weightDecay ?? 0, false);
    case 'adamw':
      return adamRule(options, options.weightDecay ?? 0.01, true);
    case 'rmsprop':
      return rmspropRule(options.beta2 ?? 0.99, options.epsilon ?? 1e-8, options.momentum ?? 0, options.weightDecay ?? 0);
  }
}

const scale = (g: Ops, x: Value, factor: number): Value => g.mul(x, factor);
/** g + decay p */
const l2 = (g: Ops, p: Value, grad: Value, decay: number): Value => (decay === 0 ? grad : g.add(grad, scale(g, p, decay)));

/**
 * `scale grad + beta state` as one Gemm, where the gradient is a plain matrix product of its own: the product adds to the state as it
 * goes, and its scale, known at run time only, costs a pass over the smaller factor. undefined for any other gradient.
 */
function foldedSum(g: Ops, grad: Value, state: Value, beta: number, scaleBy?: Value): Value | undefined {
  const node = grad.producer;
  const [a, b, c] = node?.inputs ?? [];
  if (node?.opType !== 'Gemm' || a === null || a === undefined || b === null || b === undefined || (c ?? null) !== null)
    return undefined;
  if (node.float('alpha', 1) !== 1) return undefined;
  const factor = scaleBy === undefined ? b : g.mul(b, scaleBy);
  return g.gemm(a, factor, state, { transA: node.int('transA', 0), transB: node.int('transB', 0), beta });
}

// v = mu v + g;  p -= rate v, with nesterov p -= rate (g + mu v)
function sgdRule(mu: number, nesterov: boolean, decay: number): Optimizer {
  return {
    slots: mu === 0 ? [] : ['momentum'],
    scalars: (rate) => [rate],
    update: (g, p, grad, [v], [first]) => {
      const rate = must(first, 'rate');
      const d = l2(g, p, grad, decay);
      if (v === undefined) return { p: foldedSum(g, d, p, 1, g.neg(rate)) ?? g.sub(p, g.mul(d, rate)), slots: [] };
      const next = (nesterov ? undefined : foldedSum(g, d, v, mu)) ?? g.add(scale(g, v, mu), d);
      const direction = nesterov ? g.add(d, scale(g, next, mu)) : next;
      return { p: g.sub(p, g.mul(direction, rate)), slots: [next] };
    },
  };
}

// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)      (arXiv 1412.6980)
// Kept as M = m / (1 - b1) and V = v / (1 - b2), which saves two passes over the state: with c = sqrt((1 - b2^t) / (1 - b2)),
// p -= [rate (1 - b1) c / (1 - b1^t)] M / (sqrt(V) + eps c). adamw first shrinks p by rate times decay (arXiv 1711.05101).
function adamRule(options: OptimizerOptions, decay: number, decoupled: boolean): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return {
    slots: ['moment1', 'moment2'],
    scalars: (rate, t) => {
      const c = Math.sqrt((1 - beta2 ** t) / (1 - beta2));
      return [(rate * (1 - beta1) * c) / (1 - beta1 ** t), epsilon * c, 1 - rate * decay];
    },
    update: (g, p, grad, slots, scalars) => {
      const [m, v] = slots as readonly [Value, Value];
      const [rate, eps, keep] = scalars as readonly [Value, Value, Value];
      const d = decoupled ? grad : l2(g, p, grad, decay);
      const m1 = g.add(scale(g, m, beta1), d);
      const v1 = g.add(scale(g, v, beta2), g.mul(d, d));
      const change = g.div(g.mul(m1, rate), g.add(g.sqrt(v1), eps));
      return { p: g.sub(decoupled && decay > 0 ? g.mul(p, keep) : p, change), slots: [m1, v1] };
    },
  };
}

// v = a v + (1 - a) g^2;  d = g / (sqrt(v) + eps);  with momentum b = mu b + d;  p -= rate d (or b)
function rmspropRule(a: number, epsilon: number, mu: number, decay: number): Optimizer {
  return {
    slots: mu === 0 ? ['square'] : ['square', 'momentum'],
    scalars: (rate) => [rate],
    update: (g, p, grad, slots, [first]) => {
      const [v, b] = slots as readonly [Value, Value | undefined];
      const rate = must(first, 'rate');
      const d = l2(g, p, grad, decay);
      const v1 = g.add(scale(g, v, a), scale(g, g.mul(d, d), 1 - a));
      const direction = g.div(d, g.add(g.sqrt(v1), epsilon));
      if (b === undefined) return { p: g.sub(p, g.mul(direction, rate)), slots: [v1] };
      const b1 = g.add(scale(g, b, mu), direction);
      return { p: g.sub(p, g.mul(b1, rate)), slots: [v1, b1] };
    },
  };
}
