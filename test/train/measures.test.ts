// Measures by name, beside scikit-learn's of the same scores.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { type Measures, measuresOf } from '../../src/train/measures.js';
import { headOf } from '../model/heads/support.js';
import { environment, python } from '../python/python.js';

const numbers = z.record(z.string(), z.number());
const peer = z.object({
  overall: numbers,
  outputs: z.array(z.object({ support: z.number(), measures: numbers })),
  confusion: z.array(z.array(z.number())).optional(),
});
const { missing, note } = environment('.venv-tables');
const folder = mkdtempSync(join(tmpdir(), 'prognet-measures-'));

function expectNear(ours: Readonly<Record<string, number>>, theirs: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(theirs)) expect(ours[name], name).toBeCloseTo(value, 6);
}

function compare(kind: string, ours: Measures, scores: readonly number[][], targets: unknown): void {
  const file = join(folder, `${kind}.json`);
  writeFileSync(file, JSON.stringify({ kind, scores, targets }));
  const theirs = peer.parse(python('.venv-tables', 'measures.py', file));
  expectNear(ours.overall, theirs.overall);
  expect(ours.outputs.map(({ support }) => support)).toEqual(theirs.outputs.map(({ support }) => support));
  for (const [i, { measures }] of theirs.outputs.entries()) expectNear(ours.outputs[i]?.measures ?? {}, measures);
  if (theirs.confusion !== undefined) expect(ours.confusion).toEqual(theirs.confusion);
}

/** Scores of D rows, nearer the truth than chance; in steps, so that some are equal. */
function drawn(rows: number, width: number, truth: (row: number, i: number) => number, steps = 4): number[][] {
  const random = new Random(5, 'scores');
  return Array.from({ length: rows }, (_, n) =>
    Array.from({ length: width }, (_, i) => Math.round(steps * (2 * random.uniform() - 1 + truth(n, i))) / steps),
  );
}
const float = (rows: readonly number[][]) =>
  new Tensor('float32', [rows.length, rows[0]?.length ?? 0], Float32Array.from(rows.flat()));
const labels = (of: readonly number[]) => new Tensor('int64', [of.length], BigInt64Array.from(of, BigInt));

describe.skipIf(missing)(`scikit-learn gives the same${note}`, () => {
  it('of classes', () => {
    const targets = Array.from({ length: 211 }, (_, n) => (n % 3 === 0 ? 0 : n % 7));
    const scores = drawn(211, 7, (n, i) => (targets[n] === i ? 0.8 : 0), 2 ** 20);
    compare('classify', measuresOf(headOf({ classify: 7 }), float(scores), labels(targets)), scores, targets);
  });

  it('of labels', () => {
    const targets = drawn(90, 3, (n, i) => (n % (i + 2) === 0 ? 9 : -9)).map((row) => row.map((v) => (v > 0 ? 1 : 0)));
    const scores = drawn(90, 3, (n, i) => (targets[n]?.[i] === 1 ? 0.5 : -0.5));
    compare('binary', measuresOf(headOf({ binary: 3 }), float(scores), float(targets)), scores, targets);
  });

  it('of numbers', () => {
    const targets = drawn(60, 2, (n) => n / 10);
    const scores = drawn(60, 2, (n, i) => (targets[n]?.[i] ?? 0) + 0.1);
    compare('regress', measuresOf(headOf({ regress: 2 }), float(scores), float(targets)), scores, targets);
  });
});

describe('a constant answer', () => {
  it('of a class that is as often right is said', () => {
    const head = headOf({ classify: { classes: 2, names: ['no', 'yes'] } });
    const { constant, overall } = measuresOf(
      head,
      float([
        [1, 0],
        [1, 0],
        [1, 0],
        [1, 0],
      ]),
      labels([0, 0, 0, 1]),
    );
    expect(constant).toBe(
      'always "no" has an accuracy of 0.7500 and a balanced accuracy of 0.5000; class_weights: balanced in the head makes what is rare count more',
    );
    expect(overall).toMatchObject({ accuracy: 0.75, 'balanced accuracy': 0.5 });
    expect(
      measuresOf(
        head,
        float([
          [1, 0],
          [1, 0],
          [1, 0],
          [0, 1],
        ]),
        labels([0, 0, 0, 1]),
      ).constant,
    ).toBeUndefined();
  });

  it('of classes that are weighed already, or are not rare, comes without that advice', () => {
    const weighed = headOf({ classify: { classes: 2, class_weights: [1, 3] } });
    const same = float([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    const said = (head: typeof weighed, classes: number[]) => measuresOf(head, same, labels(classes)).constant;
    expect(said(weighed, [0, 0, 0, 1])).toBe('always "0" has an accuracy of 0.7500 and a balanced accuracy of 0.5000');
    expect(said(headOf({ classify: 2 }), [0, 0, 1, 1])).toBe(
      'always "0" has an accuracy of 0.5000 and a balanced accuracy of 0.5000',
    );
  });

  it('of a label that is rare says what counts it more', () => {
    const scores = float([[-1], [-1], [-1], [-1]]);
    expect(measuresOf(headOf({ binary: 1 }), scores, float([[0], [0], [0], [1]])).constant).toBe(
      'a constant answer is right as often for "0"; pos_weight: balanced in the head makes what is rare count more',
    );
  });

  it('of a label, of a number', () => {
    expect(
      measuresOf(
        headOf({ binary: 2 }),
        float([
          [1, 1],
          [1, -1],
        ]),
        float([
          [1, 1],
          [1, 0],
        ]),
      ).constant,
    ).toBe('a constant answer is right as often for "0"');
    expect(measuresOf(headOf({ regress: 1 }), float([[1], [1]]), float([[0], [2]])).constant).toBe(
      'the mean of the test data is as near for "0"',
    );
  });

  it('what cannot be computed is left out: AUC of one class, r2 of one number', () => {
    const { overall, outputs } = measuresOf(headOf({ classify: 2 }), float([[1, 0]]), labels([0]));
    expect(overall).not.toHaveProperty('macro auc');
    expect(outputs.map(({ measures }) => measures.auc)).toEqual([undefined, undefined]);
    expect(measuresOf(headOf({ regress: 1 }), float([[1]]), float([[0]])).overall).toEqual({ mae: 1, rmse: 1 });
  });
});

it('the calibration error is the distance of what was said from how often it was so', () => {
  const sure = Math.log(3);
  const { overall } = measuresOf(
    headOf({ classify: 2 }),
    float([
      [sure, 0],
      [sure, 0],
      [sure, 0],
      [sure, 0],
    ]),
    labels([0, 0, 1, 1]),
  );
  expect(overall['calibration error']).toBeCloseTo(0.25, 6);
});
