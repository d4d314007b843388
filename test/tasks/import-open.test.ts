// Models whose sizes stay open once they are imported: shapes of taps at every size, columns over them, exported files at several sizes with the bits of
// the file; and what cannot stay open, refused with the size to give.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { type Size, sizeIn } from '../../src/model/nn/open-size.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { changeTaps } from '../../src/tasks/change-taps.js';
import { exportedModel } from '../../src/tasks/export-tasks.js';
import { type ImportTaskOptions, importTask } from '../../src/tasks/import-task.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { verifyTask } from '../../src/tasks/verify.js';
import { expectNear } from '../support/expect-near.js';
import { runModel, runtime } from '../support/run.js';

const waves = (dims: readonly number[], by = 1): Tensor => {
  const count = dims.reduce((a, b) => a * b, 1);
  return Tensor.from(
    'float32',
    Array.from({ length: count }, (_, i) => Math.sin(by * i + 1)),
    [...dims],
  );
};

let root = '';
const at = (...path: string[]) => join(root, ...path);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'prognet-import-open-'));
});

/** A weight. */
const w = (g: Ops, dims: readonly number[], by: number) => g.initializer(`w${dims}/${by}`, waves(dims, by));
const named = (v: Value, name: string): Value => Object.assign(v, { name });
const build = (make: (g: Ops) => void): Model => {
  const g = ops({ name: 'open' });
  make(g);
  const model = g.model();
  saveModel(model, at('m.onnx'));
  return model;
};
const bring = (options: Partial<ImportTaskOptions> = {}, task = 'base') =>
  importTask(runtime, at('family'), true, at('m.onnx'), { task, head: 'none', backbone: true, threads: 1, ...options });
const text = () => readFileSync(at('family/prognet.yaml'), 'utf8');
const asked = async (model: Model, name: string, feeds: Record<string, Tensor>): Promise<Tensor> => {
  const outputs = model.graph.outputs;
  model.graph.outputs = [
    must(
      [...model.graph.values()].find((v) => v.name === name),
      name,
    ),
  ];
  try {
    return must((await runModel(model, feeds))[name], name);
  } finally {
    model.graph.outputs = outputs;
  }
};

/** Convolutions over a signal of any length, then scores. */
const signal = (): Model =>
  build((g) => {
    const x = g.input('x', 'float32', ['N', 2, 'L']);
    const conv = (v: Value, from: number, to: number, kernel: number, stride: number, pads: number[]) =>
      g.relu(g.conv(v, w(g, [to, from, kernel], 2), null, { kernel_shape: [kernel], strides: [stride], pads }));
    const a = named(conv(x, 2, 4, 3, 2, [1, 1]), 'a');
    const b = named(conv(a, 4, 4, 5, 3, [0, 0]), 'b');
    const c = named(must(g.op('MaxPool', [b], { kernel_shape: [2], strides: [2], ceil_mode: 1 })[0], 'c'), 'c');
    g.output(g.flatten(g.globalAveragePool(c)), 'y');
  });

/** Steps of any number. */
const steps = (): Model =>
  build((g) => {
    const x = g.input('x', 'float32', ['batch', 'time.1', 3]);
    const a = named(g.relu(g.matMul(x, w(g, [3, 8], 3))), 'a');
    const b = named(g.tanh(g.matMul(a, w(g, [8, 8], 5))), 'b');
    g.output(g.matMul(b, w(g, [8, 3], 7)), 'y');
  });

const image = (): Model =>
  build((g) => {
    const x = g.input('x', 'float32', ['N', 3, 'height', 'width']);
    const how = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
    const a = named(g.relu(g.conv(x, w(g, [4, 3, 3, 3], 2), null, how)), 'a');
    g.output(g.tanh(named(g.relu(g.conv(a, w(g, [6, 4, 3, 3], 4), null, how)), 'b')), 'y');
  });

/** An image in patches, one after another, with a token of its own before them; then a convolution over other patches. */
const patches = (): Model =>
  build((g) => {
    const x = g.input('x', 'float32', ['N', 3, 'height', 'width']);
    const patch = (v: Value, from: number, kernel: number, stride: number) =>
      g.conv(v, w(g, [4, from, kernel, kernel], kernel), null, { kernel_shape: [kernel, kernel], strides: [stride, stride] });
    const inRow = (v: Value) => g.transpose(g.reshape(v, [0, 4, -1]), { perm: [0, 2, 1] });
    const a = named(g.matMul(inRow(patch(x, 3, 8, 8)), w(g, [4, 4], 5)), 'a');
    const own = g.expand(g.reshape(w(g, [4], 1), [1, 1, 4]), g.concat(g.shape(x, { start: 0, end: 1 }), [1, 1], { axis: 0 }));
    const b = named(g.relu(g.matMul(g.concat(own, a, { axis: 1 }), w(g, [4, 4], 7))), 'b');
    const c = named(g.relu(inRow(patch(x, 3, 3, 2))), 'c');
    g.output(g.add(g.reduceMean(b, [1], { keepdims: 0 }), g.reduceMean(c, [1], { keepdims: 0 })), 'y');
  });

const isImage = (make: () => Model): boolean => make === image || make === patches;

describe('shapes', () => {
  it.each([
    [
      'signal',
      signal,
      ['a', 'b', 'c'],
      (n: number) => [2, n],
      ['L'],
      [
        ['4', 'ceil(L/2)'],
        ['4', 'ceil((L-8)/6)'],
        ['4', 'ceil((L-8)/12)'],
      ],
    ],
    [
      'steps',
      steps,
      ['a', 'b'],
      (n: number) => [n, 3],
      ['time_1'],
      [
        ['time_1', '8'],
        ['time_1', '8'],
      ],
    ],
    [
      'image',
      image,
      ['a', 'b'],
      (n: number) => [3, n, 2 * n - 9],
      ['height', 'width'],
      [
        ['4', 'ceil(height/2)', 'ceil(width/2)'],
        ['6', 'ceil(height/4)', 'ceil(width/4)'],
      ],
    ],
    [
      'patches',
      patches,
      ['a', 'b', 'c'],
      (n: number) => [3, n, 2 * n - 9],
      ['height', 'width'],
      [
        ['(ceil((height-7)/8)*ceil((width-7)/8))', '4'],
        ['((ceil((height-7)/8)*ceil((width-7)/8))+1)', '4'],
        ['(ceil((height-2)/2)*ceil((width-2)/2))', '4'],
      ],
    ],
  ] as const)('%s: those of ONNX Runtime at every size', async (_, make, taps, sample, open, expected) => {
    const model = make();
    const imported = await bring({ taps });
    expect(imported.taps.map(({ shape }) => shape.map(String))).toEqual(expected);
    expect(text()).toContain(
      `shape: [${sample(0)
        .map((d, i) => (i === 0 && make !== steps ? d : make === steps && i === 1 ? d : open[isImage(make) ? i - 1 : 0]))
        .join(', ')}]`,
    );
    for (const n of [17, 32, 33, 34, 35, 36, 37, 41, 50, 64, 65, 100]) {
      const dims = sample(n);
      const sizes = isImage(make) ? { height: dims[1] ?? 0, width: dims[2] ?? 0 } : { [open[0]]: n };
      for (const [i, tap] of taps.entries()) {
        const found = await asked(model, tap, { x: waves([2, ...dims]) });
        const inferred = must(imported.taps[i], tap).shape.map((size: Size) => sizeIn(size, sizes));
        expect([2, ...inferred], `${tap} at ${n}`).toEqual(found.dims);
      }
    }
  });
});

describe('columns over it', () => {
  const sizes = [33, 40, 57] as const;
  const grown = async (
    make: () => Model,
    sample: (n: number) => number[],
    columns: string,
    base: Partial<ImportTaskOptions> = {},
  ) => {
    const model = make();
    const x = waves([12, ...sample(40)], 0.7);
    const labels = Tensor.from(
      'int64',
      Array.from({ length: 12 }, (_, i) => i % 3),
    );
    const parts = { x_train: x, y_train: labels, x_test: x, y_test: labels };
    writeFileSync(at('d.npz'), writeNpz(new Map(Object.entries(parts))));
    const { taps } = await bring(base);
    writeFileSync(at('family/prognet.yaml'), text() + columns);
    const tasks = [...columns.matchAll(/task: (\w+)/g)].map(([, task]) => must(task, 'task'));
    for (const task of tasks) await trainTask(runtime, at('family'), task, { threads: 1 });
    const loaded = loadWorkspace(at('family'));
    for (const task of ['base', ...tasks])
      expect((await verifyTask(runtime, loaded, task, { threads: 1 })).identical, task).toBe(true);
    const given = base.scores === undefined ? must(taps.at(-1), 'tap').name : base.scores;
    for (const n of sizes) {
      const feeds = { x: waves([3, ...sample(n)], 0.3) };
      const own = new Map<string, Tensor>();
      for (const task of ['base', ...tasks]) {
        const alone = (await runModel(exportedModel(loaded, { tasks: [task] }), feeds))[task];
        own.set(task, must(alone, task));
      }
      expect(Buffer.compare(must(own.get('base'), 'base').bytes, (await asked(model, given, feeds)).bytes), `at ${n}`).toBe(0);
      for (const fused of [false, true]) {
        const all = await runModel(exportedModel(loaded, { tasks: ['base', ...tasks], fused }), feeds);
        for (const [task, alone] of own) {
          const found = must(all[task], task);
          // What is fused is summed in another order, but for what is imported.
          if (fused && task !== 'base') expectNear(found, alone, 1e-5);
          else expect(Buffer.compare(found.bytes, alone.bytes), `${task} at ${n}`).toBe(0);
        }
      }
    }
    return loaded;
  };
  const column = (task: string, blocks: string, laterals: string) =>
    `  - task: ${task}\n    data: ../d.npz\n    blocks: ${blocks}\n    head: { classify: 3 }\n    laterals: ${laterals}\n    train: { epochs: 1, batch: 6, lr: 0.01, seed: 1 }\n`;

  it('a signal: a head alone, convolutions, a sequence', async () => {
    await grown(
      signal,
      (n) => [2, n],
      column('alone', '[]', '{ kind: linear, from: base, join: pool }') +
        column(
          'conv',
          '[[{ conv1d: { filters: 4, kernel: 3, stride: 2, padding: 1 } }, relu], [{ conv1d: { filters: 4, kernel: 3 } }, relu, global_avgpool]]',
          '{ kind: adapter, rank: 2, from: base, join: steps, into: [1] }',
        ) +
        column(
          'pooled',
          '[[to_sequence, { gru: 4 }], [{ dense: 4 }, relu]]',
          '{ kind: linear, from: [base, conv], into: [1, head], join: pool }',
        ),
      { taps: ['a', 'b', 'c'] },
    );
  }, 60_000);

  it('steps, judged one by one', async () => {
    await grown(
      steps,
      (n) => [n, 3],
      column('next', '[[{ lstm: { units: 4, sequences: true } }], [{ lstm: 4 }]]', '{ kind: linear, from: base }') +
        column('alone', '[]', '{ kind: adapter, rank: 3, from: base }'),
      { taps: ['a', 'b'], scores: 'y', backbone: false },
    );
  }, 60_000);

  it('an image', async () => {
    await grown(
      image,
      (n) => [3, n, n + 7],
      column(
        'next',
        '[[{ conv2d: { filters: 3, kernel: 3, stride: 2, padding: 1 } }, relu], [{ conv2d: { filters: 3, kernel: 3 } }, relu, global_avgpool]]',
        '{ kind: linear, from: base, into: [1] }',
      ),
      { taps: ['a', 'b'] },
    );
  }, 60_000);

  it('low-rank updates of it, and all of its weights', async () => {
    const tuned = (task: string, how: string) =>
      `  - task: ${task}\n    data: ../d.npz\n    tune: { base: base, ${how} }\n    head: { classify: 3 }\n    train: { epochs: 1, batch: 6, lr: 0.01, seed: 1 }\n`;
    await grown(signal, (n) => [2, n], tuned('lora', 'lora: { rank: 2 }') + tuned('all', 'weights: all'), {
      taps: ['a', 'c'],
      scores: 'y',
    });
  }, 60_000);

  it('patches of an image', async () => {
    await grown(
      patches,
      (n) => [3, n, n + 7],
      column(
        'next',
        '[[{ conv2d: { filters: 4, kernel: 3, stride: 2 } }, relu, to_sequence], [{ gru: 3 }]]',
        '{ kind: linear, from: base, taps: { base: { 1: b } } }',
      ) + column('alone', '[]', '{ kind: adapter, rank: 3, from: base, join: pool }'),
      { taps: ['a', 'b'] },
    );
  }, 60_000);
});

describe('sizes that are one', () => {
  /** Ids and flags of as many steps, which the file names otherwise. */
  const two = () =>
    build((g) => {
      const x = g.input('x', 'float32', ['N', 'steps', 3]);
      const m = g.input('m', 'float32', ['N', 'other']);
      const h = named(g.relu(g.matMul(x, w(g, [3, 4], 3))), 'h');
      g.output(g.mul(h, g.unsqueeze(m, [2])), 'y');
    });

  it('have one name, which data must agree with', async () => {
    const model = two();
    const notes: string[] = [];
    const { taps, open } = await bring({ taps: ['h', 'y'], onNote: (line) => notes.push(line) });
    expect(taps).toEqual([
      { name: 'h', shape: ['steps', 4] },
      { name: 'y', shape: ['steps', 4] },
    ]);
    expect(open).toEqual(['steps']);
    expect(notes).toEqual([`${at('m.onnx')}: "steps" and "other" are one size here, "steps": apart they cannot stay open`]);
    expect(text()).toContain('shape: [steps]');
    const loaded = loadWorkspace(at('family'));
    const exported = exportedModel(loaded, { tasks: ['base'] });
    for (const n of [20, 33]) {
      const feeds = { x: waves([2, n, 3]), m: waves([2, n], 0.4) };
      const own = await asked(model, 'y', feeds);
      expect(Buffer.compare(must((await runModel(exported, feeds)).base, 'base').bytes, own.bytes), `at ${n}`).toBe(0);
    }
    expect((await verifyTask(runtime, loaded, 'base')).identical).toBe(true);
    expect((await changeTaps(runtime, at('family'), 'base', { taps: ['y'] })).taps).toEqual([{ name: 'y', shape: ['steps', 4] }]);
  });

  it('are one where the network says so', async () => {
    two();
    const inputs = '[{ name: x, shape: [length, 3] }, { name: m, shape: [length] }]';
    writeFileSync(at('prognet.yaml'), `prognet: 1\nname: n\ninput: ${inputs}\ncolumns: []\n`);
    const given = { task: 'base', head: 'none', backbone: true, taps: ['y'] } as const;
    expect((await importTask(runtime, root, false, at('m.onnx'), given)).taps).toEqual([{ name: 'y', shape: ['length', 4] }]);
  });

  it('are two of three', async () => {
    build((g) => {
      const x = g.input('x', 'float32', ['N', 'steps', 3]);
      const m = g.input('m', 'float32', ['N', 'other']);
      const s = g.input('s', 'float32', ['N', 'own', 3]);
      const h = g.mul(g.relu(g.matMul(x, w(g, [3, 4], 3))), g.unsqueeze(m, [2]));
      g.output(g.add(h, g.reduceMean(g.matMul(s, w(g, [3, 4], 5)), [1])), 'y');
    });
    const { taps, open } = await bring({ taps: ['y'] });
    expect(taps).toEqual([{ name: 'y', shape: ['steps', 4] }]);
    expect(open).toEqual(['steps', 'own']);
  });

  it('are not where the file wants them apart', async () => {
    build((g) => {
      const x = g.input('x', 'float32', ['N', 'steps', 3]);
      const m = g.input('m', 'float32', ['N', 'other', 3]);
      const scores = g.matMul(x, g.transpose(m, { perm: [0, 2, 1] }));
      g.output(g.matMul(g.softmax(scores, { axis: -1 }), m), 'y');
    });
    const { taps, open } = await bring({ taps: ['y'] });
    expect(taps).toEqual([{ name: 'y', shape: ['steps', 3] }]);
    expect(open).toEqual(['steps', 'other']);
  });
});

describe('what is said', () => {
  it('a size that is given is a number', async () => {
    signal();
    const { taps } = await bring({ taps: ['a'], dims: new Map([['L', 40]]) });
    expect(taps).toEqual([{ name: 'a', shape: [4, 20] }]);
    expect(text()).toContain('shape: [2, 40]');
  });

  it('one of two', async () => {
    image();
    const { taps } = await bring({ taps: ['b'], dims: new Map([['height', 40]]) });
    expect(taps).toEqual([{ name: 'b', shape: [6, 10, 'ceil(width/4)'] }]);
  });

  it('a network has its own name for it, or a number', async () => {
    steps();
    const network = (shape: string) =>
      writeFileSync(at('prognet.yaml'), `prognet: 1\nname: n\ninput: { name: x, shape: ${shape} }\ncolumns: []\n`);
    const here = () =>
      importTask(runtime, root, false, at('m.onnx'), { task: 'base', head: 'none', backbone: true, taps: ['a'] });
    network('[40, 3]');
    await expect(here()).rejects.toThrow(
      'm.onnx: its input "x" is float32[N,time_1,3], the network gives it float32[N,40,3] ("x"), as the option dim: "time.1=40"',
    );
    network('[steps, 3]');
    expect((await here()).taps).toEqual([{ name: 'a', shape: ['steps', 8] }]);
  });

  it('other taps of it', async () => {
    signal();
    await bring({ taps: ['c'] });
    expect((await changeTaps(runtime, at('family'), 'base', { taps: ['a', 'c'] })).taps).toEqual([
      { name: 'a', shape: [4, 'ceil(L/2)'] },
      { name: 'c', shape: [4, 'ceil((L-8)/12)'] },
    ]);
    expect((await verifyTask(runtime, loadWorkspace(at('family')), 'base')).identical).toBe(true);
  });
});

describe('what cannot stay open', () => {
  const refused = async (make: (g: Ops, x: Value) => void, why: string | RegExp, taps: string[] | undefined = ['t']) => {
    build((g) => make(g, g.input('x', 'float32', ['N', 'L', 4])));
    await expect(bring(taps && { taps })).rejects.toThrow(why);
    await bring({ ...(taps && { taps }), dims: new Map([['L', 48]]) });
  };

  it('a table of positions that is added as it is', async () => {
    await refused((g, x) => {
      g.output(g.relu(named(g.add(x, w(g, [48, 4], 1)), 't')), 'y');
    }, /m\.onnx: "L" cannot stay open: of "t" [^\n]*: say a size, as the option dim: "L=SIZE"$/);
  });

  it('a reshape to numbers', async () => {
    await refused((g, x) => {
      g.output(g.relu(named(g.reshape(x, [0, 16, 12]), 't')), 'y');
    }, /m\.onnx: "L" cannot stay open: /);
  });

  it('halves that are joined again, of which odd sizes have none', async () => {
    await refused((g, x) => {
      const half = g.reshape(x, [0, -1, 8]);
      g.output(g.relu(named(g.add(g.reshape(half, [0, -1, 4]), x), 't')), 'y');
    }, /m\.onnx: "L" cannot stay open: /);
  });

  it('a tap alone: unnamed ones are left out', async () => {
    const notes: string[] = [];
    build((g) => {
      const x = g.input('x', 'float32', ['N', 'L', 4]);
      const h = named(g.relu(g.matMul(x, w(g, [4, 4], 1))), 'h');
      for (const [i, tap] of ['z', 'v'].entries())
        g.output(g.matMul(named(g.relu(g.slice(h, [0], [40 + i], [1])), tap), w(g, [4, 4], 3 + i)), `y${i}`);
    });
    await bring({ onNote: (line) => notes.push(line) });
    expect(loadWorkspace(at('family')).columns.column('base').imported?.taps).toEqual(['h']);
    expect(notes).toEqual([
      expect.stringMatching(
        /m\.onnx: "L" cannot stay open: of "[vz]" the size of its axis 1 follows from "L" in no way that a shape can say: say a size: it is no tap, nor are 1 more$/,
      ),
    ]);
  });
});
