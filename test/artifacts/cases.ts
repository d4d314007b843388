// Columns that every engine must train alike, with data and the weights of the frozen column before them.

import type { Samples } from '../../src/data/samples.js';
import { parseDescription } from '../../src/model/description/parse.js';
import type { Column } from '../../src/model/progressive/column.js';
import { boundToData } from '../../src/model/progressive/open-inputs.js';
import { type FrozenWeights, initialWeights, type Weights } from '../../src/model/progressive/weights.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { columnAt } from '../support/by-place.js';

export const steps = 20;
export const batch = 8;

export interface EngineCase {
  /** The column to train; the one before it is frozen. */
  readonly column: Column;
  readonly frozen: FrozenWeights;
  readonly inputs: Samples;
  readonly targets: Tensor;
}

const bodies = {
  dense: [
    ['flatten', { dense: 16 }, 'relu'],
    [{ dense: 12 }, 'tanh'],
  ],
  conv: [
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'relu', { maxpool2d: 2 }],
    [{ conv2d: { filters: 6, kernel: 3, padding: 'same', stride: 2 } }, 'relu'],
    ['flatten', { dense: 12 }, 'relu'],
  ],
  // No bias before a batch_norm: its gradient is zero but for rounding, which Adam would make the most of.
  batch_norm: [
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same', bias: false } }, 'batch_norm', 'relu', { avgpool2d: 2 }],
    ['flatten', { dense: { units: 12, bias: false } }, 'batch_norm', 'relu', { dropout: 0.2 }],
  ],
  // Without dropout, whose masks another tool would not draw alike.
  normed: [
    [{ conv2d: { filters: 4, kernel: 3, padding: 'same', bias: false } }, 'batch_norm', 'relu', { avgpool2d: 2 }],
    ['flatten', { dense: { units: 12, bias: false } }, 'batch_norm', 'relu'],
  ],
} as const;

export const bodyNames = ['dense', 'conv', 'batch_norm'] as const;
export const lateralKinds = ['linear', 'adapter'] as const;
const heads = {
  cross_entropy: { classify: 3 },
  bce: { binary: 3 },
  mse: { regress: { outputs: 3 } },
  l1: { regress: { outputs: 3, loss: 'l1' } },
} as const;
/** Several heads over one tap, their targets side by side: a class, two flags, a number. */
const several = { group: { classify: 3 }, flags: { binary: 2 }, age: { regress: 1, weight: 0.3 } } as const;
export type HeadName = keyof typeof heads | 'several';

/** Two columns, the body of the first by name where it is another, over [1, 8, 8] images and `steps` minibatches of `batch` rows. */
export function engineCase(
  body: keyof typeof bodies,
  laterals: (typeof lateralKinds)[number],
  head: HeadName = 'cross_entropy',
  first: keyof typeof bodies = body,
): EngineCase {
  const description = parseDescription({
    prognet: 1,
    name: 'engines',
    input: { name: 'image', shape: [1, 8, 8] },
    columns: [
      { task: 'first', blocks: bodies[first], ...(head === 'several' ? { heads: several } : { head: heads[head] }) },
      { task: 'second', like: 'first', blocks: bodies[body], laterals: { kind: laterals } },
    ],
  });
  const random = new Random(5, `${body}/${laterals}`);
  const rows = steps * batch;
  const x = Float32Array.from({ length: rows * 64 }, () => random.normal());
  const classify = head === 'cross_entropy';
  const width = head === 'several' ? 4 : 3;
  const targets = classify
    ? new Tensor(
        'int64',
        [rows],
        BigInt64Array.from({ length: rows }, (_, i) => BigInt((x[i * 64] ?? 0) > 0 ? 1 : i % 3)),
      )
    : new Tensor(
        'float32',
        [rows, width],
        Float32Array.from({ length: rows * width }, () => Number(random.uniform() > 0.5)),
      );
  return {
    column: columnAt(description, 1),
    frozen: new Map([['first', trained(columnAt(description, 0), random)]]),
    inputs: { image: new Tensor('float32', [rows, 1, 8, 8], x) },
    targets,
  };
}

/** Steps of each sample of `openCase`. */
export const openSteps = 13;

/** Two columns over tokens and how many of them are there, the second with laterals; `size` is a number or the name of an open size. */
export const openDescription = (size: string | number) => ({
  prognet: 1,
  name: 'words',
  input: [
    { name: 'tokens', shape: [size], dtype: 'int64' },
    { name: 'count', shape: [], dtype: 'int64' },
  ],
  columns: [
    {
      task: 'first',
      data: 'mood.npz',
      inputs: ['tokens', 'count'],
      blocks: [[{ embedding: { size: 6, vocabulary: 20 } }, { gru: { units: 5, mask: 'count' } }, { dense: 4 }, 'relu']],
      head: { classify: 3 },
      train: { epochs: 1 },
    },
    {
      task: 'second',
      data: 'mood.npz',
      inputs: ['tokens', 'count'],
      blocks: [
        [{ embedding: { size: 6, vocabulary: 20 } }, 'sinusoidal', { transformer_encoder: { heads: 2, mask: 'count' } }],
        [{ mean_over_steps: { mask: 'count' } }, { dense: 4 }, 'relu'],
      ],
      head: { classify: 3 },
      train: { epochs: 1 },
    },
  ],
});

/** The second of them as a training has it, bound to `steps` minibatches of `batch` rows. */
export function openCase(): EngineCase {
  const description = parseDescription(openDescription('steps'));
  const random = new Random(5, 'open');
  const rows = steps * batch;
  const below = (most: number, dims: readonly number[], least = 0) =>
    Tensor.from(
      'int64',
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => least + random.below(most)),
      [...dims],
    );
  const inputs = { tokens: below(20, [rows, openSteps]), count: below(openSteps, [rows], 1) };
  return {
    column: boundToData(columnAt(description, 1), inputs, 'training data'),
    frozen: new Map([['first', initialWeights(columnAt(description, 0))]]),
    inputs,
    targets: below(3, [rows]),
  };
}

/** First weights, with running statistics as after a training. */
function trained(column: Column, random: Random): Weights {
  const weights = initialWeights(column);
  for (const { name, role, shape } of column.parameters.specs) {
    if (role !== 'statistic') continue;
    const data = Float32Array.from({ length: shape[0] ?? 1 }, () => 0.5 + random.uniform());
    weights.set(name, new Tensor('float32', shape, data));
  }
  return weights;
}
