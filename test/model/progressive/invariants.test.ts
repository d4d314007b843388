// The five invariants of progressive networks over random networks on ONNX Runtime, and each of them failing when the defect that it
// guards against is planted (the defects are those that were found in other libraries).
import fc from 'fast-check';
import { expect, describe as group, it } from 'vitest';
import type { ColumnInput, Description } from '../../../src/model/description/description.js';
import type { Column } from '../../../src/model/progressive/column.js';
import { addInputs } from '../../../src/model/progressive/inputs.js';
import { NetworkLowering } from '../../../src/model/progressive/lowering.js';
import { frozenScope, type Weights } from '../../../src/model/progressive/weights.js';
import { type Network, prognet } from '../../../src/network/network.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { train } from '../../../src/train/loop.js';
import { trainSettings } from '../../../src/train/settings.js';
import { columnAt, frozenIn, initialAt, modelOf } from '../../support/by-place.js';
import {
  attentionNetwork,
  byteImages,
  columnsOf,
  describe,
  headAlone,
  images,
  preparedNetwork,
  type RandomNetwork,
  randomNetwork,
  tapsNamed,
  targetsOf,
  transformerNetwork,
} from '../../support/random-network.js';
import { runModel, runtime } from '../../support/run.js';

/** What the invariants speak of; a defect replaces one of these. */
interface Implementation {
  /** Weights of a column after a few steps. */
  train(d: Description, frozen: Weights[], column: number): Promise<Weights>;
  /** Raw scores over `images`. */
  outputs(d: Description, weights: Weights[], task: string): Promise<Tensor>;
  initial(d: Description, column: number): Map<string, Tensor>;
  /** A network of a pretrained column `a` and one more around it. */
  build(a: ColumnInput, pretrained: Weights, b: ColumnInput, bytes?: boolean): Network;
}

const input = { name: 'image', shape: [1, 4, 4] };
const empty = prognet({ input });
const emptyOfBytes = prognet({ input: { ...input, dtype: 'uint8', prepare: ['scale'] } });
const imagesOf = ({ inputs }: Description) => ({ image: inputs[0]?.dtype === 'uint8' ? byteImages : images });

const real: Implementation = {
  train: async (d, frozen, column) => {
    const { head } = must(d.columns[column], 'column');
    const settings = trainSettings({ epochs: 2, batch: 4, lr: 0.01 }, d.seed);
    const data = { inputs: imagesOf(d), targets: targetsOf({ [head.kind]: 1 } as NonNullable<ColumnInput['head']>) };
    const request = { column: columnAt(d, column), frozen: frozenIn(d, frozen), settings, train: data };
    return (await train({ runtime, ...request, session: { threads: 1 } })).weights;
  },
  outputs: async (d, weights, task) => must((await runModel(modelOf(d, weights, { tasks: [task] }), imagesOf(d)))[task], task),
  initial: initialAt,
  build: (a, pretrained, b, bytes) => (bytes === true ? emptyOfBytes : empty).grow(a).withWeights('a', pretrained).grow(b),
};

type Law = (use: Implementation, n: RandomNetwork) => Promise<void>;
const hex = (w: Weights) => new Map([...w].map(([k, t]) => [k, Buffer.from(t.bytes).toString('hex')]));
const same = (a: Tensor, b: Tensor) => Buffer.compare(a.bytes, b.bytes) === 0;
const twoColumns = (n: RandomNetwork) => describe(columnsOf(n), n.seed, n.bytes);

const laws = {
  '(a) training a column moves not one bit of the outputs of earlier tasks': async (use, n) => {
    const d = twoColumns(n);
    const a = await use.train(d, [], 0);
    const before = await use.outputs(d, [a], 'a');
    const b = await use.train(d, [a], 1);
    expect(same(await use.outputs(d, [a, b], 'a'), before)).toBe(true);
  },

  '(b) changing any weight of a frozen source changes the new column': async (use, n) => {
    const d = twoColumns(n);
    // Trained, so that what prepares the input has learned its figures.
    const a = await use.train(d, [], 0);
    const b = await use.train(d, [a], 1);
    const before = await use.outputs(d, [a, b], 'b');
    // What stands behind the deepest tap that is read does not count, nor does the head.
    const depth = 1 + Math.max(...columnAt(d, 1).tapsRead.map(({ block }) => block));
    for (const [name, t] of a) {
      const [, place] = name.split('/');
      // What it does to the input itself comes before its blocks.
      if (place !== 'prepare' && !(Number(place) < depth)) continue;
      // A squeezed channel may be one that relu shuts for every image.
      if (/squeeze\/|excite\/weight/.test(name)) continue;
      // No image has a missing value to fill.
      if (name.includes('/fill/')) continue;
      // A constant shift before layer_norm would be taken out again: change one element only.
      const data = (t.data as Float32Array).slice();
      data[0] = (data[0] ?? 0) + 0.5;
      const after = await use.outputs(d, [new Map(a).set(name, new Tensor('float32', t.dims, data)), b], 'b');
      expect(same(after, before), `b does not hear of ${name}`).toBe(false);
    }
  },

  '(c) every lateral parameter is moved by training': async (use, n) => {
    const d = twoColumns(n);
    const start = hex(use.initial(d, 1));
    // Over a trained column: one that has not learned how to prepare bytes gives taps of hundreds, which shut an activation for every image.
    const end = hex(await use.train(d, [await use.train(d, [], 0)], 1));
    const laterals = [...start.keys()].filter((k) => /\/(lateral|adapter)\//.test(k));
    expect(laterals.length).toBeGreaterThan(0);
    for (const name of laterals) expect(end.get(name) === start.get(name), `${name} stood still`).toBe(false);
  },

  '(d) without its laterals a column computes what the same stand-alone network computes': async (use, n) => {
    const [a, b] = columnsOf(n);
    const d = describe([a, { ...b, laterals: { kind: 'none' } }], n.seed, n.bytes);
    const alone = describe([{ ...b, laterals: { kind: 'none' } }], n.seed, n.bytes);
    const weights = [use.initial(d, 0), use.initial(d, 1)];
    expect(hex(use.initial(alone, 0))).toEqual(hex(must(weights[1], 'b')));
    expect(same(await use.outputs(d, weights, 'b'), await use.outputs(alone, [must(weights[1], 'b')], 'b'))).toBe(true);
  },

  '(e) building a network around a pretrained column leaves its weights untouched': async (use, n) => {
    const [a, b] = columnsOf(n);
    const alone = describe([a], n.seed, n.bytes);
    const pretrained = await use.train(alone, [], 0);
    const [weights, before] = [hex(pretrained), await use.outputs(alone, [pretrained], 'a')];
    const network = use.build(a, pretrained, b, n.bytes);
    const kept = must(network.weights('a'), 'weights of a');
    expect(hex(kept)).toEqual(weights);
    expect(same(await use.outputs(network.description, [kept], 'a'), before)).toBe(true);
  },
} satisfies Record<string, Law>;

const holds = (law: Law, use: Implementation, numRuns: number, among = randomNetwork) =>
  fc.assert(
    fc.asyncProperty(among, (n) => law(use, n)),
    { numRuns, seed: 7, endOnFailure: true },
  );

group('over random networks', () => {
  it.each(Object.entries(laws))('%s', (_, law) => holds(law, real, 25));
});

group('over networks whose columns prepare the input each in its own way', () => {
  it.each(Object.entries(laws))('%s', (_, law) => holds(law, real, 25, preparedNetwork));
});

group('over columns whose laterals read taps that are named, a later one early and an early one late', () => {
  it.each(Object.entries(laws))('%s', (_, law) => holds(law, real, 25, tapsNamed));
});

group('over columns of attention, and others beside them', () => {
  it.each(Object.entries(laws))('%s', (_, law) => holds(law, real, 12, attentionNetwork));
});

group('over columns of layers of transformers, and others beside them', () => {
  it.each(Object.entries(laws))('%s', (_, law) => holds(law, real, 12, transformerNetwork));
});

group('over columns that are a head alone', () => {
  // Without its laterals such a column would be nothing.
  it.each(Object.entries(laws).filter(([name]) => !name.startsWith('(d)')))('%s', (_, law) => holds(law, real, 25, headAlone));
});

/** The new column's own features where the frozen column's belong. */
async function ownFeatures(d: Description, weights: Weights[], task: string): Promise<Tensor> {
  if (task !== 'b') return real.outputs(d, weights, task);
  const g = ops();
  const scope = frozenScope(g, must(weights[1], 'b'));
  const b = columnAt(d, 1);
  const lowering: NetworkLowering<Column> = new NetworkLowering<Column>({
    inputs: addInputs(g, b.inputs),
    scope: () => scope,
    tap: (ref) => (ref.column === b ? undefined : lowering.tap({ column: b, block: ref.block })),
  });
  g.output(lowering.scores(b), task);
  return must((await runModel(g.model(), { image: images }))[task], task);
}

/** Batch-norm statistics of a frozen column that go on moving while another trains. */
async function movingStatistics(d: Description, frozen: Weights[], column: number): Promise<Weights> {
  for (const weights of frozen)
    for (const [name, t] of weights) if (name.endsWith('batch_norm/mean')) (t.data as Float32Array)[0] = 0.5;
  return real.train(d, frozen, column);
}

/** Laterals that are in the list of parameters and not in the network that trains. */
async function lateralsLeftOut(d: Description, frozen: Weights[], column: number): Promise<Weights> {
  const columns = d.columns.map((c, i) => (i === column ? { ...c, laterals: { kind: 'none' as const } } : c));
  const trained = await real.train({ ...d, columns }, frozen, column);
  return new Map([...initialAt(d, column)].map(([name, t]) => [name, trained.get(name) ?? t]));
}

/** First weights that depend on where a column stands. */
function placeDependent(d: Description, column: number): Map<string, Tensor> {
  return initialAt({ ...d, seed: d.seed + column }, column);
}

/** A constructor that initialises every column, the pretrained one too. */
function initialisedAnew(a: ColumnInput, _pretrained: Weights, b: ColumnInput): Network {
  const network = empty.grow(a).grow(b);
  return network.withWeights('a', initialAt(network.description, 0));
}

group('a planted defect is found', () => {
  const pairs = (first: string, second = first) => randomNetwork.map((n) => ({ ...n, first, second }));
  it.each<[keyof typeof laws, Partial<Implementation>, string, fc.Arbitrary<RandomNetwork>]>([
    [
      '(a) training a column moves not one bit of the outputs of earlier tasks',
      { train: movingStatistics },
      'expected false to be true',
      pairs('normed', 'dense'),
    ],
    [
      '(b) changing any weight of a frozen source changes the new column',
      { outputs: ownFeatures },
      'b does not hear of a/0/',
      pairs('dense'),
    ],
    ['(c) every lateral parameter is moved by training', { train: lateralsLeftOut }, 'stood still', pairs('dense')],
    [
      '(d) without its laterals a column computes what the same stand-alone network computes',
      { initial: placeDependent },
      'to deeply equal',
      pairs('dense'),
    ],
    [
      '(e) building a network around a pretrained column leaves its weights untouched',
      { build: initialisedAnew },
      'to deeply equal',
      pairs('dense'),
    ],
  ])('%s', async (name, defect, said, among) => {
    const error = await holds(laws[name], { ...real, ...defect }, 3, among).catch((e: Error) => e);
    expect(String(error?.cause)).toContain(said);
  });
});
