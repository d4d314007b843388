// The scores of a study against closed forms, and the result that is assembled of them.
import { describe, expect, it } from 'vitest';
import { assemble } from '../../../src/analysis/study/assemble.js';
import { studySchema } from '../../../src/analysis/study/result.js';
import {
  continual,
  deviationOf,
  forwardTransfer,
  medianOf,
  spreadOf,
  spreadOrNull,
  transferScore,
  wholeCurve,
} from '../../../src/analysis/study/scores.js';
import { exampleMeasured, exampleStudy } from '../../support/study-example.js';

describe('scores', () => {
  it('a mean has the standard deviation of a sample beside it', () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3), values: [1, 2, 3, 4] });
    expect(deviationOf([7])).toBe(0);
    expect(spreadOrNull([1, undefined])).toBeNull();
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });
  it('after an early stop the epoch that was kept goes on', () => {
    expect(wholeCurve([0.1, 0.5, 0.4], 2, 5)).toEqual([0.1, 0.5, 0.4, 0.5, 0.5]);
  });
  it('transfer is a ratio of areas, of an error the other way round', () => {
    expect(transferScore(0.9, 0.6, true)).toBeCloseTo(1.5, 12);
    expect(transferScore(0.2, 0.6, false)).toBeCloseTo(3, 12);
    expect(transferScore(0.9, 0, true)).toBeUndefined();
    expect(forwardTransfer(0.9, 0.8)).toBeCloseTo(0.5, 12);
    expect(forwardTransfer(0.5, 1)).toBeUndefined();
  });
  it('forgetting counts from the best, backward transfer from what was learned', () => {
    // Task 0: 0.8, then 0.9, then 0.5; task 1: 0.7, then 0.6.
    const { average, backward, forgetting } = continual([[0.8], [0.9, 0.7], [0.5, 0.6, 1]], true);
    expect(average).toBeCloseTo(2.1 / 3, 12);
    expect(backward).toBeCloseTo((-0.3 - 0.1) / 2, 12);
    expect(forgetting).toBeCloseTo((0.4 + 0.1) / 2, 12);
  });
  it('of an error more is worse', () => {
    const { backward, forgetting } = continual([[1], [3, 2]], false);
    expect([backward, forgetting]).toEqual([-2, 2]);
  });
  it('one task has nothing to forget', () => {
    expect(continual([[0.7]], true)).toEqual({ average: 0.7 });
  });
});

describe('a result', () => {
  const study = exampleStudy();
  const of = (name: string) => {
    const found = study.methods.find(({ method }) => method === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  it('is what its schema says, and comes back of JSON the same', () => {
    expect(studySchema.parse(JSON.parse(JSON.stringify(study)))).toEqual(study);
  });
  it('baseline 1 is its own measure', () => {
    const b1 = of('b1');
    for (const { transfer } of b1.tasks) expect(transfer?.values).toEqual([1, 1, 1]);
    expect(b1.summary).toMatchObject({ backwardTransfer: null, forgetting: null });
    expect(b1.summary.gain?.mean).toBe(0);
    expect(b1.bitIdentical).toBeNull();
  });
  it('fine-tuning forgets a tenth with each task, columns do not', () => {
    // Task 0 loses 0.2 after two more tasks, task 1 loses 0.1.
    expect(of('b3').summary.forgetting?.mean).toBeCloseTo(0.15, 12);
    expect(of('b3').summary.backwardTransfer?.mean).toBeCloseTo(-0.15, 12);
    expect(of('b3').bitIdentical).toBe(false);
    expect(of('linear').summary.forgetting?.mean).toBe(0);
    expect(of('linear').bitIdentical).toBe(true);
  });
  it('transfer of a seed is the ratio of the means of its curve', () => {
    const mean = (half: number) => [1, 2, 3, 4, 5].reduce((sum, e) => sum + e / (e + half), 0) / 5;
    const transfer = mean(1 / 4) / mean(1);
    expect(of('linear').tasks[2]?.transfer?.mean).toBeCloseTo(transfer, 12);
    const [matrix] = study.matrices;
    expect(matrix?.transfer[0]?.[2]?.mean).toBeCloseTo(mean(1 / 3) / mean(1), 12);
    expect(matrix?.transfer[1]?.[1]).toBeNull();
    expect(matrix?.learned[1]?.[1]?.mean).toBe(of('b1').tasks[1]?.learned.mean);
  });
  it('one changed bit of an earlier task is seen', () => {
    const methods = exampleMeasured.methods.map((method) => {
      if (method.method !== 'linear') return method;
      const trainings = new Map(method.trainings);
      const last = (trainings.get('inverted') ?? []).map((training, seed) =>
        seed === 1 ? { ...training, tests: new Map(training.tests).set('plain', { value: 0.9, scores: 'another' }) } : training,
      );
      return { ...method, trainings: trainings.set('inverted', last) };
    });
    const found = assemble({ ...exampleMeasured, methods }).methods.find(({ method }) => method === 'linear');
    expect(found?.bitIdentical).toBe(false);
  });
});
