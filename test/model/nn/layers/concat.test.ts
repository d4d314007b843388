import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, run } from '../support.js';

const x = Tensor.from('float32', [1, 2, 3, 4], [2, 2]);
const meta = Tensor.from('float32', [5, 6], [2, 1]);

it('joins features of other inputs behind its own, in the order of their names', async () => {
  const flags = Tensor.from('bool', [1, 0], [2]);
  const inputs = { meta: { dtype: 'float32', shape: [1] }, flags: { dtype: 'bool', shape: [] } } as const;
  const { y } = await run([{ concat: ['flags', 'meta'] }], x, { meta, flags }, { inputs });
  expect([y?.dims, y?.numbers()]).toEqual([
    [2, 4],
    [1, 2, 1, 5, 3, 4, 0, 6],
  ]);
});

it('joins images by their channels, and sequences at each position', () => {
  const image = lower([{ concat: 'depth' }], [3, 4, 5], { inputs: { depth: { dtype: 'float16', shape: [1, 4, 5] } } });
  expect(image.g.graph.outputs[0]?.shape).toEqual(['N', 4, 4, 5]);
  const steps = lower([{ concat: 'more' }], [7, 3], {
    layout: 'channels-last',
    inputs: { more: { dtype: 'int32', shape: [7, 2] } },
  });
  expect(steps.g.graph.outputs[0]?.shape).toEqual(['N', 7, 5]);
});

it('joins the steps of sequences that no layer has said to be some', async () => {
  const more = Tensor.from('float32', [7, 8, 9], [1, 3, 1]);
  const inputs = { more: { dtype: 'float32', shape: [3, 1] } } as const;
  const layers = [{ concat: { inputs: 'more', each: 'step' } }] as const;
  const { y } = await run([...layers], Tensor.from('float32', [1, 2, 3, 4, 5, 6], [1, 3, 2]), { more }, { inputs });
  expect([y?.dims, y?.numbers()]).toEqual([
    [1, 3, 3],
    [1, 2, 7, 3, 4, 8, 5, 6, 9],
  ]);
  // It is a sequence from there on.
  expect(lower([...layers, 'batch_norm'], [3, 2], { inputs }).specs[0]?.shape).toEqual([3]);
  expect(lower([...layers, { lstm: 4 }], [3, 2], { inputs }).g.graph.outputs[0]?.shape).toEqual(['N', 4]);
  expect(() => lower([{ concat: 'more' }], [3, 2], { inputs })).toThrow(
    'the input "more" is [3,1], expected [any,2]; each: step joins the features of sequences',
  );
});

describe('refuses', () => {
  const refused = (shape: readonly number[], own: readonly number[], dtype: 'float32' | 'int64' | 'uint8' = 'float32') =>
    expect(() => lower([{ concat: 'other' }], shape, { inputs: { other: { dtype, shape: own } } }));

  it('another height', () => {
    refused([3, 4, 5], [1, 5, 5]).toThrow(
      'blocks[0][0]: concat does not fit its input [3,4,5]: the input "other" is [1,5,5], expected [any,4,5]',
    );
  });

  it('an image beside features, and features beside an image', () => {
    refused([8], [1, 5, 5]).toThrow('the input "other" is [1,5,5], expected [any]');
    refused([1, 5, 5], [8]).toThrow('the input "other" is [8], expected [any,5,5]');
  });

  it('ids and bytes, which are no numbers', () => {
    refused([8], [4], 'int64').toThrow('blocks[0][0]: reads the input "other" as numbers; these are ids, of int64, expected');
    refused([8], [4], 'uint8').toThrow('blocks[0][0]: reads the input "other" as numbers; these are bytes, of uint8, expected');
  });
});
