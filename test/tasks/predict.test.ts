// What `prognet predict --input` takes, by what the file begins with.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeIdx } from '../../src/formats/idx.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { readInputs } from '../../src/tasks/predict.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-inputs-'));
const x = Tensor.zeros('float32', [2, 4]);

it('reads .npy and IDX, whatever their names, and calls anything else by no wrong name', () => {
  const read = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(dir, name), bytes);
    const { x } = readInputs(join(dir, name), [{ name: 'x', dtype: 'float32', shape: [4] }]);
    return must(x, 'x');
  };
  expect(read('x.npy', writeNpy(x)).dims).toEqual([2, 4]);
  expect(read('x.bin', writeNpy(x)).dims).toEqual([2, 4]);
  expect(read('x-idx2-ubyte', writeIdx([2, 4], new Uint8Array(8))).dims).toEqual([2, 4]);
  for (const [name, bytes] of [
    ['x.npz', writeNpz(new Map([['x', x]]))],
    ['x.csv', '1,2,3,4\n'],
    ['empty', ''],
  ] as const)
    expect(() => read(name, bytes)).toThrow(
      `${join(dir, name)}: is neither .npy nor IDX, expected one array of inputs as .npy or IDX`,
    );
  expect(() => read('cut.npy', '')).toThrow(/cut\.npy: not an npy file/);
});
