// Twelve columns grown one by one: no old task moves by a bit, and what a column costs grows by its proof alone. The campaign with a hundred, and
// its processor time, is scripts/reliability/columns.mjs.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { NodeRuntime } from '../../src/onnx/runtime/node.js';
import type { Runtime } from '../../src/onnx/runtime/session.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { taskOutputs } from '../../src/tasks/task-outputs.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { verifyTask, verifyWith } from '../../src/tasks/verify.js';
import { Evaluator } from '../../src/train/evaluate.js';
import { counting } from '../support/counting.js';

const columns = 12;
const features = 4;
const folder = mkdtempSync(join(tmpdir(), 'prognet-columns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const taskOf = (k: number) => `task${k}`;

function rowsOf(name: string, count: number): Tensor {
  const random = new Random(1, name);
  return new Tensor(
    'float32',
    [count, features],
    Float32Array.from({ length: count * features }, () => random.below(1000) / 1000 - 0.5),
  );
}

/** Adapters and linear laterals in turn, from the last two columns, every fifth from all. */
function described(k: number): object {
  const task = taskOf(k);
  const train = { epochs: 1, batch: 16, seed: k };
  const own = { task, data: `${task}.npz`, train };
  if (k === 1)
    return {
      ...own,
      blocks: [
        [{ dense: 6 }, 'relu'],
        [{ dense: 4 }, 'relu'],
      ],
      head: { classify: 2 },
    };
  const from = k % 5 === 0 ? 'all' : [k - 1, k - 2].filter((i) => i > 0).map(taskOf);
  return { ...own, like: taskOf(1), laterals: k % 2 === 0 ? { kind: 'adapter', rank: 3, from } : { kind: 'linear', from } };
}

function describe(k: number): void {
  const all = Array.from({ length: k }, (_, i) => described(i + 1));
  const whole = { prognet: 1, name: 'grown', input: { name: 'x', shape: [features] }, columns: all };
  writeFileSync(join(folder, 'prognet.json'), JSON.stringify(whole));
  const arrays = new Map<string, Tensor>();
  for (const [part, count] of [
    ['train', 48],
    ['test', 24],
  ] as const) {
    const x = rowsOf(`${part}${k}`, count);
    const y = BigInt64Array.from({ length: count }, (_, i) => (Number(x.data[i * features + (k % features)]) > 0 ? 1n : 0n));
    arrays.set(`x_${part}`, x).set(`y_${part}`, new Tensor('int64', [count], y));
  }
  writeFileSync(join(folder, `${taskOf(k)}.npz`), writeNpz(arrays));
}

/** Every file under columns/ with the hash of its bytes. */
function files(): Map<string, string> {
  const root = join(folder, 'columns');
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(root, path)).isFile());
  return new Map(
    paths.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest('hex'),
    ]),
  );
}

/** What a task answers for rows that none was trained on, and the hash of its exported model. */
async function answers(runtime: Runtime, task: string): Promise<object> {
  const loaded = loadWorkspace(folder);
  const weights = new Map([...loaded.frozen].map(([name, { tensors }]) => [name, tensors]));
  const options = { providers: ['cpu'], threads: 1 };
  const { sha256, graph } = await taskOutputs(runtime, loaded.columns, weights, task, { x: rowsOf('other', 16) }, options);
  return { sha256, graph };
}

const frozenFiles = new Map<string, string>();
const firstAnswers = new Map<string, object>();
const sessionsOf: number[] = [];
let counted: ReturnType<typeof counting>;

beforeAll(async () => {
  counted = counting(await NodeRuntime.load());
  const { runtime, models } = counted;
  for (let k = 1; k <= columns; k++) {
    describe(k);
    const before = models.length;
    const { earlier } = await trainTask(runtime, folder, taskOf(k), { threads: 1 });
    sessionsOf.push(models.length - before);
    expect(earlier).toEqual(Array.from({ length: k - 1 }, (_, i) => ({ task: taskOf(i + 1), rows: 24, identical: true })));
    for (const [path, hash] of files()) if (!frozenFiles.has(path)) frozenFiles.set(path, hash);
    if ([1, 6, columns].includes(k)) firstAnswers.set(taskOf(k), await answers(runtime, taskOf(k)));
  }
});

it('the files of every column are those of the day it was frozen', () => {
  expect(frozenFiles.size).toBe(3 * columns);
  expect(files()).toEqual(frozenFiles);
});

it('every task answers as on the day it was frozen, bit for bit', async () => {
  const loaded = loadWorkspace(folder);
  for (let k = 1; k <= columns; k++)
    expect(await verifyTask(counted.runtime, loaded, taskOf(k))).toMatchObject({ rows: 24, identical: true });
});

it('the first, the middle and the last task have the exported bytes and the answers of their first day', async () => {
  expect(firstAnswers.size).toBe(3);
  for (const [task, first] of firstAnswers) expect(await answers(counted.runtime, task)).toEqual(first);
});

it('a training makes one session more for each earlier task, which is asked when it has ended', () => {
  const [, second = 0, ...later] = sessionsOf;
  expect(later).toEqual(later.map((_, i) => second + i + 1));
});

it('a proof of all makes a session for each task, and one for the losses of heads that are alike', async () => {
  const { runtime, models } = counting(counted.runtime);
  const loaded = loadWorkspace(folder);
  const evaluator = new Evaluator(runtime);
  for (const task of loaded.columns.tasks) await verifyWith(evaluator, runtime, loaded, task);
  await evaluator.release();
  expect(models.length).toBe(columns + 1);
});

it('where records are of another runtime, earlier tasks are asked before a training and after it', async () => {
  const [, second = 0] = sessionsOf;
  const { runtime, models } = counting({ ...counted.runtime, version: 'onnxruntime-node of another day' });
  describe(columns + 1);
  const { earlier } = await trainTask(runtime, folder, taskOf(columns + 1), { threads: 1 });
  expect(earlier.map(({ identical }) => identical)).toEqual(Array.from({ length: columns }, () => true));
  expect(models.length).toBe(second - 1 + 2 * columns);
});

it('a file that is changed by one bit is found', () => {
  const path = join(folder, 'columns', taskOf(3), 'weights.safetensors');
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  rmSync(path);
  writeFileSync(path, bytes);
  expect(() => loadWorkspace(folder)).toThrow('columns/task3/weights.safetensors: changed since it was frozen');
});
