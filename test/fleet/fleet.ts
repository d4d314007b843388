// Workspaces with a frozen base and columns of one shape over it, trained on little data.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { trainTask } from '../../src/tasks/train-task.js';
import { runtime } from '../support/run.js';

/** A base and `names`, each of the blocks and head given, reading it. */
export const description = (
  names: readonly string[],
  {
    blocks = '[[{ dense: 6 }, batch_norm, relu], [{ dense: 5 }, tanh]]',
    head = '{ classify: { classes: 3 } }',
    kind = 'adapter',
    base = '[[{ dense: 8 }, relu], [{ dense: 7 }, relu]]',
    input = '{ name: x, shape: [4] }',
    train = '',
    reads = '',
  } = {},
) => `prognet: 1
name: shop
input: ${input}
columns:
  - { task: base, ${reads}blocks: ${base}, head: { classify: 3 }, train: { epochs: 2, batch: 8, seed: 1 } }
${names
  .map(
    (name, i) =>
      `  - { task: ${name}, ${reads}blocks: ${blocks}, head: ${head}, laterals: { kind: ${kind}, from: [base] }, train: { epochs: 2, batch: 8, seed: ${i + 2}${train} } }\n`,
  )
  .join('')}`;

/** Rows [n, ...shape] of this seed. */
export function rows(n: number, seed: number, shape: readonly number[] = [4]): Tensor {
  const random = new Random(seed, 'rows');
  const size = n * shape.reduce((a, b) => a * b, 1);
  return new Tensor(
    'float32',
    [n, ...shape],
    Float32Array.from({ length: size }, () => random.normal()),
  );
}

/** Rows [n, ...] of this seed, of several inputs by their names. */
type Drawn = (n: number, seed: number) => Readonly<Record<string, Tensor>>;

const part = (seed: number, shape: readonly number[] | Drawn, numbers: number) => ({
  inputs: typeof shape === 'function' ? shape(32, seed) : rows(32, seed, shape),
  targets:
    numbers > 0
      ? rows(32, seed + 1, [numbers])
      : new Tensor(
          'int64',
          [32],
          BigInt64Array.from({ length: 32 }, (_, i) => BigInt((i * 7 + seed) % 3)),
        ),
});

/** A workspace of this description with all columns trained and frozen. `numbers`: of a head of numbers how many it gives. */
export async function frozenWorkspace(text: string, shape: readonly number[] | Drawn = [4], numbers = 0): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-fleet-'));
  writeFileSync(join(dir, 'prognet.yaml'), text);
  let seed = 0;
  for (const task of loadWorkspace(dir).columns.tasks) {
    const own = task === 'base' ? 0 : numbers;
    seed += 10;
    await trainTask(runtime, dir, task, {
      data: { train: part(seed, shape, own), test: part(seed + 5, shape, own) },
      threads: 1,
    });
  }
  return dir;
}
