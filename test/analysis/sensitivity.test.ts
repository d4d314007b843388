// Sensitivities against closed forms: a linear column over a linear one, whose scores are W h + U g + b of two taps that can be computed by hand.
import { describe, expect, it } from 'vitest';
import { someSamples } from '../../src/analysis/analysed.js';
import { analyze } from '../../src/analysis/analyze.js';
import { rankCorrelation } from '../../src/analysis/rank-correlation.js';
import type { HeadInput } from '../../src/model/heads/heads.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { prognet } from '../../src/network/network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { runtime } from '../support/run.js';

const [rows, width] = [4000, 3];
const random = new Random(3, 'sensitivity');
const x = Tensor.from(
  'float32',
  Array.from({ length: rows * width }, () => random.normal() * 0.8),
  [rows, width],
);

type Matrix = number[][];
const matrix = ({ data, dims: [r = 0, c = 0] }: Tensor): Matrix =>
  Array.from({ length: r }, (_, i) => Array.from({ length: c }, (_, j) => Number(data[i * c + j])));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => must(b[0], 'row').map((_, j) => row.reduce((s, v, k) => s + v * must(b[k]?.[j], 'cell'), 0)));
const variance = (m: Matrix, j: number): number => {
  const values = m.map((row) => must(row[j], 'cell'));
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
};

/** Two columns of one linear block each, the second's head reading both taps, and those taps. */
function linear(head: HeadInput) {
  const column = (task: string, blocks: number) => ({ task, blocks: [[{ dense: blocks }]], head });
  const network = prognet({ input: { name: 'x', shape: [width] } })
    .grow(column('a', 4))
    .grow({ ...column('b', 4), laterals: { kind: 'linear', into: ['head'] } });
  const [a, b] = [network.columns.column('a'), network.columns.column('b')];
  const weights = new Map([
    ['a', initialWeights(a)],
    ['b', initialWeights(b)],
  ]);
  const weight = (task: string, name: string) => matrix(must(weights.get(task)?.get(`${task}/${name}`), name));
  const taps = [product(matrix(x), weight('b', '0/dense/weight')), product(matrix(x), weight('a', '0/dense/weight'))];
  const into = [weight('b', 'head/dense/weight'), weight('b', 'head/lateral/a/weight')];
  const scores = product(must(taps[0], 'tap'), must(into[0], 'W')).map((row, i) =>
    row.map((v, j) => v + must(product([must(taps[1]?.[i], 'row')], must(into[1], 'U'))[0]?.[j], 'cell')),
  );
  return { column: b, weights, taps, into, scores };
}

const analysed = { runtime, session: { threads: 1 }, seed: 1 };

describe('sensitivity', () => {
  it('of numbers: both are the variance that each tap brings to the output', async () => {
    const { column, weights, taps, into, scores } = linear({ regress: 1 });
    const targets = Tensor.from('float32', scores.flat(), [rows, 1]);
    const found = await analyze({ ...analysed, column, weights, data: { inputs: { x }, targets } });
    const brought = taps.map((tap, k) => must(into[k], 'W').reduce((s, [w = 0], m) => s + w * w * variance(tap, m), 0));
    const all = brought.reduce((s, v) => s + v, 0);
    expect(found.taps.map(({ source, tap, into: block }) => [source, tap, block])).toEqual([
      ['b', 0, 1],
      ['a', 0, 1],
    ]);
    found.taps.forEach(({ fisher, perturbation, halvingVariance }, k) => {
      expect(fisher).toBeCloseTo(must(brought[k], 'variance') / all, 4);
      // The mean of |noise| is sigma sqrt(2 / pi): half way to the error of a constant.
      const half = ((found.constant / 2) ** 2 * Math.PI) / 2 / must(brought[k], 'variance');
      expect(must(halvingVariance, 'variance') / half).toBeCloseTo(1, 1);
      expect(perturbation).toBeCloseTo(must(brought[k], 'variance') / all, 1);
    });
    expect(found.value).toBeLessThan(1e-6);
    // Without the lateral the scores lack what it brings.
    const lost = must(found.taps[1]?.without, 'without');
    const mean =
      must(taps[1], 'tap').reduce((s, row) => s + Math.abs(must(product([row], must(into[1], 'U'))[0]?.[0], 'cell')), 0) / rows;
    expect(lost).toBeCloseTo(mean, 4);
  });

  it('of classes: W (diag p - p p^T) W^T, by features of variance 1', async () => {
    const { column, weights, taps, into, scores } = linear({ classify: 3 });
    const targets = Tensor.from(
      'int64',
      scores.map((row) => row.indexOf(Math.max(...row))),
    );
    const found = await analyze({ ...analysed, column, weights, data: { inputs: { x }, targets } });
    const shares = softmaxes(scores);
    const fisher = taps.map((tap, k) =>
      must(into[k], 'W').map((w, m) => {
        const each = shares.map(
          (p) => w.reduce((s, v, c) => s + must(p[c], 'p') * v * v, 0) - w.reduce((s, v, c) => s + must(p[c], 'p') * v, 0) ** 2,
        );
        return (variance(tap, m) * each.reduce((s, v) => s + v, 0)) / rows;
      }),
    );
    const sums = fisher.map((f) => f.reduce((s, v) => s + v, 0));
    const total = sums.reduce((s, v) => s + v, 0);
    found.taps.forEach(({ fisher: share, fisherByFeature }, k) => {
      expect(share).toBeCloseTo(must(sums[k], 'sum') / total, 4);
      const each = must(fisher[k], 'fisher').map((v, m) => v / fisher.reduce((s, f) => s + must(f[m], 'f'), 0));
      expect(fisherByFeature).toBeCloseTo(each.reduce((s, v) => s + v, 0) / each.length, 4);
    });
    expect(found).toMatchObject({ task: 'b', rows, metric: 'accuracy', value: 1, drawn: false });
    expect(found.constant).toBeGreaterThan(0.3);
    expect(found.taps.reduce((s, { perturbation }) => s + perturbation, 0)).toBeCloseTo(1, 6);
  });

  it('of labels: independent flags', async () => {
    const { column, weights, taps, into, scores } = linear({ binary: 2 });
    const targets = Tensor.from(
      'float32',
      scores.flat().map((v) => (v > 0 ? 1 : 0)),
      [rows, 2],
    );
    const found = await analyze({ ...analysed, column, weights, data: { inputs: { x }, targets } });
    const sums = taps.map((tap, k) =>
      must(into[k], 'W').reduce((s, w, m) => {
        const each = scores.map((row) =>
          w.reduce((sum, v, j) => sum + (v * v) / (2 + Math.exp(must(row[j], 's')) + Math.exp(-must(row[j], 's'))), 0),
        );
        return s + variance(tap, m) * each.reduce((a, b) => a + b, 0);
      }, 0),
    );
    const total = sums.reduce((s, v) => s + v, 0);
    for (const [k, { fisher }] of found.taps.entries()) expect(fisher).toBeCloseTo(must(sums[k], 'sum') / total, 4);
  });

  it('of a wide head: drawn labels come near the exact share', async () => {
    const { column, weights, scores } = linear({ classify: 40 });
    const targets = Tensor.from(
      'int64',
      scores.map((row) => row.indexOf(Math.max(...row))),
    );
    const some = someSamples({ inputs: { x }, targets }, 800, 1);
    const found = await analyze({ ...analysed, column, weights, data: some });
    expect(found).toMatchObject({ drawn: true, rows: 800 });
    const { into, taps } = linear({ classify: 40 });
    const shares = softmaxes(scores);
    const sums = taps.map((tap, k) =>
      must(into[k], 'W').reduce((s, w, m) => {
        const each = shares.map(
          (p) => w.reduce((a, v, c) => a + must(p[c], 'p') * v * v, 0) - w.reduce((a, v, c) => a + must(p[c], 'p') * v, 0) ** 2,
        );
        return s + variance(tap, m) * each.reduce((a, b) => a + b, 0);
      }, 0),
    );
    const total = sums.reduce((s, v) => s + v, 0);
    for (const [k, { fisher }] of found.taps.entries())
      expect(Math.abs(fisher - must(sums[k], 'sum') / total)).toBeLessThan(0.03);
  });
});

const softmaxes = (scores: Matrix): Matrix =>
  scores.map((row) => {
    const grown = row.map((v) => Math.exp(v));
    return grown.map((v) => v / grown.reduce((a, b) => a + b, 0));
  });

describe('what cannot be analysed', () => {
  it('a column that reads no other', async () => {
    const network = prognet({ input: { name: 'x', shape: [width] } }).grow({
      task: 'a',
      blocks: [[{ dense: 2 }]],
      head: { regress: 1 },
    });
    const column = network.columns.column('a');
    const data = { inputs: { x }, targets: Tensor.zeros('float32', [rows, 1]) };
    await expect(analyze({ ...analysed, column, weights: new Map([['a', initialWeights(column)]]), data })).rejects.toThrow(
      'task "a" takes nothing of earlier columns, expected one with laterals',
    );
  });

  it('a column whose answers say nothing', async () => {
    const { column, weights } = linear({ regress: 1 });
    const targets = Tensor.from(
      'float32',
      Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 0.001 : -0.001)),
      [rows, 1],
    );
    await expect(analyze({ ...analysed, column, weights, data: { inputs: { x }, targets } })).rejects.toThrow(
      /^task "b" answers no better than one answer for all samples, \d\.\d{4} to 0\.0010: noise has nothing to halve$/,
    );
  });
});

it('rank correlation: equal values share a rank', () => {
  expect(rankCorrelation([1, 2, 3, 4], [10, 20, 30, 40])).toBe(1);
  expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
  expect(rankCorrelation([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(0.9486833, 6);
  expect(rankCorrelation([1, 2], [1, 2])).toBeUndefined();
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
});
