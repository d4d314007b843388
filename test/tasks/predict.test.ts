// What `prognet predict --input` takes: files by what they begin with, arrays by what the network's input says.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { joinRows } from '../../src/data/rows.js';
import type { Samples } from '../../src/data/samples.js';
import { writeIdx } from '../../src/formats/idx.js';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { pause } from '../../src/tasks/inputs/pipe.js';
import { readInputs } from '../../src/tasks/inputs/read-inputs.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { predict } from '../../src/tasks/predict.js';
import { prognet, workspace, yaml } from '../cli/support.js';
import { runtime } from '../support/run.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-inputs-'));
const x = Tensor.zeros('float32', [2, 4]);

it('reads .npy and IDX, whatever their names, and calls anything else by no wrong name', async () => {
  const read = async (name: string, bytes: Uint8Array | string) => {
    writeFileSync(join(dir, name), bytes);
    const inputs = [{ name: 'x', dtype: 'float32', shape: [4] }] as const;
    const parts: Tensor[] = [];
    for await (const part of readInputs({ path: join(dir, name) }, inputs)) if (part !== pause) parts.push(must(part.x, 'x'));
    return joinRows(parts);
  };
  expect((await read('x.npy', writeNpy(x))).dims).toEqual([2, 4]);
  expect((await read('x.bin', writeNpy(x))).dims).toEqual([2, 4]);
  expect((await read('x-idx2-ubyte', writeIdx([2, 4], new Uint8Array(8)))).dims).toEqual([2, 4]);
  expect((await read('one.npz', writeNpz(new Map([['rows', x]])))).dims).toEqual([2, 4]);
  expect(
    (
      await read(
        'x.npz',
        writeNpz(
          new Map([
            ['x', x],
            ['y', Tensor.zeros('int64', [3])],
          ]),
        ),
      )
    ).dims,
  ).toEqual([2, 4]);
  expect((await read('x.csv', '1,2,3,4\n')).numbers()).toEqual([1, 2, 3, 4]);
  expect((await read('labelled.csv', 'a,b,c,d,y\n1,2,3,4,yes\n')).numbers()).toEqual([1, 2, 3, 4]);
  await expect(read('wide.csv', 'a,b,c,d,e,y\n1,2,3,4,5,6\n')).rejects.toThrow(
    `${join(dir, 'wide.csv')}: has 6 columns, input "x" takes 4 numbers a row`,
  );
  const two = writeNpz(
    new Map([
      ['p', x],
      ['q', x],
    ]),
  );
  await expect(read('two.npz', two)).rejects.toThrow(`${join(dir, 'two.npz')}: arrays are "p", "q", expected an array "x"`);
  for (const [name, bytes] of [
    ['empty', ''],
    ['words', 'none of these'],
  ] as const)
    await expect(read(name, bytes)).rejects.toThrow(
      `${join(dir, name)}: is none of .npy, .npz, IDX, .csv, .jsonl, .parquet, an image or, of a network of text, .txt`,
    );
  await expect(read('cut.npy', '')).rejects.toThrow(/cut\.npy: not an npy file/);
});

it('a table is parted as the data entry says, a .tsv by tabs', async () => {
  const asked = async (name: string, text: string, delimiter: string) => {
    writeFileSync(join(dir, name), text);
    const inputs = [{ name: 'x', dtype: 'float32', shape: [2] }] as const;
    const [parts, notes]: [Tensor[], string[]] = [[], []];
    const reading = {
      path: join(dir, name),
      data: { source: 'train.csv', delimiter },
      onNote: (line: string) => notes.push(line),
    };
    for await (const part of readInputs(reading, inputs)) if (part !== pause) parts.push(must(part.x, 'x'));
    return { numbers: joinRows(parts).numbers(), notes };
  };
  expect(await asked('spaces.csv', '1 2\n3 4\n', ' ')).toEqual({
    numbers: [1, 2, 3, 4],
    notes: [expect.stringMatching(/^[^,]*spaces.csv: no row taken as names of the columns; "header" in/)],
  });
  expect((await asked('both.csv', '1;2\n3;4\n', ';')).numbers).toEqual([1, 2, 3, 4]);
  expect((await asked('tabs.tsv', '1\t2\n', ';')).numbers).toEqual([1, 2]);
  await expect(asked('semicolons.csv', 'a;b\n1;2\n', ' ')).rejects.toThrow(/semicolons\.csv: has 1 column/);
});

it('bytes are refused by a column of other floats than 0..1 and by one that prepares its input: which scale it was trained on is a guess', async () => {
  const column = '    blocks: [[{ dense: 8 }, relu, { dropout: 0.1 }]';
  const folder = workspace(
    yaml('', 1)
      .replace(column, `    prepare: [standardise]\n${column}`)
      .replace('    like: a', '    blocks: [[{ dense: 3 }, relu]]\n    head: { classify: 2 }')
      .replace('kind: adapter, rank: 3', 'kind: none'),
  );
  expect(prognet('train', '--all', '--quiet', '-C', folder)).toMatchObject({ status: 0, stderr: '' });
  const loaded = loadWorkspace(folder);
  const bytes = { x: new Tensor('uint8', [2, 4], Uint8Array.of(0, 51, 102, 255, 255, 0, 51, 102)) };
  const ask = async (task: string, x: Samples) => {
    for await (const { values } of predict(runtime, loaded, task, [x], {})) return values.dims;
  };
  await expect(ask('a', bytes)).rejects.toThrow(
    'inputs of task "a": inputs are uint8, expected float32, or dtype: uint8 in the input that is prepared',
  );
  const floats = { x: Tensor.from('float32', [0, 0.2, 0.4, 1, 1, 0, 0.2, 0.4], [2, 4]) };
  await expect(ask('b', bytes)).rejects.toThrow(
    /^inputs of task "b": x is uint8, which is divided by 255; expected float32, in training it was -2\.\d+ to 2\.\d+$/,
  );
  expect(await ask('b', floats)).toEqual([2, 2]);
  expect(await ask('a', floats)).toEqual([2, 2]);
}, 60_000);
