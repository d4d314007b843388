// prognet export --routed, --all and --fused as written to files: a routed model answers with the bits of each task's own, a fused one to 1e-5.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { int64, Tensor } from '../../src/onnx/core/tensor.js';
import { runtime } from '../support/run.js';
import { prognet, workspace } from './support.js';

let dir = '';
beforeAll(() => {
  dir = workspace();
  expect(prognet('train', '--all', '--quiet', '-C', dir).status).toBe(0);
});

const r = new Random(4, 'forms');
const x = new Tensor(
  'float32',
  [9, 4],
  Float32Array.from({ length: 36 }, () => r.normal()),
);

/** What an export with these flags answers; with an id where it is routed. */
async function answers(flags: readonly string[], id?: number): Promise<Record<string, Tensor>> {
  const file = join(dir, `${flags.join('')}.onnx`);
  if (!existsSync(file)) expect(prognet('export', ...flags, '-o', file, '-C', dir)).toMatchObject({ status: 0 });
  const session = await runtime.createSession(readFileSync(file), { threads: 1 });
  const found = await session.run({ x, ...(id !== undefined && { task_id: int64([id]) }) });
  await session.release();
  return found;
}

it.each(['a', 'b'])('%s', async (task) => {
  const id = ['a', 'b'].indexOf(task);
  const own = must((await answers(['--task', task]))[task], task);
  expect(must((await answers(['--routed'], id)).scores, 'scores').data).toEqual(own.data);
  const others = {
    all: (await answers(['--all']))[task],
    fused: (await answers(['--task', task, '--fused']))[task],
    'all, fused': (await answers(['--all', '--fused']))[task],
    'routed, fused': (await answers(['--routed', '--fused'], id)).scores,
  };
  for (const [form, scores] of Object.entries(others))
    must(scores, form)
      .numbers()
      .forEach((v, i) => {
        expect(Math.abs(v - Number(own.data[i])), form).toBeLessThan(1e-5);
      });
});

it('a routed model refuses an id that is no task, at the run', async () => {
  await expect(answers(['--routed'], 2)).rejects.toThrow(/out of data bounds/);
  await expect(answers(['--routed'], -1)).rejects.toThrow(/out of data bounds/);
});
