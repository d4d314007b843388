// Taps kept from training to training: a network grown on one data set computes each column's taps once, with the bits of computing them anew;
// other data, other weights and a passed budget are noticed.
import { expect, it } from 'vitest';
import {
  adapter,
  classify,
  column,
  conv2d,
  dense,
  flatten,
  type GivenData,
  input,
  linearLaterals,
  maxpool2d,
  type Network,
  type NetworkTrainOptions,
  prognet,
  relu,
  TapCache,
  type TrainEvent,
} from '../../../src/index.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { NodeRuntime } from '../../../src/onnx/runtime/node.js';
import type { Runtime } from '../../../src/onnx/runtime/session.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { runtime } from '../../support/run.js';

const r = new Random(11, 'tap-cache');
const dataOf = (rows: number) => ({
  inputs: new Tensor(
    'uint8',
    [rows, 1, 8, 8],
    Uint8Array.from({ length: rows * 64 }, () => r.below(256)),
  ),
  targets: new Tensor(
    'int64',
    [rows],
    BigInt64Array.from({ length: rows }, () => BigInt(r.below(3))),
  ),
});
/** More than one run of the tap graph, the last a short one. */
const data = dataOf(620);
const other = dataOf(620);

/** What tap graphs gave, and over how many rows, since `counting` was called. */
let computed = new Map<string, number>();

function counting(): ReadonlyMap<string, number> {
  computed = new Map();
  return computed;
}

/** A runtime that notes it: one for all trainings, since taps belong to a runtime. */
const counted: Runtime = {
  version: runtime.version,
  createCarryingSession: (...args) => runtime.createCarryingSession(...args),
  providers: () => runtime.providers(),
  select: (wishes) => runtime.select(wishes),
  createSession: async (model, options) => {
    const session = await runtime.createSession(model, options);
    if (fromBinary(model).graph.name !== 'taps') return session;
    return {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      provider: session.provider,
      release: () => session.release(),
      run: async (feeds) => {
        const results = await session.run(feeds);
        for (const [name, { dims }] of Object.entries(results)) {
          const key = `${name} x${dims[1]}`;
          computed.set(key, (computed.get(key) ?? 0) + must(dims[0], 'rows'));
        }
        return results;
      },
    };
  },
};

const settings = { epochs: 1, batch: 64, validation: 0 };
const bodies = {
  dense: [[flatten(), dense(12), relu()], [dense(9), relu()], [dense(7)]],
  // Channels in whole blocks of ONNX Runtime's own layout, and not.
  aligned: [
    [conv2d(16, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [conv2d(32, { kernel: 3, padding: 'same' }), relu()],
    [conv2d(16, { kernel: 3 }), relu()],
  ],
  odd: [
    [conv2d(5, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [conv2d(6, { kernel: 3, padding: 'same' }), relu()],
    [flatten(), dense(7), relu()],
  ],
};

function networkOf(body: keyof typeof bodies, laterals = adapter({ rank: 16 }), columns = 4): Network {
  const first = column('t0', { blocks: bodies[body], head: classify(3) });
  let network = prognet({ input: input('image', [1, 8, 8]), seed: 3 }).grow(first);
  for (let i = 1; i < columns; i++) network = network.grow(column(`t${i}`, { like: first, laterals }));
  return network;
}

interface Options extends Partial<NetworkTrainOptions> {
  readonly train?: GivenData;
  readonly held?: GivenData;
}

async function train(network: Network, task: string, { train: given = data, held, ...options }: Options = {}) {
  const made: { computed: number; reused: number }[] = [];
  const onEvent = (e: TrainEvent) => {
    if (e.kind === 'taps') made.push({ computed: e.computed, reused: e.reused });
  };
  const trained = await network.train(task, {
    on: counted,
    data: { train: given, ...(held && { validation: held }) },
    ...settings,
    session: { threads: 2 },
    onEvent,
    ...options,
  });
  return { network: trained.network, made };
}

const bitsOf = (network: Network, task: string) =>
  [...must(network.weights(task), task)].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString('hex')]);

for (const body of ['dense', 'aligned', 'odd'] as const)
  for (const [kind, laterals] of [
    ['adapter', adapter({ rank: 16 })],
    ['linear', linearLaterals()],
  ] as const)
    it(`${body}, ${kind}: a column computes what the one before it adds, with the bits of computing all`, async () => {
      let grown = networkOf(body, laterals);
      let anew = grown;
      for (const [i, task] of grown.tasks.entries()) {
        const kept = await train(grown, task);
        const cold = await train(anew, task, { tapCache: new TapCache() });
        // Three blocks, each of which feeds the next; the head reads the last.
        expect(kept.made).toEqual(i === 0 ? [] : [{ computed: 3, reused: 3 * (i - 1) }]);
        expect(cold.made).toEqual(i === 0 ? [] : [{ computed: 3 * i, reused: 0 }]);
        grown = kept.network;
        anew = cold.network;
        expect(bitsOf(grown, task)).toEqual(bitsOf(anew, task));
      }
    });

it('computes the rows of new columns alone, and nothing for a column that is trained again', async () => {
  let { network } = await train(networkOf('dense'), 't0');
  for (const task of ['t1', 't2']) {
    const found = counting();
    ({ network } = await train(network, task));
    // One column's widths each time, over all rows once.
    expect([...found]).toEqual([
      ['step/taps/1 x12', 620],
      ['step/taps/2 x9', 620],
      ['step/taps/3 x7', 620],
    ]);
  }
  const tries: unknown[] = [];
  for (const lr of [0.01, 0.02]) {
    const found = counting();
    const { made } = await train(network, 't3', { lr });
    tries.push([made, found.size]);
  }
  expect(tries).toEqual([
    [[{ computed: 3, reused: 6 }], 3],
    [[{ computed: 0, reused: 9 }], 0],
  ]);
});

it('takes what it can use where a column reads some of the sources, or more blocks than the one before', async () => {
  const laterals = (from: string[], into?: number[]) => adapter({ rank: 4, from, ...(into && { into }) });
  let network = networkOf('dense', adapter({ rank: 4 }), 2);
  for (const task of ['t0', 't1']) ({ network } = await train(network, task));
  const steps: [string, string[], number[] | undefined, { computed: number; reused: number }][] = [
    ['some', ['t1'], [1], { computed: 1, reused: 0 }],
    ['more', ['t0', 't1'], undefined, { computed: 5, reused: 1 }],
    ['turned', ['some', 't1', 't0'], undefined, { computed: 3, reused: 6 }],
    ['less', ['t0', 'some'], [2], { computed: 0, reused: 2 }],
  ];
  for (const [task, from, into, expected] of steps) {
    const grown = network.grow(column(task, { like: 't0', laterals: laterals(from, into) }));
    const kept = await train(grown, task);
    const cold = await train(grown, task, { tapCache: new TapCache() });
    expect(kept.made, task).toEqual([expected]);
    expect(bitsOf(kept.network, task), task).toEqual(bitsOf(cold.network, task));
    ({ network } = kept);
  }
});

it('computes anew for other data, other weights and other threads, and forgets what the last training had no use for', async () => {
  const tapCache = new TapCache();
  let { network } = await train(networkOf('dense'), 't0', { tapCache });
  ({ network } = await train(network, 't1', { tapCache }));
  const all = [{ computed: 6, reused: 0 }];
  const more = async (options: object) => (await train(network, 't2', { tapCache, ...options })).made;
  expect(await more({ train: other })).toEqual(all);
  const { bytes } = tapCache;
  expect(bytes).toBe(620 * 4 * 2 * (12 + 9 + 7));
  expect(await more({})).toEqual(all);
  expect(tapCache.bytes).toBe(bytes);
  expect(await more({})).toEqual([{ computed: 0, reused: 6 }]);
  expect(await more({ session: { threads: 1 } })).toEqual(all);
  // One byte of the data, written in place.
  const changed = { ...data, inputs: new Tensor('uint8', data.inputs.dims, Uint8Array.from(data.inputs.data as Uint8Array)) };
  expect(await more({ train: changed })).toEqual(all);
  (changed.inputs.data as Uint8Array)[5] = 255 - Number(changed.inputs.data[5]);
  expect(await more({ train: changed })).toEqual(all);
  // The same network with one other weight in its first column, on which the second stands.
  const weights = new Map(must(network.weights('t0'), 't0'));
  const [name, bias] = must(
    [...weights].find(([n]) => n.endsWith('bias')),
    'bias',
  );
  weights.set(
    name,
    Tensor.from(
      'float32',
      bias.numbers().map((v) => v + 1),
      bias.dims,
    ),
  );
  const moved = networkOf('dense')
    .withWeights('t0', weights)
    .withWeights('t1', must(network.weights('t1'), 't1'));
  expect(await more({ train: data })).toEqual(all);
  expect((await train(moved, 't2', { tapCache })).made).toEqual(all);
});

it('belongs to one runtime, and goes with a column that reads no taps', async () => {
  const tapCache = new TapCache();
  let { network } = await train(networkOf('dense'), 't0');
  ({ network } = await train(network, 't1', { tapCache }));
  const set = await NodeRuntime.load({ config: { 'session.set_denormal_as_zero': '1' } });
  const second = await train(network, 't2', { tapCache, on: set });
  expect(second.made).toEqual([{ computed: 6, reused: 0 }]);
  expect(tapCache.bytes).toBeGreaterThan(0);
  const { network: third } = await train(second.network, 't3', { tapCache });
  const alone = third.grow(column('alone', { like: 't0', laterals: { kind: 'none' } }));
  await train(alone, 'alone', { tapCache, train: other });
  expect(tapCache.bytes).toBe(0);
});

it('keeps validation data apart, and no more than the budget', async () => {
  const tapCache = new TapCache();
  let { network } = await train(networkOf('dense'), 't0');
  ({ network } = await train(network, 't1', { tapCache, held: other }));
  const row = 4 * (12 + 9 + 7);
  expect(tapCache.bytes).toBe(2 * 620 * row);
  const found = counting();
  const kept = await train(network, 't2', { tapCache, held: other });
  expect([...found.values()]).toEqual([1240, 1240, 1240]);
  expect(tapCache.bytes).toBe(4 * 620 * row);
  // The training data's taps fit, the validation data's do not: they are computed by the range.
  const tapBudget = 3 * 620 * row;
  const tight = await train(network, 't2', { tapCache, held: other, tapBudget });
  expect(tight.made).toEqual([{ computed: 0, reused: 6 }]);
  expect(tapCache.bytes).toBe(2 * 620 * row);
  expect(bitsOf(tight.network, 't2')).toEqual(bitsOf(kept.network, 't2'));
  await train(network, 't2', { tapCache, tapBudget: 1 });
  expect(tapCache.bytes).toBe(0);
  await train(network, 't2', { tapCache });
  tapCache.clear();
  expect(tapCache.bytes).toBe(0);
});
