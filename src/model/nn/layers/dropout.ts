// dropout, inverted: kept values are scaled by 1 / (1 - rate), so that inference is the identity.
import { dropped } from '../dropped.js';
import { layer } from '../layer.js';
import { real, strict } from '../schema.js';

/**
 * In training each value is dropped with this chance, and what is kept is scaled up; else the identity.
 * @function
 */
export const dropout = layer('dropout', {
  doc: 'In training each value is dropped with this chance, and what is kept is scaled up; else the identity.',
  options: strict({
    rate: real('a number of at least 0 and below 1', { min: 0, below: 1 }).describe('The chance of a value to be dropped.'),
  }),
  main: 'rate',
  example: '{ dropout: 0.5 }',
  call: (rate: number) => ({ rate }),
  channels: 'apart',
  lower: (c, { rate }, x) => dropped(c, c.name, rate, x),
});
