// Convolutions of every number of axes, depthwise and transposed ones: numbers by the definition, gradients by differences, fans, joints, refusals.
import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { convolution, type Moves, transposed } from '../reference.js';
import { checkLayers, lower, numbers, parametersOf, run } from '../support.js';

interface Case {
  readonly layer: LayerInput;
  /** Of x, the batch among them. */
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly moves: Moves;
  readonly by: typeof convolution;
}
const cases: Case[] = [
  { layer: { conv1d: { filters: 3, kernel: 3 } }, x: [2, 2, 5], weight: [3, 2, 3], moves: {}, by: convolution },
  {
    layer: { conv1d: { filters: 4, kernel: 2, stride: 2, dilation: 2, groups: 2, padding: [1, 2] } },
    x: [2, 2, 6],
    weight: [4, 1, 2],
    moves: { stride: [2], dilation: [2], groups: 2, pads: [1, 2] },
    by: convolution,
  },
  {
    layer: { conv1d: { filters: 2, kernel: 4, padding: 'same' } },
    x: [1, 2, 5],
    weight: [2, 2, 4],
    moves: { pads: [1, 2] },
    by: convolution,
  },
  { layer: { conv3d: { filters: 2, kernel: 2 } }, x: [1, 2, 3, 2, 3], weight: [2, 2, 2, 2, 2], moves: {}, by: convolution },
  {
    layer: { conv3d: { filters: 2, kernel: [1, 2, 3], stride: [1, 2, 1], padding: [0, 1, 1], bias: false } },
    x: [2, 1, 2, 3, 3],
    weight: [2, 1, 1, 2, 3],
    moves: { stride: [1, 2, 1], pads: [0, 1, 1, 0, 1, 1] },
    by: convolution,
  },
  {
    layer: { depthwise_conv2d: { kernel: [2, 3], padding: 1 } },
    x: [1, 3, 3, 3],
    weight: [3, 1, 2, 3],
    moves: { groups: 3, pads: [1, 1, 1, 1] },
    by: convolution,
  },
  {
    layer: { depthwise_conv2d: { kernel: 2, multiplier: 2, stride: 2 } },
    x: [1, 2, 4, 4],
    weight: [4, 1, 2, 2],
    moves: { groups: 2, stride: [2, 2] },
    by: convolution,
  },
  {
    layer: { conv_transpose1d: { filters: 3, kernel: 3, stride: 2 } },
    x: [2, 2, 3],
    weight: [2, 3, 3],
    moves: { stride: [2] },
    by: transposed,
  },
  {
    layer: { conv_transpose1d: { filters: 2, kernel: 3, stride: 2, padding: 'same' } },
    x: [1, 2, 4],
    weight: [2, 2, 3],
    moves: { stride: [2], pads: [0, 1] },
    by: transposed,
  },
  {
    layer: { conv_transpose2d: { filters: 4, kernel: [3, 2], stride: 2, padding: 1, output_padding: [1, 0], groups: 2 } },
    x: [1, 2, 3, 3],
    weight: [2, 2, 3, 2],
    moves: { stride: [2, 2], pads: [1, 1, 1, 1], extra: [1, 0], groups: 2 },
    by: transposed,
  },
  {
    layer: { conv_transpose2d: { filters: 2, kernel: 2, dilation: 2, bias: false } },
    x: [1, 1, 2, 3],
    weight: [1, 2, 2, 2],
    moves: { dilation: [2, 2] },
    by: transposed,
  },
];
const named = cases.map((c) => [JSON.stringify(c.layer), c] as const);

describe.each(named)('%s', (_, { layer, x: dims, weight, moves, by }) => {
  const x = numbers(dims, 1);
  const parameters = parametersOf([layer], dims.slice(1));
  const nameOf = (end: string) => Object.keys(parameters).find((name) => name.endsWith(end));

  it('computes what the definition does, at every opset', async () => {
    const w = must(parameters[must(nameOf('/weight'), 'weight')], 'weight');
    expect(w.dims).toEqual(weight);
    const { dims: shape, numbers: sums } = by(x, w, moves);
    const bias = nameOf('/bias') === undefined ? undefined : parameters[must(nameOf('/bias'), 'bias')]?.numbers();
    const places = shape.slice(2).reduce((a, b) => a * b, 1);
    for (const opset of [17, 19, 21]) {
      const y = must((await run([layer], x, parameters, { opset })).y, 'y');
      expect(y.dims).toEqual(shape);
      y.numbers().forEach((v, i) => {
        expect(v).toBeCloseTo((sums[i] ?? Number.NaN) + (bias?.[Math.floor(i / places) % bias.length] ?? 0), 5);
      });
    }
  });

  it('has the gradients of its differences', async () => {
    expect(await checkLayers([layer], x)).toBeGreaterThan(100);
  });

  it('takes laterals at its output by its own window', () => {
    const { joints, g } = lower([layer, 'relu'], dims.slice(1), { lateral: true });
    const size = dims.slice(2);
    expect(joints).toMatchObject([
      { along: 'positions', layout: 'channels-first', width: by(x, numbers(weight, 2), moves).dims[1], size },
    ]);
    expect(g.graph.nodes.map((n) => n.opType)).toEqual([by === transposed ? 'ConvTranspose' : 'Conv', 'Add', 'Relu']);
  });
});

it('counts fans per group, those of a transposed one as PyTorch and Keras do', () => {
  const init = (layer: LayerInput, shape: readonly number[]) => lower([layer], shape).specs[0]?.init;
  expect(init({ conv1d: { filters: 4, kernel: 3, groups: 2 } }, [2, 5])).toMatchObject({ fanIn: 3, fanOut: 6 });
  expect(init({ conv3d: { filters: 5, kernel: 2 } }, [3, 4, 4, 4])).toMatchObject({ fanIn: 24, fanOut: 40 });
  expect(init({ depthwise_conv2d: { kernel: 3, multiplier: 2 } }, [3, 4, 4])).toMatchObject({ fanIn: 9, fanOut: 18 });
  expect(init({ conv_transpose2d: { filters: 5, kernel: 2 } }, [3, 4, 4])).toMatchObject({ fanIn: 20, fanOut: 12 });
  const torch = lower([{ conv_transpose1d: { filters: 5, kernel: 2, init: 'torch_uniform' } }], [3, 4]).specs;
  expect(torch[1]?.init).toEqual({ by: { kind: 'torch_uniform' }, fanIn: 10, fanOut: 1 });
});

describe('refuses', () => {
  it('another number of axes', () => {
    expect(() => lower([{ conv1d: { filters: 1, kernel: 1 } }], [1, 4, 4])).toThrow(
      'blocks[0][0]: conv1d does not fit its input [1,4,4]: a signal [channels, length] is needed',
    );
    expect(() => lower([{ conv3d: { filters: 1, kernel: 1 } }], [1, 4, 4])).toThrow(
      'a volume [channels, depth, height, width] is needed',
    );
    expect(() => lower([{ depthwise_conv2d: 3 }], [4])).toThrow('an image [channels, height, width] is needed');
  });
  it('a sequence, whose channels stand last', () => {
    expect(() => lower([{ conv1d: { filters: 1, kernel: 1 } }], [4, 4], { layout: 'channels-last' })).toThrow(
      'a signal [channels, length] is needed, this is a sequence [positions, features]: put "to_channels" before it',
    );
  });
  it('groups that do not divide, an output_padding that has no step to stand in', () => {
    const layer = { conv_transpose2d: { filters: 2, kernel: 2, groups: 2 } };
    expect(() => lower([layer], [3, 2, 2])).toThrow('3 channels do not divide into 2 groups');
    const refused = { conv_transpose1d: { filters: 2, kernel: 2, output_padding: 1 } };
    expect(() => lower([refused], [1, 2])).toThrow('expected less than the stride or the dilation');
  });
  it('a window that is cut off whole, or has no place', () => {
    const layer = { conv_transpose1d: { filters: 2, kernel: 2, padding: 2 } };
    expect(() => lower([layer], [1, 2])).toThrow(/^blocks\[0\]\[0\]: conv_transpose1d does not fit its input \[1,2\]: /);
    expect(() => lower([{ conv1d: { filters: 2, kernel: 5 } }], [1, 2])).toThrow(
      /^blocks\[0\]\[0\]: conv1d does not fit its input \[1,2\]: /,
    );
  });
});

it('a transposed convolution is "same" where its kernel spans the stride, or places more make up for it', () => {
  const sizeOf = (o: object) =>
    lower(
      [{ conv_transpose1d: { filters: 1, kernel: 1, stride: 2, padding: 'same', ...o } }],
      [1, 5],
    ).g.graph.outputs[0]?.shape?.slice(1);
  expect(() => sizeOf({})).toThrow('expected a kernel that spans the stride, or');
  expect(sizeOf({ output_padding: 1 })).toEqual([1, 10]);
  expect(sizeOf({ kernel: 2 })).toEqual([1, 10]);
});
