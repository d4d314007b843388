// Laterals: what carries earlier columns' taps into a block of the new column. Linear is Eq. 1, adapter Eq. 2 of Rusu et al. 2016 with one
// V and one U per target block over the concatenated sources and one alpha per source (docs/decisions.md says where the paper leaves room).
import { InternalError, must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import type { Laterals } from '../description/lateral-schema.js';
import { lowerActivation } from '../nn/activation-name.js';
import { convolutionWeights, convolve } from '../nn/convolution.js';
import type { Init } from '../nn/init.js';
import type { Joint, Lateral } from '../nn/joint.js';
import { type Layout, positionsOf, sampleDims } from '../nn/sample.js';
import { type LayerScope, type ParameterSpec, scalars, trainable } from '../nn/scope.js';
import { channelAxis, fitTap, widthOf } from './fit-tap.js';

/** A tap of an earlier column, [N, ...], frozen. */
export interface SourceTap {
  readonly task: string;
  readonly tap: Value;
  /** Where its channels stand; undefined: no layer has said it. */
  readonly layout: Layout | undefined;
}

/** The same taps of all sources in one value, side by side along axis 1, their channels, where they are kept so. */
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
  /** The block that receives. */
  readonly into: number;
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
    const taps = sources.map((source) => fitTap(g, source, target, laterals.join));
    // Together the sources begin as one map of all their features does, however many they are.
    const features = taps.reduce((n, tap) => n + widthOf(tap, target), 0);
    return sources
      .map(({ task }, i) => mapIn(scope, `${prefix}/lateral/${task}/weight`, must(taps[i], task), target, features))
      .reduce((a, b) => g.add(a, b));
  }
  const tasks = 'value' in sources ? sources.tasks : sources.map(({ task }) => task);
  const alphas = tasks.map((task): ParameterSpec => {
    const name = `${prefix}/adapter/alpha/${task}`;
    return { name, shape: [], init: { fill: laterals.alpha ?? place.drawAlpha(name) }, role: 'trainable' };
  });
  const joined = joinedTaps(place, alphas, target);
  const rank = (typeof laterals.rank === 'object' ? laterals.rank[place.into] : laterals.rank) ?? place.width;
  const features = widthOf(joined.value, target);
  // V of a convolution has a kernel of one position.
  const kernel = convolved(target)?.size.map(() => 1);
  const init = { by: heNormal, fanIn: features, fanOut: rank };
  const own = trainable(scope, `${prefix}/adapter/V`, kernel ? [rank, features, ...kernel] : [features, rank], init);
  const v = joined.scale === undefined ? own : scaled(g, own, joined.scale);
  const bias = trainable(scope, `${prefix}/adapter/V_bias`, [rank], { fill: 0 });
  const flat = target.along === 'features';
  const projected = kernel
    ? g.conv(joined.value, v, bias, { kernel_shape: kernel })
    : flat
      ? g.gemm(joined.value, v, bias)
      : g.add(g.matMul(joined.value, v), bias);
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
function joinedTaps({ scope, sources, laterals }: LateralPlace, specs: readonly ParameterSpec[], target: Joint): Joined {
  const { g } = scope;
  if ('value' in sources) {
    const alphas = scalars(scope, specs);
    const value = fitTap(g, { tap: sources.value, layout: 'channels-first' }, target, laterals.join);
    const share = widthOf(value, target) / positionsOf(sampleDims(sources.value), 'channels-first').channels;
    return { value, scale: { alphas, widths: sources.widths.map((w) => w * share) } };
  }
  const join = (values: readonly Value[]) =>
    must(values.length === 1 ? values[0] : g.op('Concat', values, { axis: channelAxis(target) })[0], 'source of an adapter');
  if (scope.training) {
    const alphas = scalars(scope, specs);
    const taps = sources.map((source) => fitTap(g, source, target, laterals.join));
    return { value: join(taps), scale: { alphas, widths: taps.map((tap) => widthOf(tap, target)) } };
  }
  const alphas = specs.map((spec) => scope.parameter(spec));
  return { value: join(sources.map((source, i) => g.mul(fitTap(g, source, target, laterals.join), must(alphas[i], 'alpha')))) };
}

/** V, [features, rank] or [rank, features, 1, ...], with each source's part times its alpha. */
function scaled(g: Ops, v: Value, { alphas, widths }: Required<Joined>['scale']): Value {
  const [n, width = 1] = [widths.length, widths[0]];
  const [first = 1, second = 1, ...kernel] = v.dims;
  const image = kernel.length > 0;
  const [rank, features] = image ? [first, second] : [second, first];
  if (widths.every((w) => w === width)) {
    const parts = g.reshape(v, image ? [rank, n, width] : [n, width, rank]);
    const product = g.mul(parts, image ? alphas : g.reshape(alphas, [n, 1, 1]));
    return g.reshape(product, image ? [rank, features, ...kernel] : [features, rank]);
  }
  const row = g.reshape(alphas, [n]);
  const alpha = (i: number) => g.gather(row, i, { axis: 0 });
  const spread = widths.map((w, i) => g.expand(alpha(i), image ? [1, w, ...kernel] : [w, 1]));
  return g.mul(v, must(g.op('Concat', spread, { axis: image ? 1 : 0 })[0], 'alphas'));
}

/** U: a map of each position without bias, or a convolution by the window of the joint. It begins as part of a map of so many `features`. */
function mapIn(scope: LayerScope, name: string, tap: Value, target: Joint, features = widthOf(tap, target)): Value {
  const { g } = scope;
  const channels = widthOf(tap, target);
  const { width, init } = target;
  const convolution = convolved(target);
  if (convolution === undefined)
    return g.matMul(tap, trainable(scope, name, [channels, width], { by: init, fanIn: features, fanOut: width }));
  const { shape } = convolutionWeights(convolution.window, channels, width);
  const { fanIn, fanOut } = convolutionWeights(convolution.window, features, width);
  return convolve(g, tap, trainable(scope, name, shape, { by: init, fanIn, fanOut }), undefined, convolution);
}

/** The joint of a convolution; undefined where each position is mapped by itself. */
const convolved = (target: Joint) => (target.along === 'positions' && target.layout === 'channels-first' ? target : undefined);
