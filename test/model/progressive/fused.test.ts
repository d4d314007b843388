// Fused models: the numbers of the plain ones to 1e-5 in every form, over every kind of layer and lateral, with as few products as there can be.
import fc from 'fast-check';
import { expect, describe as group, it } from 'vitest';
import type { Description } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { type FormOptions, forms } from '../../../src/model/progressive/forms.js';
import { must } from '../../../src/onnx/core/errors.js';
import { int64, type Tensor } from '../../../src/onnx/core/tensor.js';
import { allNodes } from '../../../src/onnx/ir/graph.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { initialAt, modelOf } from '../../support/by-place.js';
import { columnsOf, describe, images, randomNetwork } from '../../support/random-network.js';
import { runModel } from '../../support/run.js';

const asked: Record<(typeof forms)[number], (tasks: string[]) => FormOptions> = {
  task: (tasks) => ({ tasks: tasks.slice(-1) }),
  all: (tasks) => ({ tasks }),
  routed: (tasks) => ({ tasks, routed: true }),
};

/** The largest difference of the fused model's outputs, relative to their size where that is over 1; how many nodes it has less. */
async function compare(d: Description, weights: Map<string, Tensor>[], options: FormOptions) {
  const [plain, fused] = [modelOf(d, weights, options), modelOf(d, weights, { ...options, fused: true })];
  const count = (m: Model) => [...allNodes(m.graph)].length;
  let error = 0;
  for (let id = 0; id < (options.routed === true ? options.tasks.length : 1); id++) {
    const feeds = { image: images, ...(options.routed === true && { task_id: int64([id]) }) };
    const [want, got] = [await runModel(plain, feeds), await runModel(fused, feeds)];
    expect(Object.keys(got)).toEqual(Object.keys(want));
    for (const [name, t] of Object.entries(want)) {
      const found = must(got[name], name);
      expect(found.dims).toEqual(t.dims);
      t.numbers().forEach((v, i) => {
        error = Math.max(error, Math.abs(v - Number(found.data[i])) / Math.max(1, Math.abs(v)));
      });
    }
  }
  return { error, fewer: count(plain) - count(fused) };
}

/** Weights of a trained network are no longer those it began with: batch_norm's statistics above all. */
function used(d: Description): Map<string, Tensor>[] {
  return d.columns.map((_, i) => {
    const w = initialAt(d, i);
    for (const [name, t] of w) {
      const data = t.data as Float32Array;
      for (let k = 0; k < data.length; k++)
        data[k] = (data[k] ?? 0) + (name.endsWith('/var') ? 0.3 : 0.1) * Math.abs(Math.sin(k + i));
    }
    return w;
  });
}

it.each(forms)('%s: equal to the plain model to 1e-5 over random networks', (form) => {
  let changed = 0;
  return fc
    .assert(
      fc.asyncProperty(randomNetwork, async (n) => {
        const d = describe(columnsOf(n), n.seed);
        const { error, fewer } = await compare(d, used(d), asked[form](['a', 'b']));
        expect(error).toBeLessThan(1e-5);
        if (fewer > 0) changed++;
      }),
      { numRuns: 40, seed: 31 },
    )
    .then(() => expect(changed).toBeGreaterThan(20));
});

const bodies = {
  dense: [
    ['flatten', { dense: 8 }, 'relu'],
    [{ dense: 7 }, 'batch_norm', 'relu'],
  ],
  conv: [
    [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'batch_norm', 'relu'],
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'batch_norm', 'relu', { maxpool2d: 2 }],
    ['flatten', { dense: 6 }, 'relu'],
  ],
  grouped: [
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'relu'],
    [{ conv2d: { filters: 4, kernel: 3, groups: 2, stride: 2, padding: 'same', bias: false } }, 'relu'],
  ],
};
const laterals = { linear: { kind: 'linear' }, adapter: { kind: 'adapter', rank: 3 } };
const network = (body: keyof typeof bodies, kind: keyof typeof laterals, count = 4) =>
  parseDescription({
    prognet: 1,
    name: 'deep',
    seed: 5,
    input: { name: 'image', shape: [1, 4, 4] },
    columns: Array.from({ length: count }, (_, i) => ({
      task: `t${i}`,
      blocks: bodies[body],
      head: { classify: 3 },
      ...(i > 0 && { laterals: laterals[kind] }),
    })),
  });

group.each(Object.keys(bodies) as (keyof typeof bodies)[])('four columns, %s', (body) => {
  it.each(Object.keys(laterals) as (keyof typeof laterals)[])('%s laterals: every form', async (kind) => {
    const d = network(body, kind);
    for (const form of forms) {
      const { error, fewer } = await compare(d, used(d), asked[form](d.columns.map((c) => c.task)));
      expect(error, form).toBeLessThan(1e-5);
      expect(fewer, form).toBeGreaterThan(5);
    }
  });
});

/** Ops of a fused model, by name. */
function opsOf(d: Description, options: FormOptions): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of allNodes(modelOf(d, used(d), { ...options, fused: true }).graph))
    counts[node.opType] = (counts[node.opType] ?? 0) + 1;
  return counts;
}

it('one product for a block and all its laterals, one for all first blocks', () => {
  const tasks = ['t0', 't1', 't2', 't3'];
  // 1 for the first blocks, then one for each block and head
  expect(opsOf(network('dense', 'linear'), { tasks })).toEqual({ Flatten: 1, Gemm: 9, Relu: 5, Split: 1, Concat: 6 });
  // and one V for each block and head of the last three; V and W of t0's tap side by side
  const adapter = opsOf(network('dense', 'adapter'), { tasks });
  expect(adapter.Mul ?? 0).toBe(0);
  expect(adapter.Add ?? 0).toBe(0);
  expect(adapter.Gemm).toBe(13);
  expect(opsOf(network('conv', 'linear'), { tasks })).toEqual({
    Conv: 8,
    Relu: 12,
    MaxPool: 4,
    Flatten: 4,
    Concat: 9,
    Gemm: 8,
  });
});

it('an alpha of 1 goes as well, and a weight that nothing changes keeps its name', () => {
  const model = modelOf(network('dense', 'linear'), used(network('dense', 'linear')), { tasks: ['t0'], fused: true });
  expect(model.graph.initializers.map((v) => v.name)).toContain('t0/0/dense/weight');
  expect(model.metadata.get('prognet.fused')).toBe('true');
  expect(model.metadata.get('prognet.form')).toBe('task');
});
