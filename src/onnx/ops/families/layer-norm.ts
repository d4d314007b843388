// Normalisation over the last axes: LayerNormalization, RMSNormalization. Specification: onnx/docs/Operators.md.
import { dtypeFromCode } from '../../core/dtype.js';
import type { Value } from '../../ir/graph.js';
import { type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import { expandLike } from '../rules/shape-like.js';
import { inverseDeviation, range, type Standardised, standardise, throughStandardise } from '../rules/standardise.js';
import { broadcastWith, castLike, requireFloat } from './elementwise.js';
import { overCount, reduceMean } from './reduce.js';

type LayerNormOp = 'LayerNormalization' | 'RMSNormalization';

/** The axes from `axis` to the last; counted from the end when `axis` is. */
function trailingAxes(c: NodeContext): number[] {
  const axis = c.int('axis');
  const rank = c.rank(0);
  if (axis < 0) return range(axis, 0);
  return rank === undefined ? c.fail(`the rank of input 0 must be known for axis ${axis}`) : range(axis, rank);
}

/** The type of LayerNormalization's Mean and InvStdDev: stash_type says in which dtype they are given; 1 is float32, 16 bfloat16. */
function statisticsType(c: NodeContext): TensorType {
  const shape = c.shape(0);
  const axis = shape === undefined ? 0 : c.axis(c.int('axis'), shape.length);
  const stash = dtypeFromCode(c.int('stash_type')) ?? c.fail(`stash_type ${c.int('stash_type')} is not a dtype`);
  return tensorType(
    stash,
    shape?.map((d, i) => (i < axis ? d : 1)),
  );
}

function layerNormalizationGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const x = c.x(0);
  const axes = trailingAxes(c);
  const [dy, dmean, dinv] = [c.dyOrNull(0), c.dyOrNull(1), c.dyOrNull(2)];
  // The forward node gives its statistics, in float32 (stash_type): for float64 they are computed anew, so that nothing is lost.
  const s = (): Standardised => {
    if (c.dtype(0) === 'float64') return standardise(g, x, axes, c.float('epsilon'));
    const type = statisticsType(c);
    const mean = castLike(g, c.output(1, type), x);
    const inv = castLike(g, c.output(2, type), x);
    return { xhat: g.mul(g.sub(x, mean), inv), inv, axes };
  };
  const std = s();
  const parts: Value[] = [];
  if (c.needs(0)) {
    if (dy !== null) parts.push(throughStandardise(g, std, g.mul(dy, c.x(1))));
    // mean = sum(x) / n, inv = (var + epsilon)^-1/2: dx = dmean / n - dinv inv^2 xhat / n
    const share = (d: Value) => overCount(g, d, x, std.inv, axes);
    if (dmean !== null) parts.push(share(castLike(g, dmean, x)));
    if (dinv !== null) {
      parts.push(g.neg(g.mul(share(g.mul(castLike(g, dinv, x), g.mul(std.inv, std.inv))), std.xhat)));
    }
  }
  const [first, ...rest] = parts;
  const dx = first === undefined ? null : rest.reduce((a, b) => g.add(a, b), first);
  const whole = dx !== null && dy === null && dinv === null ? expandLike(g, dx, x) : dx;
  return [whole, c.needs(1) && dy !== null ? g.mul(dy, std.xhat) : null, c.needs(2) ? dy : null];
}

// xhat = x r, r = (mean x^2 + epsilon)^-1/2, y = scale xhat: dx = r (d - xhat mean(d xhat)) with d = scale dy, dscale = dy xhat
function rmsNormalizationGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const [x, scale, dy] = [c.x(0), c.x(1), castLike(g, c.dy(), c.x(0))];
  const axes = trailingAxes(c);
  const r = inverseDeviation(g, reduceMean(g, g.mul(x, x), axes), c.float('epsilon'));
  const xhat = g.mul(x, r);
  const dx = () => {
    const d = g.mul(dy, castLike(g, scale, x));
    return g.mul(r, g.sub(d, g.mul(xhat, reduceMean(g, g.mul(d, xhat), axes))));
  };
  return [c.needs(0) ? dx() : null, c.needs(1) ? castLike(g, g.mul(dy, xhat), scale) : null];
}

export const layerNorm: Readonly<Record<LayerNormOp, OpRules>> = {
  // xhat = (x - mean) inv over the axes from `axis` on, y = scale xhat + B: dscale = dy xhat, dB = dy
  LayerNormalization: {
    infer: (c) => {
      requireFloat(c, 0);
      const shape = c.shape(0);
      for (let i = 1; i < c.inputCount; i++) {
        if (c.has(i)) broadcastWith(c, shape, i);
      }
      const statistics = statisticsType(c);
      return [c.like(0, shape), statistics, statistics];
    },
    gradient: layerNormalizationGradient,
  },
  RMSNormalization: {
    infer: (c) => {
      requireFloat(c, 0);
      const shape = c.shape(0);
      if (shape !== undefined) c.axis(c.int('axis'), shape.length);
      broadcastWith(c, shape, 1);
      return [tensorType(c.dtype(1), shape)];
    },
    gradient: rmsNormalizationGradient,
  },
};
