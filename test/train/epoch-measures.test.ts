// What each epoch is measured by: running sums over the training data, all measures of the validation data, and what early stopping watches.
import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import type { Train } from '../../src/model/description/train-schema.js';
import type { HeadInput } from '../../src/model/heads/heads.js';
import { measuresFor, monitorNames } from '../../src/model/heads/measure-names.js';
import { type Column, columnsOf } from '../../src/model/progressive/column.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { epochOf, flat } from '../../src/tasks/epoch-records.js';
import type { Checkpoint, EpochRecord } from '../../src/train/checkpoint.js';
import { watched } from '../../src/train/early-stopping.js';
import { train } from '../../src/train/loop.js';
import type { TrainRequest } from '../../src/train/request.js';
import { trainSettings } from '../../src/train/settings.js';
import { headOf } from '../model/heads/support.js';
import { runtime } from '../support/run.js';

const rows = 90;
const random = new Random(3, 'measures');
const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
const inputs = { row: new Tensor('float32', [rows, 6], numbers(rows * 6)) };
const classes = (n: number) =>
  new Tensor(
    'int64',
    [rows],
    BigInt64Array.from({ length: rows }, (_, i) => BigInt((i * i + (i % 4)) % n)),
  );
const flags = new Tensor(
  'float32',
  [rows, 3],
  Float32Array.from({ length: rows * 3 }, (_, i) => Number(i % 7 < 3)),
);
const values = new Tensor(
  'float32',
  [rows, 2],
  numbers(rows * 2).map((v) => 1000 + v),
);

function columnOf(head: HeadInput, layers: readonly unknown[] = [{ dense: 5 }, 'tanh']): Column {
  const columns = [{ task: 'a', blocks: [layers], head }];
  return columnsOf(parseDescription({ prognet: 1, name: 'x', input: { name: 'row', shape: [6] }, columns })).column('a');
}

type Beside = Partial<TrainRequest> & { readonly options?: Train };

async function history(
  head: HeadInput,
  targets: Tensor,
  { options = {}, ...beside }: Beside = {},
): Promise<readonly EpochRecord[]> {
  const column = columnOf(head);
  const settings = trainSettings({ epochs: 3, batch: 16, lr: 0.05, ...options }, 0, column.head);
  const data = { inputs, targets };
  return (await train({ runtime, column, frozen: new Map(), settings, train: data, session: { threads: 1 }, ...beside })).history;
}

const kinds: readonly (readonly [string, HeadInput, Tensor, readonly string[]])[] = [
  ['classes', { classify: 7 }, classes(7), ['accuracy', 'balanced accuracy', 'macro f1', 'top 5 accuracy']],
  ['labels', { binary: 3 }, flags, ['accuracy', 'balanced accuracy', 'macro f1']],
  ['numbers', { regress: 2 }, values, ['mae', 'rmse', 'r2']],
];

describe.each(kinds)('%s', (_, head, targets, running) => {
  it('are measured on the training data as on the same data afterwards, where nothing is learned between', async () => {
    const [first] = await history(head, targets, { options: { lr: 1e-30 }, validation: { inputs, targets } });
    const { measures = {}, validation } = must(first, 'epoch');
    expect(Object.keys(measures)).toEqual(running);
    for (const [name, value] of Object.entries(measures))
      expect(value, name).toBeCloseTo(must(Object.entries(validation?.measures ?? {}).find(([n]) => n === name)?.[1], name), 5);
    expect(Object.keys(validation?.measures ?? {})).toEqual(measuresFor(headOf(head)));
  });

  it('are the same after an interruption within an epoch', async () => {
    const whole = await history(head, targets);
    const controller = new AbortController();
    let kept: Checkpoint | undefined;
    const store: TrainRequest['store'] = {
      load: async () => kept,
      save: async (checkpoint) => {
        kept = checkpoint;
      },
    };
    const onEvent: TrainRequest['onEvent'] = (e) => {
      if (e.kind === 'step' && e.epoch === 2) controller.abort();
    };
    await expect(history(head, targets, { store, onEvent, signal: controller.signal })).rejects.toThrow('interrupted at epoch 2');
    const { counts, ...older } = must(kept, 'checkpoint').state;
    expect(counts?.rows).toBeGreaterThan(0);
    expect(await history(head, targets, { store })).toEqual(whole);
    // A checkpoint within an epoch that another version wrote: the rest of the epoch is not the epoch.
    kept = { ...must(kept, 'checkpoint'), state: { ...older, done: false, epoch: 1, offset: 2, history: whole.slice(0, 1) } };
    const resumed = await history(head, targets, { store });
    expect(resumed.map(({ measures }) => measures === undefined)).toEqual([false, true, false]);
  });

  it('come back from their flat form, as records without them do', async () => {
    for (const record of await history(head, targets, { validation: { inputs, targets } }))
      expect(epochOf(flat(record))).toEqual(record);
    const old = { epoch: 1, loss: 2, rate: 0.1, validation_loss: 3, validation_metric: 0.5 };
    expect(epochOf(old)).toEqual({ epoch: 1, loss: 2, rate: 0.1, validation: { loss: 3, metric: 0.5 } });
  });
});

describe('early stopping watches', () => {
  const classify: HeadInput = { classify: 7 };
  it.each(
    monitorNames.filter(
      (name) => name === 'f1' || name === 'auc' || name === 'loss' || measuresFor(headOf(classify)).includes(name),
    ),
  )('%s', async (monitor) => {
    const targets = classes(7);
    const options: Train = { epochs: 40, lr: 0.5, early_stopping: { patience: 1, monitor } };
    const seen = (await history(classify, targets, { options, validation: { inputs, targets } })).map(({ validation }) =>
      watched(monitor, must(validation, 'validation')),
    );
    // It went on as long as each epoch beat all before it.
    expect(seen.length).toBeLessThan(40);
    expect(seen.slice(1, -1).every((value, i) => value < (seen[i] ?? 0))).toBe(true);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(must(seen.at(-2), 'value'));
  });

  it('larger values as better ones but for errors', () => {
    const measures = { accuracy: 0.5, rmse: 2, r2: 0.1, 'macro f1': 0.4, 'calibration error': 0.2 };
    const at = (monitor: Parameters<typeof watched>[0]) => watched(monitor, { loss: 7, metric: 0, measures });
    expect([at('loss'), at('accuracy'), at('rmse'), at('r2'), at('f1'), at('calibration error')]).toEqual([
      7, -0.5, 2, -0.1, -0.4, 0.2,
    ]);
  });

  it.each<[HeadInput, NonNullable<Train['early_stopping']>['monitor'], string]>([
    [
      { regress: 2 },
      'accuracy',
      'monitor is "accuracy", which a head regress does not have, expected one of loss, mae, rmse, r2',
    ],
    [
      { binary: 3 },
      'mae',
      'monitor is "mae", which a head binary does not have, expected one of loss, accuracy, balanced accuracy',
    ],
    [{ classify: 3 }, 'top 5 accuracy', 'monitor is "top 5 accuracy", which a head classify does not have'],
  ])('no measure that the head does not have: %j', (head, monitor, message) => {
    expect(() => trainSettings({ early_stopping: { patience: 1, monitor } }, 0, headOf(head))).toThrow(message);
  });

  it('no measure that the validation data do not give', async () => {
    const one = new Tensor('int64', [rows], new BigInt64Array(rows));
    const options: Train = { early_stopping: { patience: 1, monitor: 'auc' } };
    await expect(history(classify, classes(7), { options, validation: { inputs, targets: one } })).rejects.toThrow(
      '"macro auc" is watched, which the validation data do not give: one class or one value alone',
    );
  });
});
