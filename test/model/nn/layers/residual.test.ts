import { expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { convolution } from '../reference.js';
import { checkLayers, lower, numbers, parametersOf, printed, run } from '../support.js';

it('adds what its layers give to its input; names within begin anew', () => {
  expect(printed([{ dense: 2 }, { residual: [{ dense: 2 }, 'relu'] }], [2])).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/dense/weight: float32[2,2], t/0/dense/bias: float32[2], t/0/residual/dense/weight: float32[2,2], t/0/residual/dense/bias: float32[2]) -> (y)
      t/0/dense/Gemm/out: float32[N,2] = Gemm(x, t/0/dense/weight, t/0/dense/bias)
      t/0/residual/t/0/residual/dense/Gemm/out: float32[N,2] = Gemm(t/0/dense/Gemm/out, t/0/residual/dense/weight, t/0/residual/dense/bias)
      t/0/residual/t/0/residual/relu/Relu/out: float32[N,2] = Relu(t/0/residual/t/0/residual/dense/Gemm/out)
      y: float32[N,2] = Add(t/0/dense/Gemm/out, t/0/residual/t/0/residual/relu/Relu/out)"
  `);
});

it('lets a lateral join within, at the first layer that has a joint', () => {
  const layers = ['relu' as const, { residual: ['tanh' as const, { residual: [{ dense: 2 }] }] }, { dense: 3 }];
  expect(lower(layers, [2], { lateral: true }).joints).toMatchObject([{ along: 'features', width: 2 }]);
  expect(printed(layers, [2], { lateral: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2], t/0/residual/residual/dense/weight: float32[2,2], t/0/residual/residual/dense/bias: float32[2], lateral: float32[N,2], t/0/dense/weight: float32[2,3], t/0/dense/bias: float32[3]) -> (y)
      t/0/relu/Relu/out: float32[N,2] = Relu(x)
      t/0/residual/t/0/residual/tanh/Tanh/out: float32[N,2] = Tanh(t/0/relu/Relu/out)
      t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Gemm/out: float32[N,2] = Gemm(t/0/residual/t/0/residual/tanh/Tanh/out, t/0/residual/residual/dense/weight, t/0/residual/residual/dense/bias)
      t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Add/out: float32[N,2] = Add(t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Gemm/out, lateral)
      t/0/residual/t/0/residual/residual/Add/out: float32[N,2] = Add(t/0/residual/t/0/residual/tanh/Tanh/out, t/0/residual/t/0/residual/residual/t/0/residual/residual/dense/Add/out)
      t/0/residual/Add/out: float32[N,2] = Add(t/0/relu/Relu/out, t/0/residual/t/0/residual/residual/Add/out)
      y: float32[N,3] = Gemm(t/0/residual/Add/out, t/0/dense/weight, t/0/dense/bias)"
  `);
});

it('takes a lateral at the input of the block where no layer within has a joint', () => {
  const { joints, g } = lower([{ residual: ['relu'] }], [2], { lateral: true });
  expect(joints).toMatchObject([{ along: 'features', width: 2 }]);
  expect(g.graph.nodes.map((n) => n.opType)).toEqual(['Add', 'Relu', 'Add']);
});

it('refuses layers that change the shape, and names what is wrong within', () => {
  expect(() => lower([{ residual: [{ dense: 3 }] }], [2])).toThrow(
    'blocks[0][0]: residual does not fit its input [2]: the layers inside must keep the shape [2], they give [3]: project: true takes x along',
  );
  expect(() => lower([{ residual: [{ residual: ['relu', { maxpool2d: 2 }] }] }], [2])).toThrow(
    'blocks[0][0].residual[0].residual[1]: maxpool2d does not fit its input [2]: an image [channels, height, width] is needed',
  );
});

it('projects x where the shapes differ, and only there', () => {
  const layers = (filters: number, stride: number): LayerInput[] => [
    { residual: { layers: [{ conv2d: { filters, kernel: 3, stride, padding: 'same' } }], project: true } },
  ];
  const own = (...args: Parameters<typeof lower>) => lower(...args).specs.map(({ name, shape }) => [name, shape]);
  expect(own(layers(2, 1), [2, 5, 5]).map(([name]) => name)).toEqual(['t/0/residual/conv2d/weight', 't/0/residual/conv2d/bias']);
  expect(own(layers(3, 2), [2, 5, 5])).toContainEqual(['t/0/residual/project/weight', [3, 2, 1, 1]]);
  expect(own([{ residual: { layers: [{ dense: 3 }], project: true } }], [2])).toContainEqual([
    't/0/residual/project/weight',
    [2, 3],
  ]);
});

it('a projection is a convolution of one position that steps as the layers do', async () => {
  const layers = [
    {
      residual: {
        layers: [{ conv1d: { filters: 3, kernel: 3, stride: 2, padding: 'same' as const, bias: false } }],
        project: true,
      },
    },
  ];
  const x = numbers([2, 2, 5], 1);
  const parameters = parametersOf(layers, [2, 5]);
  const part = (name: string) => must(parameters[`t/0/residual/${name}/weight`], name);
  const inside = convolution(x, part('conv1d'), { stride: [2], pads: [1, 1] });
  const around = convolution(x, part('project'), { stride: [2] });
  const y = must((await run(layers, x, parameters)).y, 'y');
  expect(y.dims).toEqual(inside.dims);
  y.numbers().forEach((v, i) => {
    expect(v).toBeCloseTo((inside.numbers[i] ?? 0) + (around.numbers[i] ?? 0), 5);
  });
  await checkLayers(layers, x);
});

it('takes layers of its own as the shortcut, in which no lateral joins', async () => {
  const layers = [
    {
      residual: {
        layers: [{ dense: 3 }, 'tanh' as const],
        shortcut: [{ dense: { units: 3, bias: false } }, 'batch_norm' as const],
      },
    },
  ];
  const { specs, joints } = lower(layers, [2], { lateral: true });
  expect(joints).toHaveLength(1);
  expect(specs.map(({ name }) => name)).toEqual([
    't/0/residual/dense/weight',
    't/0/residual/dense/bias',
    't/0/residual/shortcut/dense/weight',
    't/0/residual/shortcut/batch_norm/scale',
    't/0/residual/shortcut/batch_norm/bias',
    't/0/residual/shortcut/batch_norm/mean',
    't/0/residual/shortcut/batch_norm/var',
  ]);
});

it('refuses ways that do not meet', () => {
  const of = (residual: Parameters<typeof lower>[0][number], shape: readonly number[]) => () => lower([residual], shape);
  expect(of({ residual: { layers: [{ dense: 3 }], shortcut: [{ dense: 4 }] } }, [2])).toThrow(
    'blocks[0][0]: residual does not fit its input [2]: the layers inside give [3], its shortcut [4]: both must have one shape',
  );
  expect(of({ residual: { layers: ['global_avgpool'], project: true } }, [2, 3, 3])).toThrow(
    'no 1x1 convolution or matrix takes [2,3,3] to [2]: say the layers that do as "shortcut"',
  );
  expect(of({ residual: { layers: ['flatten', { reshape: [3, 3] }, 'to_channels'], project: true } }, [3, 3])).not.toThrow();
  expect(of({ residual: { layers: ['to_sequence'] } }, [3, 3])).toThrow('channels stand first on one way and last on the other');
  expect(of({ residual: { layers: ['relu'], shortcut: ['relu'], project: true } }, [2])).toThrow(
    /expected no .*project.* beside .*shortcut/,
  );
  expect(of({ residual: { layers: ['relu'], shortcut: [{ maxpool2d: 2 }] } }, [2])).toThrow(
    'blocks[0][0].shortcut[0]: maxpool2d does not fit',
  );
});

it('adds what recurrent layers and attention give to a sequence that no layer has said to be one', () => {
  const shapeOf = (layer: LayerInput) => lower([layer], [5, 3]).g.graph.outputs[0]?.shape;
  expect(shapeOf({ residual: [{ lstm: { units: 3, sequences: true } }] })).toEqual(['N', 5, 3]);
  expect(shapeOf({ residual: ['relu', { attention: 1 }, { dense: { units: 3, each: 'step' } }] })).toEqual(['N', 5, 3]);
  const projected = lower([{ residual: { layers: [{ gru: { units: 4, sequences: true } }], project: true } }], [5, 3]);
  expect(projected.g.graph.outputs[0]?.shape).toEqual(['N', 5, 4]);
  expect(projected.specs.find(({ name }) => name.endsWith('project/weight'))?.shape).toEqual([3, 4]);
  // A convolution reads the first axis as channels: the way around would be another thing.
  const turned = [{ conv1d: { filters: 5, kernel: 1 } }, 'to_sequence'] as const;
  expect(() => lower([{ residual: [...turned] }], [5, 5])).toThrow('channels stand first on one way and last on the other');
});
