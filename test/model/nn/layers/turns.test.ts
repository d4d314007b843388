// to_sequence and to_channels: where the channels stand is turned, and later layers know it.
import { expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, run } from '../support.js';

const counted = (dims: readonly number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i),
    dims,
  );

it('to_sequence puts the positions of an image in a row, row by row', async () => {
  const { y } = await run(['to_sequence'], counted([1, 2, 2, 3]));
  expect([y?.dims, y?.numbers()]).toEqual([
    [1, 6, 2],
    [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11],
  ]);
});

it('to_channels is the way back from a signal', async () => {
  const x = counted([2, 3, 4]);
  expect((await run(['to_sequence', 'to_channels'], x)).y).toEqual(x);
  expect((await run(['to_channels'], x)).y?.dims).toEqual([2, 4, 3]);
});

it('what stands where is known to the layers after', () => {
  const conv = { conv1d: { filters: 2, kernel: 2 } };
  expect(lower([conv, 'to_sequence', 'tanh', 'to_channels', conv], [3, 5]).g.graph.outputs[0]?.type).toMatchObject({
    shape: ['N', 2, 3],
  });
  expect(() => lower([conv, 'to_sequence', { dropout: 0.5 }, conv], [3, 5])).toThrow(
    'blocks[0][3]: conv1d does not fit its input [4,2]: a signal [channels, length] is needed, this is a sequence [positions, features]: put "to_channels" before it',
  );
});

it('refuse what stands right already, and what has no positions', () => {
  expect(() => lower(['to_sequence', 'to_sequence'], [3, 5])).toThrow('positions [channels, ...] are needed');
  expect(() => lower([{ conv1d: { filters: 2, kernel: 2 } }, 'to_channels'], [3, 5])).toThrow(
    'blocks[0][1]: to_channels does not fit its input [2,4]: its channels stand first already',
  );
  expect(() => lower(['to_channels'], [3])).toThrow('a sequence [positions, features] is needed');
  expect(() => lower(['to_sequence'], [3])).toThrow('positions [channels, ...] are needed, such as those of an image');
});

it.each([
  'batch_norm',
  'rms_norm',
  { group_norm: 1 },
  { instance_norm: {} },
  'squeeze_excitation',
  { concat: 'other' },
] satisfies LayerInput[])('where nobody said how two axes lie, they lie as they were taken: %j', (layer) => {
  const inputs = { other: { dtype: 'float32', shape: [7, 3] } } as const;
  expect(() => lower([layer, { lstm: 2 }], [7, 3], { inputs })).toThrow(
    'a sequence [steps, features] is needed, this is a signal [channels, length]: put "to_sequence" before it',
  );
  expect(() => lower([layer, { conv1d: { filters: 2, kernel: 3 } }], [7, 3], { inputs })).not.toThrow();
});
