// group_norm, instance_norm and rms_norm: numbers by their formulas, gradients by differences, refusals.
import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import type { Size } from '../../../../src/model/nn/open-size.js';
import type { Layout } from '../../../../src/model/nn/sample.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { runModel } from '../../../support/run.js';
import { checkLayers, lower, numbers, parametersOf, run } from '../support.js';

/** Each run of `width` numbers less its mean, over its deviation. */
function standardised(values: readonly number[], width: number, epsilon: number): number[] {
  return values.map((v, i) => {
    const part = values.slice(i - (i % width), i - (i % width) + width);
    const mean = part.reduce((a, b) => a + b, 0) / width;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
    return (v - mean) / Math.sqrt(variance + epsilon);
  });
}

interface Case {
  readonly layer: LayerInput;
  readonly x: readonly number[];
  readonly layout?: Layout;
  readonly expected: (x: readonly number[], scale: readonly number[], bias: readonly number[]) => number[];
}
const perChannel = (values: readonly number[], positions: number, scale: readonly number[], bias: readonly number[]) =>
  values.map((v, i) => {
    const c = Math.floor(i / positions) % scale.length;
    return v * (scale[c] ?? 1) + (bias[c] ?? 0);
  });
const cases: Case[] = [
  { layer: { group_norm: 2 }, x: [2, 4, 3], expected: (x, scale, bias) => perChannel(standardised(x, 6, 1e-5), 3, scale, bias) },
  {
    layer: { group_norm: { groups: 1, epsilon: 0.1 } },
    x: [1, 2, 2, 2],
    expected: (x, scale, bias) => perChannel(standardised(x, 8, 0.1), 4, scale, bias),
  },
  { layer: { group_norm: { groups: 3, affine: false } }, x: [1, 3, 2, 2], expected: (x) => standardised(x, 4, 1e-5) },
  { layer: 'instance_norm', x: [2, 2, 2, 3], expected: (x) => standardised(x, 6, 1e-5) },
  {
    layer: { instance_norm: { affine: true, epsilon: 0.01 } },
    x: [2, 3, 4],
    expected: (x, scale, bias) => perChannel(standardised(x, 4, 0.01), 4, scale, bias),
  },
  { layer: { instance_norm: {} }, x: [1, 1, 2, 2, 2], expected: (x) => standardised(x, 8, 1e-5) },
  {
    layer: 'rms_norm',
    x: [2, 5],
    expected: (x, scale) =>
      x.map((v, i) => {
        const row = x.slice(i - (i % 5), i - (i % 5) + 5);
        return ((scale[i % 5] ?? 1) * v) / Math.sqrt(row.reduce((a, b) => a + b * b, 0) / 5 + 2 ** -23);
      }),
  },
  {
    layer: { rms_norm: { epsilon: 0.1 } },
    x: [1, 3, 4],
    layout: 'channels-last',
    expected: (x, scale) =>
      x.map((v, i) => {
        const row = x.slice(i - (i % 4), i - (i % 4) + 4);
        return ((scale[i % 4] ?? 1) * v) / Math.sqrt(row.reduce((a, b) => a + b * b, 0) / 4 + 0.1);
      }),
  },
  {
    layer: { rms_norm: { epsilon: 0.1 } },
    x: [1, 3, 4],
    expected: (x, scale) =>
      x.map((v, i) => {
        const column = [0, 1, 2].map((c) => x[c * 4 + (i % 4)] ?? 0);
        return ((scale[Math.floor(i / 4)] ?? 1) * v) / Math.sqrt(column.reduce((a, b) => a + b * b, 0) / 3 + 0.1);
      }),
  },
];

describe.each(cases.map((c) => [`${JSON.stringify(c.layer)} of [${c.x}] ${c.layout ?? ''}`, c] as const))('%s', (_, c) => {
  const x = numbers(c.x, 1);
  const options = c.layout === undefined ? {} : { layout: c.layout };
  it('computes its formula, at every opset, in training too', async () => {
    const parameters = parametersOf([c.layer], c.x.slice(1), options);
    const of = (end: string) =>
      Object.entries(parameters)
        .find(([name]) => name.endsWith(end))?.[1]
        .numbers() ?? [];
    const expected = c.expected(
      x.numbers(),
      of('/scale').length === 0 ? [1] : of('/scale'),
      of('/bias').length === 0 ? [0] : of('/bias'),
    );
    for (const opset of [17, 18, 21])
      for (const training of [false, true]) {
        const y = must((await run([c.layer], x, parameters, { ...options, opset, training })).y, 'y');
        expect(y.dims).toEqual(c.x);
        y.numbers().forEach((v, i) => {
          expect(v).toBeCloseTo(expected[i] ?? Number.NaN, 4);
        });
      }
  });
  it('has the gradients of its differences', async () => {
    expect(await checkLayers([c.layer], x, options)).toBeGreaterThan(50);
  });
  it('has no joint: laterals join the input of the block', () => {
    expect(lower([c.layer], c.x.slice(1), { ...options, lateral: true }).g.graph.nodes[0]?.opType).toBe('Add');
  });
});

it('scales begin at 1, biases at 0', () => {
  const of = (layer: LayerInput) => lower([layer], [4, 3, 3]).specs.map(({ name, shape, init }) => [name, shape, init]);
  expect(of({ group_norm: 2 })).toEqual([
    ['t/0/group_norm/scale', [4], { fill: 1 }],
    ['t/0/group_norm/bias', [4], { fill: 0 }],
  ]);
  expect(of('instance_norm')).toEqual([]);
  expect(of('rms_norm')).toEqual([['t/0/rms_norm/scale', [4], { fill: 1 }]]);
});

it('refuse what has no positions, groups that do not divide, one position', () => {
  expect(() => lower([{ group_norm: 3 }], [4, 2, 2])).toThrow(
    'blocks[0][0]: group_norm does not fit its input [4,2,2]: 4 channels do not divide into 3 groups',
  );
  expect(() => lower([{ group_norm: 2 }], [4])).toThrow('positions [channels, ...] are needed, such as those of an image');
  expect(() => lower(['instance_norm'], [4, 1, 1])).toThrow(
    'one position is its own mean, so all would be 0: more than one is needed',
  );
  expect(() => lower(['instance_norm'], [4, 4], { layout: 'channels-last' })).toThrow(
    'this is a sequence [positions, features]: put "to_channels" before it',
  );
});

it.each<[LayerInput, Size[]]>([
  [{ group_norm: 2 }, [4, 3, 3]],
  [{ group_norm: 2 }, [4, 'length']],
  [{ group_norm: { groups: 2, affine: false } }, [4, 'height', 3]],
  [{ group_norm: 4 }, [4, 'height', 'width']],
  ['instance_norm', [4, 3, 3]],
  ['instance_norm', [4, 'length']],
  ['batch_norm', [4, 3, 3]],
  ['batch_norm', [4, 'length']],
  ['layer_norm', [4, 3, 3]],
  ['rms_norm', [4, 3, 3]],
  ['rms_norm', [4, 'height', 'width']],
])('a batch without rows has an answer without rows: %j of %j', async (layer, shape) => {
  const { g } = lower([layer], shape);
  const known = shape.map((size) => (typeof size === 'number' ? size : 5));
  const x = Tensor.zeros('float32', [0, ...known]);
  expect((await runModel(g.model(), { x, ...parametersOf([layer], known) })).y?.dims).toEqual([0, ...known]);
});
