// What a lateral adds to a block, by kind and by what meets what: its graph, and its numbers against the formula written out in float64.
import { expect, describe as group, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { inferenceScope } from '../../../src/model/nn/scope.js';
import { type Column, columnsOf } from '../../../src/model/progressive/column.js';
import { addInputs } from '../../../src/model/progressive/inputs.js';
import { NetworkLowering } from '../../../src/model/progressive/lowering.js';
import { frozenScope, initialWeights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { runModel } from '../../support/run.js';

type Rows = readonly number[];
const rowsIn = 2;
const r = new Random(5, 'lateral');
const normals = (dims: readonly number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.normal()),
    dims,
  );

/** [n, k] times [k, m]. */
function product(a: Rows, b: Rows, k: number): number[] {
  const [n, m] = [a.length / k, b.length / k];
  return Array.from({ length: n * m }, (_, at) => {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += (a[Math.floor(at / m) * k + j] ?? 0) * (b[j * m + (at % m)] ?? 0);
    return sum;
  });
}

/** A convolution of [n, c, s, s] by [f, c, 3, 3] (or of [f, c, 1, 1]) with zeros around, as large as its input. */
function convolution(x: Rows, w: Rows, c: number, s: number, kernel: 1 | 3): number[] {
  const [n, f, half] = [x.length / (c * s * s), w.length / (c * kernel * kernel), (kernel - 1) / 2];
  const out: number[] = [];
  for (let i = 0; i < n; i++)
    for (let o = 0; o < f; o++)
      for (let row = 0; row < s; row++)
        for (let col = 0; col < s; col++) {
          let sum = 0;
          for (let ch = 0; ch < c; ch++)
            for (let dy = 0; dy < kernel; dy++)
              for (let dx = 0; dx < kernel; dx++) {
                const [y, z] = [row + dy - half, col + dx - half];
                if (y < 0 || z < 0 || y >= s || z >= s) continue;
                sum += (x[((i * c + ch) * s + y) * s + z] ?? 0) * (w[((o * c + ch) * kernel + dy) * kernel + dx] ?? 0);
              }
          out.push(sum);
        }
  return out;
}
const relu = (x: number) => Math.max(0, x);

/** What a block of the second column makes, with and without what its lateral adds; the tap that it reads; its weights. */
async function lateralOf(blocks: ColumnInput['blocks'], input: readonly number[], laterals: ColumnInput['laterals']) {
  const column = (task: string, own: ColumnInput['laterals']) => ({ task, blocks, head: { classify: 2 }, laterals: own });
  const network = columnsOf(
    parseDescription({
      prognet: 1,
      name: 'lateral',
      input: { name: 'x', shape: [...input] },
      columns: [column('a', { kind: 'none' }), column('b', laterals)],
    }),
  );
  const [a, b] = [network.column('a'), network.column('b')];
  const weights = new Map([a, b].flatMap((c) => [...initialWeights(c)]));
  // Biases begin at 0, which would hide them.
  for (const [name, t] of weights) if (/bias$/.test(name)) weights.set(name, normals(t.dims));
  const model = (of: 'with' | 'tap', weighted = true) => {
    const g = ops({ name: of });
    const scope = weighted ? frozenScope(g, weights) : inferenceScope(g, ({ name, shape }) => g.input(name, 'float32', shape));
    const tap = g.input('tap', 'float32', ['N', ...a.tapShape(0).map(Number)]);
    const own = g.input('own', 'float32', ['N', ...b.tapShape(0).map(Number)]);
    const lowering: NetworkLowering<Column> = new NetworkLowering<Column>({
      inputs: addInputs(g, network.inputs),
      scope: () => scope,
      tap: ({ column: c, block }) => (block === 1 ? undefined : c === a ? tap : own),
    });
    g.output(lowering.tap({ column: of === 'with' ? b : a, block: 1 }), 'y');
    g.graph.inputs = g.graph.inputs.filter((v) => v.name !== 'x' && (of === 'with' || v.name !== 'own'));
    return g.model();
  };
  // The frozen column's block has no lateral: with the second column's weights it is what remains without one.
  for (const [name, t] of [...weights]) {
    const alone = name.replace(/^b\/1\/(dense|conv2d)\//, 'a/1/$1/');
    if (alone !== name) weights.set(alone, t);
  }
  const tap = normals([rowsIn, ...a.tapShape(0).map(Number)]);
  const own = normals([rowsIn, ...b.tapShape(0).map(Number)]);
  const both = must((await runModel(model('with'), { tap, own })).y, 'y').numbers();
  const alone = must((await runModel(model('tap'), { tap: own })).y, 'y').numbers();
  const weight = (name: string) => must(weights.get(`b/1/${name}`), name).numbers();
  return {
    text: printGraph(model('with', false).graph, { canonical: true }),
    added: both.map((v, i) => v - (alone[i] ?? 0)),
    tap: tap.numbers(),
    weight,
  };
}

const near = (found: Rows, expected: Rows) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((v, i) => {
    expect(v, `[${i}]`).toBeCloseTo(expected[i] ?? Number.NaN, 4);
  });
};
const adapter = { kind: 'adapter', rank: 4, alpha: 0.5 } as const;

group('features to features', () => {
  const blocks: ColumnInput['blocks'] = [[{ dense: 3 }], [{ dense: 2 }]];
  it('linear adds U h', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [5], { kind: 'linear' });
    near(added, product(tap, weight('lateral/a/weight'), 3));
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,3], own: float32[N,3], b/1/dense/weight: float32[3,2], b/1/dense/bias: float32[2], b/1/lateral/a/weight: float32[3,2]) -> (y)
        %1: float32[N,2] = Gemm(own, b/1/dense/weight, b/1/dense/bias)
        %2: float32[N,2] = MatMul(tap, b/1/lateral/a/weight)
        y: float32[N,2] = Add(%1, %2)"
    `);
  });
  it('an adapter adds U relu(V (alpha h) + b)', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [5], adapter);
    const [bias, projected] = [
      weight('adapter/V_bias'),
      product(
        tap.map((h) => 0.5 * h),
        weight('adapter/V'),
        3,
      ),
    ];
    near(
      added,
      product(
        projected.map((v, i) => relu(v + (bias[i % 4] ?? 0))),
        weight('adapter/U'),
        4,
      ),
    );
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,3], own: float32[N,3], b/1/dense/weight: float32[3,2], b/1/dense/bias: float32[2], b/1/adapter/alpha/a: float32[], b/1/adapter/V: float32[3,4], b/1/adapter/V_bias: float32[4], b/1/adapter/U: float32[4,2]) -> (y)
        %1: float32[N,2] = Gemm(own, b/1/dense/weight, b/1/dense/bias)
        %2: float32[N,3] = Mul(tap, b/1/adapter/alpha/a)
        %3: float32[N,4] = Gemm(%2, b/1/adapter/V, b/1/adapter/V_bias)
        %4: float32[N,4] = Relu(%3)
        %5: float32[N,2] = MatMul(%4, b/1/adapter/U)
        y: float32[N,2] = Add(%1, %5)"
    `);
  });
});

group('image to image', () => {
  const conv = (filters: number) => ({ conv2d: { filters, kernel: 3, padding: 'same' as const } });
  const blocks: ColumnInput['blocks'] = [[conv(3)], [conv(2)]];
  it('linear adds a convolution of the kernel of the block', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [1, 4, 4], { kind: 'linear' });
    near(added, convolution(tap, weight('lateral/a/weight'), 3, 4, 3));
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,3,4,4], own: float32[N,3,4,4], b/1/conv2d/weight: float32[2,3,3,3], b/1/conv2d/bias: float32[2], b/1/lateral/a/weight: float32[2,3,3,3]) -> (y)
        %1: float32[N,2,4,4] = Conv<kernel_shape=[3,3], strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(own, b/1/conv2d/weight, b/1/conv2d/bias)
        %2: float32[N,2,4,4] = Conv<kernel_shape=[3,3], strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(tap, b/1/lateral/a/weight)
        y: float32[N,2,4,4] = Add(%1, %2)"
    `);
  });
  it('an adapter projects the channels at each place, then convolves', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [1, 4, 4], adapter);
    const [bias, v] = [weight('adapter/V_bias'), weight('adapter/V')];
    const projected = convolution(
      tap.map((h) => 0.5 * h),
      v,
      3,
      4,
      1,
    );
    near(
      added,
      convolution(
        projected.map((x, i) => relu(x + (bias[Math.floor(i / 16) % 4] ?? 0))),
        weight('adapter/U'),
        4,
        4,
        3,
      ),
    );
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,3,4,4], own: float32[N,3,4,4], b/1/conv2d/weight: float32[2,3,3,3], b/1/conv2d/bias: float32[2], b/1/adapter/alpha/a: float32[], b/1/adapter/V: float32[4,3,1,1], b/1/adapter/V_bias: float32[4], b/1/adapter/U: float32[2,4,3,3]) -> (y)
        %1: float32[N,2,4,4] = Conv<kernel_shape=[3,3], strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(own, b/1/conv2d/weight, b/1/conv2d/bias)
        %2: float32[N,3,4,4] = Mul(tap, b/1/adapter/alpha/a)
        %3: float32[N,4,4,4] = Conv<kernel_shape=[1,1]>(%2, b/1/adapter/V, b/1/adapter/V_bias)
        %4: float32[N,4,4,4] = Relu(%3)
        %5: float32[N,2,4,4] = Conv<kernel_shape=[3,3], strides=[1,1], dilations=[1,1], pads=[1,1,1,1], group=1>(%4, b/1/adapter/U)
        y: float32[N,2,4,4] = Add(%1, %5)"
    `);
  });
});

group('image to features', () => {
  const blocks: ColumnInput['blocks'] = [[{ conv2d: { filters: 2, kernel: 3, padding: 'same' } }], ['flatten', { dense: 3 }]];
  it('linear reads every place of the image', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [1, 2, 2], { kind: 'linear' });
    near(added, product(tap, weight('lateral/a/weight'), 8));
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,2,2,2], own: float32[N,2,2,2], b/1/dense/weight: float32[8,3], b/1/dense/bias: float32[3], b/1/lateral/a/weight: float32[8,3]) -> (y)
        %1: float32[N,8] = Flatten<axis=1>(own)
        %2: float32[N,3] = Gemm(%1, b/1/dense/weight, b/1/dense/bias)
        %3: float32[N,8] = Flatten<axis=1>(tap)
        %4: float32[N,3] = MatMul(%3, b/1/lateral/a/weight)
        y: float32[N,3] = Add(%2, %4)"
    `);
  });
  it('an adapter projects the flat image', async () => {
    const { text, added, tap, weight } = await lateralOf(blocks, [1, 2, 2], adapter);
    const [bias, projected] = [
      weight('adapter/V_bias'),
      product(
        tap.map((h) => 0.5 * h),
        weight('adapter/V'),
        8,
      ),
    ];
    near(
      added,
      product(
        projected.map((v, i) => relu(v + (bias[i % 4] ?? 0))),
        weight('adapter/U'),
        4,
      ),
    );
    expect(text).toMatchInlineSnapshot(`
      "graph with (tap: float32[N,2,2,2], own: float32[N,2,2,2], b/1/dense/weight: float32[8,3], b/1/dense/bias: float32[3], b/1/adapter/alpha/a: float32[], b/1/adapter/V: float32[8,4], b/1/adapter/V_bias: float32[4], b/1/adapter/U: float32[4,3]) -> (y)
        %1: float32[N,8] = Flatten<axis=1>(own)
        %2: float32[N,3] = Gemm(%1, b/1/dense/weight, b/1/dense/bias)
        %3: float32[N,8] = Flatten<axis=1>(tap)
        %4: float32[N,8] = Mul(%3, b/1/adapter/alpha/a)
        %5: float32[N,4] = Gemm(%4, b/1/adapter/V, b/1/adapter/V_bias)
        %6: float32[N,4] = Relu(%5)
        %7: float32[N,3] = MatMul(%6, b/1/adapter/U)
        y: float32[N,3] = Add(%2, %7)"
    `);
  });
});

it('linear laterals of several sources begin as one map of all their features would', () => {
  const blocks = [
    [{ dense: 40 }, 'relu'],
    [{ dense: 40 }, 'relu'],
  ] satisfies ColumnInput['blocks'];
  const tasks = ['a', 'b', 'c', 'd'];
  const columns = tasks.map((task, i) => ({
    task,
    blocks,
    head: { classify: 3 },
    ...(i > 0 && { laterals: { kind: 'linear' as const } }),
  }));
  const all = columnsOf(parseDescription({ prognet: 1, name: 'many', input: { name: 'x', shape: [40] }, columns }));
  const spread = (task: string) => {
    const weights = [...initialWeights(all.column(task))].filter(([name]) => name.includes('/1/lateral/'));
    const values = weights.flatMap(([, { data }]) => Array.from(data, Number));
    return Math.sqrt(values.reduce((n, v) => n + v * v, 0) / values.length);
  };
  expect(spread('b')).toBeCloseTo(Math.sqrt(2 / 40), 2);
  expect(spread('d')).toBeCloseTo(Math.sqrt(2 / 120), 2);
});
