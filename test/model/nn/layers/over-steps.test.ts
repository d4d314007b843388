// Sequences made features: their numbers by hand, with and without a mask, and padding that changes no answer.
import { expect, it } from 'vitest';
import type { LayerInput } from '../../../../src/model/nn/layers.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { quantize } from '../../../../src/onnx/precision/quantize.js';
import { runModel } from '../../../support/run.js';
import { lower, numbers, run } from '../support.js';

const x = Tensor.from('float32', [1, -2, 3, -4, 8, -9, -1, -1, -2, -5, 7, 7], [2, 3, 2]);
/** Inputs as `lower` declares them. */
const inputsOf = (feeds: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(feeds).map(([name, { dtype, dims }]) => [name, { dtype, shape: dims.slice(1) }]));

const lengths = (...of: readonly number[]) => new Tensor('int64', [of.length], BigInt64Array.from(of, BigInt));
const values = async (layer: LayerInput, feeds: Record<string, Tensor> = {}, of = x) =>
  (await run([layer], of, feeds, { inputs: inputsOf(feeds) })).y?.numbers();

it('all steps count without a mask', async () => {
  expect(await values('mean_over_steps')).toEqual([4, -5, 4 / 3, 1 / 3].map((v) => expect.closeTo(v, 5)));
  expect(await values('max_over_steps')).toEqual([8, -2, 7, 7]);
  expect(await values('last_step')).toEqual([8, -9, 7, 7]);
});

it('only those that are there with one, and none gives 0', async () => {
  const n = lengths(2, 0);
  expect(await values({ mean_over_steps: { mask: 'n' } }, { n })).toEqual([2, -3, 0, 0]);
  expect(await values({ max_over_steps: { mask: 'n' } }, { n })).toEqual([3, -2, 0, 0]);
  expect(await values({ last_step: { mask: 'n' } }, { n })).toEqual([3, -4, 0, 0]);
  const mask = new Tensor('bool', [2, 3], Uint8Array.of(1, 0, 1, 0, 1, 0));
  expect(await values({ mean_over_steps: { mask: 'mask' } }, { mask })).toEqual([4.5, -5.5, -2, -5]);
  expect(await values({ max_over_steps: { mask: 'mask' } }, { mask })).toEqual([8, -2, -2, -5]);
  expect(await values({ last_step: { mask: 'mask' } }, { mask })).toEqual([8, -9, -2, -5]);
});

it('counts what lies below all that float16 holds', async () => {
  const low = Tensor.from('float32', [-1e5, -3e38, -2e5, -1e6, 5, 5], [1, 3, 2]);
  const n = lengths(2);
  expect(await values({ max_over_steps: { mask: 'n' } }, { n }, low)).toEqual([-1e5, -1e6].map(Math.fround));
});

it('finds the last of many steps in float16 too', async () => {
  const steps = 2100;
  const n = lengths(2052, 3, steps);
  const { g } = lower([{ last_step: { mask: 'n' } }], [steps, 1], { inputs: inputsOf({ n }) });
  const many = Tensor.from(
    'float32',
    Array.from({ length: 3 * steps }, (_, i) => i % steps),
    [3, steps, 1],
  );
  const { model } = await quantize(undefined, g.model(), { precision: 'fp16' });
  expect((await runModel(model, { x: many, n })).y?.numbers()).toEqual([2051, 2, 2099]);
});

const pools = ['mean_over_steps', 'max_over_steps', 'last_step', 'attention_over_steps'] as const;
it.each(
  pools.flatMap(
    (kind) =>
      [
        [kind, [kind]],
        [`attention, ${kind}`, [kind, 'attention']],
      ] as const,
  ),
)('padding changes no answer: %s', async (_, [kind, before]) => {
  const layers = [
    ...(before === undefined ? [] : [{ attention: { heads: 2, mask: 'n' } }]),
    { [kind]: { mask: 'n' } },
  ] as unknown as LayerInput[];
  const n = lengths(2, 3);
  const { specs } = lower(layers, [3, 4], { inputs: inputsOf({ n }) });
  const weights = Object.fromEntries(specs.map(({ name, shape }, i) => [name, numbers(shape, 5 + i)]));
  const real = numbers([2, 3, 4], 3);
  const padded = (steps: number, filling: number) => {
    const data = new Float32Array(2 * steps * 4).fill(filling);
    for (const [row, length] of [2, 3].entries())
      data.set((real.data as Float32Array).subarray(row * 12, row * 12 + length * 4), row * steps * 4);
    return new Tensor('float32', [2, steps, 4], data);
  };
  const answer = async (steps: number, filling: number) =>
    (await run(layers, padded(steps, filling), { ...weights, n }, { inputs: inputsOf({ n }) })).y?.numbers() ?? [];
  const [short, long] = [await answer(3, 0), await answer(9, 77)];
  expect(short).toHaveLength(8);
  for (const [i, v] of short.entries()) expect(long[i]).toBeCloseTo(v, 5);
});

it('weighs steps by what it learned: alike where all scores are', async () => {
  const { specs } = lower(['attention_over_steps'], [3, 2]);
  const zeros = Object.fromEntries(specs.map(({ name, shape }) => [name, Tensor.zeros('float32', [...shape])]));
  expect((await run(['attention_over_steps'], x, zeros)).y?.numbers()).toEqual(
    [4, -5, 4 / 3, 1 / 3].map((v) => expect.closeTo(v, 5)),
  );
});

it.each([
  [[], 'bool []'],
  [[1], 'bool [1]'],
])('a single flag %j tells nothing of steps', (shape, got) => {
  expect(() => lower([{ mean_over_steps: { mask: 'n' } }], [3, 2], { inputs: { n: { dtype: 'bool', shape } } })).toThrow(
    `its mask is ${got}, expected [3], one for each step, or a number, how many steps there are`,
  );
});

it('a mask of other steps is refused', () => {
  expect(() =>
    lower([{ mean_over_steps: { mask: 'n' } }], [3, 2], { inputs: inputsOf({ n: Tensor.zeros('float32', [1, 5]) }) }),
  ).toThrow('its mask is [5], expected [3], one for each step, or a number, how many steps there are');
});
