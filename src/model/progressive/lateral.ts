// Laterals: what carries earlier columns' taps into a block of the new column. Linear is Eq. 1, adapter Eq. 2 of Rusu et al. 2016 with one
// V and one U per target block over the concatenated sources and one alpha per source (docs/decisions.md says where the paper leaves room).
import { InternalError, must } from '../../onnx/core/errors.js';
import { elementCount } from '../../onnx/core/shape.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Laterals } from '../description/lateral-schema.js';
import type { Init } from '../nn/init.js';
import type { Joint, Lateral } from '../nn/joint.js';
import { lowerActivation } from '../nn/layers.js';
import { flat, sampleDims } from '../nn/sample.js';
import { type LayerScope, type ParameterSpec, scalars, trainable } from '../nn/scope.js';
import { convAttributes } from '../nn/window.js';

/** A tap of an earlier column, [N, ...], frozen. */
export interface SourceTap {
  readonly task: string;
  readonly tap: Value;
}

/** The same taps of all sources in one value, side by side along axis 1, where they are kept so. */
export interface JoinedTaps {
  readonly tasks: readonly string[];
  readonly value: Value;
  /** What each source takes of axis 1. */
  readonly widths: readonly number[];
}

/** Alphas begin at one of these, drawn by the seed (the paper's appendix C). */
export const alphaChoices = [1, 0.1, 0.01] as const;

export interface LateralPlace {
  readonly scope: LayerScope;
  /** `<task>/<block>` */
  readonly prefix: string;
  readonly laterals: Exclude<Laterals, { kind: 'none' }>;
  readonly sources: readonly SourceTap[] | JoinedTaps;
  /** Features or channels of the new column's block before: the default rank. */
  readonly width: number;
  /** Draws an alpha's first value for a source. */
  readonly drawAlpha: (name: string) => number;
}

const heNormal: Init = { kind: 'he_normal' };

/** What laterals add at a block's joint, for `lowerBlock`. */
export function lateralJoint(place: LateralPlace): Lateral {
  return (joint) => place.scope.g.scope(`${place.prefix}/lateral`, () => carried(place, joint));
}

function carried(place: LateralPlace, target: Joint): Value {
  const { scope, prefix, laterals, sources } = place;
  const { g } = scope;
  if (laterals.kind === 'linear') {
    if ('value' in sources) throw new InternalError('linear laterals read taps one by one');
    return sources
      .map(({ task, tap }) => mapIn(scope, `${prefix}/lateral/${task}/weight`, fitTap(scope, tap, target), target))
      .reduce((a, b) => g.add(a, b));
  }
  const tasks = 'value' in sources ? sources.tasks : sources.map(({ task }) => task);
  const alphas = tasks.map((task): ParameterSpec => {
    const name = `${prefix}/adapter/alpha/${task}`;
    return { name, shape: [], init: { fill: laterals.alpha ?? place.drawAlpha(name) }, role: 'trainable' };
  });
  const joined = joinedTaps(scope, sources, alphas, target);
  const rank = laterals.rank ?? place.width;
  const features = sampleDims(joined.value)[0] ?? 1;
  const image = sampleDims(joined.value).length === 3;
  const init = { by: heNormal, fanIn: features, fanOut: rank };
  const own = trainable(scope, `${prefix}/adapter/V`, image ? [rank, features, 1, 1] : [features, rank], init);
  const v = joined.scale === undefined ? own : scaled(g, own, joined.scale, image);
  const bias = trainable(scope, `${prefix}/adapter/V_bias`, [rank], { fill: 0 });
  const projected = image ? g.conv(joined.value, v, bias, { kernel_shape: [1, 1] }) : g.gemm(joined.value, v, bias);
  return mapIn(scope, `${prefix}/adapter/U`, lowerActivation(g, laterals.activation, projected), target);
}

interface Joined {
  readonly value: Value;
  /** What V is to be multiplied by: for each source its alpha, in a column [n, 1], and the part of V's rows that it has. */
  readonly scale?: { readonly alphas: Value; readonly widths: readonly number[] };
}

/**
 * The input of V. V (alpha h) = (V alpha) h: in training, and where taps are joined already, alpha goes to V. Taps then need no gradient, which
 * alpha's own would ask for otherwise, and V is smaller than a minibatch of them. Else alpha stays with the taps.
 */
function joinedTaps(scope: LayerScope, sources: LateralPlace['sources'], specs: readonly ParameterSpec[], target: Joint): Joined {
  const { g } = scope;
  if ('value' in sources) {
    const alphas = scalars(scope, specs);
    const value = fitTap(scope, sources.value, target);
    const share = (sampleDims(value)[0] ?? 1) / (sampleDims(sources.value)[0] ?? 1);
    return { value, scale: { alphas, widths: sources.widths.map((w) => w * share) } };
  }
  const join = (values: readonly Value[]) =>
    must(values.length === 1 ? values[0] : g.op('Concat', values, { axis: 1 })[0], 'source of an adapter');
  if (scope.training) {
    const alphas = scalars(scope, specs);
    const taps = sources.map(({ tap }) => fitTap(scope, tap, target));
    return { value: join(taps), scale: { alphas, widths: taps.map((tap) => sampleDims(tap)[0] ?? 1) } };
  }
  const alphas = specs.map((spec) => scope.parameter(spec));
  return { value: join(sources.map(({ tap }, i) => g.mul(fitTap(scope, tap, target), must(alphas[i], 'alpha')))) };
}

/** V with each source's part times its alpha. */
function scaled(g: Ops, v: Value, { alphas, widths }: Required<Joined>['scale'], image: boolean): Value {
  const [n, width = 1] = [widths.length, widths[0]];
  const [rank = 1, features = 1] = image ? sizes(v) : sizes(v).reverse();
  if (widths.every((w) => w === width)) {
    const parts = g.reshape(v, image ? [rank, n, width] : [n, width, rank]);
    const product = g.mul(parts, image ? alphas : g.reshape(alphas, [n, 1, 1]));
    return g.reshape(product, image ? [rank, features, 1, 1] : [features, rank]);
  }
  const row = g.reshape(alphas, [n]);
  const alpha = (i: number) => g.gather(row, i, { axis: 0 });
  const spread = widths.map((w, i) => g.expand(alpha(i), image ? [1, w, 1, 1] : [w, 1]));
  return g.mul(v, must(g.op('Concat', spread, { axis: image ? 1 : 0 })[0], 'alphas'));
}

const sizes = (v: Value): number[] => (v.shape ?? []).slice(0, 2).map(Number);

/** U: a dense map without bias, or a convolution by the window of the joint. */
function mapIn(scope: LayerScope, name: string, tap: Value, target: Joint): Value {
  const { g } = scope;
  const channels = sampleDims(tap)[0] ?? 1;
  if (target.along === 'features') {
    const { width, init } = target;
    return g.matMul(tap, trainable(scope, name, [channels, width], { by: init, fanIn: channels, fanOut: width }));
  }
  const { width, init, window, size } = target;
  const [kh, kw] = window.kernel;
  const area = kh * kw;
  const u = trainable(scope, name, [width, channels, kh, kw], { by: init, fanIn: channels * area, fanOut: width * area });
  return g.conv(tap, u, convAttributes(window, size, 1));
}

/** Brings a tap to what the joint needs: flat for features; an image of the target's height and width for a convolution. */
function fitTap(scope: LayerScope, tap: Value, target: Joint): Value {
  const { g } = scope;
  if (target.along === 'features') return flat(g, tap);
  const dims = sampleDims(tap);
  const [channels = 1, h, w] = dims;
  const [th, tw] = target.size;
  if (h === undefined || w === undefined) {
    // Features seen at every place of the image.
    const column = g.reshape(flat(g, tap), [0, h === undefined ? channels : elementCount(dims), 1, 1]);
    return g.expand(column, [1, 1, th, tw]);
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
