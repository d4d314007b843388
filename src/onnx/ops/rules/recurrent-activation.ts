// The activation functions of recurrent layers and their derivatives. Specification: onnx/docs/Operators.md, LSTM, "Activation functions".
import { must } from '../../core/errors.js';
import type { Value } from '../../ir/graph.js';
import type { NodeContext } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { shapeOf } from './shape-like.js';

/** f(a) and f'(a). */
export interface Activated {
  readonly y: Value;
  readonly slope: Value;
}
export type Activation = (g: Ops, a: Value) => Activated;

interface Kind {
  /** Defaults of the parameters that the function takes. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly f: (g: Ops, a: Value, alpha: Value, beta: Value) => Activated;
}

const above = (g: Ops, a: Value, bound: Value, yes: Value, no: Value) => g.where(g.greater(a, bound), yes, no);
const k = (g: Ops, a: Value, v: number) => g.scalar(v, a);

const kinds: Readonly<Record<string, Kind>> = {
  relu: { f: (g, a) => ({ y: g.relu(a), slope: above(g, a, k(g, a, 0), k(g, a, 1), k(g, a, 0)) }) },
  tanh: {
    f: (g, a) => {
      const y = g.tanh(a);
      return { y, slope: g.sub(k(g, a, 1), g.mul(y, y)) };
    },
  },
  sigmoid: {
    f: (g, a) => {
      const y = g.sigmoid(a);
      return { y, slope: g.mul(y, g.sub(k(g, a, 1), y)) };
    },
  },
  affine: {
    alpha: 1,
    beta: 0,
    f: (g, a, alpha, beta) => ({ y: g.add(g.mul(a, alpha), beta), slope: g.expand(alpha, shapeOf(g, a)) }),
  },
  leakyrelu: {
    alpha: 0.01,
    f: (g, a, alpha) => {
      const zero = k(g, a, 0);
      return { y: above(g, a, zero, a, g.mul(a, alpha)), slope: above(g, a, zero, k(g, a, 1), alpha) };
    },
  },
  thresholdedrelu: {
    alpha: 1,
    f: (g, a, alpha) => {
      const zero = k(g, a, 0);
      return { y: above(g, a, alpha, a, zero), slope: above(g, a, alpha, k(g, a, 1), zero) };
    },
  },
  scaledtanh: {
    alpha: 1,
    beta: 1,
    f: (g, a, alpha, beta) => {
      const t = g.tanh(g.mul(a, beta));
      return { y: g.mul(t, alpha), slope: g.mul(g.mul(alpha, beta), g.sub(k(g, a, 1), g.mul(t, t))) };
    },
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    f: (g, a, alpha, beta) => {
      const [zero, one] = [k(g, a, 0), k(g, a, 1)];
      const y = g.min(g.max(g.add(g.mul(a, alpha), beta), zero), one);
      return { y, slope: above(g, g.mul(y, g.sub(one, y)), zero, alpha, zero) };
    },
  },
  elu: {
    alpha: 1,
    f: (g, a, alpha) => {
      const zero = k(g, a, 0);
      const below = g.mul(alpha, g.exp(a));
      return { y: above(g, a, zero, a, g.sub(below, alpha)), slope: above(g, a, zero, k(g, a, 1), below) };
    },
  },
  softsign: {
    f: (g, a) => {
      const y = g.softsign(a);
      const rest = g.sub(k(g, a, 1), g.abs(y));
      return { y, slope: g.mul(rest, rest) };
    },
  },
  softplus: { f: (g, a) => ({ y: g.softplus(a), slope: g.sigmoid(a) }) },
};

/** The names that a node gives its activations, undefined without any: `count` a direction, of functions that are known. */
export function activationNames(c: NodeContext, count: number): string[] | undefined {
  const given = c.node.attributes.get('activations');
  if (given?.kind !== 'strings') return undefined;
  const names = given.value.map((s) => new TextDecoder().decode(s));
  const expected = String(count * directionsOf(c));
  if (String(names.length) !== expected)
    c.fail(`activations names ${names.length} functions, expected ${expected}`, { expected, got: String(names.length) });
  const unknown = names.find((name) => !Object.hasOwn(kinds, name.toLowerCase()));
  if (unknown !== undefined) c.fail(`no activation function "${unknown}" is known`, { got: unknown });
  return names;
}

const directionsOf = (c: NodeContext): number => (c.string('direction') === 'bidirectional' ? 2 : 1);

/** The activations of one direction, `count` of them; alpha and beta go in order to the functions that take them. Arguments are clipped first. */
export function activationsOf(c: NodeContext, defaults: readonly string[], direction: number): Activation[] {
  const count = defaults.length;
  const all = activationNames(c, count) ?? Array.from({ length: directionsOf(c) }, () => defaults).flat();
  const list = (name: string) => {
    const a = c.node.attributes.get(name);
    return a?.kind === 'floats' ? [...a.value] : [];
  };
  const [alphas, betas] = [list('activation_alpha'), list('activation_beta')];
  const clip = c.node.attributes.has('clip') ? c.float('clip') : undefined;
  const made = all.map((name): Activation => {
    const kind = must(kinds[name.toLowerCase()], name);
    const alpha = kind.alpha === undefined ? 0 : (alphas.shift() ?? kind.alpha);
    const beta = kind.beta === undefined ? 0 : (betas.shift() ?? kind.beta);
    return (g, a) => {
      if (clip === undefined) return kind.f(g, a, k(g, a, alpha), k(g, a, beta));
      const clipped = g.min(g.max(a, k(g, a, -clip)), k(g, a, clip));
      const { y, slope } = kind.f(g, clipped, k(g, a, alpha), k(g, a, beta));
      return { y, slope: g.where(g.equal(a, clipped), slope, k(g, a, 0)) };
    };
  });
  return made.slice(direction * count, (direction + 1) * count);
}
