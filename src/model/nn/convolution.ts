// Convolutions over any number of spatial axes, transposed ones too: the weights that a window needs and the op that moves it. The layers and the
// laterals that join them both go by it. What a description may say of a window is in window.ts.
import { ShapeError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { biasInit, type Init } from './init.js';
import type { Joint } from './joint.js';
import type { LayerContext } from './layer.js';
import type { Size } from './open-size.js';
import { type Layout, sized, spatialOf } from './sample.js';
import { convAttributes, extent, placesOf, type Window } from './window.js';

/** Weights of a convolution: their shape, as ONNX has it, and the fans by which they begin. */
export interface ConvolutionWeights {
  readonly shape: readonly number[];
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * Conv: [filters, channels / groups, ...kernel]. ConvTranspose: [channels, filters / groups, ...kernel]; its fans are those that PyTorch and Keras count,
 * which read the kernel as that of the convolution it turns round.
 */
export function convolutionWeights(window: Window, channels: number, filters: number, groups = 1): ConvolutionWeights {
  const [from, to] = window.transposed === undefined ? [channels, filters] : [filters, channels];
  const area = window.kernel.reduce((a, b) => a * b, 1);
  return {
    shape: [to, from / groups, ...window.kernel],
    fanIn: (from / groups) * area,
    fanOut: (to / groups) * area,
  };
}

/** Moves a window over x [N, channels, ...size]. */
export function convolve(
  g: Ops,
  x: Value,
  weight: Value,
  bias: Value | undefined,
  { window, size, groups = 1 }: { readonly window: Window; readonly size: readonly Size[]; readonly groups?: number },
): Value {
  const attributes = convAttributes(window, size, groups);
  const { transposed } = window;
  const y =
    transposed === undefined
      ? g.conv(x, weight, bias, attributes)
      : g.convTranspose(x, weight, bias, { ...attributes, output_padding: transposed.outputPadding });
  const filters = y.shape?.[1] ?? null;
  return typeof filters === 'number' ? sized(y, [filters, ...placesOf(window, size)]) : y;
}

/** Options that the layers of convolutions share; `transposed` tells one that is. */
export interface ConvolutionOptions extends Window {
  readonly filters: number;
  readonly groups: number;
  readonly bias: boolean;
  readonly init: Init;
}

/** What a description must say of groups, and what is told where it does not. */
export const groupsDivide = (o: { readonly filters: number; readonly groups: number }): boolean => o.filters % o.groups === 0;
export const dividingGroups = { error: 'expected a divisor of "filters"', path: ['groups'] };

interface Transposing {
  readonly output_padding: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** What it must say of places more at the end of a transposed convolution, along each axis. */
export const paddingFits = ({ output_padding, stride, dilation }: Transposing): boolean =>
  output_padding.every((p, i) => p < Math.max(stride[i] ?? 1, dilation[i] ?? 1));
export const fittingPadding = { error: 'expected less than the stride or the dilation', path: ['output_padding'] };

/** And of "same", which cuts off what is more than size * stride places. */
export const sameFits = (o: Transposing & { readonly kernel: readonly number[]; readonly padding: unknown }): boolean =>
  o.padding !== 'same' || o.stride.every((step, i) => extent(o, i) + (o.output_padding[i] ?? 0) >= step);
export const fittingSame = { error: 'expected a kernel that spans the stride, or "output_padding"', path: ['padding'] };

/** A convolution with its parameters `weight` and `bias`, over so many spatial axes; laterals join its output. */
export function lowerConvolution(c: LayerContext, o: ConvolutionOptions, x: Value, axes: 1 | 2 | 3): Value {
  const { channels, size } = spatialOf(x, axes, c.layout);
  const { filters, groups, init } = o;
  if (channels % groups !== 0)
    throw new ShapeError(`${channels} channels do not divide into ${groups} groups`, { got: String(channels) });
  const { shape, fanIn, fanOut } = convolutionWeights(o, channels, filters, groups);
  const weight = c.trainable('weight', shape, { by: init, fanIn, fanOut });
  const bias = o.bias ? c.trainable('bias', [filters], biasInit(init, fanIn)) : undefined;
  return c.join(convolve(c.g, x, weight, bias, { window: o, size, groups }));
}

/** The joint of a convolution. */
export function convolutionJoint(o: ConvolutionOptions, x: Value, axes: 1 | 2 | 3, layout: Layout | undefined): Joint {
  const { size } = spatialOf(x, axes, layout);
  return { along: 'positions', layout: 'channels-first', width: o.filters, init: o.init, window: o, size, like: x };
}
