// Compression one task after another: the Fisher information by parameters and the penalty against closed forms, and that what was learned before is held.
import { describe, expect, it } from 'vitest';
import type { CompressRequest } from '../../src/analysis/compress/compress.js';
import { compressInTurn } from '../../src/analysis/compress/in-turn.js';
import { parameterFisher } from '../../src/analysis/parameter-fisher.js';
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { initialWeights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { runtime } from '../support/run.js';

type Blocks = NonNullable<ColumnInput['blocks']>;
const random = new Random(5, 'compress');
const normals = (...dims: number[]) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const description = { prognet: 1 as const, name: 'few', input: { name: 'x', shape: [4] }, columns: [] };
const columnOf = (blocks: Blocks, outputs: number) =>
  columnsOf(parseDescription({ ...description, columns: [{ task: 'one', blocks, head: { regress: outputs } }] })).column('one');
const numbersOf = (tensor: Tensor | undefined) => must(tensor, 'tensor').numbers();

describe('the Fisher information by parameters', () => {
  it('is the mean square of what a weight multiplies, over the samples that count', async () => {
    const column = columnOf([[{ dense: 3 }]], 2);
    const own = initialWeights(column);
    const [x, targets] = [normals(50, 4), normals(50, 2)];
    for (const row of [0, 7]) (targets.data as Float32Array).fill(Number.NaN, row * 2, row * 2 + 2);
    const found = await parameterFisher({ column, own, data: { inputs: { x }, targets }, runtime, seed: 1 });
    const used = Array.from({ length: 50 }, (_, i) => i).filter((i) => i !== 0 && i !== 7);
    const square = used.reduce((sum, i) => sum + (x.numbers()[i * 4 + 1] ?? 0) ** 2, 0) / used.length;
    // y = (x W + b) H + h. By h: 1. By H[k, j]: h_k^2, by W[i, k]: x_i^2 times the square of what signs make of H[k].
    expect(numbersOf(found.get('one/head/dense/bias'))).toEqual([1, 1]);
    const weight = own.get('one/0/dense/weight');
    const hidden = used.map((i) =>
      [0, 1, 2, 3].reduce((s, k) => s + (x.numbers()[i * 4 + k] ?? 0) * (numbersOf(weight)[k * 3 + 2] ?? 0), 0),
    );
    const byHead = hidden.reduce((s, v) => s + v * v, 0) / used.length;
    expect(numbersOf(found.get('one/head/dense/weight'))[2 * 2]).toBeCloseTo(byHead, 4);
    // One output alone: no signs to mix.
    const single = columnOf([[{ dense: 3 }]], 1);
    const weights = initialWeights(single);
    const data = {
      inputs: { x },
      targets: new Tensor(
        'float32',
        [50, 1],
        Float32Array.from({ length: 50 }, (_, i) => targets.numbers()[2 * i] ?? 0),
      ),
    };
    const alone = await parameterFisher({ column: single, own: weights, data, runtime, seed: 1 });
    const h = numbersOf(weights.get('one/head/dense/weight'))[2] ?? 0;
    expect(numbersOf(alone.get('one/0/dense/weight'))[1 * 3 + 2]).toBeCloseTo(square * h * h, 4);
  });
});

describe('a penalty', () => {
  it('adds its gradient to that of the loss, of weights in a vector and alone, of convolutions too', async () => {
    const wide = { ...description, input: { name: 'x', shape: [1, 6, 6] } };
    const blocks: Blocks = [
      [{ conv2d: { filters: 3, kernel: 3 } }, 'relu', 'flatten'],
      [{ dense: 700 }, 'relu'],
      [{ dense: 100 }],
    ];
    const column = columnsOf(parseDescription({ ...wide, columns: [{ task: 'one', blocks, head: { regress: 2 } }] })).column(
      'one',
    );
    const start = initialWeights(column);
    const settings = trainSettings({ epochs: 1, batch: 16, lr: 0.1, optimizer: 'sgd' }, 1, column.head);
    const request = {
      runtime,
      column,
      start,
      frozen: new Map(),
      settings,
      train: { inputs: { x: normals(16, 1, 6, 6) }, targets: normals(16, 2) },
    };
    const free = (await train(request)).weights;
    const names = ['one/0/conv2d/weight', 'one/1/dense/weight', 'one/2/dense/bias', 'one/2/dense/weight'].filter((name) =>
      start.has(name),
    );
    const held = [...start.keys()].filter((name) => !name.startsWith('one/head/'));
    const like = (of: () => number) =>
      new Map(
        held.map((name) => {
          const { dims, size } = must(start.get(name), name);
          return [name, new Tensor('float32', dims, Float32Array.from({ length: size }, of))];
        }),
      );
    const penalty = { towards: like(() => random.normal()), weight: like(() => random.uniform()) };
    const found = (await train({ ...request, penalty })).weights;
    expect(held.length).toBeGreaterThan(names.length);
    for (const name of held) {
      const [was, is, before, towards, weight] = [free, found, start, penalty.towards, penalty.weight].map((of) =>
        numbersOf(of.get(name)),
      );
      for (const i of [0, 1, (was?.length ?? 0) - 1]) {
        const pull = 0.1 * (weight?.[i] ?? 0) * ((before?.[i] ?? 0) - (towards?.[i] ?? 0));
        expect((was?.[i] ?? 0) - (is?.[i] ?? 0)).toBeCloseTo(pull, 4);
      }
    }
    expect(found.get('one/head/dense/weight')?.bytes).toEqual(free.get('one/head/dense/weight')?.bytes);
  });
});

describe('one task after another', () => {
  /** A task that reads the numbers in an order of its own, by a random network. */
  const task = (order: number[]) => {
    const x = normals(300, 4);
    const scores = Float32Array.from({ length: 300 }, (_, n) => {
      const [a = 0, b = 0, c = 0] = order.map((j) => x.numbers()[n * 4 + j] ?? 0);
      return Math.tanh(2 * a - b) + 0.5 * c;
    });
    return {
      head: parseHead(),
      inputs: { x },
      targets: new Tensor('float32', [300, 1], scores),
      scores: new Tensor('float32', [300, 1], scores),
    };
  };
  const parseHead = () => columnOf([[{ dense: 1 }]], 1).head;
  const teachers = [task([0, 1, 2]), task([2, 3, 1]), task([3, 0, 2])];
  const request: CompressRequest = {
    runtime,
    description,
    column: { task: 'one', blocks: [[{ dense: 32 }, 'tanh']], prepare: ['standardise'] },
    teachers,
    epochs: 60,
    rate: 0.01,
    seed: 1,
  };
  const errorsOf = ({ weights, heads }: Awaited<ReturnType<typeof compressInTurn>>) => {
    const of = (name: string) => numbersOf(weights.get(name));
    const [w, b] = [of('one/0/dense/weight'), of('one/0/dense/bias')];
    const [shift, spread] = [...weights.keys()].filter((name) => name.includes('standardise')).map(of);
    return teachers.map(({ inputs, scores }, t) => {
      const { weight, bias } = must(heads[t], 'head');
      const x = inputs.x.numbers();
      const squares = Array.from({ length: 300 }, (_, n) => {
        const own = [0, 1, 2, 3].map((i) => ((x[n * 4 + i] ?? 0) - (shift?.[i] ?? 0)) / (spread?.[i] ?? 1));
        const hidden = b.map((bias, j) => Math.tanh(own.reduce((s, v, i) => s + v * (w[i * 32 + j] ?? 0), bias)));
        const said = hidden.reduce((s, v, j) => s + v * (weight.numbers()[j] ?? 0), Number(bias.data[0]));
        return (said - (scores.numbers()[n] ?? 0)) ** 2;
      });
      return squares.reduce((a, b) => a + b, 0) / 300;
    });
  };

  it('forgets less with what was learned before held, and learns each', async () => {
    const held = errorsOf(await compressInTurn(request, { strength: 10 }));
    const free = errorsOf(await compressInTurn(request, { strength: 0 }));
    expect(free[2]).toBeLessThan(0.05);
    for (const t of [0, 1]) expect(must(held[t], 'error')).toBeLessThan(must(free[t], 'error') / 2);
    // A constant is wrong by about 0.9.
    expect(Math.max(...held)).toBeLessThan(0.35);
  }, 60_000);

  it('refuses blocks whose statistics would be those of the last task', async () => {
    const column = { task: 'one', blocks: [[{ dense: 8 }, 'batch_norm' as const, 'relu' as const]] };
    await expect(compressInTurn({ ...request, column })).rejects.toThrow(
      /^compress: "one\/0\/batch_norm\/mean" would be what the last task has, expected blocks with layer_norm or group_norm, or all tasks at one time$/,
    );
  });
});
