// Columns that every engine must train alike, with data and the weights of the frozen column before them.

import type { Samples } from '../../src/data/samples.js';
import { parseDescription } from '../../src/model/description/parse.js';
import type { Column } from '../../src/model/progressive/column.js';
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
