// Networks whose inputs have open sizes: the five invariants over random ones, trained on samples of one size, measured on those of another and asked with a
// third; every form takes any size, answers as the network does, and holds no number of a size that it was trained on.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ColumnInput, InputInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { type Network, prognet } from '../../src/network/network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { allNodes } from '../../src/onnx/ir/graph.js';
import { runModel, runtime } from '../support/run.js';

const rows = 16;
const session = { threads: 1 };
const inputs: InputInput[] = [
  { name: 'tokens', shape: ['steps'], dtype: 'int64' },
  { name: 'count', shape: [], dtype: 'int64' },
  { name: 'frames', shape: ['steps', 4] },
  { name: 'signal', shape: [2, 'length'], prepare: ['standardise'] },
  { name: 'image', shape: [1, 'height', 'width'], dtype: 'uint8', prepare: ['scale'] },
  { name: 'seen', shape: ['length', 3] },
];
/** Sizes that nothing else in these networks has. */
const sizes = {
  train: { steps: 37, length: 41, height: 43, width: 47 },
  validation: { steps: 29, length: 23, height: 31, width: 19 },
  asked: { steps: 7, length: 59, height: 13, width: 22 },
};
type Part = keyof typeof sizes;

function samplesOf(part: Part): Record<string, Tensor> {
  const random = new Random(4, part);
  const own: Readonly<Record<string, number>> = sizes[part];
  return Object.fromEntries(
    inputs.map(({ name, shape = [], dtype = 'float32' }) => {
      const dims = [rows, ...shape.map((d) => (typeof d === 'number' ? d : must(own[d], d)))];
      const below = { tokens: 5, count: own.steps ?? 1, image: 256 }[name];
      const draw = () =>
        below === undefined ? random.normal() : name === 'count' ? 1 + random.below(below) : random.below(below);
      return [name, Tensor.from(dtype, Array.from({ length: elementCount(dims) }, draw), dims)];
    }),
  );
}
const samples = { train: samplesOf('train'), validation: samplesOf('validation'), asked: samplesOf('asked') };
const random = new Random(9, 'targets');
const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, () => random.below(3)),
);

type Blocks = NonNullable<ColumnInput['blocks']>;
/** A column over each kind of input: positions, positions again, features. */
const kinds: Readonly<Record<string, { readonly inputs: string[]; readonly blocks: Blocks }>> = {
  tokens: {
    inputs: ['tokens', 'count'],
    blocks: [
      [{ embedding: { size: 4, vocabulary: 5 } }, 'sinusoidal'],
      [{ lstm: { units: 3, direction: 'bidirectional', sequences: true, mask: 'count' } }],
      [{ last_step: { mask: 'count' } }, { dense: 4 }, 'tanh'],
    ],
  },
  frames: {
    inputs: ['frames', 'count'],
    blocks: [
      [{ transformer_encoder: { heads: 2, hidden: 4, mask: 'count', rotary: 100 } }],
      [{ attention: { heads: 2, causal: true } }],
      [{ mean_over_steps: { mask: 'count' } }, { dense: 4 }, 'tanh'],
    ],
  },
  signal: {
    inputs: ['signal'],
    blocks: [
      [{ conv1d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } }, 'batch_norm', 'relu'],
      [{ conv1d: { filters: 3, kernel: 3, padding: 'same' } }, 'relu'],
      ['global_avgpool', { dense: 4 }, 'tanh'],
    ],
  },
  seen: {
    inputs: ['seen', 'signal'],
    blocks: [
      [{ gru: { units: 4, sequences: true } }],
      ['to_channels', { concat: 'signal' }, { conv1d: { filters: 3, kernel: 5 } }, { group_norm: 3 }],
      ['global_maxpool', { dense: 4 }, 'tanh'],
    ],
  },
  image: {
    inputs: ['image'],
    blocks: [
      [{ conv2d: { filters: 4, kernel: 3 } }, 'relu', { maxpool2d: 2 }],
      [{ residual: { layers: [{ conv2d: { filters: 3, kernel: 3, stride: 2, padding: 'same' } }, 'relu'], project: true } }],
      ['global_avgpool', { dense: 4 }, 'tanh'],
    ],
  },
};

const kind = fc.constantFrom(...Object.keys(kinds));
const laterals = fc.constantFrom<NonNullable<ColumnInput['laterals']>>(
  { kind: 'linear', join: 'pool' },
  { kind: 'adapter', rank: 2, activation: 'tanh', join: 'pool' },
  { kind: 'linear', into: [1] },
  { kind: 'adapter', rank: 2, activation: 'tanh', into: [1] },
);
const columnOf = (task: string, of: string, more: Partial<ColumnInput> = {}): ColumnInput => ({
  task,
  ...must(kinds[of], of),
  head: { classify: 3 },
  ...more,
});
const pairs = fc.tuple(kind, kind, laterals).map(([a, b, l]) => [columnOf('a', a), columnOf('b', b, { laterals: l })] as const);
const every = (law: (a: ColumnInput, b: ColumnInput) => Promise<void>, numRuns = 8) =>
  fc.assert(
    fc.asyncProperty(pairs, ([a, b]) => law(a, b)),
    { numRuns, seed: 11, endOnFailure: true },
  );

const takenBy = (network: Network, task: string, part: Part) =>
  Object.fromEntries(network.columns.column(task).inputs.map(({ name }) => [name, must(samples[part][name], name)]));
const trained = async (network: Network, task: string) => {
  const data = {
    train: { inputs: takenBy(network, task, 'train'), targets },
    validation: { inputs: takenBy(network, task, 'validation'), targets },
  };
  const { network: after, history } = await network.train(task, {
    on: runtime,
    data,
    epochs: 2,
    batch: 8,
    session,
    freeze: false,
  });
  expect(history.every(({ validation }) => Number.isFinite(validation?.loss))).toBe(true);
  return await after.freeze(task);
};
const scores = async (network: Network, task: string, part: Part, more: object = {}) =>
  must((await runModel(network.model({ task, ...more }), takenBy(network, task, part)))[task], task);
const hex = (tensor: Tensor) => Buffer.from(tensor.bytes).toString('hex');
const parts = Object.keys(sizes) as Part[];

describe('over random networks', () => {
  it('(a, e) a column around a trained one moves not one bit of its answers or weights; (c) its laterals move', () =>
    every(async (a, b) => {
      const one = await trained(prognet({ input: inputs }).grow(a), 'a');
      const before = await Promise.all(parts.map(async (part) => hex(await scores(one, 'a', part))));
      const weights = [...must(one.weights('a'), 'a').values()].map(hex);
      const two = await trained(one.grow(b), 'b');
      expect(await Promise.all(parts.map(async (part) => hex(await scores(two, 'a', part))))).toEqual(before);
      expect([...must(two.weights('a'), 'a').values()].map(hex)).toEqual(weights);
      const initial = initialWeights(two.columns.column('b'));
      const carried = [...must(two.weights('b'), 'b')].filter(([name]) => /\/(lateral|adapter)\//.test(name));
      expect(carried.length).toBeGreaterThan(0);
      for (const [name, tensor] of carried)
        expect(hex(tensor), `${name} stood still`).not.toBe(hex(must(initial.get(name), name)));
    }));

  it('(b) the earlier column is heard: what only it reads changes the answers of the later one', () =>
    every(async (a, b) => {
      const two = await trained((await trained(prognet({ input: inputs }).grow(a), 'a')).grow(b), 'b');
      const model = two.model({ task: 'b' });
      const taken = takenBy(two, 'b', 'asked');
      const before = hex(must((await runModel(model, taken)).b, 'b'));
      const first = must(a.inputs?.[0], 'input');
      const other = Tensor.from(
        must(taken[first], first).dtype,
        must(taken[first], first)
          .numbers()
          .map((v) => (first === 'tokens' ? (v + 1) % 5 : first === 'image' ? 255 - v : v + 1 + Math.sin(9 * v))),
        must(taken[first], first).dims,
      );
      expect(hex(must((await runModel(model, { ...taken, [first]: other })).b, 'b'))).not.toBe(before);
    }));

  it('(d) without laterals it is the stand-alone network', () =>
    every(async (a, b) => {
      const apart: ColumnInput = { ...b, laterals: 'none' };
      const alone = await trained(prognet({ input: inputs }).grow(apart), 'b');
      const beside = await trained(prognet({ input: inputs }).grow(a).grow(apart), 'b');
      for (const part of parts) expect(hex(await scores(beside, 'b', part))).toBe(hex(await scores(alone, 'b', part)));
    }, 5));

  it('every form takes any size, answers as the network does and holds no size of the data', () =>
    every(async (a, b) => {
      const two = await trained((await trained(prognet({ input: inputs }).grow(a), 'a')).grow(b), 'b');
      const models = [
        two.model({ task: 'b' }),
        two.model({ all: true }),
        two.model({ all: true, routed: true }),
        two.model({ task: 'b', fused: true }),
      ];
      for (const { graph } of models) {
        for (const input of graph.inputs)
          if (input.name !== 'task_id')
            expect(input.shape?.slice(1)).toEqual(inputs.find(({ name }) => name === input.name)?.shape);
        const trainedOn = new Set<number>(Object.values(sizes.train));
        for (const node of allNodes(graph))
          for (const value of node.inputs) {
            const constant = value?.constant;
            if (constant === undefined || constant.dtype === 'float32') continue;
            for (const v of constant.numbers())
              expect(trainedOn.has(Number(v)), `${node.opType} ${node.name} holds ${v}`).toBe(false);
          }
      }
      const [task, all, routed, fused] = models;
      for (const part of parts) {
        const expected = must((await runModel(must(task, 'task'), takenBy(two, 'b', part))).b, 'b');
        // The network of just these sizes, whose graphs know them.
        const own: Readonly<Record<string, number>> = sizes[part];
        const known = inputs.map(({ shape = [], ...input }) => ({ ...input, shape: shape.map((d) => own[d] ?? d) }));
        const of = (task: string) => must(two.weights(task), task);
        const sized = prognet({ input: known }).grow(a).grow(b).withWeights('a', of('a')).withWeights('b', of('b'));
        const same = (await scores(sized, 'b', part)).numbers();
        expected.numbers().forEach((v, i) => {
          expect(same[i]).toBeCloseTo(v, 5);
        });
        expect(hex((await two.predict('b', takenBy(two, 'b', part), { on: runtime })).scores)).toBe(hex(expected));
        const taken = Object.fromEntries(
          must(all, 'all').graph.inputs.map(({ name }) => [name, must(samples[part][name], name)]),
        );
        expect(hex(must((await runModel(must(all, 'all'), taken)).b, 'b'))).toBe(hex(expected));
        const asked = { ...taken, task_id: Tensor.from('int64', [1], [1]) };
        expect(hex(must((await runModel(must(routed, 'routed'), asked)).scores, 'scores'))).toBe(hex(expected));
        const quick = must((await runModel(must(fused, 'fused'), takenBy(two, 'b', part))).b, 'b').numbers();
        expected.numbers().forEach((v, i) => {
          expect(quick[i]).toBeCloseTo(v, 4);
        });
      }
    }, 5));
});

it('weights are the same whatever size the description gives the input', async () => {
  const column = columnOf('a', 'signal');
  const data = { inputs: { signal: must(samples.train.signal, 'signal') }, targets };
  const train = async (length: number | string) => {
    const network = prognet({ input: { name: 'signal', shape: [2, length], prepare: ['standardise'] } }).grow(column);
    return (await network.train('a', { on: runtime, data, epochs: 2, batch: 8, session })).network;
  };
  const [open, fixed] = [await train('length'), await train(sizes.train.length)];
  expect([...must(open.weights('a'), 'a')].map(([name, t]) => [name, hex(t)])).toEqual(
    [...must(fixed.weights('a'), 'a')].map(([name, t]) => [name, hex(t)]),
  );
});

it('the network of docs/data.md is as it says', () => {
  const text = readFileSync('docs/data.md', 'utf8').split('```yaml title=open.yaml\n')[1]?.split('```')[0] ?? '';
  const column = columnsOf(parseDescription(parse(text))).column('mood');
  expect(column.inputs.map(({ shape }) => shape)).toEqual([['steps'], []]);
  expect(column.taps).toEqual([['steps', 32], [16]]);
});

describe('what does not fit is refused in one line', () => {
  const network = prognet({ input: inputs }).grow(columnOf('a', 'seen'));
  const train = (given: Readonly<Record<string, Tensor>>) =>
    network.train('a', { on: runtime, data: { inputs: given, targets }, epochs: 1, batch: 8, session });
  const { seen } = samples.train;
  it('sizes of one name that differ', async () => {
    const given = { seen: must(seen, 'seen'), signal: must(samples.asked.signal, 'signal') };
    await expect(train(given)).rejects.toThrow(
      'train data of task "a": "length" is 59 in input "signal" and 41 in "seen", expected one size',
    );
    await expect(
      network.train('a', {
        on: runtime,
        data: { inputs: { seen: must(seen, 'seen'), signal: Tensor.zeros('float32', [rows, 3, 41]) }, targets },
      }),
    ).rejects.toThrow('train data of task "a": a sample has shape [3,41], input "signal" is [2,length]');
  });
  it('ids and numbers of steps that no layer has a place for, of what an earlier column reads too', async () => {
    const one = prognet({ input: inputs }).grow(columnOf('a', 'tokens'));
    const { tokens, count } = samples.train;
    const right = { tokens: must(tokens, 'tokens'), count: must(count, 'count') };
    const changed = (name: 'tokens' | 'count', at: number, to: number) => {
      const numbers = right[name].numbers();
      numbers[at] = to;
      return { ...right, [name]: Tensor.from('int64', numbers, right[name].dims) };
    };
    const train = (given: Readonly<Record<string, Tensor>>) =>
      one.train('a', { on: runtime, data: { inputs: given, targets }, epochs: 1, batch: 8, session });
    await expect(train(changed('tokens', 40, 5))).rejects.toThrow(
      'train data of task "a": input "tokens" holds 5 at [1,3], expected an id below "vocabulary", 0..4',
    );
    await expect(train(changed('tokens', 0, -1))).rejects.toThrow(
      'input "tokens" holds -1 at [0,0], expected an id below "vocabulary"',
    );
    await expect(train(changed('count', 2, 38))).rejects.toThrow(
      'train data of task "a": input "count" holds 38 at [2], expected how many steps a sample has, 0..37',
    );
    await expect(train(changed('count', 2, -1))).rejects.toThrow('input "count" holds -1 at [2]');
    const two = (await trained(one, 'a')).grow({ task: 'b', blocks: [], head: { classify: 3 } });
    expect(() => two.parameters('b')).not.toThrow();
    await expect(two.predict('a', changed('count', 1, 99), { on: runtime })).rejects.toThrow(
      'input "count" holds 99 at [1], expected',
    );
    const data = { inputs: changed('tokens', 3, 7), targets };
    await expect(two.train('b', { on: runtime, data, epochs: 1, batch: 8, session })).rejects.toThrow(
      'input "tokens" holds 7 at [0,3]',
    );
  });

  it('samples that are too short for a window', async () => {
    const short = { seen: Tensor.zeros('float32', [rows, 3, 3]), signal: Tensor.zeros('float32', [rows, 2, 3]) };
    await expect(train(short)).rejects.toThrow('a window of 5 does not fit axis 0 of size 3 with its pads');
  });
  it('laterals that need a size', () => {
    const over = (laterals: ColumnInput['laterals']) =>
      prognet({ input: inputs })
        .grow(columnOf('a', 'signal'))
        .grow(columnOf('b', 'signal', { laterals }))
        .parameters('b');
    expect(() => over('linear')).toThrow(
      '"ceil(length/2)" is open, and a lateral would flatten the tap [3,ceil(length/2)]: expected join: pool in "laterals"',
    );
    expect(() => over({ kind: 'linear', join: 'pool' })).not.toThrow();
  });
  it('a training step by itself, unless its sizes are told', () => {
    const optimizer = { kind: 'sgd' } as const;
    expect(() => network.trainingGraph('a', { optimizer })).toThrow(
      'a training step: the input "signal" is [2,length], "length" is open, expected its size, such as sizes: { length: 100 }',
    );
    expect(
      network.trainingGraph('a', { optimizer, sizes: { length: 20 } }).model.graph.inputs.map(({ shape }) => shape),
    ).toContainEqual(['D', 20, 3]);
  });
});
