// Names of classes go wherever answers go: metadata, a text in the graph, predict, the node service, Triton.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { beforeAll, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { environment, python } from '../python/python.js';
import { serve } from '../support/service.js';
import { okIn, prognet, workspace } from './support.js';

const yaml = `prognet: 1
name: garden
input: { name: row, shape: [3] }
columns:
  - { task: kind, data: { source: kinds.csv, label: -1, header: false }, blocks: [[{ dense: 8 }, relu]], head: { classify: { classes: 3, names: [rose, "lily, white", aster] } },
      train: { epochs: 20, batch: 16, lr: 0.05 } }
  - { task: traits, data: { source: traits.csv, label: [3, 4], header: false }, blocks: [[{ dense: 8 }, relu]], head: { binary: { labels: 2, names: [tall, red] } },
      train: { epochs: 20, batch: 16, lr: 0.05 } }
  - { task: size, data: { source: sizes.csv, label: -1, header: false }, blocks: [[{ dense: 8 }, relu]], head: { regress: { outputs: 1, names: [height] } }, train: { epochs: 2, batch: 16 } }
`;
const names = ['rose', 'lily, white', 'aster'];
const random = new Random(5, 'names');
const rows = Array.from({ length: 90 }, () => Array.from({ length: 3 }, () => random.normal()));
const largest = (row: readonly number[]) => row.indexOf(Math.max(...row));

let dir = '';
const at = (name: string) => join(dir, name);
const ok = (...args: string[]) => okIn(dir, ...args);

beforeAll(() => {
  dir = workspace(yaml);
  const write = (name: string, targets: (row: readonly number[]) => readonly number[]) =>
    writeFileSync(at(name), rows.map((row) => [...row, ...targets(row)].join(',')).join('\n'));
  write('kinds.csv', (row) => [largest(row)]);
  write('traits.csv', ([a = 0, b = 0]) => [Number(a > 0), Number(b > 0)]);
  write('sizes.csv', ([a = 0]) => [a]);
  writeFileSync(at('rows.npy'), writeNpy(Tensor.from('float32', rows.flat(), [90, 3])));
  ok('train', '--all', '--quiet', '--threads', '1');
});

it('predict says names beside numbers', () => {
  const kind = JSON.parse(ok('predict', 'kind', '--input', at('rows.npy'), '--json'));
  expect(kind.classes).toEqual(names);
  expect(kind.names).toEqual(kind.labels.map((i: number) => names[i]));
  expect(new Set(kind.names).size).toBe(3);
  expect(ok('predict', 'kind', '--input', at('rows.npy')).split('\n')[0]).toMatch(/^(rose|lily, white|aster): \d\.\d{4} /);
  const traits = JSON.parse(ok('predict', 'traits', '--input', at('rows.npy'), '--json'));
  expect(traits.names).toEqual(traits.labels.map((flags: number[]) => ['tall', 'red'].filter((_, i) => flags[i] === 1)));
  expect(JSON.parse(ok('predict', 'size', '--input', at('rows.npy'), '--json')).classes).toEqual(['height']);
});

const { missing, note } = environment('.venv');

it.each(['task', 'all'])('export --label-names as %s: a text output and the names in the metadata', async (form) => {
  ok('export', ...(form === 'task' ? ['--task', 'kind'] : ['--all']), '--label-names', '-o', at('names.onnx'));
  const model = loadModel(at('names.onnx'));
  expect(model.metadata.get('prognet.classes.kind')).toBe(JSON.stringify(names));
  const outputs = model.graph.outputs.map((v) => v.name);
  expect(outputs).toEqual(form === 'task' ? ['kind', 'kind_label_name'] : ['kind', 'kind_label_name', 'traits', 'size']);
  const session = await ort.InferenceSession.create(at('names.onnx'));
  const { kind_label_name } = await session.run({ row: new ort.Tensor('float32', Float32Array.from(rows.flat()), [90, 3]) });
  const said = JSON.parse(ok('predict', 'kind', '--input', at('rows.npy'), '--json')).names;
  expect([...(kind_label_name?.data ?? [])]).toEqual(said);
  if (!missing)
    expect(JSON.parse(JSON.stringify(python('.venv', 'answers.py', at('names.onnx'), at('rows.npy'))))).toMatchObject({
      kind_label_name: said,
    });
});

it.skipIf(missing)(`a file without --label-names holds the names of its own task alone${note}`, () => {
  ok('export', '--task', 'size', '-o', at('size.onnx'));
  const { metadata } = loadModel(at('size.onnx'));
  expect([...metadata.keys()].filter((key) => key.startsWith('prognet.classes.'))).toEqual(['prognet.classes.size']);
});

it('label names that are not there are refused', () => {
  expect(prognet('export', '--task', 'traits', '--label-names', '-o', at('none.onnx'), '-C', dir)).toMatchObject({
    status: 2,
    stderr:
      'prognet: label names: task "traits" has none, expected a head that classifies, with names such as { classify: { classes: 2, names: [no, yes] } }\n',
  });
});

it('the node service answers names, and says the classes', async () => {
  // Asked before the service is: a connection that waits too long is closed.
  const namesBy = (task: string) => JSON.parse(ok('predict', task, '--input', at('rows.npy'), '--json')).names;
  const said: Readonly<Record<string, unknown>> = { kind: namesBy('kind'), traits: namesBy('traits') };
  ok('deploy', 'node', '-o', at('service'));
  const url = await serve(at('service'));
  const tasks = JSON.parse(await (await fetch(`${url}/tasks`)).text());
  expect(tasks.tasks.map((t: { classes: string[] }) => t.classes)).toEqual([names, ['tall', 'red'], ['height']]);
  const ask = async (task: string) => {
    const body = JSON.stringify({ inputs: rows });
    const reply = await fetch(`${url}/predict/${task}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return JSON.parse(await reply.text()).names;
  };
  for (const task of ['kind', 'traits']) expect(await ask(task)).toEqual(said[task]);
  expect(await ask('size')).toBeUndefined();
});

it('Triton is given a file of names for what has classes', () => {
  ok('deploy', 'triton', '-o', at('triton'));
  expect(readFileSync(at('triton/kind/kind.labels.txt'), 'utf8')).toBe(`${names.join('\n')}\n`);
  const config = readFileSync(at('triton/kind/config.pbtxt'), 'utf8');
  expect(config.match(/label_filename: "kind.labels.txt"/g)).toHaveLength(2);
});

it('the numbers are those of a description without names', () => {
  const plain = workspace(yaml.replace(', names: [rose, "lily, white", aster]', ''));
  for (const file of ['kinds.csv', 'rows.npy']) writeFileSync(join(plain, file), readFileSync(at(file)));
  const run = (...args: string[]) => expect(prognet(...args, '-C', plain)).toMatchObject({ status: 0 });
  run('train', 'kind', '--freeze', '--quiet', '--threads', '1');
  for (const [folder, file] of [
    [plain, 'plain.npy'],
    [dir, 'named.npy'],
  ] as const)
    expect(prognet('predict', 'kind', '--input', at('rows.npy'), '--output', at(file), '-C', folder).status).toBe(0);
  const numbers = (file: string) => readNpy(readFileSync(at(file)), file).numbers();
  expect(numbers('plain.npy')).toEqual(numbers('named.npy'));
});
