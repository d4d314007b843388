// Official artifacts in ONNX Runtime's own TrainingSession (onnxruntime-web 1.19.2) against our step graph: the same losses from the same
// weights and data, step by step, and frozen weights that keep every bit.
import { describe, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { loadOrtTraining } from '../../src/onnx/runtime/ort-training-node.js';
import { bodyNames, type EngineCase, engineCase, lateralKinds, steps } from './cases.js';
import {
  apart,
  artifactsOf,
  type EngineSettings,
  feedsOf,
  filesOf,
  trainWithLoop,
  trainWithSession,
  weightsApart,
  weightTolerance,
} from './engines.js';

const training = await loadOrtTraining();
const constant = (rate: number) => Array.from({ length: steps }, () => rate);
const adamw: EngineSettings = { optimizer: { kind: 'adamw', weightDecay: 0.02 }, rates: constant(0.002) };

async function expectAlike(given: EngineCase, settings: EngineSettings, form: 'inputs' | 'initializers'): Promise<void> {
  const artifacts = artifactsOf(given, settings, form);
  const own = await trainWithLoop(given, settings);
  const official = await trainWithSession(training, given, artifacts);
  expect(apart(own.losses, official.losses)).toBeLessThan(1e-5);
  expect(must(own.losses.at(-1), 'loss')).not.toBe(own.losses[0]);
  for (const { name, role } of artifacts.parameters) {
    const after = must(official.weights.get(name), name);
    if (role === 'frozen') expect(after.bytes, name).toEqual(must(given.frozen.get('first')?.get(name), name).bytes);
    else expect(weightsApart(own.weights.get(name), after), name).toBeLessThan(weightTolerance);
  }
  const frozen = artifacts.parameters.filter((p) => p.role === 'frozen').length;
  expect(frozen > 0).toBe(form === 'inputs');
}

describe('twenty steps of AdamW', () => {
  for (const body of bodyNames)
    for (const laterals of lateralKinds)
      for (const form of ['inputs', 'initializers'] as const)
        it(`${body}, ${laterals} laterals, frozen as ${form}`, () => expectAlike(engineCase(body, laterals), adamw, form));
});

describe('twenty steps over a dense column', () => {
  const given = engineCase('dense', 'adapter');
  const rates = Array.from({ length: steps }, (_, i) => 0.02 * (i + 1));
  it('sgd with a schedule', () => expectAlike(given, { optimizer: { kind: 'sgd' }, rates }, 'inputs'));
  it('sgd, clipped by norm', () =>
    expectAlike(given, { optimizer: { kind: 'sgd' }, clip: { kind: 'norm', limit: 0.3 }, rates: constant(0.1) }, 'inputs'));
  it('sgd, clipped by value', () =>
    expectAlike(given, { optimizer: { kind: 'sgd' }, clip: { kind: 'value', limit: 0.01 }, rates: constant(0.1) }, 'inputs'));
  for (const head of ['bce', 'mse', 'l1', 'several'] as const)
    it(`adam, ${head}`, () =>
      expectAlike(engineCase('dense', 'adapter', head), { optimizer: { kind: 'adam' }, rates: constant(0.001) }, 'inputs'));
});

describe('ten steps, a checkpoint, and ten more are twenty', () => {
  const scheduled: EngineSettings = {
    optimizer: { kind: 'adamw', weightDecay: 0.02 },
    clip: { kind: 'norm', limit: 0.5 },
    rates: Array.from({ length: steps }, (_, i) => 0.001 * (1 + (i % 4))),
  };
  const half = steps / 2;

  it('within TrainingSession, by the copies of the moments: the same bits', async () => {
    const given = engineCase('batch_norm', 'adapter');
    const whole = await trainWithSession(training, given, artifactsOf(given, scheduled, 'initializers', { copiedMoments: true }));
    const begun = artifactsOf(given, scheduled, 'initializers', { copiedMoments: true });
    const { weights, losses } = await trainWithSession(training, given, begun, [0, half]);
    const resumed = { tensors: weights, step: half, rate: 0.001 };
    const rest = artifactsOf(given, scheduled, 'initializers', { copiedMoments: true, weights, resumed });
    const ended = await trainWithSession(training, given, rest, [half, steps]);
    expect([...losses, ...ended.losses]).toEqual(whole.losses);
    for (const [name, tensor] of whole.weights) expect(ended.weights.get(name)?.bytes, name).toEqual(tensor.bytes);
    const moments = [...whole.weights].filter(([name]) => /momentum[01]$/.test(name));
    expect(moments.length).toBe(2 * begun.parameters.filter((p) => p.role === 'trainable').length);
    expect(moments.every(([, t]) => t.numbers().some((x) => x !== 0))).toBe(true);
  });

  for (const kind of ['adamw', 'sgd'] as const)
    it(`begun by the engine ort, ${kind}`, async () => {
      const settings = { ...scheduled, optimizer: { kind } };
      const given = engineCase('dense', 'adapter');
      const whole = await trainWithLoop(given, settings);
      const { weights, losses } = await trainWithLoop(given, settings, half);
      const resumed = { tensors: weights, step: half, rate: 0.001 };
      const rest = artifactsOf(given, settings, 'inputs', { weights, resumed });
      const ended = await trainWithSession(training, given, rest, [half, steps]);
      expect(apart(whole.losses, [...losses, ...ended.losses])).toBeLessThan(1e-5);
      for (const { name, role } of rest.parameters)
        if (role !== 'frozen')
          expect(weightsApart(whole.weights.get(name), ended.weights.get(name)), name).toBeLessThan(weightTolerance);
      // Without the optimizer's state it would be another training.
      const without = await trainWithSession(training, given, artifactsOf(given, settings, 'inputs', { weights }), [half, steps]);
      expect(apart(whole.losses, [...losses, ...without.losses]) > 1e-3).toBe(true);
    });
});

describe('checkpoints of other forms in onnxruntime-web 1.19.2', () => {
  const given = engineCase('dense', 'linear');
  it('version 1 is refused, which 1.17 takes', async () => {
    const files = filesOf(artifactsOf(given, adamw, 'inputs', { checkpointVersion: 1 }));
    await expect(training.createTrainingSession(files)).rejects.toThrow(/^ONNX Runtime training: [^\n]*$/);
  });
  it('a nominal one is loaded, and a step is refused until it has weights', async () => {
    const session = await training.createTrainingSession(filesOf(artifactsOf(given, adamw, 'inputs', { nominal: true })));
    await expect(session.trainStep(feedsOf(given, 0))).rejects.toThrow(/^ONNX Runtime training: [^\n]*$/);
    await session.release();
  });
});
