import { expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { type Moves, pooled } from '../reference.js';
import { checkLayers, lower, printed, run } from '../support.js';

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

/** Numbers whose largest is the largest after any small step. */
const apart = (dims: readonly number[]) => {
  const count = dims.reduce((a, b) => a * b, 1);
  return Tensor.from(
    'float32',
    Array.from({ length: count }, (_, i) => ((i * 7) % count) / 5),
    dims,
  );
};

it.each(['global_avgpool', 'global_maxpool'] as const)(
  '%s takes positions of any number of axes, and nothing else',
  async (kind) => {
    for (const dims of [
      [2, 3, 4],
      [1, 2, 3, 2],
      [1, 2, 2, 2, 3],
    ]) {
      const x = apart(dims);
      const places = dims.slice(2).reduce((a, b) => a * b, 1);
      const { y } = await run([kind], x);
      expect(y?.dims).toEqual(dims.slice(0, 2));
      y?.numbers().forEach((v, i) => {
        const own = x.numbers().slice(i * places, (i + 1) * places);
        expect(v).toBeCloseTo(kind === 'global_maxpool' ? Math.max(...own) : own.reduce((a, b) => a + b, 0) / places, 5);
      });
      await checkLayers([kind], x);
    }
    expect(() => lower([kind], [4])).toThrow(
      `blocks[0][0]: ${kind} does not fit its input [4]: positions [channels, ...] are needed, such as those of an image`,
    );
    expect(() => lower([kind], [4, 4], { layout: 'channels-last' })).toThrow('put "to_channels" before it');
  },
);

const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
const largest = (v: readonly number[]) => Math.max(...v);
it.each<[LayerInput, readonly number[], readonly number[], Moves, (v: readonly number[]) => number]>([
  [{ maxpool1d: 2 }, [2, 2, 5], [2], {}, largest],
  [{ avgpool1d: { kernel: 3, stride: 2, padding: [1, 0] } }, [2, 2, 6], [3], { stride: [2], pads: [1, 0] }, mean],
  [{ maxpool1d: { kernel: 3, stride: 1, padding: 'same' } }, [1, 2, 4], [3], { stride: [1], pads: [1, 1] }, largest],
  [{ maxpool3d: 2 }, [1, 2, 4, 2, 3], [2, 2, 2], {}, largest],
  [
    { avgpool3d: { kernel: [1, 2, 2], stride: 1, padding: [0, 1, 0] } },
    [1, 1, 2, 2, 3],
    [1, 2, 2],
    { stride: [1, 1, 1], pads: [0, 1, 0, 0, 1, 0] },
    mean,
  ],
])('%j over [%s] pools each window, and has its gradients', async (layer, dims, kernel, moves, by) => {
  const x = apart(dims);
  const expected = pooled(x, kernel, moves, by);
  const { y } = await run([layer], x);
  expect(y?.dims).toEqual(expected.dims);
  y?.numbers().forEach((v, i) => {
    expect(v).toBeCloseTo(expected.numbers[i] ?? Number.NaN, 5);
  });
  await checkLayers([layer], x);
});

it('maxpool1d and maxpool3d go ahead of a relu in training too', () => {
  for (const [layer, shape] of [
    [{ maxpool1d: 2 }, [1, 4]],
    [{ maxpool3d: 2 }, [1, 2, 2, 2]],
  ] as const)
    expect(lower(['relu', layer], shape, { training: true }).g.graph.nodes.map((n) => n.opType)).toEqual(['MaxPool', 'Relu']);
});

it('pools of other axes refuse what has not as many', () => {
  expect(() => lower([{ maxpool1d: 2 }], [1, 4, 4])).toThrow('a signal [channels, length] is needed');
  expect(() => lower([{ avgpool3d: 2 }], [1, 4, 4])).toThrow('a volume [channels, depth, height, width] is needed');
  expect(() => lower([{ maxpool1d: { kernel: 2, padding: 2 } }], [1, 4])).toThrow('padding [2,2] reaches beyond the window [2]');
});

it('has no joint: laterals join the input of the block', () => {
  const { joints } = lower([{ maxpool2d: 2 }], [3, 4, 5], { lateral: true });
  expect(joints).toMatchObject([{ along: 'positions', width: 3, window: { kernel: [1, 1], padding: 'valid' }, size: [4, 5] }]);
});
