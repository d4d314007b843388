// Networks of several inputs: the five invariants over random ones, each input by its name and of its dtype; every form answers as the network does and takes
// the inputs that its tasks read, and no other.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withFollowing } from '../../src/data/following.js';
import { text } from '../../src/index.js';
import type { ColumnInput, InputInput } from '../../src/model/description/description.js';
import { parseDescription, toInput } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { type Network, prognet } from '../../src/network/network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { runModel, runtime } from '../support/run.js';
import { tokenizerText } from '../support/tokenizer.js';

const rows = 24;
const session = { threads: 1 };
const random = new Random(4, 'several');
const drawn = (dtype: NonNullable<InputInput['dtype']>, shape: readonly number[], below?: number) =>
  Tensor.from(
    dtype,
    Array.from({ length: rows * elementCount(shape) }, () => (below === undefined ? random.normal() : random.below(below))),
    [rows, ...shape],
  );
const inputs: InputInput[] = [
  { name: 'image', shape: [1, 4, 4] },
  { name: 'meta', shape: [2], prepare: ['standardise'] },
  { name: 'ids', shape: [3], dtype: 'int64' },
  { name: 'flag', shape: [], dtype: 'bool' },
  { name: 'count', shape: [2], dtype: 'int32' },
  { name: 'half', shape: [2], dtype: 'float16' },
];
const samples: Readonly<Record<string, Tensor>> = {
  image: drawn('float32', [1, 4, 4]),
  meta: drawn('float32', [2]),
  ids: drawn('int64', [3], 5),
  flag: drawn('bool', [], 2),
  count: drawn('int32', [2], 9),
  half: drawn('float16', [2]),
};
const targets = Tensor.from(
  'int64',
  Array.from({ length: rows }, () => random.below(3)),
);

/** A column over `first`, which joins the others in one of its blocks. */
function columnOver(
  task: string,
  first: string,
  others: readonly string[],
  late: boolean,
  more: Partial<ColumnInput> = {},
): ColumnInput {
  const begin: NonNullable<ColumnInput['blocks']>[number] =
    first === 'ids' ? [{ embedding: { size: 3, vocabulary: 5, pool: 'mean' } }] : ['flatten', { dense: 4 }, 'tanh'];
  const joined: NonNullable<ColumnInput['blocks']>[number] = others.length === 0 ? [] : [{ concat: [...others] }];
  return {
    task,
    inputs: [first, ...others],
    blocks: late
      ? [begin, [...joined, { dense: 4 }, 'tanh']]
      : [
          [...begin, ...joined],
          [{ dense: 4 }, 'tanh'],
        ],
    head: { classify: 3 },
    ...more,
  };
}

const numbers = ['meta', 'flag', 'count', 'half'];
const column = (task: string, more: Partial<ColumnInput> = {}) =>
  fc
    .record({ first: fc.constantFrom('image', 'ids', 'meta'), others: fc.subarray(numbers), late: fc.boolean() })
    .map(({ first, others, late }) =>
      columnOver(
        task,
        first,
        others.filter((name) => name !== first),
        late,
        more,
      ),
    );
const laterals = fc.constantFrom<NonNullable<ColumnInput['laterals']>>('linear', { kind: 'adapter', rank: 2 });
const twoColumns = fc.tuple(column('a'), column('b'), laterals).map(([a, b, l]) => [a, { ...b, laterals: l }] as const);

const only = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, must(samples[name], name)]));
const takenBy = (network: Network, task: string) => only(network.columns.column(task).inputs.map(({ name }) => name));
const trained = async (network: Network, task: string) => {
  const data = { inputs: takenBy(network, task), targets };
  return await (await network.train(task, { on: runtime, data, epochs: 2, batch: 8, session })).network.freeze(task);
};
const scores = async (network: Network, task: string, more: object = {}) => {
  const model = network.model({ task, ...more });
  expect(model.graph.inputs.map(({ name }) => name)).toEqual(network.columns.column(task).inputs.map(({ name }) => name));
  return must((await runModel(model, takenBy(network, task)))[task], task);
};
const hex = (tensor: Tensor) => Buffer.from(tensor.bytes).toString('hex');
const every = (law: (a: ColumnInput, b: ColumnInput) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(twoColumns, ([a, b]) => law(a, b)),
    { numRuns: 8, seed: 5, endOnFailure: true },
  );

describe('over random networks', () => {
  it('(a, e) a column around a trained one moves not one bit of its answers or weights; (c) its laterals move', () =>
    every(async (a, b) => {
      const one = await trained(prognet({ input: inputs }).grow(a), 'a');
      const [before, weights] = [hex(await scores(one, 'a')), [...must(one.weights('a'), 'a').values()].map(hex)];
      const two = await trained(one.grow(b), 'b');
      expect(hex(await scores(two, 'a'))).toBe(before);
      expect([...must(two.weights('a'), 'a').values()].map(hex)).toEqual(weights);
      const begun = two.columns.column('b');
      expect(begun.reads.map(({ input }) => input.name)).toEqual(b.inputs);
      const initial = initialWeights(begun);
      const carried = [...must(two.weights('b'), 'b')].filter(([name]) => /\/(lateral|adapter)\//.test(name));
      expect(carried.length).toBeGreaterThan(0);
      for (const [name, tensor] of carried)
        expect(hex(tensor), `${name} stood still`).not.toBe(hex(must(initial.get(name), name)));
    }));

  it('(b) what an input of the earlier column is changes the later one, as far as its taps follow from it', () =>
    every(async (a, b) => {
      const one = await trained(prognet({ input: inputs }).grow(a), 'a');
      const two = await trained(one.grow(b), 'b');
      const taken = takenBy(two, 'b');
      const model = two.model({ task: 'b' });
      const before = hex(must((await runModel(model, taken)).b, 'b'));
      for (const [name, tensor] of Object.entries(taken)) {
        const other = Tensor.from(
          tensor.dtype,
          [...tensor.numbers()].map((v) => (name === 'flag' ? 1 - v : name === 'ids' ? (v + 1) % 5 : v + 1)),
          tensor.dims,
        );
        expect(hex(must((await runModel(model, { ...taken, [name]: other })).b, 'b')), `deaf to ${name}`).not.toBe(before);
      }
    }));

  it('(d) without laterals it is the stand-alone network', () =>
    every(async (a, b) => {
      const apart: ColumnInput = { ...b, laterals: 'none' };
      const alone = await trained(prognet({ input: inputs }).grow(apart), 'b');
      const beside = await trained(prognet({ input: inputs }).grow(a).grow(apart), 'b');
      expect(hex(await scores(beside, 'b'))).toBe(hex(await scores(alone, 'b')));
    }));

  it('every form answers as the network does', () =>
    every(async (a, b) => {
      const one = await trained(prognet({ input: inputs }).grow(a), 'a');
      const two = await trained(one.grow(b), 'b');
      const expected = await scores(two, 'b');
      const asked = takenBy(two, 'b');
      const { probabilities } = await two.predict('b', asked, { on: runtime });
      expect(must(probabilities, 'probabilities').dims).toEqual([rows, 3]);
      const all = two.model({ all: true });
      const taken = only(all.graph.inputs.map(({ name }) => name));
      expect(hex(must((await runModel(all, taken)).b, 'b'))).toBe(hex(expected));
      const routed = two.model({ all: true, routed: true });
      const answer = must((await runModel(routed, { ...taken, task_id: Tensor.from('int64', [1], [1]) })).scores, 'scores');
      expect(hex(answer)).toBe(hex(expected));
      const fused = [...(await scores(two, 'b', { fused: true })).numbers()];
      [...expected.numbers()].forEach((v, i) => {
        expect(fused[i]).toBeCloseTo(v, 4);
      });
      const told = all.metadata.get('prognet.input');
      expect(told === undefined ? 1 : JSON.parse(told).length).toBe(Object.keys(taken).length);
    }));
});

it('a model without "prepare" takes what the steps give, each input by itself', async () => {
  const network = await trained(prognet({ input: inputs }).grow(columnOver('a', 'image', ['meta', 'flag'], true)), 'a');
  const model = network.model({ task: 'a', preparedInput: true });
  expect(model.graph.inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['image', 'float32'],
    ['meta', 'float32'],
    ['flag', 'bool'],
  ]);
  expect(JSON.parse(must(model.metadata.get('prognet.prepared'), 'prepared'))).toEqual({
    image: [],
    meta: [{ kind: 'standardise' }],
    flag: [],
  });
});

describe('what does not fit is refused by name', () => {
  const network = prognet({ input: inputs }).grow(columnOver('a', 'image', ['meta', 'count'], true));
  const train = (given: Readonly<Record<string, Tensor>>) =>
    network.train('a', { on: runtime, data: { inputs: given, targets }, epochs: 1, batch: 8, session });
  const right = only(['image', 'meta', 'count']);

  it.each<[string, Readonly<Record<string, Tensor>>, string]>([
    ['one too few', only(['image', 'meta']), 'inputs named "image", "meta" for those named "image", "meta", "count"'],
    ['one too many', { ...right, ids: drawn('int64', [3], 5) }, 'inputs named "image", "meta", "count", "ids" for those named'],
    ['another shape', { ...right, meta: drawn('float32', [3]) }, 'a sample has shape [3], input "meta" is [2]'],
    ['another dtype', { ...right, count: drawn('float32', [2]) }, 'input "count" is float32, expected int32'],
    [
      'other rows',
      {
        ...right,
        meta: Tensor.from(
          'float32',
          Array.from({ length: 10 }, (_, i) => i),
          [5, 2],
        ),
      },
      'input "meta" has 5 rows, "image" has 24 rows',
    ],
  ])('%s', async (_, given, message) => {
    await expect(train(given)).rejects.toThrow(`train data of task "a": ${message}`);
  });
});

it('the networks of docs/data.md are as it says', () => {
  const text = readFileSync('docs/data.md', 'utf8').split('```yaml title=several.yaml\n')[1]?.split('```')[0] ?? '';
  const columns = columnsOf(parseDescription(parse(text)));
  expect([...columns].map(({ task, inputs }) => [task, inputs.map(({ name }) => name)])).toEqual([
    ['sold', ['image']],
    ['returned', ['image', 'meta']],
    ['place', ['image', 'meta', 'shop']],
  ]);
});

describe('inputs that follow of a text', () => {
  const words = ['sea', 'tide', 'sail', 'pan', 'soup'];
  const input = [text('ids', tokenizerText(words), 4), { name: 'mask', mask: 'ids' }, { name: 'kinds', types: 'ids' }];
  const over = (task: string, inputs: string[], blocks: NonNullable<ColumnInput['blocks']>): ColumnInput => ({
    task,
    inputs,
    blocks,
    head: { classify: 3 },
  });
  const masked = over(
    'a',
    ['ids', 'mask'],
    [[{ embedding: { size: 3, pool: 'mean' } }, { concat: 'mask' }, { dense: 4 }, 'tanh']],
  );
  const ids = Tensor.from(
    'int64',
    Array.from({ length: rows * 4 }, (_, i) => (i % 4 > (i >> 2) % 4 ? 0 : 4 + (i % 5))),
    [rows, 4],
  );
  const mask = Tensor.from(
    'int64',
    [...ids.numbers()].map((id) => Number(id !== 0)),
    [rows, 4],
  );

  it('are made of its ids where data leave them out; the exported file takes them', async () => {
    const one = prognet({ input }).grow(masked);
    const train = async (inputs: Readonly<Record<string, Tensor>> | Tensor) =>
      await (await one.train('a', { on: runtime, data: { inputs, targets }, epochs: 2, batch: 8, session })).network.freeze('a');
    const network = await train(ids);
    expect((await train({ ids, mask })).weights('a')).toEqual(network.weights('a'));
    const model = network.model({ task: 'a' });
    expect(model.graph.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['ids', 'int64', ['N', 4]],
      ['mask', 'int64', ['N', 4]],
    ]);
    const { a } = await runModel(model, { ids, mask });
    expect(hex((await network.predict('a', ids, { on: runtime })).scores)).toBe(hex(must(a, 'a')));
  });

  it('are 0 for the types of one text, and have its shape', () => {
    const kinds = over('k', ['kinds', 'ids'], [[{ embedding: { size: 2, vocabulary: 2, pool: 'mean' } }]]);
    const columns = columnsOf(
      parseDescription({ prognet: 1, name: 'n', input, columns: [{ ...kinds, inputs: ['kinds', 'ids'] }] }),
    );
    expect(columns.inputs.map(({ shape }) => shape)).toEqual([[4], [4], [4]]);
    expect(withFollowing(columns.inputs, { ids }, 'data').kinds?.dims).toEqual([rows, 4]);
    expect(toInput(parseDescription({ prognet: 1, name: 'n', input, columns: [] })).input).toEqual(input);
  });

  it.each<[InputInput[], ColumnInput, string]>([
    [
      [input[0] as InputInput, { name: 'mask', mask: 'is' }],
      masked,
      'input[1].mask: found "is", expected an input with a tokenizer: "ids"',
    ],
    [
      [input[0] as InputInput, { name: 'mask', mask: 'ids', shape: [4] }],
      masked,
      'input[1].shape: found "shape", expected none beside "mask", of which it follows',
    ],
    [
      input as InputInput[],
      { ...masked, inputs: ['mask'] },
      'columns[0].inputs[0]: "mask" follows of "ids", expected "ids" among them',
    ],
  ])('%#', (written, column, message) => {
    expect(() => parseDescription({ prognet: 1, name: 'n', input: written, columns: [column] })).toThrow(message);
  });
});
