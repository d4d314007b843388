// The schedule plateau: when the rate falls and by how much, as PyTorch's ReduceLROnPlateau has it (plateau.json comes from
// scripts/fixtures/torch-plateau.py), what a training does with it, and what is refused.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../../src/model/description/parse.js';
import type { Plateau } from '../../../src/model/description/train-schema.js';
import { columnsOf } from '../../../src/model/progressive/column.js';
import { train } from '../../../src/train/loop.js';
import { plateauFactor } from '../../../src/train/optim/schedule.js';
import { Rates } from '../../../src/train/rates.js';
import { trainSettings } from '../../../src/train/settings.js';
import { runtime } from '../../support/run.js';
import { interrupted, toy, toyColumn } from '../support.js';

interface Case {
  readonly mode: 'min' | 'max';
  readonly patience: number;
  readonly factor: number;
  readonly threshold: number;
  readonly min_lr: number;
  readonly values: readonly number[];
  readonly rates: readonly number[];
}
const cases: readonly Case[] = JSON.parse(readFileSync(new URL('plateau.json', import.meta.url), 'utf8'));

const plateau: Plateau = {
  kind: 'plateau',
  patience: 1,
  factor: 0.5,
  min_lr: 0,
  threshold: 1e-4,
  monitor: 'training_loss',
  warmup: 0,
};

it.each(cases)('falls as in PyTorch: $mode, patience $patience, factor $factor', (given) => {
  const schedule = { ...plateau, ...given, patience: given.patience + 1 };
  const monitor = given.mode === 'max' ? 'accuracy' : 'loss';
  const settings = trainSettings({ epochs: 40, lr: 0.1, schedule: { ...schedule, monitor } }, 0);
  const rates = new Rates(settings, 3);
  const history = given.values.map((v, i) => ({
    epoch: i + 1,
    loss: 9,
    rate: 0,
    validation: { loss: v, metric: v, measures: { accuracy: v } },
  }));
  const found = history.map((_, i) => {
    rates.follow(history.slice(0, i + 1));
    return rates.at(3 * (i + 1));
  });
  found.forEach((rate, i) => {
    expect(rate / Number(given.rates[i]), `epoch ${i + 1}`).toBeCloseTo(1, 10);
  });
  expect(new Set(given.rates.map((rate) => rate.toPrecision(5))).size).toBeGreaterThan(2);
});

it('counts anew after each fall; equal values are no better', () => {
  expect([1, 2, 3, 4, 5].map((n) => plateauFactor({ ...plateau, patience: 2 }, Array(n).fill(1), false))).toEqual([
    1, 1, 0.5, 0.5, 0.25,
  ]);
});

it('rises by its warm-up first, and never beyond it', () => {
  const settings = trainSettings({ lr: 0.1, schedule: { ...plateau, warmup: 4, min_lr: 0.04 } }, 0);
  const rates = new Rates(settings, 2);
  rates.follow([1, 1, 1].map((loss, i) => ({ epoch: i + 1, loss, rate: 0 })));
  expect([0, 1, 3, 4].map((step) => Number(rates.at(step).toPrecision(6)))).toEqual([0.025, 0.04, 0.04, 0.04]);
});

describe('a training', () => {
  const options = { epochs: 8, batch: 16, optimizer: 'sgd' as const, lr: 0.2, momentum: 0.9 };
  const validation = toy(40, 2);

  it('tells when the rate falls, and its records say the rate', async () => {
    const settings = trainSettings({ ...options, schedule: { ...plateau, threshold: 0.9 } }, 0);
    const told: string[] = [];
    const { history } = await train({
      runtime,
      column: toyColumn(),
      frozen: new Map(),
      settings,
      train: toy(60),
      session: { threads: 1 },
      onEvent: (e) => void (e.kind === 'plateau' && told.push(`${e.epoch}: ${Number(e.rate.toPrecision(6))}`)),
    });
    const rates = history.map(({ rate }) => Number(rate.toPrecision(6)));
    expect(rates.slice(0, 3)).toEqual([0.2, 0.2, 0.1]);
    expect(told.slice(0, 2)).toEqual(['2: 0.1', '3: 0.05']);
  });

  it.each(['loss', 'f1', 'training_loss'] as const)('by %s, resumed within an epoch: the same bits', async (monitor) => {
    const settings = trainSettings({ ...options, schedule: { ...plateau, threshold: 0.3, monitor } }, 0);
    const request = { runtime, column: toyColumn(), frozen: new Map(), settings, train: toy(60), validation };
    const whole = await train({ ...request, session: { threads: 1 } });
    expect(new Set(whole.history.map(({ rate }) => rate)).size).toBeGreaterThan(1);
    const broken = await interrupted({ ...request, session: { threads: 1 } }, [3, 18, 22]);
    expect(broken).toEqual(whole);
  });

  it('needs validation data, unless it watches the training loss', async () => {
    const settings = trainSettings({ ...options, schedule: { ...plateau, monitor: 'loss' } }, 0);
    await expect(train({ runtime, column: toyColumn(), frozen: new Map(), settings, train: toy(60) })).rejects.toThrow(
      'task "a": the schedule plateau watches validation data, none are given',
    );
  });
});

describe('settings', () => {
  const parsed = (train: unknown) =>
    columnsOf(
      parseDescription({
        prognet: 1,
        name: 'toy',
        input: { name: 'x', shape: [4] },
        columns: [{ task: 'a', blocks: [[{ dense: 2 }]], head: { classify: 2 }, train }],
      }),
    ).column('a').train;
  const filled = { kind: 'plateau', patience: 10, factor: 0.1, min_lr: 0, threshold: 1e-4, monitor: 'loss', warmup: 0 };

  it('are those of PyTorch and Keras where absent, and set a validation part aside', () => {
    expect(parsed({ schedule: 'plateau' }).schedule).toEqual(filled);
    expect(parsed({ schedule: { plateau: 3 } }).schedule).toEqual({ ...filled, patience: 3 });
    expect(trainSettings(parsed({ schedule: 'plateau' }), 0).validation).toBe(0.1);
    expect(trainSettings(parsed({ schedule: { plateau: { monitor: 'training_loss' } } }), 0).validation).toBe(0);
  });

  it.each([
    [{ factor: 1 }, 'columns[0].train.schedule.plateau.factor: found 1, expected a number above 0 and below 1'],
    [{ patience: 0 }, 'columns[0].train.schedule.plateau.patience: found 0, expected a positive integer'],
    [
      { min_rate: 0.1 },
      'columns[0].train.schedule.plateau: unknown key "min_rate", expected one of "patience", "factor", "min_lr", "threshold", "monitor", "warmup"',
    ],
    [{ monitor: 'acuracy' }, 'columns[0].train.schedule.plateau.monitor: found "acuracy", did you mean "accuracy"?'],
    [{ threshold: -1 }, 'columns[0].train.schedule.plateau.threshold: found -1, expected a number of at least 0 and below 1'],
  ])('%j is refused', (options, message) => {
    expect(() => parsed({ schedule: { plateau: options } })).toThrow(message);
  });

  it.each([
    [
      { validation: 0, schedule: { ...plateau, monitor: 'loss' as const } },
      'train: the schedule plateau needs a validation part, found validation: 0; monitor: training_loss watches the training data',
    ],
    [
      { lr: 0.01, schedule: { ...plateau, min_lr: 0.1 } },
      'train: the schedule plateau has min_lr 0.1, expected at most the learning rate, 0.01',
    ],
  ])('%j do not go together', (train, message) => {
    expect(() => trainSettings(train, 0)).toThrow(message);
  });

  it('watch a measure of the head', () => {
    const schedule = { ...plateau, monitor: 'rmse' as const };
    expect(() => trainSettings({ schedule }, 0, toyColumn().head)).toThrow(
      'train: monitor is "rmse", which a head classify does not have, expected one of loss, accuracy, balanced accuracy, macro f1, macro auc, calibration error',
    );
  });
});
