// none: the values of an imported column as they are, which nothing judges: a backbone, a detector, a model of sequences.
import { UsageError } from '../../onnx/core/errors.js';
import { weightInit } from '../nn/init.js';
import { size, strict } from '../nn/schema.js';
import { head } from './head.js';

/**
 * Nothing is predicted: an imported column whose values nothing judges.
 * @function
 */
export const none = head('none', {
  doc: 'Nothing is predicted: an imported column whose values nothing judges.',
  options: strict({ outputs: size.default(1).describe('Always 1.'), init: weightInit }),
  width: 'outputs',
  example: 'none',
  call: () => ({}),
  targets: { of: 'numbers' },
  judged: false,
  loss: () => {
    throw new UsageError('the head "none" has no loss, expected a task whose values are judged');
  },
  metric: { name: 'error', better: 'lower', of: () => Number.NaN },
});
