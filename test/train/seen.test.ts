// What values training data had, and what is said of inputs beside them.
import { describe, expect, it } from 'vitest';
import type { Seen } from '../../src/model/progressive/facts.js';
import type { NetworkInput } from '../../src/model/progressive/inputs.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { besideSeen, seenOf } from '../../src/train/seen.js';

const image: NetworkInput = { name: 'image', dtype: 'float32', shape: [1, 2, 2] };
const row: NetworkInput = {
  name: 'row',
  dtype: 'float32',
  shape: [3],
  features: [{ name: 'age' }, { name: 'city', categories: ['Bern', 'Zug'] }, { name: 'income' }],
};
const plain: NetworkInput = { name: 'row', dtype: 'float32', shape: [2] };
const rowOf = (...values: number[]) => ({ row: Tensor.from('float32', values, [values.length / 3, 3]) });
const imageOf = (...values: number[]) => ({ image: Tensor.from('float32', values, [values.length / 4, 1, 2, 2]) });
const bytes = { image: new Tensor('uint8', [1, 1, 2, 2], Uint8Array.of(0, 9, 200, 255)) };

describe('seenOf', () => {
  it('a table has a range for each number, none for a category and where every value is missing', () => {
    expect(seenOf(rowOf(30, 0, 5, 18, 1, Number.NaN, 64.5, -1, 7), [row])).toEqual({ row: { each: [[18, 64.5], null, [5, 7]] } });
    expect(seenOf(rowOf(30, 0, Number.NaN), [row])).toEqual({ row: { each: [[30, 30], null, null] } });
    expect(seenOf({ row: Tensor.from('float32', [1, 2, 3, 0.1], [2, 2]) }, [plain])).toEqual({
      row: {
        each: [
          [1, 3],
          [0.1, 2],
        ],
      },
    });
  });
  it('images have one range, of bytes that are scaled 0 to 1; bytes that stay bytes have none', () => {
    expect(seenOf(imageOf(0.25, 1, -2, 0), [image])).toEqual({ image: { range: [-2, 1] } });
    expect(seenOf(bytes, [image])).toEqual({ image: { range: [0, 1], unit: 'byte / 255' } });
    expect(seenOf(bytes, [{ ...image, dtype: 'uint8' }])).toEqual({});
  });
});

describe('besideSeen', () => {
  const seen: Record<string, Seen> = { row: { each: [[18, 80], null, [0, 10]] } };
  const scaled: Record<string, Seen> = { image: { range: [0, 1], unit: 'byte / 255' } };
  it('tells numbers that are further from the range than it is wide, by their names', () => {
    expect(besideSeen(rowOf(142, 0, 20), [row], seen, 'people.csv')).toEqual([]);
    expect(besideSeen(rowOf(143, 5, 3, 40, 0, -11), [row], seen, 'people.csv')).toEqual([
      'people.csv: age is 40 to 143, in training it was 18 to 80',
      'people.csv: income is -11 to 3, in training it was 0 to 10',
    ]);
    expect(
      besideSeen(
        { row: Tensor.from('float32', [1, 9], [1, 2]) },
        [plain],
        {
          row: {
            each: [
              [1, 1],
              [1, 1],
            ],
          },
        },
        'x',
      ),
    ).toEqual(['x: number 1 of row is 9, in training it was 1']);
  });
  it('says nothing where nothing is known, values are missing, or the shape is another', () => {
    expect(besideSeen(rowOf(1e6, 0, 1e6), [row], {}, 'x')).toEqual([]);
    expect(besideSeen(rowOf(Number.NaN, 0, 5), [row], seen, 'x')).toEqual([]);
    expect(besideSeen(rowOf(1e6, 0, 1e6), [row], { row: { each: [[0, 1]] } }, 'x')).toEqual([]);
  });
  it('refuses numbers as of bytes where the model takes them divided by 255', () => {
    expect(besideSeen(imageOf(0, 1, 2, -1), [image], scaled, 'a.npy')).toEqual([]);
    expect(besideSeen(bytes, [image], scaled, 'a.npy')).toEqual([]);
    expect(() => besideSeen(imageOf(0, 1, 2, 255), [image], scaled, 'a.npy')).toThrow(
      'a.npy: image is 0 to 255, and the model takes 0 to 1; expected bytes (uint8), or their values divided by 255',
    );
  });
  it('refuses bytes where it was trained on other numbers, since they would be divided by 255', () => {
    expect(besideSeen(bytes, [image], { image: { range: [0, 0.99] } }, 'a.npy')).toEqual([]);
    expect(() => besideSeen(bytes, [image], { image: { range: [0, 16] } }, 'a.npy')).toThrow(
      'a.npy: image is uint8, which is divided by 255; expected float32, in training it was 0 to 16',
    );
  });
});
