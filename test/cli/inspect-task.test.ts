// `prognet inspect <task>`: new, unfinished, trained, frozen. And what eval says of a column that is not frozen.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csv, okIn, prognet, start, until, workspace, yaml } from './support.js';

const inspect = (dir: string, ...args: string[]) => okIn(dir, 'inspect', ...args);

it('says what a task is: new, trained, changed, frozen', () => {
  const dir = workspace(yaml('', 4).replace('seed: 3', 'seed: 3, validation: 0.2, early_stopping: { patience: 4, monitor: f1 }'));
  expect(inspect(dir, 'a')).toMatch(
    /^a\n {2}state {7}not trained: prognet train a\n {2}head {8}classify\n {2}parameters {2}130\n {2}reads {7}-\n$/,
  );
  okIn(dir, 'train', 'a', '--quiet');
  const said = inspect(dir, 'a');
  expect(said).toContain('  state       trained, not frozen: prognet freeze a makes it final, prognet train a trains it anew\n');
  expect(said).toMatch(/^ {2}trained {5}4 epochs in \d+\.\d s on 160 rows(, weights of epoch [1-3])?; \d{4}-/m);
  expect(said).toMatch(/^ {2}training {4}loss \d\.\d{4}, accuracy \d\.\d{4}, balanced accuracy .* \(as epoch [1-4] went\)$/m);
  expect(said).toMatch(/^ {2}validation {2}loss .*, macro auc \d\.\d{4}, calibration error \d\.\d{4}$/m);
  expect(said).toMatch(/^ {2}test {8}accuracy \d\.\d{4}, loss \d\.\d{4}; more by prognet eval a$/m);
  const document = JSON.parse(inspect(dir, 'a', '--json'));
  expect(document).toMatchObject({
    task: 'a',
    state: 'trained',
    reads: [],
    training: { epochs: 4, rows: 160, measured: { epoch: document.training.epoch } },
  });
  // The weights that are kept are those of the best epoch.
  const { stdout } = prognet('plot', 'a', '--json', '-o', join(dir, 'a.svg'), '-C', dir);
  expect(JSON.parse(stdout).runs[0].best).toBe(document.training.epoch);
  okIn(dir, 'freeze', 'a', '--quiet');
  expect(inspect(dir, 'a')).toContain('  state       frozen\n');
  expect(inspect(dir, 'b')).toContain('  reads       a\n');
  expect(prognet('inspect', 'a', '--card', '-C', dir)).toMatchObject({
    status: 2,
    stderr: 'prognet: --card is of an exported file, "a" is a task: prognet export --task a -o a.onnx\n',
  });
  expect(prognet('inspect', 'c', '-C', dir).status).toBe(2);
});

it('tells an unfinished training, and what was changed since', async () => {
  const dir = workspace(yaml('', 400));
  const training = start('train', 'a', '-C', dir);
  await until(training, /epoch 3\/400/);
  training.child.kill('SIGINT');
  await training.ended;
  expect(inspect(dir, 'a')).toContain('  state       its training is unfinished: prognet train a --resume\n');
  okIn(dir, 'train', 'a', '--restart', '--epochs', '2', '--quiet');
  writeFileSync(join(dir, 'prognet.yaml'), yaml('', 400).replace('dense: 8', 'dense: 9'));
  expect(inspect(dir, 'a')).toMatch(/^ {2}changed {5}prognet\.yaml: columns\[0\]: blocks\[0\]\[0\]\.units: 9, trained with 8$/m);
});

it('eval measures a column that is not frozen by its own words', () => {
  const dir = workspace(yaml('', 2));
  okIn(dir, 'train', 'a', '--threads', '1', '--quiet');
  expect(okIn(dir, 'eval', 'a')).toMatch(/identical, not frozen$/m);
  const threads = prognet('eval', 'a', '--threads', '2', '-C', dir);
  if (!/identical/.test(threads.stdout)) expect(threads.stderr).toContain('trained with 1 threads, run with 2');
  writeFileSync(join(dir, 'a.csv'), csv(5));
  const other = prognet('eval', 'a', '-C', dir);
  expect(other.stderr).toContain('a: not comparable bit for bit, the test data are others than when it was trained');
  for (const text of [threads.stdout, threads.stderr, other.stdout, other.stderr])
    expect(text).not.toMatch(/freezing|frozen (on|with)/);
});
