// Multi-head attention as products and a softmax, ops that every provider and the table of gradients know (the op Attention begins at opset 23).
// Vaswani et al. 2017, arXiv 1706.03762; heads that share keys: Ainslie et al. 2023, arXiv 2305.13245; rotary positions: Su et al. 2021, arXiv 2104.09864.
import { ShapeError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { affine } from './affine.js';
import type { Init } from './init.js';
import type { LayerContext } from './layer.js';
import type { Size } from './open-size.js';
import { onlyPresent, uncounted } from './present.js';
import { reshaped, sampleDims, sequenceOf } from './sample.js';
import { stepNumbers, waves } from './steps.js';

/** What an attention is made of. */
export interface Attention {
  readonly heads: number;
  /** Heads of keys and values, which divide `heads`; absent: as many. */
  readonly kv_heads?: number | undefined;
  /** A step sees none that come later. */
  readonly causal: boolean;
  /** An input that says which steps of the keys are there. */
  readonly mask?: string | undefined;
  /** The base of rotary positions; absent: none. */
  readonly rotary?: number | undefined;
  readonly init: Init;
}

/** The steps of a sequence that a mask, if one is named, says are there, and 0 in the others: what fills up is no part of any product. */
export const presentSteps = ({ g, present }: LayerContext, mask: string | undefined, sequence: Value): Value =>
  mask === undefined ? sequence : onlyPresent(g, present(mask, sequence), sequence);

/**
 * Attention of x [N,T,F] over `source` [N,S,E], x itself where it attends to its own steps; both as `presentSteps` gives them. Parameters are named under
 * `prefix`. Throws ShapeError.
 */
export function attend(c: LayerContext, o: Attention, x: Value, source: Value, prefix = ''): Value {
  const { g } = c;
  const [, width] = sequenceOf(x, 'channels-last');
  const [seen, from] = sequenceOf(source, 'channels-last');
  const { heads } = o;
  const pairs = o.kv_heads ?? heads;
  if (width % heads !== 0) throw new ShapeError(`${width} features do not divide into ${heads} heads`, { got: String(width) });
  const size = width / heads;
  if (o.rotary !== undefined && size % 2 !== 0)
    throw new ShapeError(`rotary positions turn pairs of features, a head has ${size}`, { got: String(size) });
  // A bias of keys adds the same to all scores of a query: the softmax takes it out again.
  const project = (v: Value, what: string, fanIn: number, units: number) =>
    affine(c, v, `${prefix}${what}`, { fanIn, units, init: o.init, bias: what !== 'key' });
  const split = (v: Value, count: number) => g.transpose(g.reshape(v, [0, 0, count, size]), { perm: [0, 2, 1, 3] });
  const turned = (v: Value, steps: Value) => (o.rotary === undefined ? v : rotated(g, v, steps, size, o.rotary));
  const shared = (v: Value) => (pairs === heads ? v : repeated(g, v, [seen, size], pairs, heads / pairs));

  const q = turned(split(g.mul(project(x, 'query', width, width), size ** -0.5), heads), x);
  const k = shared(turned(split(project(source, 'key', from, pairs * size), pairs), source));
  const v = shared(split(project(source, 'value', from, pairs * size), pairs));
  const scores = g.matMul(q, g.transpose(k, { perm: [0, 1, 3, 2] }));
  const weights = g.softmax(allowed(c, o, scores, x, source), { axis: -1 });
  const merged = g.reshape(g.transpose(g.matMul(weights, v), { perm: [0, 2, 1, 3] }), [0, 0, width]);
  return project(merged, 'output', width, width);
}

/** Scores [N,heads,T,S] with those that do not count out of reach. */
function allowed({ g, present }: LayerContext, { causal, mask }: Attention, scores: Value, x: Value, source: Value): Value {
  const there = mask === undefined ? scores : g.where(g.unsqueeze(present(mask, source), [1, 2]), scores, uncounted);
  if (!causal) return there;
  const [[steps = 1], [seen = 1]] = [sampleDims(x), sampleDims(source)];
  if (typeof steps === 'string' || typeof seen === 'string')
    return g.where(g.lessOrEqual(stepNumbers(g, source, 'int64', 0, 0), stepNumbers(g, x, 'int64', 0, 1)), there, uncounted);
  const earlier = Uint8Array.from({ length: steps * seen }, (_, i) => (i % seen <= Math.floor(i / seen) ? 1 : 0));
  return g.where(g.constant(new Tensor('bool', [steps, seen], earlier)), there, uncounted);
}

/** [N,pairs,...size] to [N,pairs times,...size], each `times` in a row. */
function repeated(g: Ops, v: Value, size: readonly [Size, number], pairs: number, times: number): Value {
  return reshaped(g, g.expand(g.unsqueeze(v, [2]), [1, 1, times, 1, 1]), [pairs * times, ...size]);
}

/** Feature i and feature i + size / 2 of step t turned by the angle t base^(-2 i / size), so that products see how far apart steps are. */
function rotated(g: Ops, v: Value, steps: Value, size: number, base: number): Value {
  const half = size / 2;
  const turn = Array.from({ length: size }, (_, k) => base ** ((-2 * (k % half)) / size));
  const [first, second] = [g.slice(v, [0], [half], [3]), g.slice(v, [half], [size], [3])];
  const across = g.concat(g.neg(second), first, { axis: 3 });
  return g.add(
    g.mul(
      v,
      waves(g, steps, turn, () => 'cos'),
    ),
    g.mul(
      across,
      waves(g, steps, turn, () => 'sin'),
    ),
  );
}
