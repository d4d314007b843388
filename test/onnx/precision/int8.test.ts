// Models on 8-bit integers on ONNX Runtime against float32, and which kernels it runs them with.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it, test } from 'vitest';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { calibrate } from '../../../src/onnx/precision/calibrate.js';
import { toDynamicInt8 } from '../../../src/onnx/precision/dynamic-int8.js';
import { quantizationOf, quantizeWeight, roundEven } from '../../../src/onnx/precision/integers.js';
import { RangeObserver } from '../../../src/onnx/precision/observer.js';
import { quantize, readyForPrecision } from '../../../src/onnx/precision/quantize.js';
import { calibratedValues, toStaticInt8 } from '../../../src/onnx/precision/static-int8.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { initialAt, modelOf } from '../../support/by-place.js';
import { columnsOf, images, describe as network, normals, randomNetwork } from '../../support/random-network.js';
import { runModel, runtime } from '../../support/run.js';

/** How often each op stands in what ONNX Runtime makes of a model. */
async function optimisedOps(model: Model): Promise<Record<string, number>> {
  const file = join(mkdtempSync(join(tmpdir(), 'prognet-int8-')), 'optimised.onnx');
  const session = await ort.InferenceSession.create(toBinary(model), { optimizedModelFilePath: file, logSeverityLevel: 3 });
  await session.release();
  const counts: Record<string, number> = {};
  for (const { opType } of fromBinary(readFileSync(file)).graph.nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}

const norm = (t: readonly number[]) => Math.sqrt(t.reduce((s, v) => s + v * v, 0));

/** |found - expected| / |expected|, both as vectors. */
function distance(found: Tensor | undefined, expected: Tensor): number {
  const [a, b] = [must(found, 'output').numbers(), expected.numbers()];
  return norm(a.map((v, i) => v - (b[i] ?? Number.NaN))) / norm(b);
}

const task = (n: Parameters<typeof columnsOf>[0]) => {
  const d = network(columnsOf(n), n.seed);
  return modelOf(d, [initialAt(d, 0), initialAt(d, 1)], { tasks: ['a', 'b'] });
};

it('random networks answer nearly as in float32, static and dynamic, with 8 and with 7 bits', async () => {
  const distances: Record<string, number[]> = { static: [], 'static, 7 bits': [], dynamic: [] };
  await fc.assert(
    fc.asyncProperty(randomNetwork, async (n) => {
      const model = task(n);
      const ready = readyForPrecision(model);
      const before = printGraph(ready.graph);
      const ranges = await calibrate(runtime, ready, [{ image: images }]);
      const made = {
        static: toStaticInt8(ready, { ranges }),
        'static, 7 bits': toStaticInt8(ready, { ranges, reduceRange: true }),
        dynamic: toDynamicInt8(ready),
      };
      expect(printGraph(ready.graph)).toBe(before);
      const expected = await runModel(model, { image: images });
      for (const [how, quantized] of Object.entries(made)) {
        const found = await runModel(quantized, { image: images });
        for (const [name, t] of Object.entries(expected)) distances[how]?.push(distance(found[name], t));
      }
    }),
    { numRuns: 20, seed: 6 },
  );
  // one weight of 8 bits is off by 0.2 % of the largest at most; layers of few numbers average little of that away
  for (const [how, list] of Object.entries(distances)) {
    expect(Math.max(...list), how).toBeLessThan(0.15);
    expect(list.toSorted((a, b) => a - b)[list.length >> 1], how).toBeLessThan(0.03);
  }
});

function small() {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 2, 8, 8]);
  const conv = g.conv(x, g.initializer('w', normals(1, [4, 2, 3, 3])), g.initializer('b', normals(2, [4])), {
    pads: [1, 1, 1, 1],
  });
  const pooled = g.maxPool(g.relu(conv), { kernel_shape: [2, 2], strides: [2, 2] });
  const more = g.add(g.conv(pooled, g.initializer('v', normals(3, [4, 4, 1, 1]))), pooled);
  const h = g.relu(g.gemm(g.flatten(g.relu(more)), g.initializer('d', normals(4, [64, 8])), g.initializer('e', normals(5, [8]))));
  g.output(g.add(g.matMul(h, g.initializer('m', normals(6, [8, 3]))), g.initializer('c', normals(7, [3]))), 'y');
  return g.model();
}

describe('ONNX Runtime', () => {
  const x = normals(8, [6, 2, 8, 8]);

  it('runs the static form on integers: no Conv, no Gemm, no MatMul is left', async () => {
    const model = small();
    const quantized = toStaticInt8(model, { ranges: await calibrate(runtime, model, [{ x }]) });
    const found = await optimisedOps(quantized);
    expect(found).toMatchObject({ QLinearConv: 2, QLinearAdd: 1 });
    expect((found.QGemm ?? 0) + (found.MatMulIntegerToFloat ?? 0)).toBe(2);
    for (const op of ['Conv', 'FusedConv', 'Gemm', 'FusedGemm', 'MatMul', 'MaxPool', 'Relu'])
      expect(found[op], op).toBeUndefined();
    const [a, b] = [await runModel(model, { x }), await runModel(quantized, { x })];
    expect(distance(b.y, must(a.y, 'y'))).toBeLessThan(0.03);
  });

  it('runs the dynamic form on integers', async () => {
    const model = small();
    const quantized = toDynamicInt8(model);
    const found = await optimisedOps(quantized);
    expect(found.ConvInteger).toBe(2);
    expect((found.DynamicQuantizeMatMul ?? 0) + (found.MatMulIntegerToFloat ?? 0) + (found.MatMulInteger ?? 0)).toBe(2);
    const [a, b] = [await runModel(model, { x }), await runModel(quantized, { x })];
    expect(distance(b.y, must(a.y, 'y'))).toBeLessThan(0.03);
  });
});

it('the graph of one product, static', async () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 2]);
  g.output(
    g.gemm(
      x,
      g.initializer('w', Tensor.from('float32', [1, -2, 0.5, 4], [2, 2])),
      g.initializer('b', Tensor.from('float32', [1, 2])),
    ),
    'y',
  );
  const quantized = toStaticInt8(g.model(), { ranges: new Map([['x', { min: -1, max: 3 }]]) });
  expect(printGraph(quantized.graph, { canonical: true })).toMatchInlineSnapshot(`
    "graph graph (x: float32[N,2]) -> (y)
      %1: uint8[N,2] = QuantizeLinear(x, float32(0.015686275), uint8(64))
      %2: float32[N,2] = DequantizeLinear(%1, float32(0.015686275), uint8(64))
      %3: float32[2,2] = DequantizeLinear<axis=1>(int8[2,2]{127,-64,64,127}, float32{0.007874016,0.031496063}, int8{0,0})
      %4: float32[2] = DequantizeLinear<axis=0>(int32{8096,4048}, float32{0.00012351398,0.0004940559}, int32{0,0})
      y: float32[N,2] = Gemm(%2, %3, %4)"
  `);
});

it('a product reads the second part of a Split', async () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 8]);
  const [first, second] = g.op('Split', [g.relu(x), g.ints([4, 4])], { axis: 1 }, 2);
  const by = (v: typeof first, seed: number) => g.gemm(must(v, 'part'), g.initializer(`w${seed}`, normals(seed, [4, 3])));
  g.output(g.add(by(first, 1), by(second, 2)), 'y');
  const model = g.model();
  const samples = normals(3, [12, 8]);
  const quantized = toStaticInt8(model, { ranges: await calibrate(runtime, model, [{ x: samples }]) });
  const [a, b] = [await runModel(model, { x: samples }), await runModel(quantized, { x: samples })];
  expect(distance(b.y, must(a.y, 'y'))).toBeLessThan(0.03);
});

it('a bias that its unit cannot hold widens the unit', async () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 1]);
  g.output(
    g.gemm(
      x,
      g.initializer('w', Tensor.from('float32', [1e-6, 1], [1, 2])),
      g.initializer('b', Tensor.from('float32', [5000, 1])),
    ),
    'y',
  );
  const quantized = toStaticInt8(g.model(), { ranges: new Map([['x', { min: 0, max: 1 }]]) });
  const found = must((await runModel(quantized, { x: Tensor.from('float32', [0.5], [1, 1]) })).y, 'y').numbers();
  expect(found[0]).toBeCloseTo(5000, 2);
  expect(found[1]).toBeCloseTo(1.5, 1);
});

it('branches of an If: dynamic goes in, static says that it cannot', async () => {
  const g = ops();
  const x = g.input('x', 'float32', ['N', 2]);
  const condition = g.input('c', 'bool', []);
  const branch = (name: string, seed: number) => {
    const b = g.subgraph(name);
    b.output(b.matMul(x, g.initializer(`w${seed}`, normals(seed, [2, 2]))));
    return b.graph;
  };
  g.output(must(g.op('If', [condition], { then_branch: branch('then', 1), else_branch: branch('else', 2) })[0], 'If'), 'y');
  const model = g.model();
  expect(() => calibratedValues(model)).toThrow(/outside its branches; try int8-dynamic or fp16/);
  const quantized = toDynamicInt8(model);
  // both branches read x: its integers are made once, outside
  expect(quantized.graph.nodes.map((n) => n.opType)).toEqual(['DynamicQuantizeLinear', 'If']);
  for (const c of [0, 1]) {
    const feeds = { x: normals(5, [4, 2]), c: new Tensor('bool', [], Uint8Array.of(c)) };
    const [a, b] = [await runModel(model, feeds), await runModel(quantized, feeds)];
    expect(distance(b.y, must(a.y, 'y'))).toBeLessThan(0.03);
  }
});

describe('numbers', () => {
  it('a range is widened to hold zero, which is exact', () => {
    expect(quantizationOf({ min: 2, max: 5.1 })).toEqual({ scale: Math.fround(0.02), zero: 0 });
    expect(quantizationOf({ min: -1, max: 0 }).zero).toBe(255);
    expect(quantizationOf({ min: 0, max: 0 })).toEqual({ scale: 1, zero: 0 });
    fc.assert(
      fc.property(fc.float({ min: -100, max: 100, noNaN: true }), fc.float({ min: -100, max: 100, noNaN: true }), (a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const { scale, zero } = quantizationOf({ min, max });
        for (const v of [min, max, 0]) {
          const q = Math.min(255, Math.max(0, roundEven(v / scale) + zero));
          expect(Math.abs(scale * (q - zero) - v)).toBeLessThanOrEqual(scale * 1.001);
        }
        expect(Number.isInteger(zero) && zero >= 0 && zero <= 255).toBe(true);
      }),
    );
  });

  it('weights: every channel has its own scale, the error is half of it', () => {
    const t = normals(3, [3, 4, 5]);
    for (const axis of [0, 1, 2]) {
      const { values, scales } = quantizeWeight(t, axis, 127);
      expect(scales).toHaveLength(t.dims[axis] ?? 0);
      const inner = t.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
      t.numbers().forEach((v, i) => {
        const s = scales[Math.floor(i / inner) % scales.length] ?? 0;
        expect(Math.abs(v - Number(values.data[i]) * s)).toBeLessThanOrEqual(s * 0.5001);
      });
    }
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4].map(roundEven).map((v) => v + 0)).toEqual([0, 2, 2, 0, -2, 2]);
  });

  it('a percentile cuts outliers and keeps where most values are', () => {
    const o = new RangeObserver('h');
    const values = Float32Array.from({ length: 10_000 }, (_, i) => (i === 0 ? 100 : (i % 1000) / 1000));
    o.see(values);
    o.tally(values);
    expect(o.range).toEqual({ min: 0, max: 100 });
    const { min, max } = o.percentile(99.9);
    expect(min).toBe(0);
    expect(max).toBeGreaterThan(0.99);
    expect(max).toBeLessThan(1.1);
    expect(() => new RangeObserver('h').see(Float32Array.of(Number.NaN))).toThrow(
      'value "h" is NaN on the calibration data, expected finite numbers',
    );
  });
});

type Builder = ReturnType<typeof ops>;

describe('a Gemm that integers do not take is named', () => {
  const model = (change: (g: Builder, x: Value, w: Value) => Value, more = false) => {
    const g = ops();
    const [x, w] = [g.input('x', 'float32', [3, 3]), g.initializer('w', normals(1, [3, 3]))];
    const y = change(g, x, w);
    g.output(more ? g.matMul(y, g.initializer('v', normals(2, [3, 2]))) : y, 'y');
    return g.model();
  };
  test.each<[string, (g: Builder, x: Value, w: Value) => Value]>([
    ['alpha = 0.5', (g, x, w) => g.gemm(x, w, null, { alpha: 0.5 })],
    ['transA = 1', (g, x, w) => g.gemm(x, w, null, { transA: 1 })],
    ['beta = 2', (g, x, w) => g.gemm(x, w, g.initializer('b', normals(3, [3])), { beta: 2 })],
    ['C is float32[3,1], not a vector of 3', (g, x, w) => g.gemm(x, w, g.initializer('b', normals(3, [3, 1])))],
  ])('%s', async (why, change) => {
    const said = `Gemm "Gemm" stays float32: ${why}`;
    expect(() => toDynamicInt8(model(change))).toThrow(
      `int8-dynamic: the model has no Conv, Gemm or MatMul with constant weights that integers take: ${said}`,
    );
    expect(() => calibratedValues(model(change))).toThrow(
      `int8: the model has no Conv, Gemm or MatMul with constant weights outside its branches that integers take: ${said}; try int8-dynamic or fp16`,
    );
    expect((await quantize(undefined, model(change, true), { precision: 'int8-dynamic' })).notes).toEqual([said]);
  });
});

describe('a product that integers do not take is named', () => {
  type Change = (g: Builder, x: Value, w: Value) => Value;
  const model = (change: Change) => {
    const g = ops();
    g.output(change(g, g.input('x', 'float32', ['N', 3]), g.initializer('w', normals(1, [3, 3]))), 'y');
    return g.model();
  };
  test.each<[string, string, Change]>([
    ['MatMul', 'the constant "w" is its first factor, not its second', (g, x, w) => g.matMul(w, g.transpose(x))],
    ['MatMul', '"three" is float32[1,3,3], not a matrix', (g, x) => g.matMul(x, g.initializer('three', normals(1, [1, 3, 3])))],
    ['MatMul', '"v" is float32[3], not a matrix', (g, x) => g.matMul(x, g.initializer('v', normals(1, [3])))],
    [
      'MatMul',
      '"row" is float32[3], not of rank 2 or more',
      (g, x, w) => {
        const row = g.reduceSum(x, g.ints([0]), { keepdims: 0 });
        row.name = 'row';
        return g.matMul(row, w);
      },
    ],
    [
      'MatMul',
      '"w" is an input too, which callers may override',
      (g, x, w) => {
        g.graph.inputs.push(w);
        w.overridable = true;
        return g.matMul(x, w);
      },
    ],
    [
      'Gemm',
      'its bias "b" is computed',
      (g, x, w) => {
        const b = g.reduceSum(x, g.ints([0]), { keepdims: 0 });
        b.name = 'b';
        return g.gemm(x, w, b);
      },
    ],
    [
      'Gemm',
      '"w" is float32[3], not a matrix',
      (g, x, w) => {
        const y = g.gemm(x, w);
        w.type = tensorType('float32', [3]);
        return y;
      },
    ],
    [
      'Conv',
      '"w" is float32[3], not a kernel',
      (g, x, w) => {
        const y = g.conv(g.unsqueeze(x, [0, 1]), g.reshape(w, [1, 1, 3, 3]));
        const [image] = y.producer?.inputs ?? [];
        y.producer?.inputs.splice(0, 2, image ?? x, w);
        w.constant = new Tensor('float32', [3], new Float32Array(3));
        w.type = tensorType('float32', [3]);
        return y;
      },
    ],
  ])('%s: %s', (op, why, change) => {
    const said = `${op} "${op}" stays float32: ${why}`;
    expect(() => toDynamicInt8(model(change))).toThrow(
      `int8-dynamic: the model has no Conv, Gemm or MatMul with constant weights that integers take: ${said}`,
    );
    expect(() => calibratedValues(model(change))).toThrow(` outside its branches that integers take: ${said}; try`);
  });

  test('a Conv that gives an output, static', () => {
    const g = ops();
    g.output(g.conv(g.input('x', 'float32', ['N', 1, 4]), g.initializer('w', normals(1, [2, 1, 3]))), 'y');
    expect(() => calibratedValues(g.model())).toThrow(
      'outside its branches that integers take: Conv "Conv" stays float32: it gives an output of the model; try int8-dynamic or fp16',
    );
    expect(() => toDynamicInt8(g.model())).not.toThrow();
  });

  test('a product of two computed values is no such thing', () => {
    const g = ops();
    const x = g.input('x', 'float32', [3, 3]);
    g.output(g.matMul(x, g.tanh(x)), 'y');
    expect(() => toDynamicInt8(g.model())).toThrow(/^int8-dynamic: the model has no Conv, Gemm or MatMul with constant weights$/);
  });
});
