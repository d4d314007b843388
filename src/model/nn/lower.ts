// Layers lowered to ONNX ops. A block is a list of layers; what laterals carry joins the output of its first affine layer, or its input
// where it has none (reference: Rusu et al. 2016, Eq. 1 and 2; our decisions are in docs/decisions.md).
import { DescriptionError, must, PrognetError, ShapeError } from '../../onnx/core/errors.js';
import { formatShape } from '../../onnx/core/shape.js';
import type { Value } from '../../onnx/ir/graph.js';
import { reduceMean } from '../../onnx/ops/families/reduce.js';
import type { Ops } from '../../onnx/ops/ops.js';
import { lowerActivation } from './activation.js';
import { biasInit } from './init.js';
import type { Layer } from './layer-schema.js';
import type { LayerScope, ParameterSpec } from './scope.js';

export type Conv2d = Extract<Layer, { kind: 'conv2d' }>;
export type Dense = Extract<Layer, { kind: 'dense' }>;
export type Affine = Conv2d | Dense;

/** Makes what is to be added at the joint. `affine` is the layer there, undefined where the sum is added to the block's input `x`. */
export type Lateral = (affine: Affine | undefined, x: Value) => Value;

interface Place {
  readonly scope: LayerScope;
  /** `<task>/<block>` */
  readonly prefix: string;
  /** `columns[0].blocks[1]`, for errors. */
  readonly path: string;
}

/** Names within a block: the kind, then kind_1, kind_2 for the next of that kind. */
class LayerNames {
  private readonly counts = new Map<string, number>();
  next(kind: string): string {
    const n = this.counts.get(kind) ?? 0;
    this.counts.set(kind, n + 1);
    return n === 0 ? kind : `${kind}_${n}`;
  }
}

/** True when a layer (or one inside a residual) is affine. */
function holdsAffine(layer: Layer): boolean {
  return layer.kind === 'dense' || layer.kind === 'conv2d' || (layer.kind === 'residual' && layer.layers.some(holdsAffine));
}

/** The tap of a block. Errors name the layer's path in the description. */
export function lowerBlock(
  scope: LayerScope,
  layers: readonly Layer[],
  x: Value,
  prefix: string,
  path: string,
  lateral?: Lateral,
): Value {
  const place: Place = { scope, prefix, path };
  const names = new LayerNames();
  if (lateral === undefined || layers.some(holdsAffine)) return lowerLayers(place, layers, x, names, { lateral }, path);
  return lowerLayers(place, layers, scope.g.add(x, lateral(undefined, x)), names, { lateral: undefined }, path);
}

/** The lateral waits here for the first affine layer. */
interface Pending {
  lateral: Lateral | undefined;
}

function lowerLayers(place: Place, layers: readonly Layer[], x: Value, names: LayerNames, pending: Pending, path: string): Value {
  let h = x;
  for (const i of loweringOrder(layers, place.scope.training)) {
    const layer = must(layers[i], 'layer');
    const at = `${path}[${i}]`;
    try {
      h = lowerLayer(place, layer, h, names, pending, at);
    } catch (error) {
      if (!(error instanceof PrognetError) || error instanceof DescriptionError) throw error;
      throw new DescriptionError(`${at}: ${layer.kind} does not fit its input ${formatSample(h)}: ${error.message}`, {
        path: at,
        cause: error,
      });
    }
  }
  return h;
}

/**
 * Layers by index in the order of lowering: in training a relu before a maxpool2d comes after it. Both orders give the same bits, forward and
 * backward, since relu is monotone and passes no gradient where the maximum is not positive; after it there is a quarter to do.
 */
function loweringOrder(layers: readonly Layer[], training: boolean): number[] {
  const order = layers.map((_, i) => i);
  if (!training) return order;
  for (let i = 0; i + 1 < layers.length; i++) {
    if (layers[i]?.kind === 'relu' && layers[i + 1]?.kind === 'maxpool2d') [order[i], order[i + 1]] = [i + 1, i];
  }
  return order;
}

/** The shape of one sample: without the batch. */
function formatSample(v: Value): string {
  return formatShape(v.shape?.slice(1));
}

function lowerLayer(place: Place, layer: Layer, x: Value, names: LayerNames, pending: Pending, path: string): Value {
  const { scope } = place;
  const { g } = scope;
  const name = `${place.prefix}/${names.next(layer.kind)}`;
  return g.scope(name, () => {
    switch (layer.kind) {
      case 'dense':
      case 'conv2d': {
        const { lateral } = pending;
        pending.lateral = undefined;
        const y = layer.kind === 'dense' ? lowerDense(scope, layer, x, name) : lowerConv2d(scope, layer, x, name);
        return lateral === undefined ? y : g.add(y, lateral(layer, x));
      }
      case 'maxpool2d':
      case 'avgpool2d': {
        const [h, w] = imageOf(x).slice(1) as [number, number];
        const pads = explicitPads(layer.padding, [h, w], layer.kernel, layer.stride, [1, 1]);
        if (pads.some((pad, i) => pad >= (layer.kernel[i % 2] ?? 0)))
          throw new ShapeError(`padding [${pads}] reaches beyond the window [${layer.kernel}]`, { got: `[${pads}]` });
        const attributes = { kernel_shape: layer.kernel, strides: layer.stride, pads };
        return layer.kind === 'maxpool2d' ? g.maxPool(x, attributes) : g.averagePool(x, attributes);
      }
      case 'global_avgpool':
        imageOf(x);
        return g.flatten(g.globalAveragePool(x), { axis: 1 });
      case 'global_maxpool':
        imageOf(x);
        return g.flatten(g.globalMaxPool(x), { axis: 1 });
      case 'flatten':
        return flat(g, x);
      case 'reshape':
        return g.reshape(x, [0, ...reshapeDims(layer.shape, x)]);
      case 'dropout':
        return lowerDropout(scope, layer.rate, x, name);
      case 'batch_norm':
        return lowerBatchNorm(scope, layer.epsilon, layer.momentum, x, name);
      case 'layer_norm':
        return lowerLayerNorm(scope, layer.epsilon, x, name);
      case 'residual': {
        const inner: Place = { ...place, prefix: name };
        const y = lowerLayers(inner, layer.layers, x, new LayerNames(), pending, `${path}.residual`);
        const [from, to] = [sampleDims(x), sampleDims(y)];
        if (from.join() !== to.join()) {
          throw new ShapeError(`the layers inside must keep the shape [${from}], they give [${to}]`, {
            expected: `[${from}]`,
            got: `[${to}]`,
          });
        }
        return g.add(x, y);
      }
      case 'softmax':
        if (layer.axis === 0 || layer.axis === -(sampleDims(x).length + 1))
          throw new ShapeError(`axis ${layer.axis} is the batch, expected an axis of the sample: from 1, or from the end`, {
            got: String(layer.axis),
          });
        return lowerActivation(g, layer, x);
      default:
        return lowerActivation(g, layer, x);
    }
  });
}

/** Dims of one sample; they are static in everything that a description makes. */
export function sampleDims(x: Value): number[] {
  const { shape } = x;
  const dims = shape?.slice(1) ?? [];
  if (shape === undefined || !dims.every((d): d is number => typeof d === 'number')) {
    throw new ShapeError(`the shape of a sample must be known, it is ${formatSample(x)}`);
  }
  return dims;
}

function imageOf(x: Value): [number, number, number] {
  const dims = sampleDims(x);
  const [c, h, w] = dims;
  if (dims.length !== 3 || c === undefined || h === undefined || w === undefined) {
    throw new ShapeError('an image [channels, height, width] is needed', { expected: '[C,H,W]', got: `[${dims}]` });
  }
  return [c, h, w];
}

/** [N, ...] to [N, features]; a flat value stays itself. */
export function flat(g: Ops, x: Value): Value {
  return sampleDims(x).length === 1 ? x : g.flatten(x, { axis: 1 });
}

function reshapeDims(shape: readonly number[], x: Value): number[] {
  const have = sampleDims(x).reduce((a, b) => a * b, 1);
  const known = shape.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
  const fits = shape.includes(-1) ? have % known === 0 : have === known;
  if (!fits)
    throw new ShapeError(`[${shape}] does not hold the ${have} values of a sample`, {
      expected: String(have),
      got: `[${shape}]`,
    });
  return shape.map((d) => (d === -1 ? have / known : d));
}

function lowerDense(scope: LayerScope, layer: Dense, x: Value, name: string): Value {
  const dims = sampleDims(x);
  const fanIn = dims.at(-1);
  if (fanIn === undefined || dims.length > 1) {
    throw new ShapeError('a flat input is needed, put "flatten" before it', { expected: '[features]', got: `[${dims}]` });
  }
  const { g } = scope;
  const weight = trainable(scope, `${name}/weight`, [fanIn, layer.units], { by: layer.init, fanIn, fanOut: layer.units });
  if (!layer.bias) return g.matMul(x, weight);
  return g.gemm(x, weight, trainable(scope, `${name}/bias`, [layer.units], biasInit(layer.init, fanIn)));
}

function lowerConv2d(scope: LayerScope, layer: Conv2d, x: Value, name: string): Value {
  const [channels, h, w] = imageOf(x);
  if (channels % layer.groups !== 0) {
    throw new ShapeError(`${channels} channels do not divide into ${layer.groups} groups`, { got: String(channels) });
  }
  const [kh, kw] = layer.kernel;
  const fanIn = (channels / layer.groups) * kh * kw;
  const weight = trainable(scope, `${name}/weight`, [layer.filters, channels / layer.groups, kh, kw], {
    by: layer.init,
    fanIn,
    fanOut: (layer.filters / layer.groups) * kh * kw,
  });
  const bias = layer.bias ? trainable(scope, `${name}/bias`, [layer.filters], biasInit(layer.init, fanIn)) : undefined;
  return scope.g.conv(x, weight, bias, convAttributes(layer, [h, w], layer.groups));
}

/** Attributes of Conv for a layer over images of this height and width. */
export function convAttributes(layer: Conv2d, size: readonly [number, number], groups: number) {
  return {
    kernel_shape: layer.kernel,
    strides: layer.stride,
    dilations: layer.dilation,
    pads: explicitPads(layer.padding, size, layer.kernel, layer.stride, layer.dilation),
    group: groups,
  };
}

/** ONNX pads [top, left, bottom, right]. "same" is SAME_UPPER: the output has ceil(size / stride) places, an odd pad goes to the end. */
function explicitPads(
  padding: Conv2d['padding'],
  size: readonly [number, number],
  kernel: readonly [number, number],
  stride: readonly [number, number],
  dilation: readonly [number, number],
): number[] {
  if (padding === 'valid') return [0, 0, 0, 0];
  if (padding !== 'same') return padding;
  const total = ([0, 1] as const).map((i) =>
    Math.max((Math.ceil(size[i] / stride[i]) - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - size[i], 0),
  );
  const begin = total.map((t) => Math.floor(t / 2));
  return [...begin, ...total.map((t, i) => t - (begin[i] ?? 0))];
}

/** Inverted dropout: kept values are scaled by 1 / (1 - rate), so that inference is the identity. */
function lowerDropout(scope: LayerScope, rate: number, x: Value, name: string): Value {
  if (!scope.training || rate === 0) return x;
  const { g } = scope;
  const keep = g.greaterOrEqual(scope.random(name, x), rate);
  return g.mul(x, g.mul(g.cast(keep, { to: 'float32' }), 1 / (1 - rate)));
}

/**
 * Training: normalises by the minibatch's mean and biased variance in primitive ops (BatchNormalization with training_mode has no WebGPU
 * kernel) and moves the running statistics; like PyTorch, the running variance takes the unbiased one. Inference: BatchNormalization.
 */
function lowerBatchNorm(scope: LayerScope, epsilon: number, momentum: number, x: Value, name: string): Value {
  const { g } = scope;
  const [channels] = sampleDims(x);
  const rank = sampleDims(x).length + 1;
  if (channels === undefined) throw new ShapeError('features or an image are needed', { expected: '[C] or [C,H,W]', got: '[]' });
  const scale = trainable(scope, `${name}/scale`, [channels], { fill: 1 });
  const bias = trainable(scope, `${name}/bias`, [channels], { fill: 0 });
  const running = (what: string, fill: number) =>
    scope.parameter({ name: `${name}/${what}`, shape: [channels], init: { fill }, role: 'statistic' });
  const mean = running('mean', 0);
  const variance = running('var', 1);
  if (!scope.training) return g.batchNormalization(x, scale, bias, mean, variance, { epsilon });

  const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  const wide = [1, channels, ...Array.from({ length: rank - 2 }, () => 1)];
  const batchMean = reduceMean(g, x, axes);
  const centred = g.sub(x, batchMean);
  const batchVariance = reduceMean(g, g.mul(centred, centred), axes);
  const normal = g.div(centred, g.sqrt(g.add(batchVariance, epsilon)));
  // n / (n - 1) with n the number of values per channel, at least 2
  const found = g.div(g.cast(g.size(x), { to: 'float32' }), channels);
  const count = g.max(found, 2);
  const unbiased = g.mul(batchVariance, g.div(count, g.sub(count, 1)));
  // One value has no variance: it leaves the statistics as they are.
  const several = g.greater(found, 1);
  const moved = (old: Value, now: Value) =>
    g.where(several, g.add(g.mul(old, momentum), g.mul(g.reshape(now, [channels]), 1 - momentum)), old);
  scope.update(`${name}/mean`, moved(mean, batchMean));
  scope.update(`${name}/var`, moved(variance, unbiased));
  return g.add(g.mul(normal, g.reshape(scale, wide)), g.reshape(bias, wide));
}

/** Over all axes of a sample. */
function lowerLayerNorm(scope: LayerScope, epsilon: number, x: Value, name: string): Value {
  const dims = sampleDims(x);
  const scale = trainable(scope, `${name}/scale`, dims, { fill: 1 });
  const bias = trainable(scope, `${name}/bias`, dims, { fill: 0 });
  return scope.g.layerNormalization(x, scale, bias, { axis: 1, epsilon });
}

/** A parameter that training changes. */
export function trainable(scope: LayerScope, name: string, shape: readonly number[], init: ParameterSpec['init']): Value {
  return scope.parameter({ name, shape, init, role: 'trainable' });
}
