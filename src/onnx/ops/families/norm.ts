// Normalisation per channel, group or sample. Most rules share the core in standardise.ts. Specification: onnx/docs/Operators.md.

import { within } from '../../core/bounds.js';
import { compatibleDim, type Dim } from '../../core/shape.js';
import { Tensor } from '../../core/tensor.js';
import type { Value } from '../../ir/graph.js';
import { formatType, type TensorType, tensorType } from '../../ir/types.js';
import type { GradientContext, NodeContext, OpRules } from '../op-def.js';
import type { Ops } from '../ops-builder.js';
import { expandLike, reshapeLike } from '../rules/shape-like.js';
import { inverseDeviation, range, standardise, throughStandardise } from '../rules/standardise.js';
import { floatType, requireFloat, sign } from './elementwise.js';
import { overCount, reduceBy, reduceSum } from './reduce.js';

type NormOp =
  | 'BatchNormalization'
  | 'InstanceNormalization'
  | 'GroupNormalization'
  | 'LpNormalization'
  | 'LRN'
  | 'MeanVarianceNormalization';

/** The rank of input 0, which must be known and at least 2: [N, C, ...]. */
function channelRank(c: NodeContext): number {
  const rank = c.rank(0);
  if (rank === undefined) return c.fail('the rank of input 0 must be known');
  if (rank < 2) c.fail(`input 0 must have at least 2 dimensions [N, C, ...], it is ${formatType(c.type(0))}`);
  return rank;
}

/** A vector over channels as [C, 1, ...], which broadcasts against [N, C, ...]. */
function perChannel(g: Ops, v: Value, rank: number): Value {
  return rank <= 2 ? v : g.unsqueeze(v, range(1, rank - 1));
}

/** Sums over all but the channels: [N, C, ...] to [C]. */
function sumPerChannel(g: Ops, v: Value, rank: number): Value {
  return reduceSum(g, v, [0, ...range(2, rank)], 0);
}

/** Inputs 1.. must be vectors of one element per channel. */
function inferChannels(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  const channels = c.shape(0) === undefined ? null : c.shape(0)?.[Math.min(1, channelRank(c))];
  for (let i = 1; i < c.inputCount; i++) {
    const shape = c.shape(i);
    if (shape !== undefined && (shape.length !== 1 || !compatibleDim(shape[0] ?? null, channels ?? null))) {
      c.fail(
        `input ${i} must have shape [${channels ?? '?'}], one element per channel of ${formatType(c.type(0))}, it is ${formatType(c.type(i))}`,
        {
          expected: `[${channels ?? '?'}]`,
          got: formatType(c.type(i)),
        },
      );
    }
  }
  return [c.like(0, c.shape(0))];
}

// The statistics are those of the batch, over all axes but the channels: dscale = sum(dy xhat), dB = sum(dy). The running ones are
// momentum old + (1 - momentum) mean, and the same of the variance, whose derivative is 2 (x - mean) / n.
function batchStatisticsGradient(c: GradientContext, rank: number, scale: Value, epsilon: number): (Value | null)[] {
  const { g } = c;
  const [x, momentum] = [c.x(0), c.float('momentum')];
  const [dy, dmean, dvariance] = [c.dyOrNull(0), c.dyOrNull(1), c.dyOrNull(2)];
  const axes = [0, ...range(2, rank)];
  const s = standardise(g, x, axes, epsilon);
  const share = (d: Value) => perChannel(g, overCount(g, g.mul(d, 1 - momentum), x, s.inv, axes), rank);
  const parts: Value[] = [];
  if (c.needs(0)) {
    if (dy !== null) parts.push(throughStandardise(g, s, g.mul(dy, scale)));
    if (dmean !== null) parts.push(share(dmean));
    if (dvariance !== null) parts.push(g.mul(g.mul(g.div(s.xhat, s.inv), 2), share(dvariance)));
  }
  const dx = parts.length === 0 ? null : parts.reduce((a, b) => g.add(a, b));
  const kept = (i: number, d: Value | null) => (d !== null && c.needs(i) ? g.mul(d, momentum) : null);
  return [
    dx !== null && dy === null && dvariance === null ? expandLike(g, dx, x) : dx,
    c.needs(1) && dy !== null ? sumPerChannel(g, g.mul(dy, s.xhat), rank) : null,
    c.needs(2) && dy !== null ? sumPerChannel(g, dy, rank) : null,
    kept(3, dmean),
    kept(4, dvariance),
  ];
}

/** ONNX's own inference refuses other counts. */
function checkStatistics(c: NodeContext): void {
  const mode = c.int('training_mode');
  const given = c.node.outputs.findLastIndex((v) => v.name !== '') + 1;
  const [got, expected] = mode === 1 ? [c.outputCount, 3] : [given, 1];
  if (got !== expected)
    c.fail(`with training_mode = ${mode} it has ${expected} output${expected === 1 ? '' : 's'}, this one has ${got}`, {
      expected: String(expected),
      got: String(got),
    });
}

function batchNormalizationGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const rank = channelRank(c);
  const epsilon = c.float('epsilon');
  const scale = perChannel(g, c.x(1), rank);
  if (c.int('training_mode') === 1) return batchStatisticsGradient(c, rank, scale, epsilon);
  const dy = c.dy();
  const dbias = () => sumPerChannel(g, dy, rank);
  // y = scale (x - mean) inv + B, inv = (var + epsilon)^-1/2:
  // dx = scale inv dy, dscale = sum(dy (x - mean)) inv, dmean = -scale inv sum(dy), dvar = -1/2 scale inv^2 dscale
  const inv = inverseDeviation(g, c.x(4), epsilon);
  const gain = g.mul(c.x(1), inv);
  const dscale = () => g.mul(sumPerChannel(g, g.mul(dy, g.sub(c.x(0), perChannel(g, c.x(3), rank))), rank), inv);
  const ds = c.needs(1) || c.needs(4) ? dscale() : null;
  return [
    c.needs(0) ? g.mul(dy, perChannel(g, gain, rank)) : null,
    ds,
    c.needs(2) ? dbias() : null,
    c.needs(3) ? g.neg(g.mul(gain, dbias())) : null,
    c.needs(4) && ds !== null ? g.mul(g.mul(gain, inv), g.mul(ds, -0.5)) : null,
  ];
}

function instanceNormalizationGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const rank = channelRank(c);
  const s = standardise(g, c.x(0), range(2, rank), c.float('epsilon'));
  return [
    c.needs(0) ? throughStandardise(g, s, g.mul(c.dy(), perChannel(g, c.x(1), rank))) : null,
    c.needs(1) ? sumPerChannel(g, g.mul(c.dy(), s.xhat), rank) : null,
    c.needs(2) ? sumPerChannel(g, c.dy(), rank) : null,
  ];
}

function groupNormalizationGradient(c: GradientContext): (Value | null)[] {
  const { g } = c;
  const x = c.x(0);
  const rank = channelRank(c);
  const grouped = (v: Value) => g.reshape(v, [0, c.int('num_groups'), -1]);
  const s = standardise(g, grouped(x), [2], c.float('epsilon'));
  if (c.opset < 21) {
    // One scale and bias per group.
    const dy = grouped(c.dy());
    return [
      c.needs(0) ? reshapeLike(g, throughStandardise(g, s, g.mul(dy, perChannel(g, c.x(1), 3))), x) : null,
      c.needs(1) ? sumPerChannel(g, g.mul(dy, s.xhat), 3) : null,
      c.needs(2) ? sumPerChannel(g, dy, 3) : null,
    ];
  }
  return [
    c.needs(0) ? reshapeLike(g, throughStandardise(g, s, grouped(g.mul(c.dy(), perChannel(g, c.x(1), rank)))), x) : null,
    c.needs(1) ? sumPerChannel(g, g.mul(c.dy(), reshapeLike(g, s.xhat, x)), rank) : null,
    c.needs(2) ? sumPerChannel(g, c.dy(), rank) : null,
  ];
}

function inferGroups(c: NodeContext): TensorType[] {
  requireFloat(c, 0);
  const groups = c.int('num_groups');
  const channels = c.shape(0)?.[1];
  if (groups < 1) c.fail('attribute num_groups is missing', { expected: 'num_groups' });
  if (typeof channels === 'number' && channels % groups !== 0) {
    c.fail(`${channels} channels do not divide into ${groups} groups`, {
      expected: `a divisor of ${channels}`,
      got: String(groups),
    });
  }
  const want: Dim = c.opset < 21 ? groups : (channels ?? null);
  for (const i of [1, 2]) {
    const shape = c.shape(i);
    if (shape !== undefined && (shape.length !== 1 || !compatibleDim(shape[0] ?? null, want))) {
      c.fail(`input ${i} must have shape [${want ?? '?'}], it is ${formatType(c.type(i))}`, { expected: `[${want ?? '?'}]` });
    }
  }
  return [c.like(0, c.shape(0))];
}

/** B[i, j] = 1 where channel j lies in the window around channel i. */
function window(g: Ops, like: Value, channels: number, size: number): Value {
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  if (!within('constant', channels * channels)) {
    const channel = g.range(0, g.scalar(channels, 'int64'), 1);
    const offset = g.sub(g.unsqueeze(channel, [0]), g.unsqueeze(channel, [1]));
    return g.cast(g.and(g.greaterOrEqual(offset, -before), g.lessOrEqual(offset, after)), { to: like.dtype });
  }
  const band = Array.from({ length: channels * channels }, (_, at) => {
    const offset = (at % channels) - Math.floor(at / channels);
    return offset >= -before && offset <= after ? 1 : 0;
  });
  return g.constant(Tensor.from(like.dtype, band, [channels, channels]), 'lrn_window');
}

// s = bias + alpha/size B x^2, y = x s^-beta: dx = dy s^-beta - 2 alpha beta / size x B^T(dy x s^(-beta-1)), with dy x s^(-beta-1) = dy y / s
function lrnGradient(c: GradientContext): Value[] {
  const { g } = c;
  const channels = c.shape(0)?.[1];
  if (typeof channels !== 'number') return c.fail('the number of channels must be known for a gradient');
  const flat = (v: Value) => g.reshape(v, [0, channels, -1]);
  const [x, dy, y] = [flat(c.x(0)), flat(c.dy()), flat(c.y())];
  const size = c.int('size');
  const [alpha, beta] = [c.float('alpha') / size, c.float('beta')];
  const band = window(g, x, channels, size);
  const s = g.add(g.mul(g.matMul(band, g.mul(x, x)), alpha), c.float('bias'));
  const back = g.matMul(g.transpose(band, { perm: [1, 0] }), g.div(g.mul(dy, y), s));
  const direct = g.mul(dy, g.pow(s, -beta));
  return [reshapeLike(g, g.sub(direct, g.mul(g.mul(x, back), 2 * alpha * beta)), c.x(0))];
}

export const norm: Readonly<Record<NormOp, OpRules>> = {
  BatchNormalization: {
    infer: (c) => {
      const [y] = inferChannels(c);
      if (c.opset >= 14) checkStatistics(c);
      // running mean and variance come together, as ONNX's schema has it
      if (c.opset >= 14 && c.outputCount === 2) c.fail('has 2 outputs, expected 1 or 3', { expected: '1 or 3', got: '2' });
      return [y, tensorType(c.dtype(3), c.shape(3)), tensorType(c.dtype(4), c.shape(4))];
    },
    gradient: batchNormalizationGradient,
  },
  InstanceNormalization: {
    infer: inferChannels,
    gradient: instanceNormalizationGradient,
  },
  GroupNormalization: {
    infer: inferGroups,
    gradient: groupNormalizationGradient,
  },
  // p = 2: y = x/n, dx = (dy - y sum(y dy)) / n; p = 1: dx = (dy - sign(x) sum(y dy)) / n; n = 1 stands for a norm of 0
  LpNormalization: {
    infer: (c) => {
      const p = c.int('p');
      if (p !== 1 && p !== 2) c.fail(`p must be 1 or 2, it is ${p}`, { expected: '1, 2', got: String(p) });
      const rank = c.rank(0);
      if (rank !== undefined) c.axis(c.int('axis'), rank);
      return floatType(c);
    },
    gradient: (c) => {
      const { g } = c;
      const axes = [c.int('axis')];
      const p = c.int('p');
      const length = reduceBy(g, p === 1 ? 'ReduceL1' : 'ReduceL2', c.x(0), axes);
      const n = g.where(g.equal(length, 0), 1, length);
      const along = g.mul(p === 1 ? sign(g, c.x(0)) : c.y(), reduceSum(g, g.mul(c.dy(), c.y()), axes));
      return [g.div(g.sub(c.dy(), along), n)];
    },
  },
  LRN: {
    infer: (c) => {
      if (c.int('size') < 1) c.fail('attribute size is missing', { expected: 'size' });
      return floatType(c);
    },
    gradient: lrnGradient,
  },
  // y = (x - mean) / std over `axes`; the specification adds 1e-9 to the deviation
  MeanVarianceNormalization: {
    infer: (c) => {
      const rank = c.rank(0);
      if (rank !== undefined) for (const a of c.ints('axes') ?? [0, 2, 3]) c.axis(a, rank);
      return floatType(c);
    },
    gradient: (c) => [throughStandardise(c.g, standardise(c.g, c.x(0), c.ints('axes') ?? [0, 2, 3], 1e-18), c.dy())],
  },
};
