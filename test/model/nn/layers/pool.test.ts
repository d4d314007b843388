import { expect, it } from 'vitest';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, printed, run } from '../support.js';

const image = Tensor.from('float32', [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
const kinds = ['maxpool2d', 'avgpool2d'] as const;

it('pools by windows and over the whole image', () => {
  expect(printed([{ maxpool2d: 2 }], [3, 4, 4])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,4]) -> (y)
      y: float32[N,3,2,2] = MaxPool<kernel_shape=[2,2], strides=[2,2], pads=[0,0,0,0]>(x)"
  `);
  expect(printed([{ avgpool2d: { kernel: [2, 3], stride: 1, padding: 'same' } }], [3, 4, 4])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,4]) -> (y)
      y: float32[N,3,4,4] = AveragePool<kernel_shape=[2,3], strides=[1,1], pads=[0,1,1,1]>(x)"
  `);
  expect(printed(['global_avgpool'], [3, 4, 4])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,4]) -> (y)
      t/0/global_avgpool/GlobalAveragePool/out: float32[N,3,1,1] = GlobalAveragePool(x)
      y: float32[N,3] = Flatten<axis=1>(t/0/global_avgpool/GlobalAveragePool/out)"
  `);
  expect(printed(['global_maxpool'], [3, 4, 4])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,3,4,4]) -> (y)
      t/0/global_maxpool/GlobalMaxPool/out: float32[N,3,1,1] = GlobalMaxPool(x)
      y: float32[N,3] = Flatten<axis=1>(t/0/global_maxpool/GlobalMaxPool/out)"
  `);
});

it('steps by its kernel; padding counts in no mean', async () => {
  const of = async (layer: Parameters<typeof run>[0][number]) => (await run([layer], image)).y?.numbers();
  expect(await of({ maxpool2d: 2 })).toEqual([5]);
  expect(await of({ maxpool2d: { kernel: 2, stride: 1 } })).toEqual([5, 6, 8, 9]);
  expect(await of({ avgpool2d: { kernel: 2, padding: 'same' } })).toEqual([3, 4.5, 7.5, 9]);
  expect(await of('global_avgpool')).toEqual([5]);
  expect(await of('global_maxpool')).toEqual([9]);
});

it('goes ahead of a relu in training, which is the same and less to do; avgpool2d does not', () => {
  const order = (kind: (typeof kinds)[number], training: boolean) =>
    lower(['relu', { kind, kernel: 2 }], [1, 4, 4], { training }).g.graph.nodes.map((n) => n.opType);
  expect(order('maxpool2d', false)).toEqual(['Relu', 'MaxPool']);
  expect(order('maxpool2d', true)).toEqual(['MaxPool', 'Relu']);
  expect(order('avgpool2d', true)).toEqual(['Relu', 'AveragePool']);
  const tanh = lower(['tanh', { maxpool2d: 2 }], [1, 4, 4], { training: true });
  expect(tanh.g.graph.nodes.map((n) => n.opType)).toEqual(['Tanh', 'MaxPool']);
});

it.each(kinds)('%s refuses what is no image, and padding beyond the window', (kind) => {
  expect(() => lower([{ kind, kernel: 2 }], [4])).toThrow(
    `blocks[0][0]: ${kind} does not fit its input [4]: an image [channels, height, width] is needed`,
  );
  expect(() => lower([{ kind, kernel: 2, padding: 2 }], [1, 4, 4])).toThrow(
    `blocks[0][0]: ${kind} does not fit its input [1,4,4]: padding [2,2,2,2] reaches beyond the window [2,2]`,
  );
});

it.each(['global_avgpool', 'global_maxpool'] as const)('%s refuses what is no image', (kind) => {
  expect(() => lower([kind], [4])).toThrow(
    `blocks[0][0]: ${kind} does not fit its input [4]: an image [channels, height, width] is needed`,
  );
});

it('has no joint: laterals join the input of the block', () => {
  const { joints } = lower([{ maxpool2d: 2 }], [3, 4, 5], { lateral: true });
  expect(joints).toMatchObject([{ along: 'positions', width: 3, window: { kernel: [1, 1], padding: 'valid' }, size: [4, 5] }]);
});
