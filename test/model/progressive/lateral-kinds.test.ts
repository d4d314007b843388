// Laterals between taps of every kind and joints of every kind, written out by the definitions: what the tap becomes, and U over it.
import { describe, expect, it } from 'vitest';
import type { Init } from '../../../src/model/nn/init.js';
import type { Joint } from '../../../src/model/nn/joint.js';
import { type Layout, positionsOf } from '../../../src/model/nn/sample.js';
import { inferenceScope } from '../../../src/model/nn/scope.js';
import type { Window } from '../../../src/model/nn/window.js';
import { lateralJoint } from '../../../src/model/progressive/lateral.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';
import { convolution, transposed } from '../nn/reference.js';
import { numbers } from '../nn/support.js';

const init: Init = { kind: 'he_normal' };
const taps: Readonly<Record<string, { shape: readonly number[]; layout?: Layout }>> = {
  features: { shape: [3] },
  signal: { shape: [3, 4] },
  image: { shape: [2, 4, 2] },
  volume: { shape: [2, 4, 2, 4] },
  sequence: { shape: [4, 3], layout: 'channels-last' },
  'positions of an image, channels last': { shape: [4, 2, 3], layout: 'channels-last' },
};
const window = (axes: number): Window => ({
  kernel: Array.from({ length: axes }, (_, i) => (i === 0 ? 2 : 1)),
  stride: Array.from({ length: axes }, () => 1),
  dilation: Array.from({ length: axes }, () => 1),
  padding: 'valid',
});
const positions = (size: readonly number[], more: Partial<Window> = {}): Joint => ({
  along: 'positions',
  layout: 'channels-first',
  width: 2,
  init,
  window: { ...window(size.length), ...more },
  size,
});
const joints: Readonly<Record<string, Joint>> = {
  'a signal': positions([2]),
  'an image': positions([4, 2]),
  'a smaller image': positions([2, 1]),
  'a volume': positions([2, 2, 2]),
  'a transposed convolution': positions([4, 2], { transposed: { outputPadding: [0, 0] } }),
  'a sequence': { along: 'positions', layout: 'channels-last', width: 2, init, size: [2] },
};

/** Halves an axis of channels-first numbers by means of pairs. */
function halved(values: readonly number[], dims: readonly number[], axis: number): number[] {
  const after = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const [length = 1, rows] = [dims[axis], values.length / ((dims[axis] ?? 1) * after)];
  return Array.from({ length: values.length / 2 }, (_, at) => {
    const [row, rest] = [Math.floor(at / ((length / 2) * after)), at % ((length / 2) * after)];
    const [i, inner] = [Math.floor(rest / after), rest % after];
    const value = (k: number) => values[(row * length + k) * after + inner] ?? 0;
    return rows === 0 ? 0 : (value(2 * i) + value(2 * i + 1)) / 2;
  });
}

const fixed = (dims: readonly number[], layout: Layout | undefined) => {
  const { channels, size } = positionsOf(dims, layout);
  return { channels, size: size.map(Number) };
};

/** The tap as the joint needs it, channels first: [N, channels, ...size]. */
function brought(tap: Tensor, layout: Layout | undefined, size: readonly number[]): Tensor {
  const own = fixed(tap.dims.slice(1), layout);
  const [n = 1, { channels }] = [tap.dims[0], own];
  const places = own.size.reduce((a, b) => a * b, 1);
  const values = tap.numbers();
  let first =
    layout === 'channels-last'
      ? Array.from({ length: values.length }, (_, at) => {
          const [row, rest] = [Math.floor(at / (channels * places)), at % (channels * places)];
          return values[row * channels * places + (rest % places) * channels + Math.floor(rest / places)] ?? 0;
        })
      : values;
  const target = size.reduce((a, b) => a * b, 1);
  if (own.size.length !== size.length) {
    const mean = Array.from(
      { length: n * channels },
      (_, i) => first.slice(i * places, (i + 1) * places).reduce((a, b) => a + b, 0) / places,
    );
    return Tensor.from(
      'float32',
      mean.flatMap((v) => new Array<number>(target).fill(v)),
      [n, channels, ...size],
    );
  }
  const dims = [n, channels, ...own.size];
  for (const [i, want] of size.entries())
    while ((dims[i + 2] ?? 0) > want) {
      first = halved(first, dims, i + 2);
      dims[i + 2] = (dims[i + 2] ?? 0) / 2;
    }
  return Tensor.from('float32', first, dims);
}

/** Runs the lateral of one source alone into a joint; its parameters by the end of their names. */
async function lateral(kind: 'linear' | 'adapter', tap: Tensor, layout: Layout | undefined, joint: Joint) {
  const g = ops();
  const parameters = new Map<string, Tensor>();
  const scope = inferenceScope(g, ({ name, shape }) => {
    const value = shape.length === 0 ? Tensor.from('float32', [0.5], []) : numbers(shape, 20 + parameters.size);
    parameters.set(must(name.split('/').slice(2).join('/'), name), value);
    return g.constant(value);
  });
  const ends = { from: ['a'], into: [1] };
  const laterals = kind === 'linear' ? { kind, ...ends } : { kind, activation: 'tanh' as const, rank: 3, ...ends };
  const place = { scope, prefix: 'b/1', into: 1, laterals, width: 3, drawAlpha: () => 0.5 };
  const x = g.input('tap', 'float32', tap.dims);
  g.output(lateralJoint({ ...place, sources: [{ task: 'a', tap: x, layout }] })(joint), 'y');
  return { y: must((await runModel(g.model(), { tap })).y, 'y'), parameters };
}

/** U over what was brought, channels first. */
function mapped(joint: Joint, x: Tensor, u: Tensor) {
  if (joint.along !== 'positions') throw new Error('positions');
  if (joint.layout === 'channels-first') return joint.window.transposed === undefined ? convolution(x, u) : transposed(x, u);
  // A matrix of features is a convolution of one position.
  const [from = 1, to = 1] = u.dims;
  const turned = Array.from({ length: from * to }, (_, at) => u.numbers()[(at % from) * to + Math.floor(at / from)] ?? 0);
  return convolution(x, Tensor.from('float32', turned, [to, from, 1]));
}

const near = (joint: Joint, y: Tensor, expected: { dims: readonly number[]; numbers: readonly number[] }) => {
  const last = joint.along === 'positions' && joint.layout === 'channels-last';
  const [n = 1, channels = 1, length = 1] = expected.dims;
  expect(y.dims).toEqual(last ? [n, length, channels] : expected.dims);
  y.numbers().forEach((v, at) => {
    const from = last
      ? Math.floor(at / (length * channels)) * length * channels + (at % channels) * length + (Math.floor(at / channels) % length)
      : at;
    expect(v, `[${at}]`).toBeCloseTo(expected.numbers[from] ?? Number.NaN, 4);
  });
};

describe.each(Object.entries(taps))('%s into', (_, { shape, layout }) => {
  const tap = numbers([2, ...shape], 7);
  it.each(Object.entries(joints))('%s', async (_name, joint) => {
    if (joint.along !== 'positions') throw new Error('positions');
    const size = joint.size.map(Number);
    const fits = fixed(shape, layout).size.length === size.length;
    // These references halve sizes only.
    if (fits && size.some((n, i) => n > (fixed(shape, layout).size[i] ?? 0))) throw new Error('grows');
    const x = brought(tap, layout, size);
    const linear = await lateral('linear', tap, layout, joint);
    near(joint, linear.y, mapped(joint, x, must(linear.parameters.get('lateral/a/weight'), 'U')));

    const { y, parameters } = await lateral('adapter', tap, layout, joint);
    const parameter = (name: string) => must(parameters.get(`adapter/${name}`), name);
    const v = parameter('V');
    const channels = fixed(shape, layout).channels;
    const one = joint.size.map(() => 1);
    const matrix = v.dims.length === 2;
    const kernel = matrix
      ? Tensor.from(
          'float32',
          Array.from({ length: 3 * channels }, (_, at) => v.numbers()[(at % channels) * 3 + Math.floor(at / channels)] ?? 0),
          [3, channels, ...one],
        )
      : v;
    const scaled = Tensor.from(
      'float32',
      x.numbers().map((h) => 0.5 * h),
      x.dims,
    );
    const projected = convolution(scaled, kernel);
    const places = size.reduce((a, b) => a * b, 1);
    const bias = parameter('V_bias').numbers();
    const active = projected.numbers.map((z, at) => Math.tanh(z + (bias[Math.floor(at / places) % 3] ?? 0)));
    near(joint, y, mapped(joint, Tensor.from('float32', active, projected.dims), parameter('U')));
  });

  it('features: all of its values; of a sequence their means over its steps', async () => {
    const joint: Joint = { along: 'features', width: 2, init };
    const { y, parameters } = await lateral('linear', tap, layout, joint);
    const u = must(parameters.get('lateral/a/weight'), 'U');
    const [n, values] = [2, tap.numbers()];
    const all = values.length / n;
    const sequence = layout === 'channels-last' && shape.length === 2;
    const [steps, features] = sequence ? [shape[0] ?? 1, shape[1] ?? 1] : [1, all];
    expect(u.dims).toEqual([features, 2]);
    y.numbers().forEach((v, at) => {
      const [row, unit] = [Math.floor(at / 2), at % 2];
      let sum = 0;
      for (let f = 0; f < features; f++)
        for (let t = 0; t < steps; t++)
          sum += ((values[row * all + t * features + f] ?? 0) / steps) * (u.numbers()[f * 2 + unit] ?? 0);
      expect(v).toBeCloseTo(sum, 4);
    });
  });
});
