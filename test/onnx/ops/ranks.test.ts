// Ranks that an op cannot have are refused when types are inferred, before any rule meets them.
import { expect, it } from 'vitest';
import { ops } from '../../../src/onnx/ops/ops.js';

it.each([
  [['N', 3], ['N', 2, 2], 'X is [N,3], the grid [N,2,2]: expected X [N,C,D1,...] and a grid'],
  [[1, 1, 4, 4], [1, 2, 2], 'X is [1,1,4,4], the grid [1,2,2]: expected X'],
  [[1, 1, 4, 4], [1, 2, 2, 3], 'X is [1,1,4,4], the grid [1,2,2,3]: expected X'],
] as const)('GridSample of %j by %j', (x, grid, message) => {
  const g = ops({ opset: 20 });
  expect(() => g.gridSample(g.input('x', 'float32', x), g.input('grid', 'float32', grid))).toThrow(message);
});

it('Attention with a mask that is one number', () => {
  const g = ops({ opset: 24 });
  const of = (name: string) => g.input(name, 'float32', [2, 3, 4, 8]);
  expect(() => g.attention(of('q'), of('k'), of('v'), g.input('mask', 'float32', []))).toThrow(
    'attn_mask must have 1 to 4 axes, it is []',
  );
});
