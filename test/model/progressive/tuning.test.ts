// Columns that tune an imported one: what they train, their gradients through the imported graph against finite differences, what stays as it was.
import { describe, expect, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { parseDescription, toInput } from '../../../src/model/description/parse.js';
import type { TuneInput } from '../../../src/model/description/tune-schema.js';
import type { Column } from '../../../src/model/progressive/column.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import { initialWeights, type Weights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Model } from '../../../src/onnx/ir/model.js';
import { evalGraph, scoresOutput } from '../../../src/train/eval-graph.js';
import { train } from '../../../src/train/loop.js';
import { optimizer } from '../../../src/train/optim/optimizer.js';
import { trainSettings } from '../../../src/train/settings.js';
import { lossOutput, nextName, stepGraph, stepInputs } from '../../../src/train/step/step-graph.js';
import { runModel, runtime, sessionOf } from '../../support/run.js';
import {
  convnet,
  deepMlp,
  encoder,
  half,
  mlp,
  noise,
  type Original,
  type Tuned,
  tunedNetwork,
  unknownOp,
} from '../../support/tuned.js';

const rows = 6;
const targets = Tensor.from('int64', [0n, 1n, 2n, 1n, 0n, 2n].map(Number), [rows]);
const lora: TuneInput = { base: 'base', lora: { rank: 2, alpha: 3 } };
const tuned = (original: Original, tune: TuneInput = lora) =>
  tunedNetwork(original, { task: 'new', tune, head: { classify: 3 } });
const dtypes = { x: 'float32' } as const;

/** Weights that are nowhere at their start, so that no gradient is zero of itself. */
const moved = (weights: Weights) => new Map([...weights].map(([name, t]) => [name, noise(name, t.dims, 0.3)]));

/** A step of plain descent by 1: what each trained weight goes down by is its gradient of the mean loss. */
async function stepOf({ frozen }: Tuned, column: Column, x: Tensor) {
  const rule = optimizer({ kind: 'sgd' });
  const { model, specs } = stepGraph({ column, frozen, optimizer: rule, dtypes, form: 'step' });
  const session = await sessionOf(model);
  const run = async (weights: Weights) =>
    session.run({
      ...Object.fromEntries(weights),
      [stepInputs.data]: x,
      [stepInputs.targets]: targets,
      [stepInputs.scalars]: Tensor.from('float32', rule.scalars(1, 0)),
      [stepInputs.seeds]: Tensor.from('int64', 1),
    });
  return { run, trained: specs.filter(({ role }) => role === 'trainable').map(({ name }) => name), session };
}

const originals: Readonly<Record<string, () => Original>> = { mlp, convnet, encoder };
const ways: Readonly<Record<string, TuneInput>> = {
  'low-rank updates': lora,
  'all weights': { base: 'base', weights: 'all' },
  'weights from the start': { base: 'base', weights: 'scratch' },
};

describe.each(Object.entries(originals))('the gradients of a tuned %s', (_, make) => {
  it.each(Object.entries(ways))('by %s are those of finite differences', async (_way, tune) => {
    const original = make();
    const net = tuned(original, tune);
    const column = net.network.column('new');
    const weights = moved(initialWeights(column, net.frozen));
    const x = noise('x', [rows, ...original.input], 1);
    const { run, trained, session } = await stepOf(net, column, x);
    const next = await run(weights);
    const loss = async (name: string, i: number, by: number) => {
      const data = Float32Array.from(must(weights.get(name), name).numbers());
      data[i] = (data[i] ?? 0) + by;
      const changed = new Map(weights).set(name, new Tensor('float32', must(weights.get(name), name).dims, data));
      return Number(must((await run(changed))[lossOutput], 'loss').data[0]);
    };
    for (const name of trained) {
      const before = must(weights.get(name), name);
      const gradient = Array.from(before.numbers(), (v, i) => v - Number(next[nextName(name)]?.data[i]));
      for (const i of new Set([0, Math.floor(gradient.length / 2), gradient.length - 1])) {
        const step = 1e-2;
        const numeric = ((await loss(name, i, step)) - (await loss(name, i, -step))) / (2 * step);
        expect(Math.abs(Number(gradient[i]) - numeric), `${name}[${i}]`).toBeLessThan(2e-3 + 0.02 * Math.abs(numeric));
      }
      // a bias of the keys moves all scores of a row alike
      if (name !== 'new/tuned/key.bias')
        expect(
          gradient.some((v) => v !== 0),
          name,
        ).toBe(true);
    }
    await session.release();
  });
});

describe('low-rank updates', () => {
  it('are of the weights of MatMul, Gemm and Conv, through what moves them', () => {
    const shapes = (net: Tuned) =>
      Object.fromEntries(net.network.column('new').parameters.specs.map(({ name, shape }) => [name, shape]));
    expect(shapes(tuned(mlp()))).toEqual({
      'new/lora/fc1.weight/A': [2, 4],
      'new/lora/fc1.weight/B': [6, 2],
      'new/lora/fc2.weight/A': [2, 6],
      'new/lora/fc2.weight/B': [5, 2],
      'new/lora/fc3.weight/A': [2, 5],
      'new/lora/fc3.weight/B': [4, 2],
      'new/head/dense/weight': [4, 3],
      'new/head/dense/bias': [3],
    });
    expect(shapes(tuned(convnet()))).toMatchObject({
      'new/lora/conv1.weight/A': [2, 18],
      'new/lora/conv1.weight/B': [4, 2],
      'new/lora/conv2.weight/A': [2, 18],
      'new/head/dense/weight': [4, 3],
    });
  });

  it("begin as nothing: the first tap is the base's own, bit for bit", async () => {
    for (const make of Object.values(originals)) {
      const original = make();
      const net = tuned(original);
      const x = noise('x', [rows, ...original.input], 1);
      const weights = new Map(net.frozen).set('new', initialWeights(net.network.column('new')));
      const model = taskModel(net.network, weights, { tasks: ['base', 'new'], lastTap: true });
      const found = await runModel(model, { x });
      expect(must(found.new_tap, 'tap').bytes).toEqual(must(found.base_tap, 'tap').bytes);
    }
  });
});

/** The network with its columns trained by nothing, but moved away from their start. */
function trained(original: Original, tune: TuneInput = lora): Tuned {
  const net = tuned(original, tune);
  const weights = moved(initialWeights(net.network.column('new'), net.frozen));
  return { ...net, frozen: new Map(net.frozen).set('new', weights) };
}

describe.each(Object.entries(ways))('%s', (_, tune) => {
  const settings = trainSettings({ epochs: 3, batch: 3, optimizer: 'adam', lr: 0.01 }, 1);
  it.each(Object.entries(originals))(
    'of a %s are trained in a Loop, measured as they are exported, and leave the base alone',
    async (_name, make) => {
      const original = make();
      const net = tuned(original, tune);
      const column = net.network.column('new');
      const x = noise('x', [rows, ...original.input], 1);
      const hex = () =>
        [...must(net.frozen.get('base'), 'base')].map(([name, t]) => [name, Buffer.from(t.bytes).toString('hex')]);
      const before = hex();
      const data = { inputs: { x }, targets };
      const first = initialWeights(column, net.frozen);
      const { weights } = await train({ runtime, column, frozen: net.frozen, settings, train: data, session: { threads: 1 } });
      expect(hex()).toEqual(before);
      const still = [...weights].filter(([name, t]) => Buffer.compare(t.bytes, must(first.get(name), name).bytes) === 0);
      expect(still).toEqual([]);
      const frozen = new Map(net.frozen).set('new', weights);
      const [scores] = Object.values(await runModel(taskModel(net.network, frozen, { tasks: ['new'] }), { x }));
      const measured = await runModel(evalGraph(column, [], dtypes, net.frozen), {
        ...Object.fromEntries(weights),
        [stepInputs.data]: x,
        [stepInputs.targets]: targets,
      });
      const apartBy = Array.from(must(scores, 'new').numbers(), (v, i) => Math.abs(v - Number(measured[scoresOutput]?.data[i])));
      expect(Math.max(...apartBy)).toBeLessThan(1e-5);
    },
  );
});

describe.each(Object.entries(originals))('exported forms of a tuned %s', (_, make) => {
  const original = make();
  const x = noise('x', [rows, ...original.input], 1);
  const initializers = ({ graph }: Model) => graph.initializers.map(({ name }) => name);

  it('hold one weight for each when updates are merged, and answer as with updates apart', async () => {
    const { network, frozen } = trained(original);
    const merged = taskModel(network, frozen, { tasks: ['new'] });
    const apart = taskModel(network, frozen, { tasks: ['new'], lora: 'apart' });
    const [one, other] = [await runModel(merged, { x }), await runModel(apart, { x })].map(({ new: scores }) =>
      must(scores, 'new'),
    );
    const apartBy = Array.from(must(one, 'merged').numbers(), (v, i) => Math.abs(v - Number(other?.data[i])));
    expect(Math.max(...apartBy)).toBeLessThan(1e-5);
    expect(initializers(merged).filter((name) => name.includes('/lora/'))).toEqual([]);
    const updates = network.column('new').parameters.specs.flatMap(({ name }) => (name.includes('/lora/') ? [name] : []));
    expect(initializers(apart)).toEqual(expect.arrayContaining(updates));
    const ops = (m: Model) => m.graph.nodes.map(({ opType }) => opType);
    expect(ops(merged).length).toBeLessThan(ops(apart).length);
  });

  it.each(['task', 'all', 'routed'])('leave the base as it was (%s)', async (form) => {
    const { network, frozen } = trained(original);
    const before = await runModel(taskModel(network, frozen, { tasks: ['base'] }), { x });
    const own = await runModel(taskModel(network, frozen, { tasks: ['new'] }), { x });
    const model = taskModel(network, frozen, { tasks: form === 'task' ? ['base'] : ['base', 'new'], routed: form === 'routed' });
    const feeds = (id: number) => ({ x, ...(form === 'routed' && { task_id: Tensor.from('int64', [id], [1]) }) });
    const after = await runModel(model, feeds(0));
    expect(must(after[form === 'routed' ? 'scores' : 'base'], 'base').bytes).toEqual(must(before.base, 'base').bytes);
    if (form === 'task') return;
    const mine = await runModel(model, feeds(1));
    expect(must(mine[form === 'routed' ? 'scores' : 'new'], 'new').bytes).toEqual(must(own.new, 'new').bytes);
  });

  it('share the weights of the base where updates are apart', () => {
    const { network, frozen } = trained(original);
    const model = taskModel(network, frozen, { tasks: ['base', 'new'], lora: 'apart' });
    const names = initializers(model);
    expect(new Set(names).size).toBe(names.length);
    const count = ({ graph }: Model) => graph.initializers.reduce((n, { constant }) => n + (constant?.size ?? 0), 0);
    const base = count(taskModel(network, frozen, { tasks: ['base'] }));
    const own = must(network.column('new').parameters.count, 'count');
    // constants that say how to compute aside, and the scale of the update
    expect(count(model) - base - own).toBeLessThan(40);
  });
});

it('a column says what it trains and what it shares with its base', () => {
  const parameters = (tune: TuneInput) => tuned(mlp(), tune).network.column('new').parameters;
  // 6 x 4 + 6, 5 x 6 + 5, 5 x 4 of the base before its last tap; the head is 4 x 3 + 3
  expect(parameters(lora)).toMatchObject({ count: 2 * (10 + 11 + 9) + 15, shared: 85 });
  expect(parameters({ base: 'base', weights: 'all' })).toMatchObject({ count: 85 + 15, shared: 0 });
});

it('weights that start anew start by what reads them', () => {
  const { network, frozen } = tuned(encoder(), { base: 'base', weights: 'scratch' });
  const first = initialWeights(network.column('new'), frozen);
  const of = (name: string) => [...must(first.get(`new/tuned/${name}`), name).numbers()];
  expect(new Set(of('query.bias'))).toEqual(new Set([0]));
  expect(new Set(of('norm.scale'))).toEqual(new Set([1]));
  expect(new Set(of('norm.shift'))).toEqual(new Set([0]));
  expect(new Set(of('up.weight')).size).toBe(24);
});

it('a description that is written out again is the same', () => {
  const { description } = tuned(mlp(), { base: 'base', from: 'tap1', lora: { on: ['fc1.*'] } }).network;
  expect(parseDescription(toInput(description))).toEqual(description);
  expect(description.columns[1]?.tune).toEqual({ base: 'base', from: 'tap1', lora: { rank: 8, alpha: 16, on: ['fc1.*'] } });
});

describe('what cannot be tuned is refused in one line', () => {
  const refused = (original: Original, tune: TuneInput) => () => tuned(original, tune).network.column('new').parameters;
  it.each<readonly [TuneInput, string]>([
    [
      { base: 'base', lora: { on: ['fc1.wieght'] } },
      'columns[1].tune.lora.on[0]: found "fc1.wieght", which is no weight of "base", did you mean "fc1.weight"?',
    ],
    [
      { base: 'base', lora: { on: ['fc1.*', 'fc1.bias'] } },
      'columns[1].tune.lora.on[1]: found "fc1.bias", which is float32 [6] and no float32 weight of a MatMul, Gemm or Conv before the tap "tap2", expected one of "fc1.weight", "fc2.weight", "fc3.weight"',
    ],
    [
      { base: 'base', from: 'tap0', lora: { on: ['fc3.weight'] } },
      'columns[1].tune.lora.on[0]: found "fc3.weight", which is float32 [5,4] and no float32 weight of a MatMul, Gemm or Conv before the tap "tap0", did you mean "fc1.weight"?',
    ],
    [{ base: 'base', from: 'tap9', lora: {} }, 'columns[1].tune.from: "base" has no tap "tap9", did you mean "tap0"?'],
    [{ base: 'other', lora: {} }, 'columns[1].tune.base: unknown task "other", expected an imported column: "base"'],
    [{ base: 'base' }, 'columns[1].tune: neither stands there, expected one of "lora" and "weights"'],
    [{ base: 'base', lora: {}, weights: 'all' }, 'columns[1].tune: both stand there, expected one of "lora" and "weights"'],
  ])('%j', (tune, message) => {
    expect(refused(mlp(), tune)).toThrow(expect.objectContaining({ name: 'DescriptionError', message }));
  });

  it('more names than a line holds, and a slip in one of those that it leaves out', () => {
    const deep = deepMlp(12);
    expect(refused(deep, { base: 'base', lora: { on: ['nothing'] } })).toThrow(
      expect.objectContaining({
        statement: `columns[1].tune.lora.on[0]: found "nothing", which is no weight of "base", expected one of ${[...Array(8).keys()].map((i) => `"w${i}"`).join(', ')}, ... (12 in all)`,
        remedy: { kind: 'inspect', task: 'base' },
      }),
    );
    expect(refused(deep, { base: 'base', lora: { on: ['w111'] } })).toThrow(', did you mean "w11"?');
  });

  it.each(['all', 'scratch'] as const)('weights: %s, where the base has none of float32', (weights) => {
    expect(refused(half(), { base: 'base', weights })).toThrow(
      'columns[1].tune.weights: "base" has no float32 weight before its tap "tap0", expected one to tune, or a head alone ("blocks: []")',
    );
  });

  it('blocks and laterals beside it, and a base with layers', () => {
    const column = (more: Partial<ColumnInput>, base = 'base'): ColumnInput => ({
      task: 'new',
      tune: { base, lora: {} },
      head: { classify: 3 },
      ...more,
    });
    const layers: ColumnInput = { task: 'layers', blocks: [['relu']], head: { classify: 3 } };
    expect(() => tunedNetwork(mlp(), column({ blocks: [['relu']] }))).toThrow(
      'columns[1].blocks: found beside "tune", expected a column without it, since it has those of "base"',
    );
    expect(() => tunedNetwork(mlp(), column({ laterals: 'linear' }))).toThrow(
      'columns[1].laterals: found beside "tune", expected a column without it, since it has those of "base"',
    );
    expect(() => tunedNetwork(mlp(), layers, column({}, 'layers'))).toThrow(
      'columns[2].tune.base: "layers" is not imported, expected an imported column: "base"',
    );
  });

  it('an op without a gradient between the weights and the head, by node and op', () => {
    expect(refused(unknownOp(), lora)).toThrow(
      'columns[1].tune: com.microsoft::Gelu "Gelu" of "base" stands between the tuned weights of "new" and its head and has no known gradient, expected others: name other weights in "lora.on", or a tap before it as "from"',
    );
    // behind it all is known
    expect(refused(unknownOp(), { base: 'base', lora: { on: ['second'] } })).not.toThrow();
  });
});
