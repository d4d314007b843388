// Rematerialisation: the same bits with less memory. Estimates are compared with the budget here; that ONNX Runtime really holds less is
// measured in processes of their own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gradWithin } from '../../../src/onnx/autodiff/grad.js';
import { Random } from '../../../src/onnx/core/random.js';
import { elementCount } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { optimise } from '../../../src/onnx/passes/optimise.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { runModel } from '../../support/run.js';

const noise = (dims: readonly number[], scale: number, seed: number): Tensor => {
  const random = new Random(seed);
  return Tensor.from(
    'float32',
    Array.from({ length: elementCount(dims) }, () => scale * (2 * random.uniform() - 1)),
    dims,
  );
};

interface Deep {
  readonly model: Model;
  readonly by: string[];
}

/** `layers` times `layer` on x, and the mean square of the result as `loss`. */
function deep(
  layers: number,
  shape: readonly (number | string)[],
  layer: (g: Ops, x: Value, weight: (dims: number[]) => Value) => Value,
): Deep {
  const g = ops();
  const by: string[] = [];
  let h = g.input('x', 'float32', shape);
  const weight = (dims: number[]) => {
    by.push(`w${by.length}`);
    return g.initializer(by.at(-1) as string, noise(dims, 0.6 / Math.sqrt(dims[0] as number), by.length));
  };
  for (let i = 0; i < layers; i++) h = layer(g, h, weight);
  g.output(g.reduceMean(g.mul(h, h), { keepdims: 0 }), 'loss');
  return { model: g.model(), by };
}

const dense = (size: number) => (g: Ops, x: Value, w: (dims: number[]) => Value) => g.tanh(g.gemm(x, w([size, size]), w([size])));
const kinds: Record<string, [Deep, readonly number[]]> = {
  'dense layers': [deep(12, ['N', 16], dense(16)), [32, 16]],
  'residual blocks with layer normalisation': [
    deep(8, ['N', 5, 16], (g, x, w) => g.add(x, g.relu(g.matMul(g.layerNormalization(x, w([16]), w([16])), w([16, 16]))))),
    [4, 5, 16],
  ],
  'convolutions and pooling': [
    deep(6, ['N', 4, 16, 16], (g, x, w) => {
      const y = g.relu(g.conv(x, w([4, 4, 3, 3]), w([4]), { pads: [1, 1, 1, 1] }));
      return g.maxPool(y, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    }),
    [2, 4, 16, 16],
  ],
};

describe('same bits, fewer bytes', () => {
  it.each(Object.entries(kinds))('%s', async (_, [{ model, by }, dims]) => {
    const wish = { of: 'loss', by: ['x', ...by], dims: { N: dims[0] as number } };
    const plain = gradWithin(model, { ...wish, memory: Number.MAX_SAFE_INTEGER });
    expect(plain.memory?.repeated).toBe(0);
    const budget = Math.round((plain.memory?.before ?? 0) * 0.7);
    const less = gradWithin(model, { ...wish, memory: budget });
    expect(less.memory?.after).toBeLessThanOrEqual(budget);
    expect(less.memory?.repeated).toBeGreaterThan(0);
    const x = noise(dims, 1, 99);
    expect(await runModel(less.model, { x })).toEqual(await runModel(plain.model, { x }));
    // our own passes have left the repeated nodes apart
    const count = (m: Model) => m.graph.nodes.filter((n) => n.name.startsWith('again/')).length;
    expect(count(less.model)).toBeGreaterThan(less.memory?.repeated ?? 0);
    const heavy = () => less.model.graph.nodes.filter((n) => /Gemm|MatMul|Conv|Tanh|Relu/.test(n.opType)).length;
    const there = heavy();
    optimise(less.model.graph);
    expect(heavy()).toBe(there);
  });
});

it('says what the least is, and what it has to know', () => {
  const [{ model, by }] = kinds['dense layers'] as [Deep, readonly number[]];
  expect(() => gradWithin(model, { of: 'loss', by, memory: 100, dims: { N: 32 } })).toThrow(
    /^memory: 100 bytes are not enough for the values of this gradient; the least that can be reached is \d+, without repeating it is \d+$/,
  );
  expect(() => gradWithin(model, { of: 'loss', by, memory: 100 })).toThrow(
    'memory: the size of "Gemm/out", float32[N,16], is not known; give sizes for its dimensions',
  );
});

it('what is drawn at random is drawn once', () => {
  const on = (g: Ops) => g.constant(new Tensor('bool', [], Uint8Array.of(1)));
  const { model, by } = deep(8, ['N', 16], (g, x, w) => dense(16)(g, dense(16)(g, g.dropout(x, g.scalar(0.5, x), on(g)), w), w));
  const wish = { of: 'loss', by, dims: { N: 32 } };
  const before = gradWithin(model, { ...wish, memory: 1e9 }).memory?.before ?? 0;
  const { model: made, memory } = gradWithin(model, { ...wish, memory: Math.round(0.9 * before) });
  expect(memory?.repeated).toBeGreaterThan(0);
  expect(made.graph.nodes.filter((n) => n.opType === 'Dropout')).toHaveLength(8);
});

/** What a process holds at most beyond what it held before the run, in bytes, and a hash of all results. */
function measured(model: Model, dims: readonly number[]): { bytes: number; hash: number } {
  const file = join(mkdtempSync(join(tmpdir(), 'prognet-peak-')), 'model.onnx');
  writeFileSync(file, toBinary(model));
  const script = new URL('../../support/peak-of-run.mjs', import.meta.url).pathname;
  return JSON.parse(execFileSync(process.execPath, [script, file, ...dims.map(String)], { encoding: 'utf8' }));
}

it.skipIf(process.platform !== 'linux')('ONNX Runtime holds less (the peak is read from /proc, so on Linux)', () => {
  const { model, by } = deep(48, ['N', 64], dense(64));
  const wish = { of: 'loss', by, dims: { N: 4096 } };
  const plain = gradWithin(model, { ...wish, memory: Number.MAX_SAFE_INTEGER });
  const less = gradWithin(model, { ...wish, memory: Math.round((plain.memory?.before ?? 0) * 0.4) });
  const [a, b] = [measured(plain.model, [4096, 64]), measured(less.model, [4096, 64])];
  expect(b.hash).toBe(a.hash);
  expect(b.bytes).toBeLessThan(a.bytes * 0.6);
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  console.info(
    `estimated ${mb(plain.memory?.before ?? 0)} and ${mb(less.memory?.after ?? 0)} MB, measured ${mb(a.bytes)} and ${mb(b.bytes)} MB, ${less.memory?.repeated} nodes again`,
  );
});
