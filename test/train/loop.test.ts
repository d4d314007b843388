import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import type { Weights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Checkpoint } from '../../src/train/checkpoint.js';
import type { TrainEvent } from '../../src/train/events.js';
import { singleRowNote } from '../../src/train/least-rows.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { runtime } from '../support/run.js';

function toy(rows: number) {
  const r = new Random(1, 'toy');
  const x = Float32Array.from({ length: rows * 64 }, () => r.normal());
  const y = BigInt64Array.from({ length: rows }, (_, i) => BigInt((x[i * 64] ?? 0) + (x[i * 64 + 1] ?? 0) > 0 ? 1 : 0));
  return { inputs: { image: new Tensor('float32', [rows, 1, 8, 8], x) }, targets: new Tensor('int64', [rows], y) };
}

/** Of the task a of a network of images. */
function columnOf(blocks: readonly unknown[]) {
  const description = { prognet: 1, name: 'toy', input: { name: 'image', shape: [1, 8, 8] } };
  return must(
    columnsOf(parseDescription({ ...description, columns: [{ task: 'a', blocks, head: { classify: 2 } }] })).column('a'),
    'column',
  );
}

// Two columns with batch_norm, dropout and an adapter learn a toy task, validation being the training data.
it('trains two columns, the second over the first', async () => {
  const description = parseDescription({
    prognet: 1,
    name: 'toy',
    input: { name: 'image', shape: [1, 8, 8] },
    columns: [
      {
        task: 'a',
        blocks: [
          [{ conv2d: { filters: 4, kernel: 3, padding: 'same' } }, 'batch_norm', 'relu', { maxpool2d: 2 }],
          ['flatten', { dense: 16 }, 'relu', { dropout: 0.1 }],
        ],
        head: { classify: 2 },
      },
      { task: 'b', like: 'a', laterals: { kind: 'adapter', rank: 4 } },
    ],
  });
  const data = toy(512);
  const frozen = new Map<string, Weights>();
  for (const column of columnsOf(description)) {
    const settings = trainSettings({ epochs: 12, batch: 32, lr: 0.01 }, 0);
    const result = await train({
      runtime,
      column,
      frozen,
      settings,
      train: data,
      validation: data,
      session: { threads: 1 },
    });
    expect(must(result.history.at(-1), 'history').validation?.metric).toBeGreaterThan(0.85);
    frozen.set(column.task, result.weights);
  }
});

it('goes on behind the last epoch: it tells every record, trains none, and returns the same', async () => {
  let saved: Checkpoint | undefined;
  const store = {
    load: async () => saved,
    save: async (checkpoint: Checkpoint) => {
      saved = checkpoint;
    },
  };
  const data = toy(64);
  const run = async () => {
    const events: TrainEvent[] = [];
    const result = await train({
      runtime,
      column: columnOf([['flatten', { dense: 4 }, 'relu']]),
      frozen: new Map(),
      settings: trainSettings({ epochs: 3, batch: 16 }, 0),
      train: data,
      validation: data,
      session: { threads: 1 },
      store,
      onEvent: (event) => void events.push(event),
    });
    return { result, events };
  };
  const whole = await run();
  expect(whole.result.history.map(({ epoch, validation }) => [epoch, validation === undefined])).toEqual([
    [1, false],
    [2, false],
    [3, false],
  ]);
  const again = await run();
  expect(again.result).toEqual(whole.result);
  const { history } = whole.result;
  expect(again.events.filter(({ kind }) => kind === 'resumed' || kind === 'epoch' || kind === 'step')).toEqual([
    { kind: 'resumed', epoch: 3, step: 12, history },
  ]);
});

describe('minibatches of one row', () => {
  const features = columnOf([['flatten', { dense: 4 }, 'batch_norm', 'relu']]);
  const images = columnOf([[{ conv2d: { filters: 2, kernel: 3 } }, 'batch_norm', 'relu']]);
  const run = (c: typeof features, rows: number, batch: number) =>
    train({
      runtime,
      column: c,
      frozen: new Map(),
      settings: trainSettings({ epochs: 1, batch }, 0),
      train: toy(rows),
      session: { threads: 1 },
    });

  it.each([
    [4, 1],
    [1, 32],
  ])('are refused where batch_norm stands behind a dense layer: %i rows, batch %i', async (rows, batch) => {
    const message =
      'task "a": batch_norm "a/0/batch_norm" has one value of each feature in a minibatch of one row, expected a batch of at least 2';
    await expect(run(features, rows, batch)).rejects.toThrow(message);
    expect((await run(images, rows, batch)).steps).toBe(Math.ceil(rows / batch));
  });

  it('as the last of an epoch are trained on and told', async () => {
    expect((await run(features, 5, 2)).steps).toBe(3);
    expect(singleRowNote(features, 5, 2)).toMatch(
      /^task "a": the last minibatch of an epoch has one row \(5 rows, batch 2\): batch_norm "a\/0\/batch_norm" passes on no more than its bias there/,
    );
    expect(singleRowNote(features, 6, 2)).toBeUndefined();
    expect(singleRowNote(images, 5, 2)).toBeUndefined();
  });
});

it('no checkpoint holds weights that are not finite, not even one on the way out', async () => {
  const wild = { epochs: 2, batch: 64, optimizer: 'sgd' as const, weight_decay: 1e30, lr: 1e30 };
  const saved: number[] = [];
  const run = train({
    runtime,
    column: columnOf([['flatten', { dense: 4 }, 'relu']]),
    frozen: new Map(),
    settings: trainSettings(wild, 0),
    train: toy(64),
    session: { threads: 1 },
    signal: AbortSignal.abort(),
    store: { load: async () => undefined, save: async ({ state }) => void saved.push(state.step) },
  });
  await expect(run).rejects.toMatchObject({
    name: 'TrainingError',
    step: 1,
    message: expect.stringMatching(/^"a\/.*" holds (NaN|-?Infinity) after step 1 \(rate 1\.00e\+30\): lower the rate/),
  });
  expect(saved).toEqual([]);
});
