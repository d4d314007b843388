// Networks of several inputs where others serve them: the Node service is asked by the names of the inputs and answers what `predict` answers, bit for bit;
// what does not fit is one line that names the input, its dtype and its shape.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { elementsOf } from '../../src/serve/samples/elements.js';
import { okIn } from '../cli/support.js';
import { ask, serve } from '../support/service.js';
import { asJson, rows, samples, sixDtypes } from '../support/six-dtypes.js';

let dir = '';
let url = '';
const at = (name: string) => join(dir, name);
const tasks = { plain: ['image'], numbers: ['image', 'person', 'kind', 'half', 'open', 'pixels'] };
const ofAll = ['shop', 'person', 'kind', 'half', 'open', 'pixels'];
const columns: Readonly<Record<string, readonly string[]>> = { ...tasks, all: ['image', ...ofAll], words: ['note', 'person'] };

beforeAll(async () => {
  dir = sixDtypes();
  okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
  okIn(dir, 'deploy', 'node', '-o', at('service'));
  url = await serve(at('service'));
});

const all = Array.from({ length: rows }, (_, i) => asJson(i));
const bodyOf = (names: readonly string[], rowsOf = all) => ({
  inputs: Object.fromEntries(names.map((name) => [name, rowsOf.map((row) => row[name])])),
});
const post = async (task: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json') => {
  const response = await ask(`${url}/predict/${task}`, { method: 'POST', headers: { 'content-type': type }, body });
  return { status: response.status, ...Object(await response.json()) };
};
const predicted = (task: string) => {
  okIn(dir, 'predict', task, '--input', at('asked.npz'), '--output', at('answers.npy'), '--quiet');
  return readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers();
};

describe('the Node service', () => {
  it.each(Object.entries(columns))('answers task "%s" as predict does', async (task, names) => {
    const answer = await post(task, JSON.stringify(bodyOf(names)));
    expect(answer).toMatchObject({ status: 200, task, rows });
    expect(answer.probabilities.flat()).toEqual(predicted(task));
  });

  it('says what each task reads, and what each input is', async () => {
    const said = Object(await (await ask(`${url}/tasks`)).json());
    expect(said.inputs.map((input: { name: string; dtype: string }) => [input.name, input.dtype])).toEqual([
      ['image', 'float32'],
      ['person', 'float32'],
      ['kind', 'int32'],
      ['shop', 'int64'],
      ['half', 'float16'],
      ['open', 'bool'],
      ['pixels', 'uint8'],
      ['note', 'int64'],
      ['mask', 'int64'],
    ]);
    expect(said.tasks.map((task: { inputs: string[] }) => task.inputs)).toEqual([
      ['image'],
      tasks.numbers,
      ['image', 'person', 'kind', 'shop', 'half', 'open', 'pixels'],
      ['person', 'note', 'mask'],
    ]);
  });

  it('takes arrays for a task of one input, by JSON and by .npy', async () => {
    const image = must(samples.image, 'image');
    const npy = await post('plain', new Uint8Array(writeNpy(image)), 'application/x-npy');
    const lists = await post('plain', JSON.stringify({ inputs: all.map((row) => row.image) }));
    expect([npy.probabilities.flat(), lists.probabilities.flat()]).toEqual([predicted('plain'), predicted('plain')]);
  });

  it('tells of categories that are none and of numbers that are far off, with their input', async () => {
    const odd = { ...asJson(0), person: { age: 900, city: 'Genf' }, image: new Array(16).fill(99) };
    const answer = await post('numbers', JSON.stringify(bodyOf(tasks.numbers, [odd])));
    expect(answer.unknown).toEqual([{ input: 'person', row: 0, feature: 'city', text: 'Genf' }]);
    expect(answer.notes).toEqual([
      expect.stringMatching(/^image is 99, in training it was -?\d/),
      expect.stringMatching(/^age is 900, in training it was \d+ to \d+$/),
    ]);
  });

  const edit = (change: (row: Record<string, unknown>) => Record<string, unknown>, names = columns.all ?? []) =>
    JSON.stringify(bodyOf(names, [change(asJson(0))]));
  it.each<[string, string, () => string, string]>([
    ['an input is missing', 'words', () => edit((r) => r, ['note']), 'found no input "person", expected "person", "note"'],
    [
      'an input is none of the task',
      'words',
      () => edit((r) => r, ['note', 'person', 'kind']),
      'found input "kind", expected "person", "note"',
    ],
    [
      'an input follows of another',
      'words',
      () => '{"inputs": {"mask": [[1]]}}',
      'found input "mask", expected "person", "note"',
    ],
    [
      'a number is no whole one',
      'all',
      () => edit((r) => ({ ...r, kind: 1.5 })),
      'input "kind", int32 [N]: found 1.5 at number 0, expected whole numbers of int32',
    ],
    [
      'a number is beyond int32',
      'all',
      () => edit((r) => ({ ...r, kind: 2 ** 31 })),
      'input "kind", int32 [N]: found 2147483648 at number 0, expected whole numbers of int32',
    ],
    [
      'a number is beyond int64',
      'all',
      () => edit((r) => r).replace(/"shop":\[\d\]/, '"shop":[9223372036854775808]'),
      'input "shop", int64 [N]: found 9223372036854775808 at number 0, expected whole numbers of int64',
    ],
    [
      'a truth is none',
      'all',
      () => edit((r) => ({ ...r, open: 2 })),
      'input "open", bool [N]: found 2 at number 0, expected true or false, or 1 or 0',
    ],
    [
      'a byte is none',
      'all',
      () => edit((r) => ({ ...r, pixels: [1, 2, 3, 256] })),
      'input "pixels", uint8 [N,4]: found 256 at number 3, expected whole numbers from 0 to 255',
    ],
    [
      'a half is beyond',
      'all',
      () => edit((r) => ({ ...r, half: [1, 2, 65520] })),
      'input "half", float16 [N,3]: found 65520 at number 2, expected numbers of float16, up to 65504',
    ],
    [
      'a shape does not fit',
      'all',
      () => edit((r) => ({ ...r, half: [1, 2, 3, 4] })),
      'input "half", float16 [N,3]: found 4 numbers, expected samples of [3], 3 numbers each',
    ],
    [
      'a text stands for a number',
      'all',
      () => edit((r) => ({ ...r, kind: 'one' })),
      'input "kind", int32 [N]: must be numbers in lists',
    ],
    [
      'a number stands for a text',
      'words',
      () => edit((r) => ({ ...r, note: 3 }), columns.words),
      'input "note": expected a list of texts',
    ],
    [
      'a row lacks a feature',
      'words',
      () => edit((r) => ({ ...r, person: { age: 3 } }), columns.words),
      'input "person": row 0 has no "city", expected age, city',
    ],
    [
      'an input is no list',
      'words',
      () => '{"inputs": {"person": 3, "note": ["fair"]}}',
      'input "person": expected a list of rows',
    ],
    ['an input comes twice', 'words', () => '{"inputs": {"note": ["fair"], "note": ["fair"]}}', 'found input "note" twice'],
    [
      'inputs stand without names',
      'words',
      () => '{"inputs": ["fair"]}',
      'expected {"inputs": {"person": [...], "note": [...]}} and nothing beside it',
    ],
    [
      'something stands beside',
      'words',
      () => '{"inputs": {"note": ["fair"], "person": []}, "more": 1}',
      'expected {"inputs": {"person": [...], "note": [...]}} and nothing beside it',
    ],
    ['it is no JSON', 'words', () => '{"inputs": {"note": ["fair"] "person": []}}', 'the body is no JSON'],
    ['it is cut off', 'words', () => '{"inputs": {"note": ["fa', 'the body is no JSON'],
  ])('%s: one line says it', async (_, task, body, error) => {
    expect(await post(task, body())).toEqual({ status: 400, error });
  });

  it('rows that differ, and too many of them, are refused', async () => {
    const { inputs } = bodyOf(columns.words ?? []);
    const fewer = { inputs: { ...inputs, person: inputs.person?.slice(1) } };
    expect(await post('words', JSON.stringify(fewer))).toEqual({
      status: 400,
      error: `input "note" has ${rows} samples, "person" has ${rows - 1}: expected as many`,
    });
    const many = Array.from({ length: 1025 }, () => asJson(0));
    expect(await post('all', JSON.stringify(bodyOf(columns.all ?? [], many)))).toEqual({
      status: 413,
      error: 'found over 1024 samples, expected at most 1024 (max_batch)',
    });
    expect(await post('words', 'x', 'application/x-npy')).toEqual({
      status: 415,
      error: 'expected content-type application/json, the inputs person, note by name',
    });
  });

  it.each([
    ['int64', '9007199254740993', 9007199254740993n],
    ['int64', '-9223372036854775808', -(2n ** 63n)],
    ['int64', '1e3', 1000n],
    ['int64', '9223372036854775808', undefined],
    ['float16', '1.0004', 1],
    ['float32', '16777217', 16777216],
  ])('a number of %s as %s is %s', (dtype, written, value) => {
    expect(elementsOf(dtype).ofText(written)).toBe(value);
  });
});

describe('models of all tasks together', () => {
  it.each(['all', 'routed'])('the form %s takes the inputs of all', async (form) => {
    const folder = at(`service-${form}`);
    okIn(dir, 'deploy', 'node', '-o', folder, '--form', form, '--tasks', 'plain,numbers');
    const own = await serve(folder);
    const response = await ask(`${own}/predict/plain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(tasks.numbers)),
    });
    const { probabilities } = Object(await response.json());
    const near = new Tensor('float32', [rows * 2], Float32Array.from(probabilities.flat())).numbers();
    for (const [i, v] of predicted('plain').entries()) expect(Math.abs(v - must(near[i], 'number'))).toBeLessThan(1e-6);
  });
});

it('a Triton repository says each input of a task with its type and its dims', () => {
  okIn(dir, 'deploy', 'triton', '-o', at('models'), '--tasks', 'all,words');
  const inputsOf = (task: string) => {
    const config = readFileSync(at(`models/${task}/config.pbtxt`), 'utf8');
    const [, listed = ''] = /^input \[\n([\s\S]*?)^\]/m.exec(config) ?? [];
    return [
      ...listed.matchAll(/name: "(\w+)"\s+data_type: TYPE_(\w+)\s+dims: (\[[^\]]*\](?:\s+reshape \{ shape: \[ \] \})?)/g),
    ].map(([, name, type, dims]) => `${name} ${type} ${dims?.replace(/\s+/g, ' ')}`);
  };
  expect(inputsOf('all')).toEqual([
    'image FP32 [ 1, 4, 4 ]',
    'person FP32 [ 1 ]',
    'person_categories STRING [ 1 ]',
    'kind INT32 [ 1 ] reshape { shape: [ ] }',
    'shop INT64 [ 1 ] reshape { shape: [ ] }',
    'half FP16 [ 3 ]',
    'open BOOL [ 1 ] reshape { shape: [ ] }',
    'pixels UINT8 [ 4 ]',
  ]);
  expect(inputsOf('words')).toEqual([
    'person FP32 [ 1 ]',
    'person_categories STRING [ 1 ]',
    'note INT64 [ 5 ]',
    'mask INT64 [ 5 ]',
  ]);
});
