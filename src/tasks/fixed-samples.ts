// Samples that stand for data where a column needs none: always the same, so that what it gives for them can be compared.
import type { SampleSet } from '../data/dataset.js';
import { hasCategories } from '../model/description/features.js';
import type { NetworkInput } from '../model/progressive/inputs.js';
import type { DType } from '../onnx/core/dtype.js';
import { Random } from '../onnx/core/random.js';
import { Tensor } from '../onnx/core/tensor.js';

/** How many. */
const count = 4;
/** What an open size of them is. */
const openSize = 32;

/** Numbers that any model can take: fractions, bytes, and of other integers those below `limit`: 0 and 1 where nothing is known, which are ids and flags alike. */
export function randomSamples(dtype: DType, dims: readonly number[], random: Random, limit = 2): Tensor {
  const size = dims.reduce((n, d) => n * d, 1);
  const most = dtype === 'uint8' ? 256 : limit;
  const whole = dtype !== 'float32' && dtype !== 'float64' && dtype !== 'float16';
  const numbers = Array.from({ length: size }, () => (whole ? random.below(most) : random.uniform()));
  return Tensor.from(dtype, numbers, [...dims]);
}

/** Of a network's inputs, without targets that anything is judged by. */
export function fixedSamples(inputs: readonly NetworkInput[]): SampleSet {
  const samples = inputs.map(({ name, dtype, shape, features, tokens }) => {
    const random = new Random(0, 'samples', name);
    const dims = shape.map((size) => (typeof size === 'number' ? size : openSize));
    const tensor = randomSamples(dtype, [count, ...dims], random, tokens?.vocabulary);
    if (!hasCategories(features)) return [name, tensor] as const;
    const texts = features.map(({ categories }) => categories?.length);
    const places = tensor.numbers().map((v, i) => {
      const limit = texts[i % texts.length];
      return limit === undefined ? v : random.below(limit);
    });
    return [name, Tensor.from(dtype, places, tensor.dims)] as const;
  });
  return { inputs: Object.fromEntries(samples), targets: Tensor.zeros('float32', [count, 1]) };
}
