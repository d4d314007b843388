// What a column is trained for, from the command line: on a table of which one row of twenty is of the rare class.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNetwork } from '../../src/network/read-network.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { runtime } from '../support/run.js';
import { okIn, prognet, start, until, workspace } from './support.js';

const text = (head: string, train = 'epochs: 20') => `prognet: 1
name: payments
input: { name: row, features: [a, b, c] }
columns:
  - task: fraud
    data: payments
    blocks: [[{ dense: 8 }, relu, { dropout: 0.1 }]]
    head: ${head}
    train: { batch: 16, lr: 0.01, ${train} }
`;
const balanced = '{ classify: { classes: 2, class_weights: balanced } }';

/** Numbers and a text a row, 20 to 1. */
function rows(count: number, seed: number): (readonly [number, number, number, string])[] {
  const random = new Random(seed, 'payments');
  return Array.from({ length: count }, (_, i) => {
    const shift = i % 20 === 0 ? 1 : 0;
    const number = (by: number) => Math.fround(by + random.normal());
    return [number(shift), number(-shift), number(shift), i % 20 === 0 ? 'fraud' : 'fine'] as const;
  });
}
const test = rows(200, 2);

function payments(description: string): string {
  const dir = workspace(description);
  mkdirSync(join(dir, 'payments'));
  const table = (of: ReturnType<typeof rows>) => ['a,b,c,kind', ...of.map((row) => row.join())].join('\n');
  writeFileSync(join(dir, 'payments/train.csv'), table(rows(400, 1)));
  writeFileSync(join(dir, 'payments/test.csv'), table(test));
  return dir;
}

const numbers = [400 / (2 * 380), 400 / (2 * 20)];
const recordOf = (dir: string) => JSON.parse(readFileSync(join(dir, 'columns/fraud/column.json'), 'utf8'));
const weightsOf = (dir: string) => readFileSync(join(dir, 'columns/fraud/weights.safetensors'));
const evaluated = (dir: string) => JSON.parse(okIn(dir, 'eval', 'fraud', '--json')).tasks[0];
const describedAs = (dir: string, head: string) => writeFileSync(join(dir, 'prognet.yaml'), text(head));

describe('class_weights: balanced', () => {
  let dir = '';
  let said = '';
  beforeAll(() => {
    dir = payments(text(balanced));
    said = prognet('train', 'fraud', '--threads', '1', '-C', dir).stderr;
  });

  it('is said with its numbers, as text and as a line of JSON', () => {
    expect(said).toContain('fraud: class_weights balanced: fine 0.526, fraud 10\n');
    const lines = okIn(payments(text(balanced, 'epochs: 1')), 'train', 'fraud', '--json')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'balanced')).toEqual({
      event: 'balanced',
      task: 'fraud',
      option: 'class_weights',
      numbers: [
        { name: 'fine', value: numbers[0] },
        { name: 'fraud', value: numbers[1] },
      ],
    });
  });

  it('finds more of the rare class than plain cross-entropy', () => {
    const recall = (found: ReturnType<typeof evaluated>) =>
      found.measures.outputs.find(({ name }: { name: string }) => name === 'fraud').measures.recall;
    const plain = payments(text('{ classify: 2 }'));
    okIn(plain, 'train', 'fraud', '--threads', '1');
    expect(recall(evaluated(dir))).toBeGreaterThan(recall(evaluated(plain)) + 0.2);
  });

  it('stays what the frozen column is measured by, whatever the description says', async () => {
    const before = evaluated(dir);
    okIn(dir, 'freeze', 'fraud');
    expect(recordOf(dir).data.loss).toEqual({ class_weights: numbers, label_smoothing: 0 });
    expect(recordOf(dir).metrics.loss).toBe(before.loss);
    expect(prognet('check', '-C', dir).stderr).toBe('');
    describedAs(dir, '{ classify: { classes: 2, loss: focal } }');
    expect(prognet('check', '-C', dir).stderr).toMatch(
      /^warning: prognet\.yaml: columns\[0\]: head\.class_weights: nothing, frozen with \[.*\]; head\.loss: \{"kind":"focal","gamma":2\}, frozen with nothing; the column is measured by the loss that it was trained for\n$/,
    );
    expect(evaluated(dir).loss).toBe(before.loss);
    describedAs(dir, balanced);
    // The file of the network carries the numbers.
    okIn(dir, 'bundle', '-o', join(dir, 'n.prognet'));
    const network = (await readNetwork(new Uint8Array(readFileSync(join(dir, 'n.prognet'))))).on(runtime, { threads: 1 });
    const targets = Tensor.from(
      'int64',
      test.map(([, , , kind]) => Number(kind === 'fraud')),
    );
    const inputs = Tensor.from(
      'float32',
      test.flatMap((row) => row.slice(0, 3).map(Number)),
      [test.length, 3],
    );
    expect((await network.evaluate('fraud', { inputs, targets })).loss).toBe(before.loss);
    await network.close();
  });

  it('official artifacts have the numbers, and what was trained by them elsewhere is measured so', () => {
    const fresh = payments(text(balanced));
    okIn(fresh, 'artifacts', 'fraud', '-o', join(fresh, 'out'));
    for (const model of ['training_model', 'eval_model']) {
      const { initializers } = loadModel(join(fresh, `out/${model}.onnx`)).graph;
      const held = initializers.map(({ constant }) => JSON.stringify(constant?.numbers()));
      expect(held).toContain(JSON.stringify(numbers.map(Math.fround)));
    }
    okIn(fresh, 'artifacts', 'fraud', '--absorb', join(fresh, 'out/checkpoint'));
    expect(recordOf(fresh).data.loss).toEqual({ class_weights: numbers, label_smoothing: 0 });
  });
});

it('stopped within an epoch and gone on with, weights and rates are the same bits', async () => {
  const options = 'epochs: 60, schedule: { plateau: { patience: 2, factor: 0.7 } }';
  const [whole, broken] = [payments(text(balanced, options)), payments(text(balanced, options))];
  okIn(whole, 'train', 'fraud', '--freeze', '--threads', '1');
  const training = start('train', 'fraud', '--freeze', '--threads', '1', '-C', broken);
  await until(training, /rate \S+ from now on/);
  training.child.kill('SIGINT');
  expect((await training.ended).code).toBe(130);
  okIn(broken, 'train', 'fraud', '--resume', '--freeze', '--threads', '1');
  expect(Buffer.compare(weightsOf(whole), weightsOf(broken))).toBe(0);
  const rates = recordOf(whole).history.map(({ rate }: { rate: number }) => rate);
  expect(new Set(rates).size).toBeGreaterThan(2);
  expect(recordOf(broken).history).toEqual(recordOf(whole).history);
  expect(recordOf(broken).data.loss).toEqual(recordOf(whole).data.loss);
}, 120_000);

it('a sweep tries losses and weights by their names, ranked by a measure', () => {
  const dir = payments(text('{ classify: 2 }', 'epochs: 3'));
  const sweep = (...more: string[]) =>
    prognet('sweep', 'fraud', '--set', 'class_weights=balanced,[1,1]', '--set', 'loss=cross_entropy,focal', '-C', dir, ...more);
  const found = JSON.parse(sweep('--metric', 'f1', '--json', '--keep', 'best', '--write').stdout);
  expect([found.by, found.metric, found.trials.length, found.ended]).toEqual(['macro f1', 'macro f1', 4, 4]);
  const measured = found.trials.map((t: { metric: number }) => t.metric);
  expect([...measured].sort((a, b) => b - a)).toEqual(measured);
  const { settings } = found.trials[0];
  expect(readFileSync(join(dir, 'prognet.yaml'), 'utf8')).toContain(
    `head: { classify: { classes: 2, class_weights: ${typeof settings.class_weights === 'string' ? 'balanced' : '[1,1]'}, loss: ${settings.loss} } }\n`,
  );
  expect(readFileSync(join(dir, 'runs/fraud/sweep/sweep.csv'), 'utf8')).toMatch(
    /^class_weights,loss,seed,state,validation macro f1,/,
  );
  expect(sweep('--metric', 'loss').stderr).toMatch(
    /prognet: --metric loss: the trials minimise different losses, which do not compare; expected a measure such as accuracy\n$/,
  );
  // Measured by another measure, a trial is another one.
  expect(JSON.parse(sweep('--metric', 'auc', '--json').stdout).trials[0].trials[0].measure).toBe('macro auc');
}, 120_000);

it('three quantiles of one number', () => {
  const dir = workspace(
    text('{ regress: { outputs: 3, loss: { quantile: [0.1, 0.5, 0.9] } } }', 'epochs: 40').replace(
      'data: payments',
      'data: n.csv',
    ),
  );
  const random = new Random(3, 'quantiles');
  const numbers = Array.from({ length: 500 }, () => [0, 0, 0].map(() => random.uniform()));
  writeFileSync(
    join(dir, 'n.csv'),
    ['a,b,c,y', ...numbers.map(([a = 0, b, c]) => [a, b, c, 3 * a + random.uniform()].join())].join('\n'),
  );
  okIn(dir, 'train', 'fraud', '--threads', '1');
  writeFileSync(join(dir, 'ask.csv'), ['a,b,c', ...numbers.slice(0, 200).map((row) => row.join())].join('\n'));
  const { values } = JSON.parse(okIn(dir, 'predict', 'fraud', '--input', join(dir, 'ask.csv'), '--json'));
  const spread = values.map(([low, , high]: number[]) => Number(high) - Number(low));
  const mean = spread.reduce((x: number, y: number) => x + y, 0) / spread.length;
  expect(mean).toBeGreaterThan(0.4);
  expect(mean).toBeLessThan(1.6);
  const wrong = payments(text('{ regress: { outputs: 2, loss: { quantile: 0.5 } } }').replace('data: payments', 'data: n.csv'));
  writeFileSync(join(wrong, 'n.csv'), 'a,b,c,y\n1,2,3,0.5\n1,2,3,0.25\n');
  expect(prognet('train', 'fraud', '-C', wrong).stderr).toMatch(/a regress head of 2 needs 2 numbers per row/);
});

it('a class without rows in the training part is named', () => {
  const dir = payments(text('{ classify: { classes: 3, names: [fine, fraud, odd], class_weights: balanced } }'));
  expect(prognet('train', 'fraud', '-C', dir)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(
      'prognet: task "fraud": class_weights: balanced: class "odd" has no row in the training part, expected some of each class, or numbers in place of balanced\n',
    ),
  });
});
