import { expect, it } from 'vitest';
import { lower, printed } from '../support.js';

it('keeps the batch open, -1 as a number', () => {
  expect(printed([{ reshape: [2, -1] }], [3, 4])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4]) -> (y)
      y: float32[N,2,6] = Reshape(x, int64{0,2,6})"
  `);
});

it('refuses a shape of another size', () => {
  expect(() => lower([{ reshape: [5] }], [3, 4])).toThrow(
    'blocks[0][0]: reshape does not fit its input [3,4]: [5] does not hold the 12 values of a sample',
  );
  expect(() => lower([{ reshape: [5, -1] }], [3, 4])).toThrow('[5,-1] does not hold the 12 values of a sample');
});
