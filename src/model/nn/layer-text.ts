// A layer in a word or two, for drawings and tables.
import type { Layer } from './layers.js';

/** Its kind and how wide it makes things. */
export function layerText(layer: Layer): string {
  const width = 'units' in layer ? layer.units : 'filters' in layer ? layer.filters : undefined;
  return width === undefined ? layer.kind : `${layer.kind} ${width}`;
}
