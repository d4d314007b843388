// dataset({ x, y }): own arrays of every kind become what files give; what is ragged, no number or of another length is refused by its index.
import { expect, it } from 'vitest';
import { toInputs } from '../../src/data/from-arrays.js';
import { dataset } from '../../src/data/own-data.js';
import { applyTransforms } from '../../src/data/transforms/registry.js';
import { classify, column, dense, flatten, input, prognet, regress, relu } from '../../src/index.js';
import { NodeRuntime } from '../../src/node.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

const x = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [8, 9],
];
const y = [0, 1, 2, 1, 0];
const all = ({ train, test }: ReturnType<typeof dataset>) => [...train.inputs.numbers(), ...test.inputs.numbers()];

it('rows and classes, a fifth of them for the test, the same by the same seed', () => {
  const split = dataset({ x, y });
  expect([split.train, split.test].map(({ inputs }) => `${inputs.dtype} ${inputs.dims}`)).toEqual(['float32 4,2', 'float32 1,2']);
  expect([split.train, split.test].map(({ targets }) => `${targets.dtype} ${targets.dims}`)).toEqual(['int64 4', 'int64 1']);
  expect([split.train.classes, split.test.classes]).toEqual([3, 3]);
  expect(all(split).toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // a row keeps its target
  for (const { inputs, targets } of [split.train, split.test])
    expect(targets.numbers()).toEqual(targets.numbers().map((_, row) => y[(inputs.numbers()[2 * row] ?? 0) / 2]));
  expect(dataset({ x, y }, { seed: 0 })).toEqual(split);
  expect(all(dataset({ x, y }, { seed: 3 }))).not.toEqual(all(split));
  expect(dataset({ x, y }, { test: 0.4 }).test.inputs.dims).toEqual([2, 2]);
});

it('the ways to write the same inputs', () => {
  const of = (inputs: Parameters<typeof dataset>[0]['x'], shape?: readonly number[]) =>
    all(dataset({ x: inputs, y, ...(shape && { shape }) }));
  const expected = of(x);
  expect(of(Float32Array.from(x.flat()), [2])).toEqual(expected);
  expect(of(Float64Array.from(x.flat()), [2])).toEqual(expected);
  expect(of(x.flat(), [2])).toEqual(expected);
  expect(of(Tensor.from('float32', x.flat(), [5, 2]))).toEqual(expected);
  expect(of(Tensor.from('int32', x.flat(), [5, 2]))).toEqual(expected);
  expect(of(x.map((row) => Float32Array.from(row)))).toEqual(expected);
  expect(of(x.map((row) => Uint8Array.from(row)))).toEqual(expected);
  expect(of(x.map((row) => BigInt64Array.from(row, BigInt)))).toEqual(expected);
});

it('images nest; grey levels of Uint8Array stay uint8, in rows as in one piece', () => {
  const image = (v: number) => [
    [
      [v, v],
      [v, 0],
    ],
  ];
  expect(dataset({ x: [1, 2].map(image), y: [0, 1] }).train.inputs.dims).toEqual([1, 1, 2, 2]);
  for (const grey of [Uint8Array, Uint8ClampedArray]) {
    const { train } = dataset({ x: grey.from([1, 2, 3, 4, 5, 6, 7, 8]), shape: [1, 2, 2], y: [0, 1] });
    expect(`${train.inputs.dtype} ${train.inputs.dims}`).toBe('uint8 1,1,2,2');
    const rows = dataset({ x: [grey.of(1, 2), grey.of(3, 4)], y: [0, 1] }, { test: { x: [grey.of(5, 6)], y: [0] } });
    expect(rows.train.inputs).toEqual(new Tensor('uint8', [2, 2], Uint8Array.of(1, 2, 3, 4)));
  }
});

it('targets: classes where all are whole and one a row; else float32', () => {
  const of = (targets: Parameters<typeof dataset>[0]['y']) => {
    const { train } = dataset({ x: [[1], [2], [3]], y: targets });
    return `${train.targets.dtype} ${train.targets.dims} ${train.classes}`;
  };
  expect(of([0, 1, 2])).toBe('int64 2 3');
  expect(of(Uint8Array.of(0, 1, 1))).toBe('int64 2 2');
  expect(of(BigInt64Array.of(0n, 1n, 1n))).toBe('int64 2 2');
  expect(of([0.5, 1, 2])).toBe('float32 2,1 undefined');
  expect(of(Float32Array.of(0, 1, 2))).toBe('float32 2,1 undefined');
  expect(of(x.slice(0, 3))).toBe('float32 2,2 undefined');
});

it('a test set of its own, and the transforms of files', () => {
  const test = { x: [[10, 11]], y: [1] };
  const split = dataset({ x, y }, { test, transform: ['invert', { permute: { seed: 1 } }] });
  expect(split).toEqual(applyTransforms(dataset({ x, y }, { test }), ['invert', { permute: { seed: 1 } }]));
  expect(split.train.inputs.numbers()).not.toEqual(x.flat());
  expect(dataset({ x, y }, { test: { x, y }, transform: [{ classes: [0, 1] }] }).train.classes).toBe(2);
});

it('is what train and evaluate take', async () => {
  const runtime = await NodeRuntime.load();
  const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(7 * i)]);
  const data = dataset({ x: rows, y: rows.map(([a = 0]) => (a > 0 ? 1 : 0)) });
  const net = prognet({ input: input('point', [2]) })
    .on(runtime)
    .grow(column('sign', { blocks: [[flatten(), dense(8), relu()]], head: classify(2) }))
    .grow(column('first', { blocks: [[flatten(), dense(8), relu()]], head: regress(1) }));
  const { network, test } = await net.train('sign', { data, epochs: 30, lr: 0.03, batch: 8 });
  expect(test?.rows).toBe(12);
  expect((await network.evaluate('sign', data.train)).value).toBeGreaterThan(0.9);
  await network.train('first', { data: dataset({ x: rows, y: rows.map((_, i) => i % 3) }), epochs: 1 });
  await network.close();
});

it.each([
  [() => dataset({ x: [[0, 1], [2]], y: [0, 1] }), 'dataset.x: [1] has length 1, the first has 2'],
  [() => dataset({ x: [[0, 1], 2], y: [0, 1] }), 'dataset.x: holds 2 at [1], expected an array of 2'],
  [
    () =>
      dataset({
        x: [
          [[0], [1]],
          [[2], [3, 4]],
        ],
        y: [0, 1],
      }),
    'dataset.x: [1,1] has length 2, the first has 1',
  ],
  [() => dataset({ x: [Float32Array.of(1), Float32Array.of(1, 2)], y: [0, 1] }), 'dataset.x: [1] has length 2, the first has 1'],
  [
    () => dataset({ x: [Uint8Array.of(1), Float32Array.of(1)], y: [0, 1] }),
    'dataset.x: holds a row of float32 at [1], expected uint8, as the first',
  ],
  [
    () =>
      dataset({
        x: [
          [0, 1],
          [2, Number.NaN],
        ],
        y: [0, 1],
      }),
    'dataset.x: holds NaN at [1,1], expected a finite float32',
  ],
  [() => dataset({ x: [[0], [1e39]], y: [0, 1] }), 'dataset.x: holds 1e+39 at [1,0], expected a finite float32'],
  [() => dataset({ x: [[0], [1]], y: [0, Number.NaN] }), 'dataset.y: holds NaN at [1], expected a finite float32'],
  [() => dataset({ x: [[0], [1]], y: [0] }), 'dataset.y: 1 targets for 2 inputs, expected one each'],
  [() => dataset({ x: [], y: [] }), 'dataset.x: shape [0] holds no rows, expected [D, ...] with D of at least 1'],
  [() => dataset({ x: [[0]], y: [0] }), 'dataset.test: 1 row cannot be split into train and test, expected at least 2'],
  [() => dataset({ x, y }, { test: 1 }), 'dataset.test: test fraction 1 is out of range, expected more than 0 and less than 1'],
  [
    () => dataset({ x: Float32Array.of(1, 2, 3, 4), y: [0, 1] }),
    'dataset.x: 4 numbers for 2 targets: "shape" says what one sample is, such as shape: [2]',
  ],
  [() => dataset({ x, y, shape: [3] }), 'dataset.x: has shape [5,2], which are not rows of [3]'],
  [() => dataset({ x, y }, { test: { x, y }, seed: 1 }), 'dataset.seed: is for data without a test set, "test" is one'],
  [
    () => dataset({ x, y }, { test: { x: [[1]], y: [0] } }),
    'dataset: inputs of train are float32 [2], those of test float32 [1], expected the same',
  ],
  [() => dataset({ x, y }, { test: { x: [[1, 2], [3]], y: [0, 1] } }), 'dataset.test.x: [1] has length 1, the first has 2'],
  [
    () => dataset({ x, y }, { transform: [{ flip: { axis: 'vertical' } }] }),
    'dataset.transform[0]: flip needs images [D,C,H,W], the inputs are [4,2]',
  ],
])('%#: %s', (make, message) => {
  expect(make).toThrow(expect.objectContaining({ name: 'DataError', message: expect.stringContaining(message) }));
});

const untyped = dataset as unknown as (...args: readonly unknown[]) => unknown;
const itself: unknown[] = [];
itself.push(itself);
it.each([
  [[], 'UsageError', 'dataset: data is missing, expected an object'],
  [[{ x }], 'DataError', 'dataset.y: is missing, expected arrays of numbers, a typed array or a Tensor'],
  [[{ x: [['a']], y }], 'DataError', 'dataset.x: holds "a" at [0,0], expected a number'],
  [[{ x: [[1], [undefined]], y }], 'DataError', 'dataset.x: holds undefined at [1,0], expected a number'],
  [[{ x: itself, y }], 'DataError', 'dataset.x: is nested more than 8 deep'],
  [[{ x: { image: x }, y }], 'DataError', 'dataset.x: holds arrays by name (image), expected arrays of numbers'],
  [[{ inputs: x, y }], 'DataError', 'dataset: unknown key "inputs", expected one of x, y, shape'],
  [
    [{ x, y }, { transfrom: [] }],
    'DataError',
    'dataset: options: unknown key "transfrom", expected one of test, seed, transform',
  ],
  [[{ x, y }, { seed: 0.5 }], 'UsageError', 'dataset: options.seed is 0.5, expected a whole number'],
  [[{ x, y }, { test: 'x' }], 'UsageError', 'dataset: options.test is "x", expected a part between 0 and 1, or { x, y }'],
  [[{ x, y }, { transform: 'invert' }], 'UsageError', 'dataset: options.transform is "invert", expected an array'],
  [[{ x, y, shape: [0] }], 'UsageError', 'dataset: shape is an array, expected the sizes of one sample, such as [1, 28, 28]'],
] as const)('without types, %#', (args, name, message) => {
  expect(() => untyped(...args)).toThrow(expect.objectContaining({ name, message: expect.stringContaining(message) }));
});

it('whole numbers come of float32 where it holds one alone', () => {
  const input = { name: 'id', dtype: 'int64', shape: [] } as const;
  const of = (tensor: Tensor) => toInputs(tensor, 'ids', false, 0, input).numbers();
  expect(of(Tensor.from('float32', [-(2 ** 24 - 1), 2 ** 24 - 1]))).toEqual([1 - 2 ** 24, 2 ** 24 - 1]);
  expect(of(Tensor.from('float64', [2 ** 24 + 1]))).toEqual([2 ** 24 + 1]);
  // As float32 it is 2^24.
  expect(() => of(Tensor.from('float32', [2 ** 24 + 1]))).toThrow(
    'ids: holds 16777216 at [0], expected a whole number of int64, as float32 below 2^24',
  );
});
