// Which requests go to which thread, by threads that end their runs when the test says so: while a run of a short model is under way its requests wait and go together, those of a long one take the
// next thread at once.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Ran, RunJob } from '../../src/serve/workers/jobs.js';
import type { Computing } from '../../src/serve/workers/pool.js';
import { Scheduler } from '../../src/serve/workers/scheduler.js';

/** Two threads; each run waits in `runs` for its end. */
function heldThreads() {
  const runs: { readonly thread: number; readonly rows: readonly number[]; end(nanoseconds: number): Promise<void> }[] = [];
  const busy = [false, false];
  const threads = {
    onIdle: () => {},
    idle: () => all.find((_, i) => busy[i] !== true),
  };
  const all: readonly Computing[] = busy.map((_, thread) => ({
    run: ({ inputs, rows }: RunJob) => {
      busy[thread] = true;
      return new Promise<Ran>((resolve) => {
        const end = async (infer: number) => {
          busy[thread] = false;
          resolve({ answers: inputs, input: 0, infer, output: 0 });
          await turn();
          threads.onIdle();
        };
        runs.push({ thread, rows, end });
      });
    },
  }));
  return { threads, runs };
}

async function line(lastRun: number) {
  const { threads, runs } = heldThreads();
  const opened = new Scheduler(threads).open({ session: 1, maxBatch: 4, delayMicroseconds: 0, maxWaiting: 100 });
  const ask = (...values: number[]) => opened.ask({ x: Tensor.from('float32', values, [values.length, 1]) }, {});
  const first = ask(0);
  await turn();
  await runs.shift()?.end(lastRun);
  await first;
  return { ask, runs };
}

it('a model whose runs are short: what comes meanwhile waits for the run and goes together', async () => {
  const { ask, runs } = await line(100_000);
  const answers = [ask(1)];
  await turn();
  answers.push(ask(2));
  await turn();
  answers.push(ask(3));
  await turn();
  expect(runs.map(({ rows }) => rows)).toEqual([[1]]);
  await runs[0]?.end(100_000);
  expect(runs.map(({ rows }) => rows)).toEqual([[1], [1, 1]]);
  await runs[1]?.end(100_000);
  const given = await Promise.all(answers);
  expect(given.map(({ outputs }) => Array.from(outputs.x?.data as Float32Array))).toEqual([[1], [2], [3]]);
  expect(given.map(({ batch }) => batch)).toEqual([1, 2, 2]);
});

it('of which a full batch waits takes the other thread', async () => {
  const { ask, runs } = await line(100_000);
  void ask(1);
  await turn();
  void ask(2, 3);
  await turn();
  expect(runs).toHaveLength(1);
  void ask(4, 5);
  await turn();
  expect(runs.map(({ thread, rows }) => [thread, rows])).toEqual([
    [0, [1]],
    [1, [2, 2]],
  ]);
});

it('a model whose runs are long: the next request takes the next thread', async () => {
  const { ask, runs } = await line(5_000_000);
  void ask(1);
  await turn();
  void ask(2);
  await turn();
  expect(runs.map(({ thread, rows }) => [thread, rows])).toEqual([
    [0, [1]],
    [1, [1]],
  ]);
});
