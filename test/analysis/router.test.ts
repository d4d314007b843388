// Routers that are fitted: nearest means and doubts by hand, autoencoders and trained ones on kinds that differ, samples of none of them, and what is refused.
import { expect, it } from 'vitest';
import { fitRouter, type RouterKind, type RouterRequest } from '../../src/analysis/router/router.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { modelWith, taskModel } from '../../src/model/progressive/forms.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { runModel, runtime } from '../support/run.js';

const rows = 240;
const image = [2, 4, 4];
const size = 32;

/** Images of a kind: each of its two classes is a picture of its own with noise. Beyond the kinds of tasks, 9 is one that no task has. */
function samplesOf(kind: number, seed: number) {
  const random = new Random(seed, 'kind', kind);
  const classes = Array.from({ length: rows }, () => random.below(2));
  const picture = (c: number) => {
    const drawn = new Random(0, 'picture', kind, c);
    return Array.from({ length: size }, () => drawn.normal());
  };
  const pictures = [picture(0), picture(1)];
  const x = classes.flatMap((c) => must(pictures[c], 'picture').map((v) => v + 0.5 * random.normal()));
  return {
    inputs: { x: Tensor.from('float32', x, [rows, ...image]) },
    targets: Tensor.from('int64', classes, [rows]),
  };
}

const blocks: ColumnInput['blocks'] = [
  [{ conv2d: { filters: 6, kernel: 3, padding: 'same' } }, 'tanh'],
  ['flatten', { dense: 24 }, 'tanh'],
];
const columns: ColumnInput[] = [0, 1, 2].map((i) => ({ task: `t${i}`, blocks, head: { classify: 2 }, laterals: 'none' }));
const network = columnsOf(parseDescription({ prognet: 1, name: 'n', input: { name: 'x', shape: image }, columns }));
const weights = new Map([...network].map((column) => [column.task, initialWeights(column)]));
const training = [0, 1, 2].map((kind) => samplesOf(kind, 1));
const request = (kind: RouterKind, block = 1): RouterRequest => ({
  runtime,
  session: { threads: 1 },
  kind,
  features: { column: network.column('t0'), block },
  weights,
  data: [...network].map((column, i) => ({ column, samples: must(training[i], 'samples') })),
  seed: 1,
});

const fitted = new Map<string, ReturnType<typeof fitRouter>>();
async function asked(kind: RouterKind, { none, block = 1 }: { none?: number; block?: number } = {}) {
  const key = `${kind}:${block}`;
  const fit = fitted.get(key) ?? fitRouter(request(kind, block));
  fitted.set(key, fit);
  const router = await fit;
  const model = modelWith(network, weights, { tasks: network.tasks, auto: none === undefined ? true : { none } }, router);
  expect([model.metadata.get('prognet.auto'), model.metadata.get('prognet.auto.router')]).toEqual(['t0,t1,t2', kind]);
  const of = async (kind: number) => await runModel(model, samplesOf(kind, 2).inputs);
  return { model, tests: await Promise.all([0, 1, 2, 9].map(of)) };
}

const numbers = (out: Record<string, Tensor> | undefined, name: string) => must(out?.[name], name).numbers();
const share = (values: readonly number[], of: (v: number) => boolean) => values.filter(of).length / values.length;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The first block of the first task alone. */
const first = columnsOf(
  parseDescription({
    prognet: 1,
    name: 'n',
    input: { name: 'x', shape: image },
    columns: [{ task: 't0', blocks: blocks.slice(0, 1), head: { classify: 2 } }],
  }),
);
const firstWeights = new Map([['t0', initialWeights(first.column('t0'))]]);

/** Means over positions of its tap, as another model gives them. */
async function featuresOf(x: Tensor): Promise<number[][]> {
  const out = await runModel(taskModel(first, firstWeights, { tasks: ['t0'], lastTap: true }), { x });
  const tap = numbers(out, 't0_tap');
  return Array.from({ length: rows }, (_, n) =>
    Array.from({ length: 6 }, (_, c) => mean(tap.slice((n * 6 + c) * 16, (n * 6 + c + 1) * 16))),
  );
}

it('gives a sample to the nearest mean of a class, in doubt by how far its own samples are', async () => {
  const train = await Promise.all([0, 1, 2].map(async (i) => featuresOf(must(training[i], 'samples').inputs.x)));
  const all = train.flat();
  const at = Array.from({ length: 6 }, (_, j) => mean(all.map((f) => must(f[j], 'f'))));
  const spread = at.map((m, j) => Math.sqrt(mean(all.map((f) => (must(f[j], 'f') - m) ** 2))));
  const scaled = (f: readonly number[]) => f.map((v, j) => (v - must(at[j], 'mean')) / must(spread[j], 'spread'));
  const means = train.map((features, i) =>
    [0, 1].map((c) => {
      const own = features.filter((_, n) => Number(training[i]?.targets.data[n]) === c).map(scaled);
      return at.map((_, j) => mean(own.map((f) => must(f[j], 'f'))));
    }),
  );
  const distance = (f: readonly number[], task: number) =>
    Math.min(...must(means[task], 'means').map((m) => mean(scaled(f).map((v, j) => (v - must(m[j], 'm')) ** 2))));
  const own = train.map((features, i) => features.map((f) => distance(f, i)).sort((a, b) => a - b));
  const { tests } = await asked('mean', { block: 0 });
  for (const [k, out] of tests.entries()) {
    const features = await featuresOf(samplesOf([0, 1, 2, 9][k] ?? 0, 2).inputs.x);
    const distances = features.map((f) => [0, 1, 2].map((task) => distance(f, task)));
    const nearest = distances.map((d) => d.indexOf(Math.min(...d)));
    expect(numbers(out, 'auto_task')).toEqual(nearest);
    numbers(out, 'auto_doubt').forEach((doubt, n) => {
      const d = must(distances[n]?.[must(nearest[n], 'task')], 'distance');
      expect(Math.abs(doubt - share(must(own[must(nearest[n], 'task')], 'own'), (v) => v < d))).toBeLessThan(0.011);
    });
    const labels = nearest.map((task, n) => numbers(out, `t${task}`).slice(2 * n, 2 * n + 2));
    expect(numbers(out, 'auto_label')).toEqual(labels.map(([a = 0, b = 0]) => (b > a ? 1 : 0)));
  }
}, 60_000);

it.each(['mean', 'autoencoder', 'trained'] as const)(
  'by %s it finds kinds that differ, and changes no answer of a task',
  async (kind) => {
    const { tests } = await asked(kind);
    const plain = await runModel(taskModel(network, weights, { tasks: network.tasks }), samplesOf(0, 2).inputs);
    for (const task of network.tasks) expect(must(tests[0]?.[task], task).bytes).toEqual(must(plain[task], task).bytes);
    for (const i of [0, 1, 2]) expect(share(numbers(tests[i], 'auto_task'), (t) => t === i)).toBeGreaterThan(0.9);
    for (const out of tests) expect(numbers(out, 'auto_doubt').every((d) => d >= 0 && d <= 1)).toBe(true);
  },
  60_000,
);

it.each(['mean', 'autoencoder'] as const)(
  'by %s a kind that no task has is of none, most samples of the tasks are not',
  async (kind) => {
    const { tests } = await asked(kind, { none: 0.95 });
    const none = tests.map((out) => share(numbers(out, 'auto_task'), (t) => t === -1));
    for (const own of none.slice(0, 3)) expect(own).toBeLessThan(0.15);
    expect(none[3]).toBeGreaterThan(0.5);
    expect(share(numbers(tests[3], 'auto_label'), (l) => l === -1)).toBe(none[3]);
  },
  60_000,
);

it('is the same for the same seed', async () => {
  const a = await asked('trained');
  fitted.clear();
  const b = await asked('trained');
  expect(a.tests.map((out) => numbers(out, 'auto_doubt'))).toEqual(b.tests.map((out) => numbers(out, 'auto_doubt')));
}, 60_000);

it('refuses one task, features that others lack, and a model without its tasks', async () => {
  await expect(fitRouter({ ...request('mean'), data: request('mean').data.slice(0, 1) })).rejects.toThrow(
    'auto: found 1, expected two tasks or more that have a head',
  );
  const lacking = request('mean').data.map((d) => ({
    ...d,
    samples: { ...d.samples, inputs: { y: d.samples.inputs.x as Tensor } },
  }));
  await expect(fitRouter({ ...request('mean'), data: lacking })).rejects.toThrow(
    'auto: the features of "t0" follow from the input "x", which task "t0" lacks, expected features of a column that reads what all tasks read',
  );
  const router = await fitRouter(request('mean'));
  expect(() => modelWith(network, weights, { tasks: ['t1', 't2'], auto: true }, router)).toThrow(
    'auto: the router stands on the task "t0", expected it among the tasks of the model',
  );
});
