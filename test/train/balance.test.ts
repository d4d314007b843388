// Weights that a loss learns of the training part: the training is the one with those numbers written, bit for bit, whichever engine takes its
// steps and however often it is stopped; the network measures by them ever after.
import { beforeAll, describe, expect, it } from 'vitest';
import { ortTrainingEngine } from '../../src/artifacts/session-engine.js';
import type { HeadInput } from '../../src/model/heads/heads.js';
import { prognet } from '../../src/network/network.js';
import { readNetwork } from '../../src/network/read-network.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadOrtTraining } from '../../src/onnx/runtime/ort-training-node.js';
import type { CheckpointStore } from '../../src/train/checkpoint.js';
import { train } from '../../src/train/loop.js';
import { partition } from '../../src/train/prepare-data.js';
import type { TrainRequest } from '../../src/train/request.js';
import { trainSettings } from '../../src/train/settings.js';
import { runtime } from '../support/run.js';
import { interrupted, toy, toyColumn } from './support.js';

const settings = trainSettings({ epochs: 3, batch: 16, lr: 0.01, validation: 0.3 }, 0);

/** The toy's classes as flags of three labels. */
function flags(rows: number) {
  const { inputs, targets } = toy(rows);
  const data = Float32Array.from({ length: rows * 3 }, (_, i) => Number(Number(targets.data[Math.floor(i / 3)]) === i % 3));
  return { inputs, targets: new Tensor('float32', [rows, 3], data) };
}

const kinds = [
  ['classify', { classes: 3 }, 'class_weights', toy(80)],
  ['classify', { classes: 3, loss: { focal: 1.5 } }, 'class_weights', toy(80)],
  ['binary', { labels: 3 }, 'pos_weight', flags(80)],
  ['binary', { labels: 3, loss: 'focal' }, 'pos_weight', flags(80)],
] as const;

function requestOf([kind, options, weights, data]: (typeof kinds)[number], value: unknown): TrainRequest {
  const parts = partition(data, settings, 'data');
  const head = { [kind]: { ...options, [weights]: value } } as unknown as HeadInput;
  return { runtime, column: toyColumn(head), frozen: new Map(), settings, ...parts, session: { threads: 1 } };
}

/** Of the training part alone, counted anew. */
function expected([kind, , , data]: (typeof kinds)[number]): number[] {
  const { targets } = partition(data, settings, 'data').train;
  const found = targets.numbers();
  const rows = targets.dims[0] ?? 0;
  return [0, 1, 2].map((i) => {
    const met = kind === 'classify' ? found.filter((t) => t === i).length : found.filter((t, n) => n % 3 === i && t === 1).length;
    return kind === 'classify' ? rows / (3 * met) : (rows - met) / met;
  });
}

describe.each(kinds.map((k) => [`${k[0]} ${JSON.stringify(k[1])}`, k] as const))('%s', (_, kind) => {
  it('trains as with the numbers written, and says them', async () => {
    const numbers = expected(kind);
    const learned = await train(requestOf(kind, 'balanced'));
    expect(learned.balance).toEqual(numbers);
    const { balance: _, ...rest } = learned;
    expect(rest).toEqual(await train(requestOf(kind, numbers)));
    const plain = await train(requestOf(kind, undefined));
    expect(learned.history).not.toEqual(plain.history);
  });

  it('stopped within epochs it ends with the same bits', async () => {
    const request = requestOf(kind, 'balanced');
    expect(await interrupted(request, [2, 6, 9])).toEqual(await train(request));
  });
});

it('every checkpoint holds the numbers', async () => {
  const request = requestOf(kinds[0], 'balanced');
  const kept: unknown[] = [];
  const save: CheckpointStore['save'] = async ({ state }) => void kept.push(state.balance);
  await train({ ...request, store: { load: async () => undefined, save } });
  expect(kept).toEqual([1, 2, 3].map(() => expected(kinds[0])));
});

describe('--engine ort-training', () => {
  let engine: TrainRequest['engine'];
  beforeAll(async () => {
    engine = ortTrainingEngine(await loadOrtTraining());
  });
  it.each(kinds.map((k) => [`${k[0]} ${JSON.stringify(k[1])}`, k] as const))(
    '%s: the losses of the engine ort',
    async (_, kind) => {
      // Adam makes steps of noise where a gradient is 0, as that of a bias before batch_norm.
      const sgd = trainSettings({ epochs: 3, batch: 16, optimizer: 'sgd', lr: 0.05, validation: 0.3 }, 0);
      const request = { ...requestOf(kind, 'balanced'), settings: sgd };
      const [theirs, ours] = [await train({ ...request, ...(engine && { engine }) }), await train(request)];
      expect(theirs.balance).toEqual(ours.balance);
      theirs.history.forEach(({ loss, validation }, i) => {
        expect(loss).toBeCloseTo(ours.history[i]?.loss ?? Number.NaN, 4);
        expect(validation?.loss).toBeCloseTo(ours.history[i]?.validation?.loss ?? Number.NaN, 4);
      });
    },
  );
});

describe('a network', () => {
  const grown = (head: HeadInput) =>
    prognet({ input: { name: 'x', shape: [4] } })
      .on(runtime, { threads: 1 })
      .grow({ task: 'a', blocks: [[{ dense: 4 }, 'relu']], head });
  const options = { epochs: 2, batch: 16, lr: 0.01 };
  const balanced = { classify: { classes: 3, class_weights: 'balanced' as const } };

  it('measures by the numbers of its training, and carries them in its file', async () => {
    const { network, test } = await grown(balanced).train('a', { ...options, data: { train: toy(80), test: toy(50, 2) } });
    const numbers = expectedOf(80);
    expect(network.description.columns[0]?.head).toMatchObject({ kind: 'classify', class_weights: numbers });
    const { network: written, test: same } = await grown({ classify: { classes: 3, class_weights: numbers } }).train('a', {
      ...options,
      data: { train: toy(80), test: toy(50, 2) },
    });
    expect(test).toEqual(same);
    expect(await network.save()).toEqual(await written.save());
    const read = (await readNetwork(await network.save())).on(runtime);
    expect((await read.evaluate('a', toy(50, 2))).loss).toBe(test?.loss);
    await network.close();
    await written.close();
  });

  it('trained anew before it is frozen, learns anew', async () => {
    const { network: first } = await grown(balanced).train('a', { ...options, data: toy(80), freeze: false });
    expect(first.description.columns[0]?.head).toMatchObject({ class_weights: 'balanced' });
    const one = await first.evaluate('a', toy(50, 2));
    const { network: second } = await first.train('a', { ...options, data: toy(60, 5), freeze: false });
    const frozen = await second.freeze('a');
    expect(frozen.description.columns[0]?.head).toMatchObject({ class_weights: expectedOf(60, 5) });
    expect((await second.evaluate('a', toy(50, 2))).loss).not.toBe(one.loss);
    expect((await second.evaluate('a', toy(50, 2))).loss).toBe((await frozen.evaluate('a', toy(50, 2))).loss);
    // Grown anew under the name, nothing of it is left.
    expect(first.without('a').grow({ task: 'a', blocks: [[{ dense: 4 }]], head: { classify: 3 } }).tasks).toEqual(['a']);
    await frozen.close();
  });

  it('says which class the training part lacks, by its name', async () => {
    const data = { ...toy(20), targets: Tensor.from('int64', Array(20).fill(0)) };
    const head = { classify: { classes: 3, names: ['a', 'b', 'c'], class_weights: 'balanced' as const } };
    await expect(grown(head).train('a', { ...options, data })).rejects.toThrow(
      'task "a": class_weights: balanced: class "b" has no row in the training part',
    );
  });

  it('that got its weights from elsewhere cannot measure by what was learned there', async () => {
    const begun = grown(balanced);
    const weights = new Map(
      begun.parameters('a').specs.map(({ name, shape }) => [name, Tensor.zeros('float32', shape)] as const),
    );
    await expect(begun.withWeights('a', weights).evaluate('a', toy(20))).rejects.toThrow(
      'class_weights: balanced is learned of the data in training, and this column was not trained here: give numbers',
    );
  });
});

function expectedOf(rows: number, seed = 1): number[] {
  const classes = toy(rows, seed).targets.numbers();
  return [0, 1, 2].map((c) => rows / (3 * classes.filter((t) => t === c).length));
}
