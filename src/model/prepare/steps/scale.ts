// scale: whole ranges to 0..1, such as grey levels.
import { real, strict } from '../../nn/schema.js';
import { step } from '../step.js';

/**
 * x / range: 0..255 to 0..1.
 * @function
 */
export const scale = step('scale', {
  doc: 'x / range: 0..255 to 0..1.',
  options: strict({ range: real('a positive number', { above: 0 }).default(255).describe('What becomes 1; 255 when absent.') }),
  main: 'range',
  call: (range: number = 255) => ({ range }),
  lower: ({ g }, { range }, x) => g.mul(x, 1 / range),
});
