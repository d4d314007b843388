// The units of a column that can be taken out: those of the layer that makes a block's tap, where nothing between it and the layers that read the tap mixes
// channels.

import { headLayers } from '../../model/heads/heads.js';
import { behaviourOf, type Layer } from '../../model/nn/layers.js';
import { jointOf, LayerNames } from '../../model/nn/lower.js';
import type { Column } from '../../model/progressive/column.js';

/** A layer among those of a block. */
export interface LayerAt {
  readonly block: number;
  readonly index: number;
  /** `<task>/<block>/<kind>`, as its parameters begin. */
  readonly prefix: string;
  readonly layer: Layer;
}

/** The layers of a block with the names of their parameters; the number of the column's blocks stands for the head. */
export function layersOf(column: Column, block: number): LayerAt[] {
  const head = block === column.blocks.length;
  const layers = head ? headLayers(column.head) : (column.blocks[block] ?? []);
  const names = new LayerNames();
  const prefix = `${column.task}/${head ? 'head' : block}`;
  return layers.map((layer, index) => ({ block, index, prefix: `${prefix}/${names.next(layer.kind)}`, layer }));
}

/** Groups do not meet all channels; a dense layer of each step has its channels last, which flatten does not keep together. */
const made = ({ layer }: LayerAt): boolean =>
  behaviourOf(layer).channels === 'made' &&
  !('groups' in layer && Number(layer.groups) > 1) &&
  !('each' in layer && layer.each !== undefined);
const apart = ({ layer }: LayerAt): boolean => behaviourOf(layer).channels === 'apart';

/** The layer whose units are the channels of a block's tap; undefined where they cannot be taken out one by one. */
export function producerOf(column: Column, block: number): LayerAt | undefined {
  const layers = layersOf(column, block);
  const at = layers.findLastIndex((layer) => !apart(layer));
  const producer = layers[at];
  if (producer === undefined || !made(producer)) return undefined;
  return readerOf(column, block + 1) === undefined ? undefined : producer;
}

/** The layer of a block that reads the tap before it; undefined where another one, or a lateral, would notice that channels are gone. */
function readerOf(column: Column, block: number): LayerAt | undefined {
  const layers = layersOf(column, block);
  const reader = layers.find((layer) => !apart(layer));
  if (reader === undefined || !made(reader)) return undefined;
  // Laterals that join the block's input have its channels.
  const receives = column.receiving.includes(block);
  return receives && jointOf(layers.map(({ layer }) => layer)) === undefined ? undefined : reader;
}

/** How many units a layer has, and the option that says it. */
export function unitsOf({ layer }: LayerAt): { readonly option: 'units' | 'filters'; readonly count: number } {
  const option = 'units' in layer ? 'units' : 'filters';
  return { option, count: Number(Reflect.get(layer, option)) };
}
