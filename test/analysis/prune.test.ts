// Pruning: what goes is gone from the weights' shapes, and what nothing read may go without a change of any answer.
import { describe, expect, it } from 'vitest';
import { analyze } from '../../src/analysis/analyze.js';
import { candidatesOf, keptWithout } from '../../src/analysis/prune/candidates.js';
import { cut, type Kept } from '../../src/analysis/prune/cut.js';
import { described, withChange } from '../../src/analysis/prune/describe.js';
import { prune } from '../../src/analysis/prune/prune.js';
import { layersOf, producerOf, unitsOf } from '../../src/analysis/prune/units.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { type Column, columnsOf } from '../../src/model/progressive/column.js';
import { taskModel } from '../../src/model/progressive/forms.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { StoredTensor } from '../../src/onnx/core/stored-tensor.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { runModel, runtime } from '../support/run.js';

const rows = 64;
const random = new Random(5, 'prune');
const x = Tensor.from(
  'float32',
  Array.from({ length: rows * 16 }, () => random.normal()),
  [rows, 1, 4, 4],
);
const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, () => random.below(3)),
);
const data = { inputs: { x }, targets };

const bodies: Readonly<Record<string, NonNullable<ColumnInput['blocks']>>> = {
  dense: [
    ['flatten', { dense: 6 }, 'tanh'],
    [{ dense: 5 }, 'batch_norm', 'sigmoid'],
  ],
  inner: [
    ['flatten', { dense: 6 }, 'tanh', { dense: 4 }, 'relu', { dropout: 0.1 }],
    [{ kind: 'dense', units: 5 }, 'gelu'],
  ],
  conv: [
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'batch_norm', 'tanh', { maxpool2d: 2 }],
    [{ conv2d: { filters: 3, kernel: 2 } }, 'silu', 'flatten'],
  ],
  flattened: [
    [{ conv2d: { filters: 4, kernel: 3 } }, 'tanh', 'flatten', 'batch_norm'],
    [{ dense: { units: 5 } }, 'relu'],
  ],
  pooled: [
    [{ conv2d: { filters: 5, kernel: 3, padding: 'same' } }, 'relu', 'global_avgpool'],
    [{ dense: 4 }, 'tanh'],
  ],
  signal: [
    [{ reshape: [2, -1] }, { conv1d: { filters: 4, kernel: 3 } }, 'tanh', { avgpool1d: 2 }],
    [{ conv1d: { filters: 3, kernel: 2 } }, 'relu', 'flatten'],
  ],
};
const laterals: Readonly<Record<string, ColumnInput['laterals']>> = {
  linear: { kind: 'linear' },
  adapter: { kind: 'adapter', rank: 3, activation: 'tanh' },
  wide: { kind: 'adapter', activation: 'relu' },
};

/** Three columns, the last over both others, with weights that are no longer those they began with. */
function grown(body: string, kind: string) {
  const head = { classify: 3 } as const;
  const blocks = must(bodies[body], body);
  const columns: ColumnInput[] = [
    { task: 'a', blocks, head },
    { task: 'b', blocks: must(bodies.dense, 'dense'), head, laterals: 'none' },
    { task: 'c', blocks, head, laterals: must(laterals[kind], kind) },
  ];
  const network = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [1, 4, 4] }, columns }));
  const weights = new Map([...network].map((column) => [column.task, moved(initialWeights(column))]));
  return { column: network.column('c'), weights };
}

function moved(weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const own = new Random(2, 'moved');
  return new Map(
    [...weights].map(([name, t]) => [
      name,
      Tensor.from(
        'float32',
        t.numbers().map((v) => (/\/var$/.test(name) ? 0.5 + own.uniform() : v + 0.2 * own.normal())),
        t.dims,
      ),
    ]),
  );
}

const scoresOf = async (column: Column, weights: ReadonlyMap<string, ReadonlyMap<string, Tensor>>) =>
  must((await runModel(taskModel(column.network, weights, { tasks: ['c'] }), { x })).c, 'scores').numbers();

/** The weights without effect of what goes: rows of the layer that reads a unit, of U by a rank, a source's own. */
function silenced(column: Column, weights: ReadonlyMap<string, Tensor>, kept: Kept): Map<string, Tensor> {
  const found = new Map(weights);
  const zero = (name: string, axis: number, gone: (i: number, size: number) => boolean) => {
    const t = found.get(name);
    if (t === undefined) return;
    const size = must(t.dims[axis] ?? 1, name);
    const inner = t.dims.slice(axis + 1).reduce((p, d) => p * d, 1);
    found.set(
      name,
      Tensor.from(
        'float32',
        t.numbers().map((v, i) => (gone(Math.floor(i / inner) % size, size) ? 0 : v)),
        t.dims,
      ),
    );
  };
  const prefix = (block: number) => `c/${block === column.blocks.length ? 'head' : block}`;
  for (const [block, stay] of kept.units) {
    const { count } = unitsOf(must(producerOf(column, block), 'producer'));
    const reader = must(
      layersOf(column, block + 1).find(({ layer }) => ['dense', 'conv1d', 'conv2d'].includes(layer.kind)),
      'reader',
    );
    zero(
      `${reader.prefix}/weight`,
      reader.layer.kind === 'dense' ? 0 : 1,
      (i, size) => !stay.includes(Math.floor(i / (size / count))),
    );
  }
  for (const [block, stay] of kept.ranks) {
    const image = must(found.get(`${prefix(block)}/adapter/U`), 'U').dims.length > 2;
    zero(`${prefix(block)}/adapter/U`, image ? 1 : 0, (i) => !stay.includes(i));
  }
  for (const [block, stay] of kept.sources)
    for (const task of ['a', 'b'].filter((name) => !stay.includes(name))) {
      zero(`${prefix(block)}/lateral/${task}/weight`, 0, () => true);
      const name = `${prefix(block)}/adapter/alpha/${task}`;
      if (found.has(name)) found.set(name, Tensor.from('float32', [0], []));
      // An adapter without sources gives nothing, not even what its bias makes.
      if (stay.length === 0) zero(`${prefix(block)}/adapter/U`, 0, () => true);
    }
  return found;
}

describe.each(Object.keys(laterals))('%s laterals', (kind) => {
  it.each(Object.keys(bodies))('%s: what nothing reads goes, and no answer changes', async (body) => {
    const { column, weights } = grown(body, kind);
    const own = must(weights.get('c'), 'c');
    const all = await candidatesOf({ column, weights, data, runtime, session: { threads: 1 }, seed: 1 });
    const kinds = new Set(all.map((c) => c.kind));
    expect([...kinds].toSorted()).toEqual(kind === 'linear' ? ['source', 'unit'] : ['rank', 'source', 'unit']);
    const draw = new Random(7, body, kind);
    for (let trial = 0; trial < 3; trial++) {
      const gone = new Set(all.filter((c) => draw.uniform() < (c.kind === 'source' ? 0.4 : 0.3)));
      const kept = keptWithout(column, all, gone);
      const now = columnsOf(withChange(column.network.description, 'c', described(column, own, kept))).column('c');
      const quiet = silenced(column, own, kept);
      const smaller = cut(column, now, quiet, kept);
      const before = await scoresOf(column, new Map(weights).set('c', quiet));
      const after = await scoresOf(now, new Map(weights).set('c', smaller));
      for (const [i, v] of after.entries()) expect(v).toBeCloseTo(must(before[i], 'score'), 4);
      if (kept.units.size + kept.ranks.size + kept.sources.size > 0)
        expect(now.parameters.count).toBeLessThan(column.parameters.count);
    }
  });
});

it('of an input of open size: the description stays open, the answers are those of any size', async () => {
  const columns: ColumnInput[] = ['a', 'b'].map((task) => ({
    task,
    blocks: [
      [{ conv1d: { filters: 4, kernel: 3 } }, 'tanh', 'global_avgpool'],
      [{ dense: 3 }, 'tanh'],
    ],
    head: { classify: 3 },
  }));
  const network = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [1, 'length'] }, columns }));
  const column = network.column('b');
  const weights = new Map([...network].map((own) => [own.task, moved(initialWeights(own))]));
  const samples = { x: x.reshape([rows, 1, 16]) };
  // What it answers is right.
  const { b_label: label } = await runModel(taskModel(network, weights, { tasks: ['b'], probabilities: true }), samples);
  const whole = { column, weights, data: { inputs: samples, targets: must(label, 'label') }, runtime, seed: 1 };
  const found = await prune(whole, { threshold: 0.8 });
  expect(found.column.network.description.inputs).toMatchObject([{ shape: [1, 'length'] }]);
  expect(found.column.parameters.count).toBeLessThan(column.parameters.count);
  const sensitivity = await analyze(whole);
  expect(sensitivity.taps.map(({ into, source }) => [into, source])).toEqual([
    [1, 'b'],
    [1, 'a'],
    [2, 'b'],
    [2, 'a'],
  ]);
});

it('leaves units of each step, which flatten would not keep together', () => {
  const columns: ColumnInput[] = [
    {
      task: 'a',
      blocks: [
        [{ reshape: [4, 4] }, { lstm: { units: 3, sequences: true } }, { dense: { units: 6, each: 'step' } }],
        ['flatten', { dense: 4 }],
      ],
      head: { classify: 3 },
    },
  ];
  const column = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [1, 4, 4] }, columns })).column(
    'a',
  );
  expect(column.blocks.map((_, block) => producerOf(column, block)?.prefix)).toEqual([undefined, 'a/1/dense']);
});

describe('how much goes', () => {
  const analysed = (kind: string) => ({ ...grown('dense', kind), data, runtime, session: { threads: 1 }, seed: 1 });

  it('by a threshold: shares below it, the best unit of each block and rank of each adapter at the least stays', async () => {
    const some = await prune(analysed('adapter'), { threshold: 0.5 });
    expect(some.threshold).toBeGreaterThanOrEqual(0.5);
    expect(some.parts.map(({ kind, block, before }) => [kind, block, before])).toEqual([
      ['sources', 1, 2],
      ['sources', 2, 2],
      ['ranks', 1, 3],
      ['ranks', 2, 3],
      ['units', 0, 6],
      ['units', 1, 5],
    ]);
    const all = await prune(analysed('adapter'), { threshold: 1e9 });
    expect(all.parts.map(({ after }) => after)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(all.column.laterals).toEqual({ kind: 'none' });
    // 16 x 1 + 1, 1 x 1 + 1 and the four of batch_norm, 1 x 3 + 3
    expect(all.column.parameters.count).toBe(17 + 2 + 4 + 6);
    expect(all.measured.before).toBe(some.measured.before);
  });

  it('as much as keeps the metric', async () => {
    const whole = analysed('linear');
    const { measured } = await prune(whole, { threshold: 1e-9 });
    const found = await prune(whole, { keep: measured.before - 0.05 });
    expect(found.measured.after).toBeGreaterThanOrEqual(measured.before - 0.05);
    expect(found.column.parameters.count).toBeLessThan(whole.column.parameters.count);
    await expect(prune(whole, { keep: 1 })).rejects.toThrow(
      /^task "c" reaches 0\.\d{4} now, expected at least as good as what is to be kept, 1$/,
    );
  });

  it('nothing of a column in which nothing could', async () => {
    const columns: ColumnInput[] = [{ task: 'a', blocks: [['flatten', { dense: 4 }, 'softmax']], head: { classify: 3 } }];
    const network = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: [1, 4, 4] }, columns }));
    const column = network.column('a');
    const own = { column, weights: new Map([['a', initialWeights(column)]]), data, runtime, seed: 1 };
    await expect(prune(own, { threshold: 0.1 })).rejects.toThrow(
      'task "a" has nothing to take out: no laterals, and no layers whose units could go',
    );
  });
});

it('reads weights that stand in a file once each, however large they are', async () => {
  const { column, weights } = grown('dense', 'wide');
  let reads = 0;
  const stored = new Map(
    [...must(weights.get('c'), 'c')].map(([name, t]) => {
      const read = () => {
        reads++;
        return t.bytes.slice();
      };
      return [name, new StoredTensor(t.dtype, t.dims, { read })];
    }),
  );
  const all = await candidatesOf({ column, weights, data, runtime, session: {}, seed: 1 });
  const kept = keptWithout(column, all, new Set(all.filter((_, i) => i % 2 === 0)));
  const own = must(weights.get('c'), 'c');
  const now = columnsOf(withChange(column.network.description, 'c', described(column, own, kept))).column('c');
  const cutDown = cut(column, now, stored, kept);
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThanOrEqual(stored.size);
  for (const [name, t] of cut(column, now, own, kept)) expect(cutDown.get(name)?.numbers(), name).toEqual(t.numbers());
});
