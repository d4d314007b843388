// Rows varied anew in each epoch: what is drawn follows from seed, epoch and row alone; training by it gives the numbers of the plain form, the same bits
// however it is cut into runs; what does not fit the input is refused.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flip } from '../../src/data/transforms/flip.js';
import type { AugmentationInput } from '../../src/model/description/augment-schema.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { readDescription } from '../../src/model/description/read-text.js';
import { type Column, columnsOf } from '../../src/model/progressive/column.js';
import { DescriptionError, InterruptedError, must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { Augmenter } from '../../src/train/augment/augmenter.js';
import { checkAugment } from '../../src/train/augment/fit.js';
import type { Checkpoint } from '../../src/train/checkpoint.js';
import type { TrainEvent } from '../../src/train/events.js';
import { train } from '../../src/train/loop.js';
import type { TrainRequest } from '../../src/train/request.js';
import { trainSettings } from '../../src/train/settings.js';
import { columnAt, frozenIn, initialAt } from '../support/by-place.js';
import { plainTraining } from '../support/plain-step.js';
import { runtime } from '../support/run.js';

interface Input {
  readonly shape?: number[];
  readonly features?: unknown[];
  readonly dtype?: string;
  readonly prepare?: unknown[];
}

function columnOf(input: Input, augment: AugmentationInput[], seed = 1): Column {
  const first = input.shape === undefined || input.shape.length < 2 ? [{ dense: 2 }] : ['flatten', { dense: 2 }];
  const columns = [{ task: 'a', blocks: [first], head: { classify: 2 }, train: { augment, seed } }];
  const described = parseDescription({ prognet: 1, name: 'toy', input: { name: 'x', ...input }, columns });
  return must(columnsOf(described).column('a'), 'column');
}

/** The rows of `x` at `numbers`, varied. */
function varied(input: Input, augment: AugmentationInput[], x: Tensor, { epoch = 0, seed = 1, numbers = [0] } = {}): number[] {
  const column = columnOf(input, augment, seed);
  const augmenter = must(Augmenter.create(column, trainSettings(column.train, 0), { x }), 'augmenter');
  const size = x.size / (x.dims[0] ?? 1);
  const rows = numbers.flatMap((row) => x.numbers().slice(row * size, (row + 1) * size));
  const taken = Tensor.from(x.dtype, rows, [numbers.length, ...x.dims.slice(1)]);
  const found = must(augmenter.vary({ x: taken }, Uint32Array.from(numbers), epoch).x, 'x');
  expect([found.dtype, found.dims]).toEqual([taken.dtype, taken.dims]);
  return found.numbers();
}

const grey: Input = { shape: [1, 4, 4] };
const r = new Random(9, 'augment');
const bytes = (...dims: number[]) =>
  Tensor.from(
    'uint8',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => r.below(256)),
    dims,
  );
const pictures = bytes(6, 1, 4, 4);
const all: AugmentationInput[] = [
  { flip: 'horizontal' },
  { shift: 1 },
  { rotate: 20 },
  { zoom: 0.2 },
  { brightness: 0.1 },
  { contrast: 0.1 },
  { noise: 0.05 },
];

describe('what is drawn for a row', () => {
  const list = all;
  const rowOf = (numbers: number[], i: number, epoch = 0, seed = 1) =>
    varied(grey, list, pictures, { numbers, epoch, seed }).slice(i * 16, (i + 1) * 16);

  it('follows from its number, not from the rows beside it', () => {
    expect(rowOf([4, 2, 5], 1)).toEqual(rowOf([2], 0));
    expect(rowOf([0, 1, 2, 3, 4, 5], 2)).toEqual(rowOf([2], 0));
  });
  it('is another in another epoch, under another seed, for another row', () => {
    expect(rowOf([2], 0, 1)).not.toEqual(rowOf([2], 0));
    expect(rowOf([2], 0, 0, 2)).not.toEqual(rowOf([2], 0));
    const same = Tensor.from('uint8', [...pictures.numbers().slice(0, 16), ...pictures.numbers().slice(0, 16)], [2, 1, 4, 4]);
    const [a, b] = [0, 1].map((row) => varied(grey, list, same, { numbers: [row] }));
    expect(a).not.toEqual(b);
  });
  it.each(all)('%j changes some row in some epoch, and keeps bytes bytes', (one) => {
    const found = [0, 1, 2, 3].map((epoch) => varied(grey, [one], pictures, { numbers: [0, 1, 2, 3, 4, 5], epoch }));
    expect(found.some((x) => x.join() !== pictures.numbers().join())).toBe(true);
    expect(found.flat().every((v) => Number.isInteger(v) && v >= 0 && v <= 255)).toBe(true);
  });
});

describe('what each does', () => {
  it('flip with probability 1 is the transform flip, with 0 nothing', () => {
    for (const axis of ['horizontal', 'vertical'] as const) {
      const always = varied(grey, [{ flip: { axis, probability: 1 } }], pictures, { numbers: [0, 1, 2, 3, 4, 5] });
      const dataset = { inputs: pictures, targets: Tensor.from('int64', [0, 0, 0, 0, 0, 0]) };
      const mirrored = flip.bind({ axis }, 'x').run(dataset, { path: 'x', part: 'train', train: dataset });
      expect(always).toEqual((mirrored.inputs as Tensor).numbers());
    }
    expect(varied(grey, [{ flip: { axis: 'vertical', probability: 0 } }], pictures)).toEqual(pictures.numbers().slice(0, 16));
  });

  it('shift moves by whole pixels, every way, and fills with zeros', () => {
    const dot = Tensor.from('uint8', [0, 0, 0, 0, 9, 0, 0, 0, 0], [1, 1, 3, 3]);
    const places = new Set<number>();
    for (let epoch = 0; epoch < 100; epoch++) {
      const found = varied({ shape: [1, 3, 3] }, [{ shift: 1 }], dot, { epoch });
      expect(found.filter((v) => v !== 0)).toEqual([9]);
      places.add(found.indexOf(9));
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('brightness, contrast and zoom stay in their range', () => {
    const flat = Tensor.from(
      'uint8',
      Array.from({ length: 16 }, () => 100),
      [1, 1, 4, 4],
    );
    const edges = Tensor.from('uint8', [50, 50, 150, 150], [1, 1, 2, 2]);
    for (let epoch = 0; epoch < 50; epoch++) {
      const [light = 0, ...rest] = varied(grey, [{ brightness: 0.2 }], flat, { epoch });
      expect(rest.every((v) => v === light)).toBe(true);
      expect(Math.abs(light - 100)).toBeLessThanOrEqual(51);
      expect(varied(grey, [{ contrast: 0.5 }], flat, { epoch })).toEqual(flat.numbers());
      const [low = 0, , high = 0] = varied({ shape: [1, 2, 2] }, [{ contrast: 0.5 }], edges, { epoch });
      expect([low >= 25, low <= 75, low + high]).toEqual([true, true, 200]);
    }
  });

  it('images [H,W,C] are varied as the same ones [C,H,W]', () => {
    const rgb = bytes(2, 3, 5, 6);
    const last = (values: number[]) =>
      [0, 1].flatMap((n) => Array.from({ length: 90 }, (_, i) => values[n * 90 + (i % 3) * 30 + Math.floor(i / 3)] ?? 0));
    const moving: AugmentationInput[] = [{ flip: 'horizontal' }, { shift: 2 }, { rotate: 30 }, { zoom: 0.3 }];
    const numbers = [0, 1];
    const turned = Tensor.from('uint8', last(rgb.numbers()), [2, 5, 6, 3]);
    const inputs: Input[] = [{ shape: [5, 6, 3] }, { shape: [5, 6, 3], dtype: 'uint8', prepare: [{ transpose: [2, 0, 1] }] }];
    for (const input of inputs)
      expect(varied(input, moving, turned, { numbers })).toEqual(last(varied({ shape: [3, 5, 6] }, moving, rgb, { numbers })));
  });

  it('noise of numbers is in parts of their own deviation; what is missing stays so, categories stay what they are', () => {
    const rows = 2000;
    const table = Tensor.from(
      'float32',
      Array.from({ length: rows }, (_, i) => [1000 * (i % 2), i % 3, i % 5 === 0 ? Number.NaN : 0.001 * (i % 2)]).flat(),
      [rows, 3],
    );
    const input: Input = {
      features: ['large', { city: ['a', 'b', 'c'] }, 'small'],
      prepare: [{ fill: 0 }, 'one_hot'],
    };
    const found = varied(input, [{ noise: 0.5 }], table, { numbers: Array.from({ length: rows }, (_, i) => i) });
    const differences = (at: number) =>
      Array.from({ length: rows }, (_, i) => (found[i * 3 + at] ?? 0) - (table.numbers()[i * 3 + at] ?? 0));
    const deviation = (values: number[]) => Math.sqrt(values.reduce((a, v) => a + v * v, 0) / values.length);
    expect(deviation(differences(0)) / 250).toBeCloseTo(1, 1);
    expect(deviation(differences(2).filter((v) => !Number.isNaN(v))) / 0.00025).toBeCloseTo(1, 1);
    expect(differences(2).filter((v) => Number.isNaN(v))).toHaveLength(rows / 5);
    expect(differences(1).every((v) => v === 0)).toBe(true);
  });

  it('floats stay in 0..1 where the training data lie there, else they are free', () => {
    const unit = Tensor.from('float32', [0, 1, 0, 1], [1, 1, 2, 2]);
    const wide = Tensor.from('float32', [-3, 3, 0, 1], [1, 1, 2, 2]);
    const found = (x: Tensor) =>
      Array.from({ length: 20 }, (_, epoch) => varied({ shape: [1, 2, 2] }, [{ noise: 0.5 }], x, { epoch })).flat();
    expect(found(unit).every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(Math.min(...found(wide))).toBeLessThan(-3);
  });
});

describe('training', () => {
  const rows = 150;
  const data = {
    inputs: { image: bytes(rows, 1, 8, 8) },
    targets: Tensor.from(
      'int64',
      Array.from({ length: rows }, () => r.below(3)),
    ),
  };
  const description = parseDescription({
    prognet: 1,
    name: 'varied',
    input: { name: 'image', shape: [1, 8, 8] },
    columns: [
      {
        task: 'a',
        blocks: [
          ['flatten', { dense: 10 }, 'relu'],
          [{ dense: 6 }, 'relu'],
        ],
        head: { classify: 3 },
      },
      { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 4 } },
    ],
  });
  const frozen = frozenIn(description, [initialAt(description, 0)]);
  const options = {
    epochs: 3,
    batch: 2,
    augment: [
      { kind: 'flip', axis: 'horizontal', probability: 0.5 },
      { kind: 'shift', pixels: 1 },
    ],
  } as const;
  const settings = trainSettings({ ...options, augment: [...options.augment] }, 4);
  const request: TrainRequest = {
    runtime,
    column: columnAt(description, 1),
    frozen,
    settings,
    train: data,
    session: { threads: 1 },
  };

  it('gives the numbers of the plain form over the same rows, the same bits whatever is kept, and says that nothing is', async () => {
    const events: TrainEvent[] = [];
    const ours = await train({ ...request, onEvent: (event) => events.push(event) });
    const again = await train({ ...request, tapBudget: 0 });
    const plain = await plainTraining({ ...request, threads: 1 });
    for (const [name, { data: values }] of ours.weights) {
      const expected = must(plain.get(name), name).data as Float32Array;
      (values as Float32Array).forEach((v, i) => {
        expect(Math.abs(v - must(expected[i], name)), `${name}[${i}]`).toBeLessThan(1e-5);
      });
      expect(must(again.weights.get(name), name).data, name).toEqual(values);
    }
    expect(events.filter(({ kind }) => ['augmented', 'taps', 'tapping', 'stored', 'uncached'].includes(kind))).toEqual([
      { kind: 'augmented', bytes: rows * 16 * 4 },
    ]);
    const unvaried = await train({ ...request, settings: trainSettings({ epochs: 3, batch: 2 }, 4) });
    expect(unvaried.history.map(({ loss }) => loss)).not.toEqual(ours.history.map(({ loss }) => loss));
  });

  it('interrupted in the middle of an epoch and resumed ends with the same bits', async () => {
    const whole = await train(request);
    let saved: Checkpoint | undefined;
    const stop = new AbortController();
    const store = {
      load: async () => saved,
      save: async (checkpoint: Checkpoint) => {
        saved = checkpoint;
      },
    };
    const interrupted = train({
      ...request,
      store,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'step' && event.epoch === 2) stop.abort();
      },
    });
    await expect(interrupted).rejects.toBeInstanceOf(InterruptedError);
    expect(saved?.state.epoch).toBe(1);
    expect(saved?.state.offset).toBeGreaterThan(0);
    expect(saved?.state.offset).toBeLessThan(75);
    const resumed = await train({ ...request, store });
    expect(resumed.history).toEqual(whole.history);
    for (const [name, { data: values }] of whole.weights) expect(resumed.weights.get(name)?.data, name).toEqual(values);
  });

  it('leaves validation data as they are', async () => {
    // At this rate no weight moves, so that validation measures the same network.
    const still = { epochs: 1, batch: 8, lr: 1e-30 };
    const measured = async (augment?: AugmentationInput[]) => {
      const { train: given } = columnOf({ shape: [1, 8, 8] }, augment ?? all);
      const own = trainSettings({ ...still, ...(augment && { augment: given.augment }) }, 4);
      const { history } = await train({ ...request, settings: own, validation: data });
      return must(history[0], 'epoch');
    };
    const [without, with_] = [await measured(), await measured(all)];
    expect(with_.validation).toEqual(without.validation);
    expect(with_.loss).not.toEqual(without.loss);
  });
});

it('docs/data.md shows a list that its network takes', () => {
  const page = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');
  const [, text = ''] = /```yaml title=varied.yaml\n(.*?)```/s.exec(page) ?? [];
  const column = must(columnsOf(readDescription(text, 'varied.yaml')).column('digits'), 'column');
  expect(column.train.augment?.map(({ kind }) => kind)).toEqual(['shift', 'rotate', 'noise']);
  checkAugment(column, column.train.augment);
});

describe('is refused', () => {
  const refusal = (input: Input, augment: unknown[], x?: Tensor) => {
    try {
      const column = columnOf(input, augment as AugmentationInput[]);
      Augmenter.create(column, trainSettings(column.train, 0), { x: x ?? Tensor.zeros('float32', [2, ...(input.shape ?? [1])]) });
    } catch (error) {
      expect(error).toBeInstanceOf(DescriptionError);
      return (error as Error).message;
    }
    throw new Error('nothing was refused');
  };
  const at = 'columns[0].train.augment[0]';
  const list = '"flip", "shift", "rotate", "zoom", "brightness", "contrast", "noise"';

  it.each([
    [
      { shape: [5] },
      { flip: 'horizontal' },
      `${at}: flip is for images, a sample is [5], expected images [C,H,W], [H,W,C] or [H,W]`,
    ],
    [
      { features: ['a', 'b'] },
      { rotate: 5 },
      `${at}: rotate is for images, the input is a table, expected images [C,H,W], [H,W,C] or [H,W]`,
    ],
    [
      { features: [{ city: ['a', 'b'] }], prepare: ['one_hot'] },
      { noise: 1 },
      `${at}: noise adds to numbers, and every feature of the input is a category, expected a feature that is a number`,
    ],
    [{ shape: [1, 4, 4] }, { shift: 4 }, `${at}: shift by 4 pixels, expected at most 3 of an image 4 x 4`],
    [
      { shape: [4, 3, 5], prepare: [{ transpose: [1, 0, 2] }] },
      { zoom: 0.1 },
      `${at}: zoom is for images, a sample is [4,3,5], expected images [C,H,W], [H,W,C] or [H,W]`,
    ],
    [{ shape: [1, 4, 4] }, { flip: 'sideways' }, `${at}.flip: found "sideways", expected one of "horizontal", "vertical"`],
    [{ shape: [1, 4, 4] }, 'flip', `${at}: found "flip" alone, expected its options, as in { flip: horizontal }`],
    [{ shape: [1, 4, 4] }, { zoom: 1 }, `${at}.zoom: found 1, expected a number above 0 and below 1`],
    [{ shape: [1, 4, 4] }, { permute: 1 }, `${at}: unknown augmentation "permute", expected one of ${list}`],
  ])('%j: %j', (input, augment, message) => {
    expect(refusal(input, [augment])).toBe(message);
  });

  it('an empty list, and what is no list', () => {
    const refused = (augment: unknown) => () => columnOf(grey, augment as AugmentationInput[]);
    expect(refused([])).toThrow('columns[0].train.augment: found [], expected at least one augmentation');
    expect(refused({ flip: 'horizontal' })).toThrow(
      'columns[0].train.augment: found {"flip":"horizontal"}, expected a list of augmentations',
    );
  });
});
