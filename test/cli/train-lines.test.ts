// `train --json`: an object a line while it runs.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { lastLine, prognet, start, until, workspace, yaml } from './support.js';

const line = z.looseObject({ event: z.string(), task: z.string().optional() });
const linesOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));

it('tells begin, epochs with their measures, early stopping and the end', () => {
  const dir = workspace(yaml('', 3));
  const { stdout, stderr, status } = prognet('train', '--all', '--json', '-C', dir);
  expect(status).toBe(0);
  const found = linesOf(stdout);
  const epochs = ['epoch', 'epoch', 'epoch'];
  const beside = (event: string) => event !== 'note';
  expect(found.map(({ event }) => event).filter(beside)).toEqual(['started', ...epochs, 'started', ...epochs, 'done']);
  expect(found.filter(({ event }) => event === 'started')).toMatchObject([
    { task: 'a', epochs: 3, rows: 160, validationRows: 0 },
    { task: 'b', epochs: 3, rows: 128, validationRows: 32 },
  ]);
  const [of_a, of_b] = ['a', 'b'].map((task) => found.find((e) => e.event === 'epoch' && e.task === task));
  const some = { accuracy: expect.any(Number), 'balanced accuracy': expect.any(Number), 'macro f1': expect.any(Number) };
  const all = { ...some, 'macro auc': expect.any(Number), 'calibration error': expect.any(Number) };
  expect(of_a).toEqual({ event: 'epoch', task: 'a', epoch: 1, epochs: 3, ...numbers('loss', 'rate', 'seconds'), measures: some });
  expect(of_b).toMatchObject({ measures: some, validation: { ...numbers('loss', 'metric'), measures: all } });
  expect(found.at(-1)).toMatchObject({
    event: 'done',
    trained: [
      { task: 'a', frozen: true },
      { task: 'b', frozen: true },
    ],
  });
  expect(found.some(({ event, text }) => event === 'note' && String(text).includes('a.csv'))).toBe(true);
  // People are told the same, by less.
  expect(stderr).toMatch(
    /^b epoch 1\/3 loss \d\.\d{4}, accuracy \d\.\d{4}, macro f1 \d\.\d{4}; validation loss \d\.\d{4}, accuracy \d\.\d{4}, macro f1 \d\.\d{4} \(\d+\.\d s\)$/m,
  );
});

const numbers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, expect.any(Number)]));

it('is one document with --quiet, and an error is the last line', () => {
  const dir = workspace(yaml('', 2));
  const { stdout } = prognet('train', 'a', '--json', '--quiet', '-C', dir);
  expect(JSON.parse(stdout)).toMatchObject({ event: 'done', trained: [{ task: 'a', frozen: false }] });
  expect(lastLine(prognet('train', 'b', '--json', '-C', dir).stdout).error).toMatchObject({
    exitCode: 2,
    remedy: { kind: 'freeze' },
  });
});

it('tells that a test set was drawn, once and by train alone', () => {
  const dir = workspace(yaml('', 1).replace('b.csv, header: false', 'b.csv, header: false, test: 0.2'));
  const drawn = (stdout: string) =>
    linesOf(stdout).flatMap(({ event, text }) => (event === 'note' && /test set/.test(String(text)) ? [text] : []));
  const line = `${join(dir, 'a.csv')}: brings no test set: 40 of 200 rows, drawn by seed 0, are it; "test" and "seed" in the data entry decide it`;
  expect(drawn(prognet('train', 'a', '--json', '-C', dir).stdout)).toEqual([line]);
  const { stderr } = prognet('freeze', 'a', '-C', dir);
  expect(stderr).not.toContain('test set');
  // Each of several heads reads the file.
  const two = workspace(`prognet: 1
name: two
input: { name: x, shape: [3] }
columns:
  - task: a
    data: { source: a.csv, header: false, targets: { p: -1, q: 3 } }
    blocks: [[{ dense: 4 }, relu]]
    heads: { p: { classify: 2 }, q: { regress: 1 } }
    train: { epochs: 1 }
`);
  expect(drawn(prognet('train', 'a', '--json', '-C', two).stdout)).toEqual([line.replace(dir, two)]);
  // Where the data entry says the part nothing is taken for granted.
  expect(drawn(prognet('train', 'b', '--json', '-C', dir).stdout)).toEqual([]);
});

it('tells where a training goes on, and where it stops', async () => {
  const dir = workspace(yaml('', 400));
  const training = start('train', 'a', '--json', '-C', dir);
  await until(training, /epoch 3\/400/);
  training.child.kill('SIGINT');
  expect(await training.ended).toMatchObject({ code: 130 });
  const yes = prognet('train', 'a', '--json', '--resume', '-C', dir);
  expect(yes.status).toBe(0);
  const found = linesOf(yes.stdout).filter(({ event }) => event !== 'note');
  const [begun, resumed, first] = found;
  expect([begun?.event, resumed?.event, first?.event]).toEqual(['started', 'resumed', 'epoch']);
  expect(first?.epoch).toBe(Number(resumed?.epoch) + 1);
  const stops = workspace(yaml('', 60).replace('patience: 60', 'patience: 1, monitor: f1'));
  prognet('train', 'a', '--freeze', '--quiet', '-C', stops);
  const all = linesOf(prognet('train', 'b', '--json', '-C', stops).stdout);
  const [stopped] = all.filter(({ event }) => event === 'stopped');
  expect(stopped).toMatchObject({ task: 'b', best: Number(stopped?.epoch) - 1 });
});
