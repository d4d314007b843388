// Laterals: what carries earlier columns' taps into a block of the new column. Linear is Eq. 1, adapter Eq. 2 of Rusu et al. 2016 with one
// V and one U per target block over the concatenated sources and one alpha per source (docs/decisions.md says where the paper leaves room).
import { must } from '../core/errors.js';
import { elementCount } from '../core/shape.js';
import { Tensor } from '../core/tensor.js';
import type { Value } from '../ir/graph.js';
import { lowerActivation } from '../nn/activation.js';
import { type Init, layerSchema } from '../nn/layer-schema.js';
import { type Affine, type Conv2d, convAttributes, flat, type Lateral, sampleDims, trainable } from '../nn/lower.js';
import type { LayerScope } from '../nn/scope.js';
import type { Laterals } from './description/lateral-schema.js';

/** A tap of an earlier column, [N, ...], frozen. */
export interface SourceTap {
  readonly task: string;
  readonly tap: Value;
}

/** Alphas begin at one of these, drawn by the seed (the paper's appendix C). */
export const alphaChoices = [1, 0.1, 0.01] as const;

export interface LateralPlace {
  readonly scope: LayerScope;
  /** `<task>/<block>` */
  readonly prefix: string;
  readonly laterals: Exclude<Laterals, { kind: 'none' }>;
  readonly sources: readonly SourceTap[];
  /** Features or channels of the new column's block before: the default rank. */
  readonly width: number;
  /** Draws an alpha's first value for a source. */
  readonly drawAlpha: (name: string) => number;
}

/** The joint for `lowerBlock`. */
export function lateralJoint(place: LateralPlace): Lateral {
  return (affine, x) => place.scope.g.scope(`${place.prefix}/lateral`, () => joint(place, targetOf(affine, x)));
}

/** What U must give: features, or channels of an image, by which convolution over which size. */
type Target =
  | { readonly kind: 'features'; readonly features: number; readonly init: Init }
  | { readonly kind: 'image'; readonly conv: Conv2d; readonly size: readonly [number, number] };

const pointwise = layerSchema.parse({ conv2d: { filters: 1, kernel: 1 } });
const heNormal: Init = { kind: 'he_normal' };

function targetOf(affine: Affine | undefined, x: Value): Target {
  if (affine?.kind === 'dense') return { kind: 'features', features: affine.units, init: affine.init };
  const [channels, h, w] = sampleDims(x);
  if (affine !== undefined) return { kind: 'image', conv: affine, size: [h ?? 1, w ?? 1] };
  if (h === undefined || w === undefined) return { kind: 'features', features: channels ?? 1, init: heNormal };
  return { kind: 'image', conv: { ...(pointwise as Conv2d), filters: channels ?? 1 }, size: [h, w] };
}

function joint(place: LateralPlace, target: Target): Value {
  const { scope, prefix, laterals, sources } = place;
  const { g } = scope;
  const taps = sources.map((s) => ({ ...s, tap: fitTap(scope, s.tap, target) }));
  if (laterals.kind === 'linear') {
    return taps
      .map(({ task, tap }) => mapIn(scope, `${prefix}/lateral/${task}/weight`, tap, target))
      .reduce((a, b) => g.add(a, b));
  }
  const alphas = taps.map(({ task }) => {
    const name = `${prefix}/adapter/alpha/${task}`;
    return trainable(scope, name, [], { fill: laterals.alpha ?? place.drawAlpha(name) });
  });
  // V (alpha h) = (V alpha) h. In training alpha goes to V: taps then need no gradient, which alpha's own would ask for otherwise, and V is
  // smaller than a minibatch of them. In inference alpha stays with the taps.
  const join = (values: readonly Value[], axis: number) =>
    values.length === 1 ? values[0] : g.op('Concat', values, { axis })[0];
  const scaled = scope.training ? taps.map(({ tap }) => tap) : taps.map(({ tap }, i) => g.mul(tap, alphas[i]));
  const joined = must(join(scaled, 1), 'source of an adapter');
  const rank = laterals.rank ?? place.width;
  const features = sampleDims(joined)[0] ?? 1;
  const image = sampleDims(joined).length === 3;
  const init = { by: heNormal, fanIn: features, fanOut: rank };
  let v = trainable(scope, `${prefix}/adapter/V`, image ? [rank, features, 1, 1] : [features, rank], init);
  if (scope.training) {
    const spread = taps.map(({ tap }, i) => {
      const width = sampleDims(tap)[0] ?? 1;
      return g.expand(must(alphas[i], 'alpha'), g.ints(image ? [1, width, 1, 1] : [width, 1]));
    });
    v = g.mul(v, must(join(spread, image ? 1 : 0), 'alphas'));
  }
  const bias = trainable(scope, `${prefix}/adapter/V_bias`, [rank], { fill: 0 });
  const projected = image ? g.conv(joined, v, bias, { kernel_shape: [1, 1] }) : g.gemm(joined, v, bias);
  const activation = layerSchema.parse(laterals.activation);
  return mapIn(
    scope,
    `${prefix}/adapter/U`,
    lowerActivation(g, activation as Parameters<typeof lowerActivation>[1], projected),
    target,
  );
}

/** U: a dense map without bias, or a convolution with the kernel, stride, dilation and padding of the block's own. */
function mapIn(scope: LayerScope, name: string, tap: Value, target: Target): Value {
  const { g } = scope;
  const channels = sampleDims(tap)[0] ?? 1;
  if (target.kind === 'features') {
    const { features, init } = target;
    return g.matMul(tap, trainable(scope, name, [channels, features], { by: init, fanIn: channels, fanOut: features }));
  }
  const { conv, size } = target;
  const [kh, kw] = conv.kernel;
  const area = kh * kw;
  const u = trainable(scope, name, [conv.filters, channels, kh, kw], {
    by: conv.init,
    fanIn: channels * area,
    fanOut: conv.filters * area,
  });
  return g.conv(tap, u, convAttributes(conv, size, 1));
}

/** Brings a tap to what the joint needs: flat for features; an image of the target's height and width for a convolution. */
function fitTap(scope: LayerScope, tap: Value, target: Target): Value {
  const { g } = scope;
  if (target.kind === 'features') return flat(g, tap);
  const dims = sampleDims(tap);
  const [channels = 1, h, w] = dims;
  const [th, tw] = target.size;
  if (h === undefined || w === undefined) {
    // Features seen at every place of the image.
    const column = g.reshape(flat(g, tap), g.ints([0, h === undefined ? channels : elementCount(dims), 1, 1]));
    return g.expand(column, g.ints([1, 1, th, tw]));
  }
  if (h === th && w === tw) return tap;
  const rows = h === th ? tap : g.matMul(g.constant(resampling(h, th)), tap);
  return w === tw ? rows : g.matMul(rows, g.constant(transposed(resampling(w, tw))));
}

/**
 * A [to, from] matrix that resamples an axis: averages over each output's share when shrinking (adaptive average pooling), interpolates
 * linearly between centres when growing. As matrices, both are plain MatMuls on every provider.
 */
export function resampling(from: number, to: number): Tensor {
  const data = new Float32Array(to * from);
  for (let o = 0; o < to; o++) {
    if (to <= from) {
      const begin = Math.floor((o * from) / to);
      const end = Math.ceil(((o + 1) * from) / to);
      for (let i = begin; i < end; i++) data[o * from + i] = 1 / (end - begin);
    } else {
      const centre = Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
      const left = Math.floor(centre);
      const right = Math.min(left + 1, from - 1);
      data[o * from + left] = (data[o * from + left] ?? 0) + 1 - (centre - left);
      data[o * from + right] = (data[o * from + right] ?? 0) + (centre - left);
    }
  }
  return new Tensor('float32', [to, from], data);
}

function transposed(m: Tensor): Tensor {
  const [rows = 0, columns = 0] = m.dims;
  const data = Float32Array.from({ length: rows * columns }, (_, k) =>
    Number(m.data[(k % rows) * columns + Math.floor(k / rows)]),
  );
  return new Tensor('float32', [columns, rows], data);
}
