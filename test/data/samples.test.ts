// Named inputs: a tensor alone is a network's only input; other names and numbers of inputs are refused by name.
import { expect, it } from 'vitest';
import { splitValidation } from '../../src/data/dataset.js';
import { fingerprint } from '../../src/data/fingerprint.js';
import { countOf, hashNamed, isRows, mapSamples, namedSamples } from '../../src/data/samples.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

const image = Tensor.from('float32', [0, 1, 2, 3, 4, 5, 6, 7], [4, 2]);
const mask = Tensor.from('float32', [3, 2, 1, 0], [4, 1]);
const targets = Tensor.from('int64', [0, 1, 0, 1]);

it('a tensor alone and the only name are the same', () => {
  expect(namedSamples(image, ['image'], 'data')).toEqual({ image });
  expect(namedSamples({ image }, ['image'], 'data')).toEqual({ image });
  expect([isRows(image), isRows({ image }), isRows({ dtype: image })]).toEqual([true, false, false]);
  expect(fingerprint({ inputs: { image }, targets })).toBe(fingerprint({ inputs: image, targets }));
});

it('several inputs come in the order of the network, whatever the order given', () => {
  const samples = namedSamples({ mask, image }, ['image', 'mask'], 'data');
  expect(Object.keys(samples)).toEqual(['image', 'mask']);
  expect(countOf(samples)).toBe(4);
  expect(mapSamples(samples, ({ dims }) => dims)).toEqual({ image: [4, 2], mask: [4, 1] });
  expect(Object.keys(hashNamed(samples))).toEqual(['inputs', 'inputs/mask']);
});

it.each([
  [image, ['image', 'mask'], 'data: one tensor for 2 inputs, expected { image, mask }'],
  [{ picture: image }, ['image'], 'data: inputs named "picture" for those named "image", expected { image }'],
  [{ image }, ['image', 'mask'], 'data: inputs named "image" for those named "image", "mask", expected { image, mask }'],
  [{ image, mask }, ['image'], 'data: inputs named "image", "mask" for those named "image", expected { image }'],
  [{}, ['image'], 'data: inputs named none for those named "image", expected { image }'],
] as const)('%#: %s', (given, names, message) => {
  expect(() => namedSamples(given, names, 'data')).toThrow(message);
});

it('rows are split through all inputs alike', () => {
  const { train, validation } = splitValidation({ inputs: { image, mask }, targets }, 0.25, 1);
  for (const { inputs } of [train, validation])
    inputs.mask?.numbers().forEach((m, row) => {
      // A row's mask counts down where its image counts up.
      expect(inputs.image?.numbers()[2 * row]).toBe(2 * (3 - m));
    });
  expect([countOf(train.inputs), countOf(validation.inputs)]).toEqual([3, 1]);
});
