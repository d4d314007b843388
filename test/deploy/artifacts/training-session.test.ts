// Official artifacts in ONNX Runtime's own TrainingSession (onnxruntime-web 1.19.2) against our step graph: the same losses from the same
// weights and data, step by step, and frozen weights that keep every bit.
import { describe, expect, it } from 'vitest';
import { must } from '../../../src/core/errors.js';
import { loadOrtTraining } from '../../../src/runtime/ort-training-node.js';
import { bodyNames, type EngineCase, engineCase, lateralKinds, steps } from './cases.js';
import { apart, artifactsOf, type EngineSettings, trainWithLoop, trainWithSession } from './engines.js';

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
    if (role === 'frozen') expect(after.bytes, name).toEqual(must(given.frozen[0]?.get(name), name).bytes);
    else expect(apart(must(own.weights.get(name), name).numbers(), after.numbers()), name).toBeLessThan(0.02);
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
  for (const head of ['bce', 'mse', 'l1'] as const)
    it(`adam, ${head}`, () =>
      expectAlike(engineCase('dense', 'adapter', head), { optimizer: { kind: 'adam' }, rates: constant(0.001) }, 'inputs'));
});
