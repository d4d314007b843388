// A column with several heads, each with a target of its own: what it learns is what heads alone learn, and all that holds of columns holds of it.
import { expect, it } from 'vitest';
import { dataset } from '../../src/data/own-data.js';
import { binary, classify, column, dense, input, regress, relu } from '../../src/model/description/builder.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { lowerLoss, targetsOf } from '../../src/model/heads/heads.js';
import type { Weights } from '../../src/model/progressive/weights.js';
import { Network, prognet } from '../../src/network/network.js';
import { readNetwork } from '../../src/network/read-network.js';
import { InterruptedError, must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Checkpoint } from '../../src/train/checkpoint.js';
import { evaluateScores } from '../../src/train/evaluate.js';
import { train } from '../../src/train/loop.js';
import { fitData } from '../../src/train/prepare-data.js';
import { trainSettings } from '../../src/train/settings.js';
import { stateSchema } from '../../src/train/state-schema.js';
import { runModel, runtime } from '../support/run.js';

/** Two numbers, of which a group of three, an age and two labels follow. */
const random = new Random(1, 'people');
const x = Array.from({ length: 240 }, () => [random.uniform() * 2 - 1, random.uniform() * 2 - 1]);
const group = x.map(([a = 0, b = 0]) => (a > 0.3 ? 0 : b > 0 ? 1 : 2));
const age = x.map(([a = 0, b = 0]) => 3 * a - b + 0.5);
const signs = x.map(([a = 0, b = 0]) => [Number(a > 0), Number(b > 0)]);
const data = dataset({ x, y: { group, age } });
const blocks = [[dense(16), relu()]];
const heads = { group: classify(3, { class_weights: [1, 2, 4] }), age: { ...regress(1), weight: 0.25 } };
const people = () => column('people', { blocks, heads });
const empty = prognet({ input: input('row', [2]), seed: 3 }).on(runtime, { threads: 1 });
const how = { epochs: 20, batch: 16, lr: 0.02 };
const bits = (t: Tensor) => Buffer.from(t.bytes).toString('hex');
const hex = (weights: Weights | undefined) => [...must(weights, 'weights')].map(([name, t]) => [name, bits(t)]);

it('is trained and measured head by head; the loss is the sum of theirs by their weights, what is watched is that sum or a measure of the first', async () => {
  const { network, history, test } = await empty.grow(people()).train('people', {
    ...how,
    data,
    validation: 0.2,
    early_stopping: { patience: 5, monitor: 'macro f1' },
  });
  const found = must(test?.heads, 'heads');
  expect(Object.keys(found)).toEqual(['group', 'age']);
  expect(found.group?.metric.name).toBe('accuracy');
  expect(found.group?.metric.value).toBeGreaterThan(0.85);
  expect(found.age?.metric.name).toBe('error');
  expect(found.age?.metric.value).toBeLessThan(0.4);
  expect(test?.loss).toBeCloseTo(must(found.group, 'group').loss + 0.25 * must(found.age, 'age').loss, 10);
  expect([test?.metric, test?.value]).toEqual(['accuracy', found.group?.metric.value]);
  const { validation } = must(history[0], 'epoch');
  expect(Object.keys(validation?.heads ?? {})).toEqual(['group', 'age']);
  // Each head is measured as if it were the only one, class weights in its own mean.
  const prediction = await network.predict('people', data.test.inputs);
  const own = must(prediction.heads, 'heads');
  const wanted = must(fitData(network.columns.column('people'), data.test, 'test').targets.data, 'targets') as Float32Array;
  const groups = Tensor.from(
    'int64',
    Array.from({ length: 48 }, (_, i) => wanted[i * 2] ?? 0),
    [48],
  );
  const alone = prognet({ input: input('row', [2]) }).grow(column('people', { blocks, head: heads.group }));
  const judged = await evaluateScores(runtime, alone.columns.column('people').head, must(own.group, 'group').scores, groups);
  expect(found.group?.loss).toBeCloseTo(judged.loss, 10);
  expect(own.group?.probabilities?.dims).toEqual([48, 3]);
  expect(own.age?.probabilities).toBeUndefined();
  const [first = 0, second = 0, third = 0, fourth = 0] = prediction.scores.data as Float32Array;
  expect([...(own.group?.scores.numbers().slice(0, 3) ?? [])]).toEqual([first, second, third]);
  expect(own.age?.scores.data[0]).toBe(fourth);
});

it('learns in a step what heads alone learn, each by its weight', async () => {
  const several = empty.grow(people()).columns.column('people');
  const settings = trainSettings({ epochs: 1, batch: 1000, lr: 1, optimizer: 'sgd' }, 0);
  const start = new Map(
    several.parameters.specs.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        Tensor.from(
          'float32',
          Array.from({ length: size }, () => random.normal() * 0.3),
          shape,
        ),
      ];
    }),
  );
  const after = async (
    options: Partial<ColumnInput>,
    from: Weights,
    own: { x: number[][]; y: (typeof data)['train'] | undefined },
  ) => {
    const one = prognet({ input: input('row', [2]), seed: 3 })
      .grow({ task: 'people', blocks, ...options })
      .columns.column('people');
    const fitted = fitData(one, must(own.y, 'data'), 'data');
    return (
      await train({ runtime, column: one, frozen: new Map(), settings, train: fitted, start: from, session: { threads: 1 } })
    ).weights;
  };
  const [weight, bias] = ['people/head/dense/weight', 'people/head/dense/bias'];
  const part = (from: number, to: number): Weights =>
    new Map(
      [...start].map(([name, t]) => {
        if (name !== weight && name !== bias) return [name, t];
        const rows = name === bias ? 1 : 16;
        const values = Array.from({ length: rows }, (_, r) => t.numbers().slice(r * 4 + from, r * 4 + to)).flat();
        return [name, Tensor.from('float32', values, name === bias ? [to - from] : [16, to - from])];
      }),
    );
  const all = { x, y: dataset({ x, y: { group, age } }, { test: 0.1 }).train };
  const both = await after({ heads }, start, all);
  const groups = await after({ head: heads.group }, part(0, 3), { x, y: dataset({ x, y: group }, { test: 0.1 }).train });
  const ages = await after({ head: regress(1) }, part(3, 4), { x, y: dataset({ x, y: age }, { test: 0.1 }).train });
  const moved = (name: string, to: Weights, from: Weights) => {
    const [a, b] = [must(to.get(name), name).numbers(), must(from.get(name), name).numbers()];
    return Array.from(a, (v, i) => v - (b[i] ?? 0));
  };
  for (const name of ['people/0/dense/weight', 'people/0/dense/bias']) {
    const [own, byGroup, byAge] = [moved(name, both, start), moved(name, groups, start), moved(name, ages, start)];
    expect(Math.max(...own.map(Math.abs))).toBeGreaterThan(0.01);
    own.forEach((d, i) => {
      expect(d, `${name} ${i}`).toBeCloseTo((byGroup[i] ?? 0) + 0.25 * (byAge[i] ?? 0), 4);
    });
  }
  const [own, byGroup, byAge] = [moved(bias, both, start), moved(bias, groups, part(0, 3)), moved(bias, ages, part(3, 4))];
  [...byGroup, 0.25 * (byAge[0] ?? 0)].forEach((d, i) => {
    expect(own[i]).toBeCloseTo(d, 4);
  });
});

it('with heads of one entry learns bit for bit what the head alone learns', async () => {
  const alone = await empty
    .grow(column('people', { blocks, head: classify(3) }))
    .train('people', { ...how, data: dataset({ x, y: group }) });
  const named = await empty
    .grow(column('people', { blocks, heads: { group: classify(3) } }))
    .train('people', { ...how, data: dataset({ x, y: { group } }) });
  expect(hex(named.network.weights('people'))).toEqual(hex(alone.network.weights('people')));
});

it('stays bit for bit as it is when a column with several heads grows from it, which reads it', async () => {
  const first = (await empty.grow(people()).train('people', { ...how, data })).network;
  const before = await first.predict('people', data.test.inputs);
  const later = column('later', { blocks, heads: { signs: binary(2), age: regress(1) }, laterals: { kind: 'linear' } });
  const grown = (await first.grow(later).train('later', { ...how, data: dataset({ x, y: { signs, age } }) })).network;
  expect(bits((await grown.predict('people', data.test.inputs)).scores)).toBe(bits(before.scores));
  expect((await grown.verify({ inputs: data.test.inputs })).tasks.map(({ task }) => task)).toEqual(['people', 'later']);
  // The laterals reach the heads: other weights of the first column are other answers of the second.
  const [name = ''] = [...must(first.weights('people'), 'weights').keys()];
  const moved = new Map(must(first.weights('people'), 'weights'));
  const old = must(moved.get(name), name);
  const raised = Array.from(old.numbers(), (v) => v + 0.1);
  moved.set(name, Tensor.from('float32', raised, old.dims));
  const other = empty
    .grow(people())
    .withWeights('people', moved)
    .grow(later)
    .withWeights('later', must(grown.weights('later'), 'later'));
  const [is, was] = [await other.predict('later', data.test.inputs), await grown.predict('later', data.test.inputs)];
  for (const head of ['signs', 'age'])
    expect(bits(must(is.heads?.[head], head).scores)).not.toBe(bits(must(was.heads?.[head], head).scores));
  // Both in one graph, by themselves and from a file.
  const { inputs } = data.test;
  const all = await runModel(grown.model({ all: true, fused: true, probabilities: true }), { row: inputs });
  const names = ['people_group', 'people_group_probabilities', 'people_group_label', 'people_age'];
  expect(Object.keys(all)).toEqual([...names, 'later_signs', 'later_signs_probabilities', 'later_signs_label', 'later_age']);
  const again = (await readNetwork(await grown.save())).on(runtime, { threads: 1 });
  expect(again).toBeInstanceOf(Network);
  expect(bits((await again.predict('later', inputs)).scores)).toBe(bits(was.scores));
  expect(again.description).toEqual(grown.description);
});

it('goes on after an interruption with the same bits, what each head gave among what is kept', async () => {
  const { columns } = empty.grow(people());
  const one = columns.column('people');
  const fitted = fitData(one, data.train, 'data');
  const validation = fitData(one, data.test, 'data');
  const settings = trainSettings(
    { epochs: 6, batch: 16, lr: 0.02, early_stopping: { patience: 9, monitor: 'loss' } },
    0,
    one.head,
  );
  const request = { runtime, column: one, frozen: new Map(), settings, train: fitted, validation, session: { threads: 1 } };
  const whole = await train(request);
  let kept: Checkpoint | undefined;
  const stop = new AbortController();
  const store = {
    load: async () => kept,
    save: async (checkpoint: Checkpoint) => {
      kept = { ...checkpoint, state: stateSchema.parse(JSON.parse(JSON.stringify(checkpoint.state))) };
    },
  };
  const onEvent = ({ kind }: { kind: string }) => {
    if (kind === 'epoch') stop.abort();
  };
  await expect(train({ ...request, store, onEvent, signal: stop.signal })).rejects.toThrow(InterruptedError);
  expect(kept?.state.history[0]?.validation?.heads?.age?.metric.name).toBe('error');
  const resumed = await train({ ...request, store });
  expect(hex(resumed.weights)).toEqual(hex(whole.weights));
  expect(resumed.history).toEqual(whole.history);
});

it('has a loss for graphics processors, class targets as int32, of the same value', async () => {
  const { head } = empty.grow(people()).columns.column('people');
  const scores = Tensor.from('float32', [0.1, -2, 3, 4, 1, 0.5, -1, 2], [2, 4]);
  const targets = Tensor.from('float32', [2, 3.5, 0, 2.5], [2, 2]);
  const loss = async (classes: 'int64' | 'int32') => {
    const g = ops({ name: 'loss' });
    const wanted = targetsOf(head, 'N', classes);
    const [s, t] = [g.input('scores', 'float32', ['N', 4]), g.input('targets', wanted.dtype, wanted.shape)];
    g.output(lowerLoss(g, head, s, t, 'mean', classes), 'loss');
    const model = g.model();
    const kinds = model.graph.nodes.map(({ opType }) => opType);
    return { kinds, value: Number(must((await runModel(model, { scores, targets })).loss, 'loss').data[0]) };
  };
  const [wide, narrow] = [await loss('int64'), await loss('int32')];
  expect(wide.kinds).toContain('SoftmaxCrossEntropyLoss');
  expect(narrow.kinds).not.toContain('SoftmaxCrossEntropyLoss');
  expect(narrow.value).toBeCloseTo(wide.value, 6);
});

it.each([
  [
    dataset({ x, y: group }),
    'data: targets are those of one head, the column has the heads "group", "age"; expected targets of group, age, in this order',
  ],
  [
    dataset({ x, y: { age, group } }),
    'data: targets are those of "age", "group", the column has the heads "group", "age"; expected targets of group, age, in this order',
  ],
  [
    dataset({ x, y: { group, age: signs } }),
    'data: targets are float32 [192,3], the column has the heads "group", "age"; expected float32 [192,2]',
  ],
  [
    dataset({ x, y: { group: age, age } }),
    /^data: head "group": targets hold .* at row 0, a classify head of 3 needs whole numbers 0\.\.2$/,
  ],
  [
    dataset({ x, y: { group: group.map((g) => g + 1), age } }),
    /^data: head "group": label 3 at row \d+ is out of range, expected 0\.\.2$/,
  ],
])('refuses targets that are not those of its heads in one line', ({ train: own }, message) => {
  expect(() => fitData(empty.grow(people()).columns.column('people'), own, 'data')).toThrow(message);
});

it('targets of several heads are not taken for those of one', () => {
  const one = empty.grow(column('people', { blocks, head: classify(3) })).columns.column('people');
  expect(() => fitData(one, data.train, 'data')).toThrow(
    'data: targets are those of the heads "group", "age", expected the targets of one head',
  );
});
