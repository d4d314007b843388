// flatten: all values of a sample in a row.
import { layer } from '../layer.js';
import { flat } from '../sample.js';
import { strict } from '../schema.js';

/**
 * All values of a sample in a row; a flat one stays itself.
 * @function
 */
export const flatten = layer('flatten', {
  doc: 'All values of a sample in a row; a flat one stays itself.',
  options: strict({}),
  call: () => ({}),
  gives: 'unsaid',
  channels: 'apart',
  lower: ({ g }, _, x) => flat(g, x),
});
