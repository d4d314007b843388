import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkTargets, fitTargets } from '../../src/data/checks.js';
import { type Dataset, splitTest, splitValidation, take } from '../../src/data/dataset.js';
import { fingerprint } from '../../src/data/fingerprint.js';
import { loadData, loadSource } from '../../src/data/sources.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { expectDataError, expectDataRejection } from '../formats/expect-data-error.js';

let dir: string;
const inDir = () => ({ baseDir: dir, path: 'columns[0].data' });
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'prognet-data-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const file = (name: string, bytes: Uint8Array | string): string => {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), bytes);
  return join(dir, name);
};
const bytes = (dims: number[], fill = 1) => Tensor.from('uint8', Array(dims.reduce((a, b) => a * b, 1)).fill(fill), dims);
const idx = (tensor: Tensor) =>
  Uint8Array.from([0, 0, 8, tensor.dims.length, ...tensor.dims.flatMap((d) => [0, 0, 0, d]), ...tensor.bytes]);

describe('mnist', () => {
  test('full, raw, with the known histograms', async () => {
    const { train, test: rest } = await loadSource('mnist', { baseDir: '/' });
    expect([train.inputs.dtype, train.inputs.dims, train.classes]).toEqual(['uint8', [60000, 1, 28, 28], 10]);
    expect([rest.inputs.dtype, rest.inputs.dims, rest.classes]).toEqual(['uint8', [10000, 1, 28, 28], 10]);
    const histogram = (d: Dataset) => {
      const counts = Array<number>(10).fill(0);
      for (const label of d.targets.numbers()) counts[label] = (counts[label] ?? 0) + 1;
      return counts;
    };
    expect(histogram(train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(histogram(rest)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(train.targets.numbers().slice(0, 5)).toEqual([5, 0, 4, 1, 9]);
    let sum = 0;
    for (const v of train.inputs.bytes) sum += v;
    expect(sum / train.inputs.size / 255).toBeCloseTo(0.1307, 4);
    expect(fingerprint(train)).toBe(fingerprint({ ...train }));
    expect(fingerprint(train)).not.toBe(fingerprint(rest));
    checkTargets(train, { kind: 'classify', size: 10 }, 'mnist train');
  });

  test('with transforms', async () => {
    const spec = { source: 'mnist', transform: [{ classes: [3, 7] }, 'invert' as const] };
    const { train } = await loadData(spec, { baseDir: '/' });
    expect([train.inputs.dtype, train.inputs.dims[0], train.classes]).toEqual(['uint8', 6131 + 6265, 2]);
  });
});

describe('fashion-mnist', () => {
  test('whole, with the names of its classes unless the head has its own', async () => {
    const { train, test: rest } = await loadSource('fashion-mnist', { baseDir: '/' });
    expect([train.inputs.dtype, train.inputs.dims, train.classes]).toEqual(['uint8', [60000, 1, 28, 28], 10]);
    expect(rest.inputs.dims).toEqual([10000, 1, 28, 28]);
    for (const [set, each] of [
      [train, 6000],
      [rest, 1000],
    ] as const)
      for (let label = 0; label < 10; label++)
        expect(set.targets.numbers().filter((v) => v === label).length, `${label}`).toBe(each);
    expect(train.classNames?.[9]).toBe('ankle boot');
    let sum = 0;
    for (const v of train.inputs.bytes) sum += v;
    // The mean that the data set's pages state.
    expect(sum / train.inputs.size / 255).toBeCloseTo(0.286, 3);
    const names = Array.from({ length: 10 }, (_, i) => `c${i}`);
    const called = await loadSource('fashion-mnist', { baseDir: '/', head: { kind: 'classify', size: 10, names } });
    expect(called.train.classNames).toBeUndefined();
  });
});

describe('tables', () => {
  const head = (size: number, names?: string[]) => ({ kind: 'classify' as const, size, ...(names && { names }) });

  test('labels of texts: by names, else sorted; of train.csv and test.csv together', async () => {
    file('pair/train.csv', 'a,kind\n1,rose\n2,aster\n');
    file('pair/test.csv', 'kind,a\nlily,3\n');
    const spec = { source: 'pair', label: 'kind' };
    const { train, test: rest } = await loadData(spec, { ...inDir(), head: head(3) });
    expect([train.classNames, rest.classNames]).toEqual([
      ['aster', 'lily', 'rose'],
      ['aster', 'lily', 'rose'],
    ]);
    expect([train.targets.numbers(), rest.targets.numbers()]).toEqual([[2, 0], [1]]);
    expect([train.inputs.numbers(), rest.inputs.numbers()]).toEqual([[1, 2], [3]]);
    const named = await loadData(spec, { ...inDir(), head: head(3, ['rose', 'lily', 'aster']) });
    expect(named.train.targets.numbers()).toEqual([0, 2]);
    const where = `${join(dir, 'pair/train.csv')}: label column "kind"`;
    await expectDataRejection(
      loadData(spec, { ...inDir(), head: head(2) }),
      `${where}: holds 3 classes, ["aster","lily","rose"]; a classify head of 2 needs 2 or "names" of the head`,
    );
    await expectDataRejection(
      loadData(spec, { ...inDir(), head: head(2, ['rose', 'lily']) }),
      `${where}: row 3 holds "aster", expected one of the names ["rose","lily"]; the column holds ["aster","lily","rose"]`,
    );
    await expectDataRejection(
      loadData({ ...spec, test: 0.5 }, inDir()),
      'columns[0].data.test: is for sources without a test set, "pair" has its own',
    );
    file('lone/train.csv', 'a,kind\n1,x\n');
    await expectDataRejection(
      loadData('lone', inDir()),
      `${join(dir, 'lone')}: has train.csv and no test.csv; name the file itself to have a test set drawn from it`,
    );
  });

  test('numbers are names where the names say so, and count the classes where they do not', async () => {
    file('n.csv', `a,y\n${['3', '7', '3', '7'].map((y, i) => `${i},${y}`).join('\n')}\n`);
    const of = async (names: string[] | undefined, size: number) =>
      (await loadData({ source: 'n.csv', test: 0.25 }, { ...inDir(), head: head(size, names) })).train.targets.numbers();
    expect((await of(['7', '3'], 2)).every((label) => label < 2)).toBe(true);
    expect((await of(undefined, 8)).every((label) => label === 3 || label === 7)).toBe(true);
  });

  test('names go through the transform classes; a head that names others is refused', async () => {
    file('t.csv', `a,kind\n${['x', 'y', 'z', 'x', 'y', 'z'].map((y, i) => `${i},${y}`).join('\n')}\n`);
    const spec = { source: 't.csv', test: 0.34, transform: [{ classes: [2, 0] }] };
    const { train } = await loadData(spec, { ...inDir(), head: head(2) });
    expect(train.classNames).toEqual(['z', 'x']);
    const given = { inputs: { row: train.inputs }, targets: train.targets, classNames: ['z', 'x'] };
    expectDataError(
      () => fitTargets(given, head(2, ['x', 'z']), 'train'),
      'train: the classes are ["z","x"], the head names them ["x","z"]',
    );
  });

  test('columns beside features are refused', async () => {
    file('f.csv', 'a,y\n1,0\n2,1\n');
    await expectDataRejection(
      loadData({ source: 'f.csv', drop: ['a'] }, { ...inDir(), features: [{ name: 'a' }] }),
      'columns[0].data.drop: the network\'s input has "features", which say what is read; expected no "drop" beside them',
    );
  });
});

describe('files', () => {
  test('a folder of IDX files, plain or gzip', async () => {
    file('idx/train-images-idx3-ubyte', idx(bytes([3, 2, 2])));
    file('idx/train-labels-idx1-ubyte.gz', gzipSync(idx(Tensor.from('uint8', [0, 4, 1]))));
    file('idx/t10k-images.idx3-ubyte', idx(bytes([1, 2, 2])));
    await expectDataRejection(loadSource('idx', inDir()), `${dir}/idx: has no file t10k-labels-idx1-ubyte[.gz]`);
    file('idx/t10k-labels-idx1-ubyte', idx(Tensor.from('uint8', [2])));
    const { train, test: rest } = await loadSource('./idx', inDir());
    expect([train.inputs.dims, train.targets.numbers(), train.classes]).toEqual([[3, 1, 2, 2], [0, 4, 1], 5]);
    expect([rest.inputs.dims, rest.classes]).toEqual([[1, 1, 2, 2], 5]);
  });

  test('an npz with texts beside x and y is read; a CSV source tells what it guessed', async () => {
    const names = Buffer.from(
      Buffer.from(writeNpy(Tensor.from('uint8', [7, 8])))
        .toString('latin1')
        .replace('|u1', '|S1'),
      'latin1',
    );
    const [x, y] = [writeNpy(bytes([4, 3])), writeNpy(Tensor.from('int64', [0, 1, 0, 1]))];
    file('texts.npz', zipSync({ 'names.npy': names, 'x.npy': x, 'y.npy': y, 'x_train.npy': names }));
    expect((await loadSource({ source: 'texts.npz', test: 0.5 }, inDir())).train.inputs.dims).toEqual([2, 3]);
    const told: string[] = [];
    const path = file('guess.csv', 'a,b\n1,0\n2,1\n');
    await loadSource({ source: 'guess.csv', test: 0.5 }, { ...inDir(), onNote: (line) => told.push(line) });
    expect(told).toEqual([
      `${path}: row 1 taken as names of the columns, column 2 ("b") as the label; "header" and "label" in the data entry decide it`,
    ]);
  });

  test('a test set that nobody asked for is told', async () => {
    const path = file('drawn.csv', `x,a\n${Array.from({ length: 10 }, (_, i) => `${i},${i % 2}\n`).join('')}`);
    const told: string[] = [];
    const onDrawn = (line: string) => told.push(line);
    await loadSource({ source: 'drawn.csv', seed: 4 }, { ...inDir(), onDrawn });
    await loadSource({ source: 'drawn.csv', test: 0.5 }, { ...inDir(), onDrawn });
    expect(told).toEqual([
      `${path}: brings no test set: 2 of 10 rows, drawn by seed 4, are it; "test" and "seed" in the data entry decide it`,
    ]);
  });

  test('npz whose array is called as the input of the network', async () => {
    const [x, y] = [bytes([4, 3]), Tensor.from('int64', [0, 1, 0, 1])];
    const inputs = [{ name: 'row', dtype: 'uint8' as const, shape: [3] }];
    const named = { ...inDir(), inputs };
    const save = (name: string, arrays: [string, Tensor][]) => file(name, writeNpz(new Map(arrays)));
    save('named.npz', [
      ['row', x],
      ['y', y],
    ]);
    expect((await loadSource({ source: 'named.npz', test: 0.5 }, named)).train.inputs.dims).toEqual([2, 3]);
    const path = join(dir, 'named.npz');
    await expectDataRejection(
      loadSource('named.npz', inDir()),
      `${path}: arrays are "row", "y", expected x_train, y_train, x_test, y_test or x, y`,
    );
    save('parts.npz', [
      ['row_train', x],
      ['y_train', y],
      ['row_test', x],
      ['y_test', y],
    ]);
    expect((await loadSource('parts.npz', named)).test.inputs.dims).toEqual([4, 3]);
    save('other.npz', [['z', x]]);
    await expectDataRejection(
      loadSource('other.npz', named),
      `${dir}/other.npz: arrays are "z", expected x_train, y_train, x_test, y_test or x, y or row_train, y_train, row_test, y_test or row, y`,
    );
  });

  test('npz with its own test set, and without', async () => {
    const x = Tensor.from('float64', [1, 2, 3, 4], [2, 2]);
    const y = Tensor.from('uint8', [0, 1]);
    file(
      'four.npz',
      writeNpz(
        new Map([
          ['x_train', x],
          ['y_train', y],
          ['x_test', x],
          ['y_test', y],
        ]),
      ),
    );
    const four = await loadSource('four.npz', inDir());
    expect([four.train.inputs.dtype, four.train.targets.dtype, four.train.classes]).toEqual(['float32', 'int64', 2]);
    file(
      'two.npz',
      writeNpz(
        new Map([
          ['x', bytes([10, 3])],
          ['y', Tensor.from('float32', Array(20).fill(0.5), [10, 2])],
        ]),
      ),
    );
    const two = await loadSource({ source: 'two.npz', test: 0.3, seed: 5 }, inDir());
    expect([two.train.inputs.dims, two.test.inputs.dims, two.test.targets.dims]).toEqual([
      [7, 3],
      [3, 3],
      [3, 2],
    ]);
    expect(two.train.inputs.dtype).toBe('uint8');
    expect(two.train.classes).toBeUndefined();
  });

  test('npy files in a folder; halves, bools and float targets', async () => {
    file('npy/x.npy', writeNpy(new Tensor('float16', [5], Uint16Array.from([0x3c00, 0xc000, 0, 0x3555, 0x7bff]))));
    file('npy/y.npy', writeNpy(Tensor.from('float64', [1, 2, 3, 4, 5])));
    const { train, test: rest } = await loadSource('npy', inDir());
    expect([train.inputs.dims, rest.inputs.dims, train.targets.dims]).toEqual([
      [4, 1],
      [1, 1],
      [4, 1],
    ]);
    const values = new Map(
      [...train.targets.numbers(), ...rest.targets.numbers()].map((t, i) => [
        t,
        [...train.inputs.numbers(), ...rest.inputs.numbers()][i],
      ]),
    );
    expect(values.get(1)).toBe(1);
    expect(values.get(2)).toBe(-2);
    expect(values.get(4)).toBeCloseTo(1 / 3, 3);
    expect(values.get(5)).toBe(65504);
  });

  test('csv and tsv', async () => {
    file('a.csv', 'y,a,b\n0,1,2\n1,3,4\n2,5,6\n0,7,8\n1,9,10\n');
    const { train, test: rest } = await loadSource({ source: 'a.csv', label: 'y' }, inDir());
    expect([train.inputs.dims, rest.inputs.dims, train.classes]).toEqual([[4, 2], [1, 2], 3]);
    file('a.tsv', '1\t2\n3\t4\n');
    expect((await loadSource('a.tsv', inDir())).train.inputs.dims).toEqual([1, 1]);
  });

  test('errors', async () => {
    const kinds =
      'expected mnist, fashion-mnist, a folder of IDX files, a folder of .npy files, a .npz file, a .csv file, a folder of train.csv and test.csv, a .parquet file, a folder of train.parquet and test.parquet, a dataset of Hugging Face, shards of Parquet or what save_to_disk writes or a folder with a folder of images for each class';
    const at = 'columns[0].data';
    await expectDataRejection(loadSource('mnits', inDir()), `${at}: unknown source "mnits", there is no ${dir}/mnits, ${kinds}`);
    const odd = file('odd/a.txt', 'x');
    await expectDataRejection(
      loadSource('odd/a.txt', inDir()),
      `${at}: unknown source "odd/a.txt", ${odd} is none of these files, ${kinds}`,
    );
    await expectDataRejection(
      loadSource('odd', inDir()),
      `${at}: unknown source "odd", ${dir}/odd holds none of these files, ${kinds}`,
    );
    const npz = (name: string, x: Tensor, y: Tensor) =>
      file(
        name,
        writeNpz(
          new Map([
            ['x', x],
            ['y', y],
          ]),
        ),
      );
    const nan = npz('nan.npz', Tensor.from('float32', [1, 2, 3, Number.NaN], [2, 2]), Tensor.from('int64', [0, 1]));
    await expectDataRejection(loadSource('nan.npz', inDir()), `${nan}: "x": holds NaN at [1,1], expected a finite float32`);
    const big = npz('big.npz', Tensor.from('float64', [1, 1e300], [2]), Tensor.from('int64', [0, 1]));
    await expectDataRejection(loadSource('big.npz', inDir()), `${big}: "x": holds 1e+300 at [1], expected a finite float32`);
    const rows = npz('rows.npz', bytes([3, 2]), Tensor.from('int64', [0, 1]));
    await expectDataRejection(loadSource('rows.npz', inDir()), `${rows}: "y": 2 targets for 3 inputs, expected one each`);
    const none = npz('none.npz', bytes([0, 2]), bytes([0]));
    await expectDataRejection(
      loadSource('none.npz', inDir()),
      `${none}: "x": shape [0,2] holds no rows, expected [D, ...] with D of at least 1`,
    );
    const cube = npz('cube.npz', bytes([2, 2]), bytes([2, 2, 2, 1]));
    const shapes = 'targets have shape [2,2,2,1], expected [D] or [D,k], or of each step [D,T] or [D,T,k]';
    await expectDataRejection(loadSource('cube.npz', inDir()), `${cube}: "y": ${shapes}`);
    const far = npz('far.npz', bytes([1, 2]), new Tensor('uint64', [1], BigUint64Array.from([2n ** 64n - 1n])));
    await expectDataRejection(loadSource('far.npz', inDir()), `${far}: "y": holds 18446744073709551615 at [0], beyond int64`);
    const keys = file('keys.npz', writeNpz(new Map([['X', bytes([1])]])));
    await expectDataRejection(
      loadSource('keys.npz', inDir()),
      `${keys}: arrays are "X", expected x_train, y_train, x_test, y_test or x, y`,
    );
    file(
      'differ.npz',
      writeNpz(
        new Map([
          ['x_train', bytes([1, 2])],
          ['y_train', bytes([1])],
          ['x_test', bytes([1, 3])],
          ['y_test', bytes([1])],
        ]),
      ),
    );
    await expectDataRejection(
      loadSource('differ.npz', inDir()),
      `${at}: inputs of train are uint8 [2], those of test uint8 [3], expected the same`,
    );
    file('single.csv', '1,2\n');
    await expectDataRejection(
      loadSource('single.csv', inDir()),
      `${at}: 1 row cannot be split into train and test, expected at least 2`,
    );
    await expectDataRejection(
      loadSource({ source: 'mnist', label: 'y' }, inDir()),
      `${at}.label: is for a .csv file or a folder of train.csv and test.csv or a .parquet file or a folder of train.parquet and test.parquet or a dataset of Hugging Face, shards of Parquet or what save_to_disk writes, the source is "mnist"`,
    );
    await expectDataRejection(
      loadSource({ source: 'mnist', test: 0.1 }, inDir()),
      `${at}.test: is for sources without a test set, "mnist" has its own`,
    );
    await expectDataRejection(
      loadData({ source: 'mnist', transform: [{ rotate: { degrees: 'x' } } as never] }, inDir()),
      `${at}.transform[0]: rotate.degrees: found "x", expected a number`,
    );
  });
});

describe('rows', () => {
  const data: Dataset = {
    inputs: Tensor.from(
      'float32',
      Array.from({ length: 20 }, (_, i) => i),
      [10, 2],
    ),
    targets: Tensor.from('int64', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  };

  test('take', () => {
    const taken = take(data, [3, 0, 3]);
    expect([taken.inputs.numbers(), taken.targets.numbers()]).toEqual([
      [6, 7, 0, 1, 6, 7],
      [3, 0, 3],
    ]);
    expect(take(data, []).inputs.dims).toEqual([0, 2]);
    expectDataError(() => take(data, [10]), 'data set: row 10 is out of range, expected 0..9');
  });

  test('splits are disjoint, complete, and the same by seed', () => {
    const a = splitValidation(data, 0.3, 1);
    const labels = [...a.train.targets.numbers(), ...a.validation.targets.numbers()];
    expect(a.validation.targets.size).toBe(3);
    expect(labels.toSorted((x, y) => x - y)).toEqual(data.targets.numbers());
    expect(fingerprint(splitValidation(data, 0.3, 1).train)).toBe(fingerprint(a.train));
    expect(fingerprint(splitValidation(data, 0.3, 2).train)).not.toBe(fingerprint(a.train));
    expect(splitTest(data, 0.001, 1).test.targets.size).toBe(1);
    expectDataError(
      () => splitValidation(data, 1, 0, 'a'),
      'a: validation fraction 1 is out of range, expected more than 0 and less than 1',
    );
  });
});

describe('targets of files', () => {
  const npz = (name: string, y: Tensor) =>
    file(
      name,
      writeNpz(
        new Map([
          ['x', Tensor.zeros('uint8', [y.dims[0] ?? 0, 4])],
          ['y', y],
        ]),
      ),
    );
  const two = { kind: 'classify', size: 2 } as const;
  const classify = () => ({ ...inDir(), head: two });

  test('a label out of range is named by file and the row of the file', async () => {
    const labels = Array<number>(80).fill(1);
    labels[57] = 9;
    const whole = npz('labels.npz', Tensor.from('int64', labels));
    await expectDataRejection(
      loadData('labels.npz', classify()),
      `${whole}: "y": label 9 at row 57 is out of range, expected 0..1`,
    );
    const kept = await loadData({ source: 'labels.npz', transform: [{ classes: [1] }] }, classify());
    expect(kept.train.targets.numbers().filter((v) => v > 1)).toEqual([]);
    const table = file('rows.csv', 'a,y\n\n1,0\n2,1\n\n3,2\n');
    await expectDataRejection(
      loadData('rows.csv', classify()),
      `${table}: label column "y": label 2 at row 6 is out of range, expected 0..1`,
    );
  });

  test('targets of another kind are named as they stand in the file', async () => {
    const needs = 'a classify head of 2 needs whole numbers 0..1, one per row';
    const hot = npz('hot.npz', Tensor.zeros('uint8', [5, 2]));
    await expectDataRejection(loadData('hot.npz', classify()), `${hot}: "y": targets are uint8 [5,2], ${needs}`);
    const floats = npz('floats.npz', Tensor.zeros('float64', [5]));
    await expectDataRejection(loadData('floats.npz', classify()), `${floats}: "y": targets are float64 [5], ${needs}`);
    const table = file('price.csv', 'y,price\n0,1\n1,2.5\n');
    await expectDataRejection(
      loadData('price.csv', classify()),
      `${table}: label column "price": holds 2.5 at row 3, ${needs}; "label" in the data entry says which column is the label`,
    );
    await expectDataRejection(
      loadData('hot.npz', { ...inDir(), head: { kind: 'regress', size: 3 } }),
      `${hot}: "y": targets are uint8 [5,2], a regress head of 3 needs 3 numbers per row`,
    );
  });
});

describe('checkTargets', () => {
  const inputs = Tensor.zeros('uint8', [50, 4]);
  const labelled = (labels: number[]): Dataset => ({
    inputs: Tensor.zeros('uint8', [labels.length, 4]),
    targets: Tensor.from('int64', labels),
  });

  test('labels out of range', () => {
    const labels = Array<number>(50).fill(3);
    labels[37] = 12;
    expectDataError(
      () => checkTargets(labelled(labels), { kind: 'classify', size: 10 }, 'mnist train'),
      'mnist train: label 12 at row 37 is out of range, expected 0..9',
    );
    expectDataError(
      () => checkTargets(labelled([0, -1]), { kind: 'classify', size: 2 }, 'x'),
      'x: label -1 at row 1 is out of range, expected 0..1',
    );
  });

  test('targets of another kind', () => {
    const floats: Dataset = { inputs, targets: Tensor.zeros('float32', [50, 3]) };
    expectDataError(
      () => checkTargets(floats, { kind: 'classify', size: 3 }, 'a'),
      'a: targets are float32 [50,3], a classify head of 3 needs int64 [50]',
    );
    expectDataError(
      () => checkTargets(floats, { kind: 'regress', size: 2 }, 'a'),
      'a: targets are float32 [50,3], a regress head of 2 needs float32 [50,2]',
    );
    checkTargets(floats, { kind: 'binary', size: 3 }, 'a');
    expectDataError(
      () =>
        checkTargets({ inputs, targets: Tensor.from('float32', Array(50).fill(2), [50, 1]) }, { kind: 'binary', size: 1 }, 'a'),
      'a: target 2 at [0,0] is out of range, a binary head needs 0..1',
    );
  });

  test('integer labels fit binary and regress heads of one output', () => {
    const named = (labels: number[]) => {
      const { inputs, ...rest } = labelled(labels);
      return { ...rest, inputs: { x: inputs } };
    };
    const fitted = fitTargets(named([0, 5]), { kind: 'regress', size: 1 }, 'a');
    expect([fitted.targets.dtype, fitted.targets.dims, fitted.targets.numbers()]).toEqual(['float32', [2, 1], [0, 5]]);
    expectDataError(
      () => fitTargets(named([0, 5]), { kind: 'binary', size: 1 }, 'a'),
      'a: target 5 at [1,0] is out of range, a binary head needs 0..1',
    );
    expect(fitTargets(named([0, 1]), { kind: 'classify', size: 2 }, 'a').targets.dtype).toBe('int64');
  });
});
