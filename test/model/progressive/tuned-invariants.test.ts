// The invariants of progressive networks over columns that tune an imported one, of random kinds, with columns behind them that read their taps or tune
// the same base; and a planted defect that is found.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnInput } from '../../../src/model/description/description.js';
import type { TuneInput } from '../../../src/model/description/tune-schema.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import type { FrozenWeights } from '../../../src/model/progressive/weights.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { train } from '../../../src/train/loop.js';
import { trainSettings } from '../../../src/train/settings.js';
import { runModel, runtime } from '../../support/run.js';
import { convnet, encoder, mlp, noise, type Original, type Tuned, tunedNetwork } from '../../support/tuned.js';

const originals: Readonly<Record<string, () => Original>> = { mlp, convnet, encoder };
const ways: readonly Omit<TuneInput, 'base'>[] = [
  { lora: { rank: 2 } },
  { lora: { rank: 1, alpha: 3 }, from: 0 },
  { weights: 'all' },
  { weights: 'all', from: 0 },
  { weights: 'scratch' },
];
const laterals = [{ kind: 'linear' }, { kind: 'adapter', rank: 3, activation: 'tanh' }] as const;

/** What a column behind the tuned one is. */
const behind: Readonly<Record<string, (n: Random) => Partial<ColumnInput>>> = {
  layers: ({ by }) => ({
    blocks: [['flatten', { dense: 5 }, 'tanh'], [{ dense: 4 }]],
    laterals: { ...by, from: ['tuned', 'base'] },
  }),
  'head alone': ({ by }) => ({ blocks: [], laterals: { ...by, from: ['tuned'] } }),
  'deepest tap': ({ by, original }) => ({
    blocks: [['flatten', { dense: 5 }, 'tanh']],
    laterals: { ...by, from: ['tuned'], taps: { tuned: { head: must(originals[original], original)().taps.length - 1 } } },
  }),
  tuned: ({ other }) => ({ tune: { base: 'base', ...other } }),
};

interface Random {
  readonly original: string;
  readonly way: Omit<TuneInput, 'base'>;
  /** Of one more that tunes the same base. */
  readonly other: Omit<TuneInput, 'base'>;
  readonly by: (typeof laterals)[number];
  readonly later: readonly string[];
}
const networks: fc.Arbitrary<Random> = fc.record({
  original: fc.constantFrom(...Object.keys(originals)),
  way: fc.constantFrom(...ways),
  other: fc.constantFrom(...ways),
  by: fc.constantFrom(...laterals),
  later: fc.uniqueArray(fc.constantFrom(...Object.keys(behind)), { minLength: 1, maxLength: 2 }),
});

const rows = 6;
const targets = Tensor.from('int64', [0, 1, 2, 1, 0, 2], [rows]);
const settings = trainSettings({ epochs: 2, batch: 3, optimizer: 'adam', lr: 0.01 }, 1);
const head = { classify: 3 } as const;
const names = (n: Random): string[] => n.later.map((_, i) => `later${i}`);

/** The base, the column that tunes it, and so many of those behind. */
function networkOf(n: Random, more: number): Tuned & { readonly x: Tensor } {
  const original = must(originals[n.original], n.original)();
  const later = n.later
    .slice(0, more)
    .map((kind, i): ColumnInput => ({ task: `later${i}`, head, ...must(behind[kind], kind)(n) }));
  const net = tunedNetwork(original, { task: 'tuned', tune: { base: 'base', ...n.way }, head }, ...later);
  return { ...net, x: noise('x', [rows, ...original.input], 1) };
}

type Train = (net: Tuned & { readonly x: Tensor }, task: string, frozen: FrozenWeights) => Promise<FrozenWeights>;
const trained: Train = async ({ network, x }, task, frozen) => {
  const data = { inputs: { x }, targets };
  const column = network.column(task);
  const { weights } = await train({ runtime, column, frozen, settings, train: data, session: { threads: 1 } });
  return new Map(frozen).set(task, weights);
};

const hex = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, Buffer.from(t.bytes).toString('hex')]));
const answer = async ({ network, x }: Tuned & { readonly x: Tensor }, frozen: FrozenWeights, tasks: string[], lora?: 'apart') =>
  hex(await runModel(taskModel(network, frozen, { tasks, ...(lora && { lora }) }), { x }));

async function earlierStay(n: Random, use: Train = trained): Promise<void> {
  const first = networkOf(n, 0);
  let frozen = await use(first, 'tuned', first.frozen);
  const before = { ...(await answer(first, frozen, ['base'])), ...(await answer(first, frozen, ['tuned'])) };
  const apart = n.way.lora === undefined ? undefined : await answer(first, frozen, ['tuned'], 'apart');
  for (const [i, task] of names(n).entries()) {
    const net = networkOf(n, i + 1);
    frozen = await use(net, task, frozen);
    const own = await answer(net, frozen, [task]);
    // Each alone, all in one graph, and beside one that reads its taps or shares its weights.
    expect(await answer(net, frozen, ['base'])).toEqual({ base: before.base });
    expect(await answer(net, frozen, ['tuned'])).toEqual({ tuned: before.tuned });
    expect(await answer(net, frozen, ['tuned', task])).toEqual({ tuned: before.tuned, ...own });
    Object.assign(before, own);
    expect(await answer(net, frozen, [...net.network.tasks])).toEqual(before);
    if (apart !== undefined) expect(await answer(net, frozen, ['tuned'], 'apart')).toEqual(apart);
  }
}

const holds = (law: (n: Random) => Promise<void>, numRuns: number) =>
  fc.assert(fc.asyncProperty(networks, law), { numRuns, seed: 7, endOnFailure: true });

it('(a) no later column, and no training of one, moves a bit of what the base and a tuned column answer', () =>
  holds((n) => earlierStay(n), 25));

/** Names of the weights of the base that a tap of it is computed from. */
function before({ network }: Tuned, block: number): Set<string> {
  const graph = must(network.column('base').imported, 'base');
  const tap = graph.output(must(graph.taps[block], 'tap'));
  return new Set(graph.leavesOf(tap, new Set(graph.inputs), new Set()).map(({ name }) => name));
}

/** These weights with the first number of one moved. */
function moved(frozen: FrozenWeights, task: string, name: string): FrozenWeights {
  const weights = must(frozen.get(task), task);
  const t = must(weights.get(name), name);
  const data = Float32Array.from(t.numbers());
  data[0] = (data[0] ?? 0) + 0.5;
  return new Map(frozen).set(task, new Map(weights).set(name, new Tensor('float32', t.dims, data)));
}

async function laterHear(n: Random): Promise<void> {
  const net = networkOf(n, 1);
  const frozen = await trained(net, 'later0', await trained(net, 'tuned', net.frozen));
  const of = async (weights: FrozenWeights, task: string) => (await answer(net, weights, [task]))[task];
  const [tuned, later] = [await of(frozen, 'tuned'), await of(frozen, 'later0')];
  const own = before(net, must(net.network.column('tuned').tuned, 'tuned').tuning.block);
  // The same is added to all scores of a row, which the softmax takes out again.
  const lost = (name: string) => name === 'key.bias';
  for (const [name, t] of must(frozen.get('base'), 'base')) {
    const weight = name.slice('base/'.length);
    if (!own.has(weight) || t.dtype !== 'float32' || lost(weight)) continue;
    // Of a column that has weights of its own, running statistics alone are the base's, and of one that starts anew not even these.
    const hears = n.way.lora !== undefined || (n.way.weights === 'all' && weight.includes('running_'));
    const same = (await of(moved(frozen, 'base', name), 'tuned')) === tuned;
    expect(same, `tuned ${hears ? 'does not hear' : 'hears'} of ${weight}`).toBe(!hears);
  }
  const taps = net.network.column('later0').tapsRead.filter(({ column }) => column.task === 'tuned');
  const read = new Set(taps.flatMap(({ block }) => [...before(net, block)]));
  for (const name of must(frozen.get('tuned'), 'tuned').keys()) {
    const weight = name.replace(/^tuned\/(lora|tuned)\//, '').replace(/\/[AB]$/, '');
    if (!read.has(weight) || lost(weight)) continue;
    expect((await of(moved(frozen, 'tuned', name), 'later0')) === later, `later0 does not hear of ${name}`).toBe(false);
  }
}

it('(b) changed weights of the base reach those that update them, and changed weights of a tuned column those that read it', () =>
  holds(laterHear, 12));

it('a tuned column that goes on moving while a later one trains is found', async () => {
  const moving: Train = async (net, task, frozen) => {
    const done = new Map(await trained(net, task, frozen));
    if (task === 'tuned') return done;
    return moved(done, 'tuned', must([...must(done.get('tuned'), 'tuned').keys()][0], 'weight'));
  };
  const error = await holds((n) => earlierStay(n, moving), 3).catch((e: Error) => e);
  expect(String(error?.cause)).toContain('to deeply equal');
});
