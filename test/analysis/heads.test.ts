// Sensitivities and pruning of columns with several heads and with heads of each step, against closed forms of linear columns.
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analysis/analyze.js';
import { prune } from '../../src/analysis/prune/prune.js';
import { scoreDirections } from '../../src/analysis/score-directions.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { taskModel } from '../../src/model/progressive/forms.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { outputsOf } from '../../src/train/outputs.js';
import { runtime } from '../support/run.js';

const random = new Random(3, 'heads');
const [rows, width] = [2000, 3];
type Judged = Pick<ColumnInput, 'head' | 'heads'>;

/** Two columns of one linear block over samples or steps, the second's head reading both taps. */
async function linear(shape: number[], block: NonNullable<ColumnInput['blocks']>[number], judged: Judged) {
  const own = (task: string, laterals: ColumnInput['laterals']) =>
    ({ task, blocks: [block], laterals, ...judged }) as ColumnInput;
  const columns = columnsOf(
    parseDescription({
      prognet: 1,
      name: 'linear',
      input: { name: 'x', shape },
      columns: [own('a', 'none'), own('b', { kind: 'linear', from: ['a'], into: ['head'] })],
    }),
  );
  const [a, b] = [columns.column('a'), columns.column('b')];
  const weights = new Map([
    ['a', initialWeights(a)],
    ['b', initialWeights(b)],
  ]);
  const size = rows * shape.reduce((x, y) => x * y, 1);
  const x = new Tensor(
    'float32',
    [rows, ...shape],
    Float32Array.from({ length: size }, () => random.normal()),
  );
  const session = await runtime.createSession(toBinary(taskModel(columns, weights, { tasks: ['b'], joined: true })), {});
  const scores = await outputsOf(session, 'b', columns.inputs, { x }, () => {});
  await session.release();
  /** Variance that a tap brings to a score, of independent inputs of variance 1: the squares of W H. */
  const brought = (task: string, name: string, j: number) => {
    const [first, second] = [`${task}/0/dense/weight`, name].map((n, i) => must(weights.get(i === 0 ? task : 'b')?.get(n), n));
    const [f, s] = [must(first, 'W'), must(second, 'H')];
    const [units = 0, outputs = 0] = s.dims;
    const deviations = Array.from({ length: units }, (_, m) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += Number(f.data[i * units + m]) ** 2;
      return sum;
    });
    return deviations.reduce((sum, v, m) => sum + v * Number(s.data[m * outputs + j]) ** 2, 0);
  };
  const taps = (j: number) => [brought('b', 'b/head/dense/weight', j), brought('a', 'b/head/lateral/a/weight', j)];
  return { column: b, weights, data: { inputs: { x }, targets: scores }, taps, runtime, session: { threads: 1 }, seed: 1 };
}

const heads = { near: { regress: 1, weight: 0.5 }, far: { regress: 1, weight: 2 } } satisfies Judged['heads'];

describe('several heads', () => {
  it('count in the Fisher information by the weights of their losses, and each is told', async () => {
    const made = await linear([width], [{ dense: 4 }], { heads });
    const found = await analyze(made);
    const [near, far] = [made.taps(0), made.taps(1)];
    const both = [0, 1].map((k) => 0.5 * must(near[k], 'near') + 2 * must(far[k], 'far'));
    const all = must(both[0], 'own') + must(both[1], 'other');
    for (const [k, { fisher }] of found.taps.entries()) expect(fisher).toBeCloseTo(must(both[k], 'tap') / all, 1);
    // The metric of the first head stands for the task, and each has its own.
    expect([found.value < 1e-6, found.metric]).toEqual([true, 'error']);
    expect(Object.keys(found.heads ?? {})).toEqual(['near', 'far']);
    const without = must(found.taps[1]?.withoutByHead, 'without');
    expect(found.taps[1]?.without).toBe(without.near);
    // The mean of |noise| of a variance.
    for (const [name, own] of Object.entries({ near, far }))
      expect(Math.abs(must(without[name], name) / Math.sqrt((2 / Math.PI) * must(own[1], 'variance')) - 1)).toBeLessThan(0.1);
  });

  it('says which one answers no better than a constant', async () => {
    const made = await linear([width], [{ dense: 4 }], { heads });
    const targets = Tensor.from(
      'float32',
      made.data.targets.numbers().map((v, i) => (i % 2 === 1 ? random.normal() * 0.01 : v)),
      [rows, 2],
    );
    await expect(analyze({ ...made, data: { ...made.data, targets } })).rejects.toThrow(
      /^task "b", head "far", answers no better than one answer for all samples, /,
    );
  });

  it('prunes as far as every head allows, and asks for a bound of each', async () => {
    const made = await linear([width], [{ dense: 24 }], { heads });
    const { measured, parts } = await prune(made, { keep: { error: 0.4 } });
    for (const { after } of Object.values(must(measured.heads, 'heads'))) expect(after).toBeLessThanOrEqual(0.4);
    expect(parts.some(({ before, after }) => after < before)).toBe(true);
    await expect(prune(made, { keep: { accuracy: 0.4 } })).rejects.toThrow(
      'task "b", head "near", is measured by its error, expected what of it is to be kept',
    );
    await expect(prune(made, { keep: 0.4 })).rejects.toThrow('head "near", is measured by its error');
  });
});

describe('heads of each step', () => {
  const head = { regress: { outputs: 1, each: 'step' } } as const;

  it('pool positions, and steps without a target count nothing', async () => {
    const made = await linear([4, width], [{ dense: { units: 4, each: 'step' } }], { head });
    const targets = Tensor.from(
      'float32',
      made.data.targets.numbers().map((v, i) => (i % 4 === 3 ? Number.NaN : v)),
      [rows, 4, 1],
    );
    const found = await analyze({ ...made, data: { ...made.data, targets } });
    const brought = made.taps(0);
    const all = must(brought[0], 'own') + must(brought[1], 'other');
    for (const [k, { fisher, perturbation }] of found.taps.entries()) {
      expect(fisher).toBeCloseTo(must(brought[k], 'tap') / all, 1);
      expect(perturbation).toBeCloseTo(must(brought[k], 'tap') / all, 1);
    }
    expect([found.value < 1e-6, found.drawn]).toEqual([true, true]);
    const wrong = Tensor.from(
      'float32',
      made.data.targets.numbers().map((v, i) => (i % 4 === 3 ? v + 100 : v)),
      [rows, 4, 1],
    );
    const worse = { ...made, data: { ...made.data, targets: wrong } };
    // A quarter of the steps is wrong by 100 once all of them count.
    expect((await analyze(worse)).value).toBeCloseTo(25, 3);
    const direction = scoreDirections(made.column.head, made.data.targets, targets, 0, new Random(1, 'signs')).numbers();
    expect(direction.every((v, i) => (i % 4 === 3 ? v === 0 : Math.abs(v) === 1))).toBe(true);
    expect(new Set(direction).size).toBe(3);
    const pruned = await prune({ ...made, data: { ...made.data, targets } }, { threshold: 1e9 });
    expect(pruned.parts).toEqual([{ kind: 'sources', block: 1, before: 1, after: 0 }]);
  });
});
