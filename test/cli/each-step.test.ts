// A head of each step from the command line: arrays and tables, training, proof, answers in each format, exported forms, and what refuses it in one line.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { runModel } from '../support/run.js';
import { ask as post, serve } from '../support/service.js';
import { okIn, prognet, workspace } from './support.js';

const [rows, steps] = [80, 4];
const random = new Random(7, 'steps');
const numbers = Float32Array.from({ length: rows * steps * 2 }, () => Number((random.uniform() * 4 - 2).toFixed(3)));
const x = new Tensor('float32', [rows, steps * 2], numbers);
const tag = (i: number) => (i % steps === 3 ? -100 : Number((numbers[2 * i] ?? 0) > 0));
const y = Tensor.from(
  'int64',
  Array.from({ length: rows * steps }, (_, i) => tag(i)),
  [rows, steps],
);
let dir = '';
const at = (name: string) => join(dir, name);

const text = `prognet: 1
name: steps
input: { name: signal, shape: [${steps * 2}] }
columns:
  - task: tags
    data: tags.npz
    blocks: [[{ reshape: [4, 2] }, { lstm: { units: 6, sequences: true } }]]
    head: { classify: { classes: 2, each: step, names: [low, high], class_weights: balanced } }
    train: { epochs: 6, batch: 8, lr: 0.03, validation: 0.2 }
  - task: table
    data: { source: table.csv, label: [t0, t1, t2, t3] }
    like: tags
    laterals: { kind: adapter, rank: 3, into: [1] }
  - task: whole
    data: whole.npz
    blocks: [[{ reshape: [4, 2] }, { lstm: 4 }]]
    head: { classify: 2 }
    train: { epochs: 1 }
`;

beforeAll(() => {
  dir = workspace(text);
  writeFileSync(
    at('tags.npz'),
    writeNpz(
      new Map([
        ['x', x],
        ['y', y],
      ]),
    ),
  );
  const whole = Tensor.from(
    'int64',
    Array.from({ length: rows }, (_, i) => i % 2),
  );
  writeFileSync(
    at('whole.npz'),
    writeNpz(
      new Map([
        ['x', x],
        ['y', whole],
      ]),
    ),
  );
  const header = [...Array.from({ length: 2 * steps }, (_, i) => `x${i}`), ...Array.from({ length: steps }, (_, i) => `t${i}`)];
  const lines = Array.from({ length: rows }, (_, row) => [
    ...numbers.subarray(row * steps * 2, (row + 1) * steps * 2),
    ...Array.from({ length: steps }, (_, step) => tag(row * steps + step)),
  ]);
  writeFileSync(at('table.csv'), `${[header, ...lines].map((line) => line.join(',')).join('\n')}\n`);
  writeFileSync(at('in.npy'), writeNpy(new Tensor('float32', [3, steps * 2], numbers.slice(0, 3 * steps * 2))));
  for (const task of ['tags', 'table', 'whole']) okIn(dir, 'train', task, '--freeze', '--quiet');
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('is measured over the steps that count, and proven', () => {
  const measured = JSON.parse(okIn(dir, 'eval', 'tags', '--json'));
  expect(JSON.stringify(measured)).toContain('"accuracy"');
  // Three of four steps of each row count.
  expect(measured.tasks[0].measures).toMatchObject({ of: 'steps' });
  const lines = okIn(dir, 'eval').split('\n');
  const after = (task: string) => lines[lines.findIndex((line) => line.startsWith(`${task}: `)) + 1]?.split(/\s+/);
  expect([after('tags')?.[1], after('whole')?.[1]]).toEqual(['steps', 'samples']);
  const counted = measured.tasks[0].measures.outputs.map(({ support }: { support: number }) => support);
  expect(counted[0] + counted[1]).toBe(3 * measured.tasks[0].rows);
  const verified = okIn(dir, 'verify');
  expect(verified.match(/identical/g)).toHaveLength(3);
});

describe('predict', () => {
  const ask = (task: string, format: string) => okIn(dir, 'predict', task, '--input', at('in.npy'), '--format', format);

  it('gives the labels of steps in every format', () => {
    const lines = ask('tags', 'jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ label }) => label.length)).toEqual([steps, steps, steps]);
    expect(lines[0].name).toEqual(lines[0].label.map((label: number) => ['low', 'high'][label]));
    expect(lines[0].probabilities[0]).toHaveLength(2);
    expect(ask('tags', 'text').split('\n')[0]).toBe(lines[0].name.join(' '));
    const csv = ask('tags', 'csv').trimEnd().split('\n');
    expect(csv[0]).toBe('row,step,label,probability_low,probability_high');
    expect(csv).toHaveLength(1 + 3 * steps);
    expect(csv[1 + steps]).toBe(['1,0', lines[1].name[0], ...lines[1].probabilities[0]].join(','));
    expect(JSON.parse(ask('tags', 'json')).probabilities).toEqual(lines.map(({ probabilities }) => probabilities));
    okIn(dir, 'predict', 'tags', '--input', at('in.npy'), '--output', at('out.npy'));
    expect(readNpy(readFileSync(at('out.npy')), 'out.npy').dims).toEqual([3, steps, 2]);
  });
});

it('every exported form answers each step', async () => {
  const inputs = { signal: new Tensor('float32', [3, steps * 2], numbers.slice(0, 3 * steps * 2)) };
  const ask = async (...args: string[]) => {
    okIn(dir, 'export', ...args, '-o', at('m.onnx'), '--quiet');
    return await runModel(fromBinary(readFileSync(at('m.onnx'))), inputs);
  };
  const plain = await ask('--task', 'table', '--probabilities', '--label-names');
  expect(plain.table?.dims).toEqual([3, steps, 2]);
  expect(plain.table_label_name?.dims).toEqual([3, steps]);
  const all = await ask('--all');
  expect(all.table?.numbers()).toEqual(plain.table?.numbers());
  for (const form of [['--fused'], ['--precision', 'fp16'], ['--precision', 'int8']]) {
    const other = await ask('--task', 'table', ...form);
    const apart = other.table?.numbers().map((v, i) => Math.abs(v - Number(plain.table?.numbers()[i]))) ?? [];
    expect(Math.max(...apart)).toBeLessThan(0.5);
  }
});

it('the Node service answers each step as predict does', async () => {
  okIn(dir, 'deploy', 'node', '-o', at('service'), '--tasks', 'tags', '--quiet');
  const url = await serve(at('service'));
  const samples = [0, 1, 2].map((i) => [...numbers.slice(i * steps * 2, (i + 1) * steps * 2)]);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ inputs: samples });
  const answer = Object(await (await post(`${url}/predict/tags`, { method: 'POST', headers, body })).json());
  const right = JSON.parse(okIn(dir, 'predict', 'tags', '--input', at('in.npy'), '--format', 'json'));
  expect(answer.labels).toEqual(right.labels);
  expect(answer.names).toEqual(answer.labels.map((own: number[]) => own.map((label) => ['low', 'high'][label])));
  expect(answer.probabilities).toEqual(right.probabilities);
});

it.each([
  [
    ['export', '--routed', '-o', 'r.onnx'],
    'a routed model has one set of outputs for all tasks: task "tags" answers each step of a sequence, "whole" each sample; choose tasks of one kind, or another form',
  ],
] as const)('%j is refused', (args, message) => {
  const { status, stderr } = prognet(...args, '-C', dir);
  expect([status, stderr.trim()]).toEqual([expect.any(Number), `prognet: ${message}`]);
});
