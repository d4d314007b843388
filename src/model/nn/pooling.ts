// Pooling by windows over any number of spatial axes: the attributes that ONNX takes for it.
import { ShapeError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import { type Layout, sized, spatialOf } from './sample.js';
import { explicitPads, padAttributes, placesOf, type Window } from './window.js';

/** Attributes of MaxPool and AveragePool for a window over x. Throws ShapeError. */
export function poolAttributes(o: Omit<Window, 'dilation'>, x: Value, axes: 1 | 2 | 3, layout: Layout | undefined) {
  const { size } = spatialOf(x, axes, layout);
  const pads = explicitPads({ ...o, dilation: size.map(() => 1) }, size);
  if (pads?.some((pad, i) => pad >= (o.kernel[i % axes] ?? 0)))
    throw new ShapeError(`padding [${pads}] reaches beyond the window [${o.kernel}]`, { got: `[${pads}]` });
  return { kernel_shape: o.kernel, strides: o.stride, ...padAttributes(pads) };
}

/** What such a window gives, its sizes said where they are open. */
export function pooled(y: Value, o: Omit<Window, 'dilation'>, x: Value, axes: 1 | 2 | 3, layout: Layout | undefined): Value {
  const { channels, size } = spatialOf(x, axes, layout);
  return sized(y, [channels, ...placesOf({ ...o, dilation: size.map(() => 1) }, size)]);
}
