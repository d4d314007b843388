// to_channels: a sequence as a signal, for convolutions. The way back is to_sequence.
import { ShapeError } from '../../../onnx/core/errors.js';
import { layer } from '../layer.js';
import { sampleDims, turned } from '../sample.js';
import { strict } from '../schema.js';

/**
 * A sequence [positions, features] as a signal [channels, length], as convolutions read it.
 * @function
 */
export const toChannels = layer('to_channels', {
  doc: 'A sequence [positions, features] as a signal [channels, length], as convolutions read it.',
  options: strict({}),
  call: () => ({}),
  lower: ({ g, layout }, _, x) => {
    const dims = sampleDims(x);
    const error = (what: string) => new ShapeError(what, { expected: '[T,F]', got: `[${dims}]` });
    if (dims.length < 2) throw error('a sequence [positions, features] is needed');
    if (layout === 'channels-first') throw error('its channels stand first already');
    return turned(g, x, 'channels-first');
  },
  gives: 'channels-first',
});
