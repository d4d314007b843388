// Samples that a network does not take: the refusal says the way, where there is one.
import { expect, test } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fitData } from '../../src/train/prepare-data.js';

const column = columnsOf(
  parseDescription({
    prognet: 1,
    name: 'net',
    input: { name: 'image', shape: [3, 8, 6] },
    columns: [{ task: 'a', blocks: [['flatten', { dense: 2 }]], head: { classify: 2 } }],
  }),
).column('a');
const samplesOf = (...shape: number[]) =>
  fitData(column, { inputs: Tensor.zeros('uint8', [2, ...shape]), targets: Tensor.zeros('int64', [2]) }, 'data');

test('axes in another order are told with the step that puts them right', () => {
  expect(() => samplesOf(8, 6, 3)).toThrow(
    'data: a sample has shape [8,6,3], input "image" is [3,8,6]; shape: [8, 6, 3] with prepare: [{ transpose: [2, 0, 1] }] takes it',
  );
  expect(() => samplesOf(8, 6, 1)).toThrow(/^data: a sample has shape \[8,6,1\], input "image" is \[3,8,6\]$/);
  expect(() => samplesOf(144)).toThrow(/is \[3,8,6\]$/);
  expect(samplesOf(3, 8, 6).inputs.image?.dims).toEqual([2, 3, 8, 6]);
});
