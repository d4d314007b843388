import { expect, it } from 'vitest';
import { lower, printed } from '../support.js';

it('flattens, and leaves what is flat as it is', () => {
  expect(printed(['flatten'], [2, 3])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2,3]) -> (y)
      y: float32[N,6] = Flatten<axis=1>(x)"
  `);
  expect(lower(['flatten'], [6]).g.graph.nodes.map((n) => n.opType)).toEqual(['Identity']);
});
