// Training and freezing as two acts of the library: over a workspace, by its tasks and as a growing network.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { freezeTask } from '../../src/tasks/freeze-task.js';
import { resetTask } from '../../src/tasks/reset-task.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { WorkspaceNetwork } from '../../src/tasks/workspace-network.js';
import { runtime } from '../support/run.js';

const text = `prognet: 1
name: toy
input: { name: x, shape: [2] }
columns:
  - { task: a, blocks: [[{ dense: 4 }, relu]], head: { classify: 2 }, train: { epochs: 2, batch: 4, seed: 1 } }
  - { task: b, like: a, train: { epochs: 2, batch: 4, seed: 1 } }
`;
const part = (shift: number) => ({
  inputs: Tensor.from(
    'float32',
    Array.from({ length: 24 }, (_, i) => Math.sin(i + shift)),
    [12, 2],
  ),
  targets: Tensor.from(
    'int64',
    Array.from({ length: 12 }, (_, i) => i % 2),
    [12],
  ),
});
const data = { train: part(0), test: part(1) };

function workspace(): string {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-freeze-task-'));
  writeFileSync(join(dir, 'prognet.yaml'), text);
  return dir;
}
const weights = (dir: string) => readFileSync(join(dir, 'columns/a/weights.safetensors'));

it('trainTask with freeze: false and freezeTask do what trainTask does; data given in place are compared by what they hold', async () => {
  const [two, one] = [workspace(), workspace()];
  const how = { data, threads: 1 };
  expect(await trainTask(runtime, two, 'a', { ...how, freeze: false })).toMatchObject({ frozen: false, epochs: 2 });
  const again = await trainTask(runtime, two, 'a', { ...how, freeze: false });
  expect(again.was).toBe(again.value);
  await expect(freezeTask(runtime, two, 'a', { data: { ...data, train: part(2) } })).rejects.toThrow(
    /^task "a" was trained from something else, its training data are others, sha256 \w+\.\., trained with \w+\.\.; put it back, or train it anew: train "a" first$/,
  );
  await expect(freezeTask(runtime, two, 'a', { data: { ...data, test: part(2) } })).rejects.toThrow(/its test data are others/);
  expect(await freezeTask(runtime, two, 'a', { data })).toMatchObject({ frozen: true, value: again.value });
  expect(await trainTask(runtime, one, 'a', how)).toMatchObject({ frozen: true });
  expect(weights(two).equals(weights(one))).toBe(true);
  await expect(trainTask(runtime, two, 'a', how)).rejects.toThrow(/frozen for good; .*, or take its column back: reset "a"$/);
  expect(resetTask(two, 'a')).toEqual({ task: 'a', removed: ['columns/a', 'columns/.frozen/a'] });
});

it('a workspace as a network: trained and not frozen it answers, and freeze makes it final', async () => {
  const network = WorkspaceNetwork.open(workspace(), runtime);
  const how = { data, threads: 1, freeze: false };
  const { test, history } = await network.train('a', how);
  expect([network.trained('a'), history.length, test?.rows]).toEqual([false, 2, 12]);
  const { scores } = await network.predict('a', data.test.inputs);
  expect((await network.evaluate('a', data.test)).value).toBe(test?.value);
  expect(() => network.export({ task: 'a' })).toThrow(/^task "a" is trained, not frozen: freeze "a" first$/);
  await expect(network.train('b', how)).rejects.toThrow(/reads the column "a", which is not frozen yet: freeze "a" first$/);
  await network.freeze('a', { data });
  expect(network.trained('a')).toBe(true);
  expect((await network.predict('a', data.test.inputs)).scores.numbers()).toEqual(scores.numbers());
  await network.train('b', { ...how, lr: 0.1 });
  // The file holds what is frozen.
  expect((await network.save()).length).toBeGreaterThan(100);
  await network.close();
});
