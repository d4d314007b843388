// The five invariants of progressive networks over an imported source whose sizes are open and that reads several inputs, for every kind of block beside
// it: sequences with masks and lengths, images, features, a head alone; trained at some sizes, asked at others. And planted defects that are found.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import type { LayerInput } from '../../../src/model/nn/layers.js';
import { type Columns, columnsOf } from '../../../src/model/progressive/column.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import { graphFile, importModel } from '../../../src/model/progressive/import-model.js';
import { graphUrl } from '../../../src/model/progressive/imported-graph.js';
import { openShapes } from '../../../src/model/progressive/open-shapes.js';
import { type FrozenWeights, initialWeights, type Weights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { train } from '../../../src/train/loop.js';
import { trainSettings } from '../../../src/train/settings.js';
import { runModel, runtime } from '../../support/run.js';
import { noise } from '../../support/tuned.js';

const inputs = [
  { name: 'x', shape: ['steps', 4] },
  { name: 'm', shape: ['steps'] },
  { name: 'n', shape: [], dtype: 'int64' as const },
  { name: 'ids', shape: ['steps'], dtype: 'int64' as const },
  { name: 'picture', shape: [2, 'height', 'width'] },
  { name: 'v', shape: [3] },
  { name: 'volume', shape: [2, 'deep', 'high', 'wide'] },
];

/** Steps with a mask, an image and features, each read by a tap, and one of all of them. */
function original() {
  const g = ops({ name: 'original' });
  const w = (name: string, ...dims: number[]) => g.initializer(name, noise(name, dims));
  const [x, m] = [g.input('x', 'float32', ['N', 'steps', 4]), g.input('m', 'float32', ['N', 'steps'])];
  const picture = g.input('picture', 'float32', ['N', 2, 'height', 'width']);
  const v = g.input('v', 'float32', ['N', 3]);
  const named = (name: string, value: Value) => Object.assign(value, { name });
  const each = named('each', g.tanh(g.mul(g.matMul(x, w('each.weight', 4, 5)), g.unsqueeze(m, [2]))));
  const how = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  const places = named('places', g.tanh(g.conv(picture, w('places.weight', 3, 2, 3, 3), w('places.bias', 3), how)));
  const rows = [g.reduceMean(each, [1], { keepdims: 0 }), g.flatten(g.globalAveragePool(places)), v];
  const all = named('all', g.tanh(g.matMul(g.concat(...rows, { axis: 1 }), w('all.weight', 11, 6))));
  g.output(g.matMul(all, w('scores.weight', 6, 3)), 'scores');
  return g.model();
}
const model = original();
const taps = ['each', 'places', 'all'];
const imported = importModel(model, { task: 'base', taps, scores: 'scores' }, 'original.onnx');
const shapes = openShapes(imported.model, [...imported.file.open.keys()], taps);
const base: ColumnInput = {
  task: 'base',
  inputs: [...imported.inputs],
  onnx: {
    graph: graphUrl(graphFile(imported, 'original.onnx')),
    taps: taps.map((name, i) => ({ name, shape: must(shapes.get(name), name), layout: imported.layouts[i] })),
    scores: must(imported.scores, 'scores'),
    opset: imported.model.opset,
  },
  head: { classify: 3 },
};

interface Kind {
  /** Inputs; of a head alone none. */
  readonly reads: readonly string[];
  /** How taps of open positions come in; absent: as the blocks have it. */
  readonly join?: 'pool';
  readonly blocks: readonly (readonly LayerInput[])[];
}
const steps = (reads: readonly string[], ...blocks: LayerInput[][]): Kind => ({ reads: ['x', ...reads], blocks });
const places = (...blocks: LayerInput[][]): Kind => ({ reads: ['picture'], blocks });
const kinds: Readonly<Record<string, Kind>> = {
  'head alone': { reads: [], blocks: [], join: 'pool' },
  dense: {
    reads: ['v'],
    blocks: [
      [{ dense: 5 }, 'batch_norm', 'tanh'],
      [{ dense: 4 }, 'layer_norm', 'silu'],
    ],
    join: 'pool',
  },
  residual: { reads: ['v'], blocks: [[{ dense: 5 }, 'tanh'], [{ residual: [{ dense: 5 }, 'tanh'] }]], join: 'pool' },
  concat: { reads: ['x', 'v'], blocks: [[{ gru: 4 }], [{ concat: 'v' }, { dense: 4 }, 'tanh']], join: 'pool' },
  lstm: steps(['n'], [{ lstm: { units: 4, sequences: true, mask: 'n' } }], [{ lstm: { units: 3, mask: 'n' } }]),
  both: steps(['m'], [{ lstm: { units: 2, sequences: true, direction: 'bidirectional', mask: 'm' } }], [{ gru: 3 }]),
  gru: steps(['m'], [{ gru: { units: 4, sequences: true, mask: 'm' } }], [{ rnn: { units: 3, mask: 'm' } }]),
  attention: steps(['n'], [{ attention: { heads: 2, mask: 'n' } }], [{ attention_over_steps: { mask: 'n' } }]),
  encoder: steps(['m'], [{ transformer_encoder: { heads: 2, hidden: 5, mask: 'm' } }], [{ mean_over_steps: { mask: 'm' } }]),
  decoder: steps(
    ['m', 'n'],
    [{ transformer_decoder: { heads: 2, hidden: 5, norm: 'post', rotary: 100, mask: 'n' } }],
    [{ transformer_decoder: { heads: 1, hidden: 4, cross: 'x', cross_mask: 'm' } }, 'last_step'],
  ),
  ids: {
    reads: ['ids'],
    blocks: [
      [{ embedding: { size: 4, vocabulary: 7 } }, 'sinusoidal', { gru: { units: 4, sequences: true } }],
      ['mean_over_steps'],
    ],
  },
  signal: steps(
    [],
    ['to_channels', { conv1d: { filters: 4, kernel: 3, padding: 'same' } }, { group_norm: 2 }, 'tanh', { avgpool1d: 2 }],
    [{ conv1d: { filters: 3, kernel: 2 } }, 'rms_norm', 'tanh', 'global_avgpool'],
  ),
  grown: steps(
    [],
    ['to_channels', { conv_transpose1d: { filters: 3, kernel: 3, stride: 2 } }, 'tanh'],
    [{ conv1d: { filters: 3, kernel: 1 } }, 'tanh', 'global_avgpool'],
  ),
  image: places(
    [{ conv2d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } }, 'batch_norm', 'tanh'],
    [{ conv2d: { filters: 3, kernel: 2 } }, 'tanh', 'global_avgpool'],
  ),
  normed: places(
    [{ depthwise_conv2d: 3 }, { instance_norm: { affine: true } }, 'tanh'],
    [
      { conv_transpose2d: { filters: 4, kernel: 2, stride: 2 } },
      { group_norm: 2 },
      { squeeze_excitation: 2 },
      'tanh',
      'global_avgpool',
    ],
  ),
  'image in a row': places(
    [{ conv2d: { filters: 4, kernel: 2, stride: 2 } }, 'tanh', 'to_sequence'],
    [{ attention: { heads: 2, kv_heads: 1 } }, 'mean_over_steps'],
  ),
  volume: {
    reads: ['volume'],
    blocks: [
      [{ conv3d: { filters: 3, kernel: 2, padding: 'same' } }, 'tanh', { avgpool3d: 2 }],
      [{ conv3d: { filters: 2, kernel: 2 } }, 'tanh', 'global_avgpool'],
    ],
    join: 'pool',
  },
};

const laterals = [{ kind: 'linear' }, { kind: 'adapter', rank: 3, activation: 'tanh', alpha: 0.7 }] as const;
interface Drawn {
  readonly kind: string;
  /** Of a column between the base and this one. */
  readonly between: string;
  readonly by: (typeof laterals)[number];
  readonly head: NonNullable<ColumnInput['head']>;
  readonly seed: number;
}
const drawn = (kind: string): fc.Arbitrary<Drawn> =>
  fc.record({
    kind: fc.constant(kind),
    between: fc.constantFrom(...Object.keys(kinds).filter((name) => name !== 'head alone')),
    by: fc.constantFrom(...laterals),
    head: fc.constantFrom({ classify: 3 } as const, { regress: 3 } as const),
    seed: fc.nat(1000),
  });

type By = ((typeof laterals)[number] & { readonly from: string[] }) | { readonly kind: 'none' };
const column = (task: string, kind: string, { head }: Drawn, by: By): ColumnInput => {
  const { reads, blocks, join } = must(kinds[kind], kind);
  const carried = by.kind === 'none' || join === undefined ? by : { ...by, join };
  const inputs = reads.length > 0 ? { inputs: [...reads] } : {};
  return { task, ...inputs, blocks: blocks.map((block) => [...block]), head, laterals: carried };
};
const networkOf = (columns: readonly ColumnInput[], seed: number): Columns =>
  columnsOf(parseDescription({ prognet: 1, name: 'open', seed, input: inputs, columns: [...columns] }));

const rows = 4;
type Feeds = Readonly<Record<string, Tensor>>;
function samples(length: number, height: number, width: number): Feeds {
  const lengths = [length, 1, length - 2, 3];
  const flags = Array.from({ length: rows * length }, (_, i) =>
    Number(i % length < must(lengths[Math.floor(i / length)], 'row')),
  );
  const ids = Array.from({ length: rows * length }, (_, i) => (3 * i + 1) % 7);
  return {
    x: noise(`x${length}`, [rows, length, 4], 1),
    m: Tensor.from('float32', flags, [rows, length]),
    n: Tensor.from('int64', lengths, [rows]),
    ids: Tensor.from('int64', ids, [rows, length]),
    picture: noise(`p${height}`, [rows, 2, height, width], 1),
    v: noise('v', [rows, 3], 1),
    volume: noise(`d${width}`, [rows, 2, 4, height, width], 1),
  };
}
const [trainedOn, askedAt] = [samples(6, 9, 8), samples(11, 6, 12)];
const chosen = (feeds: Feeds, names: readonly string[]): Feeds =>
  Object.fromEntries(names.map((name) => [name, must(feeds[name], name)]));

/** Weights after a few steps. */
type Train = (network: Columns, task: string, frozen: FrozenWeights) => Promise<FrozenWeights>;
const trained: Train = async (network, task, frozen) => {
  const at = network.column(task);
  const targets = at.head.kind === 'classify' ? Tensor.from('int64', [0, 1, 2, 1], [rows]) : noise('targets', [rows, 3], 1);
  const data = {
    inputs: chosen(
      trainedOn,
      at.inputs.map(({ name }) => name),
    ),
    targets,
  };
  const settings = trainSettings({ epochs: 2, batch: 2, lr: 0.01 }, network.description.seed);
  const { weights } = await train({ runtime, column: at, frozen, settings, train: data, session: { threads: 1 } });
  return new Map(frozen).set(task, weights);
};

const hex = (t: Tensor | undefined) => Buffer.from(must(t, 'tensor').bytes).toString('hex');
/** What tasks answer in one model, at all sizes. */
async function answers(
  network: Columns,
  frozen: FrozenWeights,
  tasks: readonly string[],
  sizes: readonly Feeds[] = [trainedOn, askedAt],
): Promise<Record<string, string>> {
  const exported = taskModel(network, frozen, { tasks: [...tasks] });
  const found: Record<string, string> = {};
  for (const feeds of sizes) {
    const out = await runModel(
      exported,
      chosen(
        feeds,
        exported.graph.inputs.filter((v) => v.constant === undefined).map((v) => v.name),
      ),
    );
    for (const task of tasks) found[task] = (found[task] ?? '') + hex(out[task]);
  }
  return found;
}

/** Names of the base's weights that one of these taps is computed from. */
function standBefore(network: Columns, blocks: readonly number[]): Set<string> {
  const graph = must(network.column('base').imported, 'base');
  const read = blocks.map((block) => graph.output(must(graph.taps[block], 'tap')));
  return new Set(read.flatMap((tap) => graph.leavesOf(tap, new Set(graph.inputs), new Set()).map(({ name }) => name)));
}

function moved(weights: Weights, name: string): Weights {
  const t = must(weights.get(name), name);
  const data = Float32Array.from(t.numbers());
  data[0] = (data[0] ?? 0) + 0.5;
  return new Map(weights).set(name, new Tensor('float32', t.dims, data));
}

async function hold(d: Drawn, use: Train = trained): Promise<void> {
  const between = column('between', d.between, d, { ...d.by, from: ['base'] });
  const last = column('last', d.kind, d, { ...d.by, from: ['base', 'between'] });
  // (e) What is built around it leaves the imported column as the file is.
  const file: Record<string, string> = { base: '' };
  for (const feeds of [trainedOn, askedAt]) file.base += hex((await runModel(model, chosen(feeds, imported.inputs))).scores);
  const two = networkOf([base, between], d.seed);
  let frozen: FrozenWeights = new Map([['base', imported.weights]]);
  expect(await answers(networkOf([base], d.seed), frozen, ['base']), '(e)').toEqual(file);
  frozen = await use(two, 'between', frozen);
  const before = { ...(await answers(two, frozen, ['base'])), ...(await answers(two, frozen, ['between'])) };
  // (a) Training moves nothing of what came before, alone or in one model.
  const three = networkOf([base, between, last], d.seed);
  const start = initialWeights(three.column('last'));
  frozen = await use(three, 'last', frozen);
  const own = await answers(three, frozen, ['last']);
  for (const task of ['base', 'between'])
    expect(await answers(three, frozen, [task]), `(a) ${task}`).toEqual({ [task]: before[task] });
  expect(before.base, '(a) base').toBe(file.base);
  expect(await answers(three, frozen, ['base', 'between', 'last']), '(a) all').toEqual({ ...before, ...own });
  // (b) Each weight of the base before a tap that is read is heard of.
  const at = three.column('last');
  const read = at.tapsRead.filter(({ column: of }) => of.task === 'base').map(({ block }) => block);
  const heard = standBefore(three, read);
  expect(heard.size).toBeGreaterThan(0);
  const weights = must(frozen.get('base'), 'base');
  const heardOf = await answers(three, frozen, ['last'], [trainedOn]);
  for (const name of weights.keys()) {
    if (!heard.has(name.slice('base/'.length))) continue;
    const changed = await answers(three, new Map(frozen).set('base', moved(weights, name)), ['last'], [trainedOn]);
    expect(changed.last === heardOf.last, `(b) last does not hear of ${name}`).toBe(false);
  }
  // (c) Every parameter of a lateral is moved.
  const end = must(frozen.get('last'), 'last');
  const names = [...start.keys()].filter((name) => /\/(lateral|adapter)\//.test(name));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(hex(end.get(name)) === hex(start.get(name)), `(c) ${name} stood still`).toBe(false);
  // (d) Without laterals it is the network that stands alone.
  if (must(kinds[d.kind], d.kind).blocks.length === 0) return;
  const single = column('last', d.kind, d, { kind: 'none' });
  const [beside, alone] = [networkOf([base, between, single], d.seed), networkOf([single], d.seed)];
  const first = initialWeights(alone.column('last'));
  expect(
    [...initialWeights(beside.column('last'))].map(([k, t]) => [k, hex(t)]),
    '(d) weights',
  ).toEqual([...first].map(([k, t]) => [k, hex(t)]));
  expect(await answers(beside, new Map(frozen).set('last', first), ['last']), '(d)').toEqual(
    await answers(alone, new Map([['last', first]]), ['last']),
  );
}

const check = (kind: string, use?: Train) =>
  fc.assert(
    fc.asyncProperty(drawn(kind), (d) => hold(d, use)),
    { numRuns: 1, seed: 7 + Object.keys(kinds).indexOf(kind), endOnFailure: true },
  );

it.each(Object.keys(kinds))('%s', (kind) => check(kind), 60_000);

it.each<[string, string, Train]>([
  [
    'weights of the base that move',
    '(a) base',
    async (network, task, frozen) => {
      const done = new Map(await trained(network, task, frozen));
      const weights = must(done.get('base'), 'base');
      return task === 'last' ? done.set('base', moved(weights, 'base/each.weight')) : done;
    },
  ],
  [
    'laterals that stand still',
    'stood still',
    async (network, task, frozen) => {
      const done = new Map(await trained(network, task, frozen));
      const still = [...initialWeights(network.column(task))].filter(([name]) => /\/(lateral|adapter)\//.test(name));
      return done.set(task, new Map([...must(done.get(task), task), ...still]));
    },
  ],
])(
  '%s are found',
  async (_, said, use) => {
    const error = await check('lstm', use).catch((e: Error) => e);
    expect(String(error?.cause)).toContain(said);
  },
  60_000,
);
