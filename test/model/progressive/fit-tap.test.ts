// A tap of each layout brought to each kind of joint, by each way to join: numbers by hand.
import { expect, describe as group, it } from 'vitest';
import type { Join } from '../../../src/model/description/lateral-schema.js';
import type { Joint } from '../../../src/model/nn/joint.js';
import { pointwise } from '../../../src/model/nn/window.js';
import { fitTap } from '../../../src/model/progressive/fit-tap.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';

const init = { kind: 'he_normal' } as const;
const features: Joint = { along: 'features', width: 7, init };
const sequence = (steps: number): Joint => ({ along: 'positions', layout: 'channels-last', width: 7, init, size: [steps] });
const image = (h: number, w: number): Joint => ({
  along: 'positions',
  layout: 'channels-first',
  width: 7,
  init,
  window: pointwise(2),
  size: [h, w],
});

const counted = (dims: readonly number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i),
    dims,
  );
/** Two features; three steps of two features; two channels of 2 x 2. */
const taps = { vector: counted([1, 2]), steps: counted([1, 3, 2]), image: counted([1, 2, 2, 2]) };

async function fitted(tap: Tensor, joint: Joint, join?: Join) {
  const layout = tap === taps.steps ? 'channels-last' : undefined;
  const g = ops();
  g.output(fitTap(g, { tap: g.input('tap', 'float32', ['N', ...tap.dims.slice(1)]), layout }, joint, join), 'y');
  const { y } = await runModel(g.model(), { tap });
  return [y?.dims.slice(1), y?.numbers().map((v) => Math.round(v * 1e4) / 1e4)];
}

group('into features', () => {
  it('features are themselves', async () => {
    for (const join of [undefined, 'flatten', 'pool'] as const)
      expect(await fitted(taps.vector, features, join)).toEqual([[2], [0, 1]]);
  });
  it('a sequence is pooled, or flattened', async () => {
    for (const join of [undefined, 'pool'] as const) expect(await fitted(taps.steps, features, join)).toEqual([[2], [2, 3]]);
    expect(await fitted(taps.steps, features, 'flatten')).toEqual([[6], [0, 1, 2, 3, 4, 5]]);
  });
  it('an image is flattened, or pooled', async () => {
    for (const join of [undefined, 'flatten'] as const)
      expect(await fitted(taps.image, features, join)).toEqual([[8], [0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(await fitted(taps.image, features, 'pool')).toEqual([[2], [1.5, 5.5]]);
  });
  it('no tap goes by steps', async () => {
    await expect(fitted(taps.steps, features, 'steps')).rejects.toThrow(
      'join: steps needs positions on both sides, the block takes features: expected "pool" or "flatten"',
    );
  });
});

group('into a sequence', () => {
  it('features are seen at every step', async () => {
    expect(await fitted(taps.vector, sequence(2))).toEqual([
      [2, 2],
      [0, 1, 0, 1],
    ]);
  });
  it('steps go to steps, resampled where there are others', async () => {
    expect(await fitted(taps.steps, sequence(3))).toEqual([
      [3, 2],
      [0, 1, 2, 3, 4, 5],
    ]);
    expect(await fitted(taps.steps, sequence(1))).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(await fitted(taps.steps, sequence(6))).toEqual([
      [6, 2],
      [0, 1, 0.5, 1.5, 1.5, 2.5, 2.5, 3.5, 3.5, 4.5, 4, 5],
    ]);
    expect(await fitted(taps.steps, sequence(2), 'pool')).toEqual([
      [2, 2],
      [2, 3, 2, 3],
    ]);
    expect(await fitted(taps.steps, sequence(2), 'flatten')).toEqual([
      [2, 6],
      [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5],
    ]);
  });
  it('the mean of an image is seen at every step; by steps its places are, row by row', async () => {
    expect(await fitted(taps.image, sequence(2))).toEqual([
      [2, 2],
      [1.5, 5.5, 1.5, 5.5],
    ]);
    expect(await fitted(taps.image, sequence(4), 'steps')).toEqual([
      [4, 2],
      [0, 4, 1, 5, 2, 6, 3, 7],
    ]);
    expect(await fitted(taps.image, sequence(2), 'steps')).toEqual([
      [2, 2],
      [0.5, 4.5, 2.5, 6.5],
    ]);
  });
});

group('into an image', () => {
  it('features are seen at every place', async () => {
    expect(await fitted(taps.vector, image(1, 2))).toEqual([
      [2, 1, 2],
      [0, 0, 1, 1],
    ]);
  });
  it('the mean of a sequence is seen at every place; by steps they are places, row by row', async () => {
    expect(await fitted(taps.steps, image(1, 2))).toEqual([
      [2, 1, 2],
      [2, 2, 3, 3],
    ]);
    expect(await fitted(taps.steps, image(1, 3), 'steps')).toEqual([
      [2, 1, 3],
      [0, 2, 4, 1, 3, 5],
    ]);
    expect(await fitted(taps.steps, image(2, 3), 'steps')).toEqual([
      [2, 2, 3],
      [0, 0.5, 1.5, 2.5, 3.5, 4, 1, 1.5, 2.5, 3.5, 4.5, 5],
    ]);
  });
  it('an image is resized, or its mean seen at every place', async () => {
    expect(await fitted(taps.image, image(1, 1))).toEqual([
      [2, 1, 1],
      [1.5, 5.5],
    ]);
    expect(await fitted(taps.image, image(1, 2), 'pool')).toEqual([
      [2, 1, 2],
      [1.5, 1.5, 5.5, 5.5],
    ]);
  });
});
