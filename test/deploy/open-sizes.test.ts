// A workspace whose inputs have open sizes, from the command line to those who serve it: train, validation, test and asked rows have four sizes; precisions and the
// Node service take any; what needs a size is refused in one line.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { okIn, prognet } from '../cli/support.js';
import { runModel } from '../support/run.js';
import { ask, serve } from '../support/service.js';

const description = `prognet: 1
name: words
input:
  - { name: tokens, shape: [steps], dtype: int64 }
  - { name: count, shape: [], dtype: int64 }
columns:
  - task: mood
    data: mood.npz
    inputs: [tokens, count]
    blocks: [[{ embedding: { size: 6, vocabulary: 20 } }, { gru: { units: 5, mask: count } }, { dense: 4 }, relu]]
    head: { classify: 2 }
    train: { epochs: 1, validation: 0.2 }
  - task: again
    data: mood.npz
    inputs: [tokens, count]
    blocks:
      - [{ embedding: { size: 6, vocabulary: 20 } }, sinusoidal, { transformer_encoder: { heads: 2, mask: count } }]
      - [{ mean_over_steps: { mask: count } }, { dense: 4 }, relu]
    head: { classify: 2 }
    train: { epochs: 3 }
`;
const random = new Random(3, 'open');
const below = (most: number, dims: readonly number[], first = 0) =>
  Tensor.from(
    'int64',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => first + random.below(most)),
    [...dims],
  );
const rows = 5;
const asked = { tokens: below(20, [rows, 21]), count: below(21, [rows], 1) };
const failIn = (folder: string, ...args: string[]): string => {
  const { status, stderr } = prognet(...args, '-C', folder);
  expect(status).toBe(2);
  return stderr;
};
let dir = '';
const at = (name: string) => join(dir, name);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'prognet-open-'));
  writeFileSync(at('prognet.yaml'), description);
  const part = (name: string, count: number, steps: number) =>
    [
      [`tokens_${name}`, below(20, [count, steps])],
      [`count_${name}`, below(steps, [count], 1)],
      [`y_${name}`, below(2, [count])],
    ] as const;
  writeFileSync(at('mood.npz'), writeNpz(new Map([...part('train', 60, 13), ...part('test', 20, 9)])));
  const file = (name: string, given: Readonly<Record<string, Tensor>>) =>
    writeFileSync(at(name), writeNpz(new Map(Object.entries(given))));
  file('asked.npz', asked);
  file('id.npz', {
    ...asked,
    tokens: Tensor.from(
      'int64',
      asked.tokens.numbers().map((v, i) => (i === 24 ? 20 : v)),
      [rows, 21],
    ),
  });
  file('long.npz', { ...asked, count: Tensor.from('int64', [1, 2, 22, 3, 4], [rows]) });
  okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
});

it('verify finds every answer as it was, check says the open sizes', () => {
  expect(okIn(dir, 'verify').match(/identical/g)).toHaveLength(2);
  expect(okIn(dir, 'check')).toContain('[steps,6] [4]');
});

it.each(['fp32', 'fp16', 'int8', 'int8-dynamic'])('a model of %s takes any size', async (precision) => {
  okIn(dir, 'export', '--task', 'again', '--precision', precision, '-o', at(`${precision}.onnx`), '--quiet');
  const model = fromBinary(readFileSync(at(`${precision}.onnx`)), {});
  expect(model.graph.inputs.map(({ shape }) => shape)).toEqual([['N', 'steps'], ['N']]);
  okIn(dir, 'export', '--task', 'again', '-o', at('plain.onnx'), '--quiet');
  const plain = fromBinary(readFileSync(at('plain.onnx')), {});
  for (const steps of [1, 3, 30]) {
    const feeds = { tokens: below(20, [4, steps]), count: below(steps, [4], 1) };
    const [a, b] = [(await runModel(model, feeds)).again, (await runModel(plain, feeds)).again];
    must(a, 'again')
      .numbers()
      .forEach((v, i) => {
        expect(Math.abs(v - (b?.numbers()[i] ?? Number.NaN))).toBeLessThan(precision === 'fp32' ? 1e-6 : 0.2);
      });
  }
});

it('what does not fit is one line', () => {
  expect(failIn(dir, 'predict', 'mood', '--input', at('id.npz'))).toContain(
    'inputs of task "mood": input "tokens" holds 20 at [1,3], expected an id below "vocabulary", 0..19',
  );
  expect(failIn(dir, 'predict', 'mood', '--input', at('long.npz'))).toContain(
    'inputs of task "mood": input "count" holds 22 at [2], expected how many steps a sample has, 0..21',
  );
});

it.each(['triton', 'kserve'])('a repository of %s says which sizes are open, and its model answers any', async (server) => {
  const storage = server === 'kserve' ? ['--storage-uri', 's3://models/words'] : [];
  okIn(dir, 'deploy', server, '-o', at(server), '--tasks', 'mood', ...storage, '--quiet');
  const folder = server === 'kserve' ? at('kserve/models') : at('triton');
  const [name = ''] = readdirSync(folder).filter((entry) => !entry.startsWith('.'));
  const config = readFileSync(join(folder, name, 'config.pbtxt'), 'utf8');
  const input = (of: string) =>
    new RegExp(`name: "${of}"\\s+data_type: TYPE_INT64\\s+dims: (.*(?:\\n    reshape.*)?)`).exec(config)?.[1];
  expect(input('tokens')).toBe('[ -1 ]');
  // One number for each sample.
  expect(input('count')).toBe('[ 1 ]\n    reshape { shape: [ ] }');
  const model = fromBinary(readFileSync(join(folder, name, '1/model.onnx')), {});
  okIn(dir, 'predict', 'mood', '--input', at('asked.npz'), '--output', at('served.npy'), '--quiet');
  const answered = (await runModel(model, asked)).mood_probabilities;
  expect(answered?.numbers()).toEqual(readNpy(readFileSync(at('served.npy')), 'served.npy').numbers());
});

describe('the Node service', () => {
  let url = '';
  beforeAll(async () => {
    okIn(dir, 'deploy', 'node', '-o', at('service'));
    url = await serve(at('service'));
  });
  const post = async (inputs: object) => {
    const response = await ask(`${url}/predict/mood`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs }),
    });
    return { status: response.status, ...Object(await response.json()) };
  };
  const lists = Array.from({ length: rows }, (_, i) => asked.tokens.numbers().slice(21 * i, 21 * (i + 1)));

  it('answers samples of any size as predict does', async () => {
    okIn(dir, 'predict', 'mood', '--input', at('asked.npz'), '--output', at('answers.npy'), '--quiet');
    const answer = await post({ tokens: lists, count: asked.count.numbers() });
    expect(answer).toMatchObject({ status: 200, rows });
    expect(answer.probabilities.flat()).toEqual(readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers());
    expect(await post({ tokens: [[1, 2, 3]], count: [2] })).toMatchObject({ status: 200, rows: 1 });
  });

  it('says what is right', async () => {
    expect(await post({ tokens: [1, 2, 3], count: [2] })).toMatchObject({
      status: 400,
      error: expect.stringContaining('found shape [3], expected [N,steps], of any size where there is a name'),
    });
    expect(
      await post({
        tokens: [
          [1, 2, 3],
          [4, 20, 6],
        ],
        count: [2, 2],
      }),
    ).toEqual({
      status: 400,
      error: 'input "tokens" holds 20 in sample 1, expected whole numbers 0..19',
    });
    // The model would take it as the last row of its table.
    expect(await post({ tokens: [[1, -1, 3]], count: [2] })).toMatchObject({ status: 400 });
    expect(await post({ tokens: [[1, 2, 3]], count: [4] })).toEqual({
      status: 400,
      error: 'input "count" holds 4 in sample 0, expected whole numbers 0..3',
    });
  });
});
