// Losses of heads, their weights and their gradients by the scores are PyTorch's (torch-losses.json comes from scripts/fixtures/torch-losses.py,
// in float64), scores from -110 to 90 among them.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eachOf, type HeadInput, lowerLoss, targetsOf } from '../../../src/model/heads/heads.js';
import { gradient } from '../../../src/onnx/autodiff/gradient.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';
import { headOf, matrix } from './support.js';

interface Case {
  readonly head: HeadInput;
  /** null stands for NaN */
  readonly targets: readonly number[] | readonly (readonly (number | null)[])[];
  readonly loss: number;
  readonly gradient: readonly (readonly number[])[];
}
const file: { readonly scores: number[][]; readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('torch-losses.json', import.meta.url), 'utf8'),
);
const named = file.cases.map((given, i) => ({ ...given, name: `${i}: ${JSON.stringify(given.head)}` }));
const scores = matrix(file.scores);
const rows = file.scores.length;

/** Largest difference, relative to the larger of 1e-3 and what is expected. */
const apart = (found: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((v, i) => Math.abs(Number(found[i]) - v) / Math.max(Math.abs(v), 1e-3)));

async function found(given: Case, dtype: 'int64' | 'int32') {
  const head = headOf(given.head);
  const g = ops();
  // Two sequences of three steps have the same rows.
  const places = eachOf(head) ? [2, rows / 2] : [rows];
  const x = g.input('scores', 'float32', [...places, 3]);
  const wanted = targetsOf(head, must(places[0], 'rows'), dtype);
  const t = g.input('targets', wanted.dtype, wanted.shape);
  const loss = lowerLoss(g, head, x, t, 'mean');
  g.output(loss, 'loss');
  g.output(lowerLoss(g, head, x, t, 'none'), 'losses');
  g.output(must(gradient(g, { of: loss, by: [x] })[0], 'gradient'), 'gradient');
  const numbers = given.targets.flat().map((target) => target ?? Number.NaN);
  const shape = wanted.shape.map((dim) => (dim === 'steps' ? rows / 2 : Number(dim)));
  const targets = Tensor.from(wanted.dtype as 'float32' | 'int64' | 'int32', numbers, shape);
  return await runModel(g.model(), { scores: scores.reshape([...places, 3]), targets });
}

it.each(named)('$name', async (given) => {
  for (const dtype of ['int64', 'int32'] as const) {
    const { loss, losses, gradient } = await found(given, dtype);
    expect(apart(must(loss, 'loss').numbers(), [given.loss]), dtype).toBeLessThan(1e-5);
    expect(apart(must(gradient, 'gradient').numbers(), given.gradient.flat()), dtype).toBeLessThan(1e-4);
    const each = must(losses, 'losses').numbers();
    expect([each.length, each.every((v) => Number.isFinite(v) && v >= 0)]).toEqual([rows, true]);
  }
});

it('focal loss has finite gradients where a chance is 0 or 1, for every gamma', async () => {
  const certain = matrix([
    [200, -200, 0],
    [-200, 200, 0],
  ]);
  for (const gamma of [0, 0.1, 1, 5]) {
    for (const given of [
      { classify: { classes: 3, loss: { focal: gamma } } },
      { binary: { labels: 3, loss: { focal: gamma } } },
    ]) {
      const head = headOf(given);
      const g = ops();
      const x = g.input('scores', 'float32', [2, 3]);
      const wanted = targetsOf(head, 2);
      const loss = lowerLoss(g, head, x, g.input('targets', wanted.dtype, wanted.shape), 'mean');
      g.output(must(gradient(g, { of: loss, by: [x] })[0], 'gradient'), 'gradient');
      g.output(loss, 'loss');
      const targets = 'classify' in given ? Tensor.from('int64', [0, 0]) : Tensor.from('float32', [1, 1, 0, 1, 0, 1], [2, 3]);
      const results = await runModel(g.model(), { scores: certain, targets });
      expect(
        Object.values(results)
          .flatMap((t) => t.numbers())
          .every(Number.isFinite),
        `${JSON.stringify(given)}`,
      ).toBe(true);
      expect(Number(results.loss?.numbers()[0])).toBeGreaterThan(50);
    }
  }
});
