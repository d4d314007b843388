// to_sequence: a signal, an image or a volume as a sequence of its positions. The way back from a signal is to_channels.
import { layer } from '../layer.js';
import { product } from '../open-size.js';
import { anyPositionsOf, reshaped, turned } from '../sample.js';
import { strict } from '../schema.js';

/**
 * A signal, an image or a volume [channels, ...] as a sequence [positions, features], row by row.
 * @function
 */
export const toSequence = layer('to_sequence', {
  doc: 'A signal, an image or a volume [channels, ...] as a sequence [positions, features], row by row.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, layout }, _, x) => {
    const { channels, size } = anyPositionsOf(x, layout);
    const rows = size.length === 1 ? x : reshaped(g, x, [channels, product(size)]);
    return turned(g, rows, 'channels-last');
  },
  gives: 'channels-last',
});
