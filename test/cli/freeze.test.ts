// Training, freezing and taking back are acts of their own, and what each command says of a column that is trained and not frozen.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { csv, prognet, workspace, yaml } from './support.js';

/** A workspace whose task a is trained and not frozen. */
let trained: string;
const flags = ['--threads', '1', '--quiet', '--json'];
beforeAll(() => {
  trained = workspace(yaml('', 3));
  const { status, stdout } = prognet('train', 'a', ...flags, '-C', trained);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).trained).toMatchObject([{ task: 'a', frozen: false, earlier: [], epochs: 3 }]);
});

function copy(of = trained): string {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-freeze-'));
  cpSync(of, dir, { recursive: true });
  return dir;
}
const weights = (dir: string, task: string) => readFileSync(join(dir, 'columns', task, 'weights.safetensors'));
const record = (dir: string, task: string) => {
  const { createdAt, self, metrics, ...rest } = JSON.parse(readFileSync(join(dir, 'columns', task, 'column.json'), 'utf8'));
  return { ...rest, metrics: { ...metrics, seconds: 0 } };
};
const says = (dir: string, args: readonly string[], line: RegExp) => {
  const { status, stderr } = prognet(...args, '-C', dir);
  expect(stderr).toMatch(line);
  expect(status, stderr).toBe(2);
};
const changed = (dir: string, from: string, to: string) =>
  writeFileSync(join(dir, 'prognet.yaml'), readFileSync(join(dir, 'prognet.yaml'), 'utf8').replace(from, to));

it('training and then freezing leave the very column of train --freeze', () => {
  const [two, one] = [copy(), workspace(yaml('', 3))];
  expect(existsSync(join(two, 'columns/a'))).toBe(false);
  expect(prognet('freeze', 'a', ...flags.slice(2), '-C', two).status).toBe(0);
  expect(prognet('train', 'a', '--freeze', ...flags, '-C', one).status).toBe(0);
  expect(weights(two, 'a').equals(weights(one, 'a'))).toBe(true);
  expect(record(two, 'a')).toEqual(record(one, 'a'));
  expect(readdirSync(join(two, 'runs'))).toEqual([]);

  expect(prognet('train', 'b', ...flags, '-C', two).status).toBe(0);
  const frozen = JSON.parse(prognet('freeze', '--all', '--json', '-C', two).stdout).trained;
  expect(frozen).toMatchObject([{ task: 'b', frozen: true, earlier: [{ task: 'a', identical: true, rows: 40 }] }]);
  expect(prognet('verify', '-C', two).status).toBe(0);
  // Once more is no harm, and proves the others again.
  const again = prognet('freeze', 'b', '-C', two);
  expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('b is frozen already') });
  expect(again.stdout).toMatch(/a identical \(40 rows\)/);
});

it('check, eval and predict take a trained column and say that it is not frozen', () => {
  expect(prognet('check', '-C', trained).stdout).toMatch(/^a .* trained, not frozen \(accuracy [01]\.\d{4}\) /m);
  expect(JSON.parse(prognet('check', '--json', '-C', trained).stdout).columns[0]).toMatchObject({
    state: 'trained',
    frozen: false,
    test: { metric: 'accuracy' },
  });
  for (const args of [['eval'], ['eval', 'a']])
    expect(prognet(...args, '-C', trained).stdout).toMatch(/^a .* identical, not frozen$/m);
  const input = join(copy(), 'x.npy');
  writeFileSync(input, writeNpy(Tensor.from('float32', [1, 2, 3, 4], [1, 4])));
  const { stdout, stderr } = prognet('predict', 'a', '--input', input, '--json', '-C', trained);
  expect(JSON.parse(stdout)).toMatchObject({ task: 'a', frozen: false, rows: 1 });
  expect(stderr).toBe('a is trained, not frozen\n');
  expect(JSON.parse(prognet('verify', '--json', '-C', trained).stdout).tasks).toEqual([]);
});

it.each([
  ['export', '--task', 'a', '-o', 'a.onnx'],
  ['export', '--all', '-o', 'a.onnx'],
  ['deploy', 'node', '-o', 'service'],
  ['deploy', 'node', '--tasks', 'a', '-o', 'service'],
  ['artifacts', 'a', '-o', 'artifacts'],
  ['bundle', '-o', 'toy.prognet'],
  ['studio', '--build', 'site'],
])('%s %s refuses a trained column with the command that freezes it', (...args) => {
  const out = mkdtempSync(join(tmpdir(), 'prognet-out-'));
  const last = args.length - 1;
  says(
    trained,
    [...args.slice(0, last), join(out, args[last] ?? '')],
    /^prognet: task "a" is trained, not frozen: prognet freeze a$/m,
  );
  expect(readdirSync(out)).toEqual([]);
});

it('later columns read frozen ones alone', () => {
  says(trained, ['train', 'b'], /^prognet: task "b" reads the column "a", which is not frozen yet: prognet freeze a$/m);
  says(
    workspace(),
    ['train', 'b'],
    /^prognet: task "b" reads the column "a", which is not trained yet: prognet train a --freeze$/m,
  );
  says(workspace(), ['freeze', 'a'], /^prognet: task "a" is not trained yet: prognet train a$/m);
  says(trained, ['freeze'], /^prognet: name the tasks to freeze, or give --all: prognet freeze <task>$/m);
});

it('training anew takes the place of a trained column when it has ended, and says both measures', () => {
  const dir = copy();
  const file = join(dir, 'runs/a/trained.safetensors');
  const before = readFileSync(file);
  // One that fails leaves the former one.
  const data = readFileSync(join(dir, 'a.csv'));
  writeFileSync(join(dir, 'a.csv'), '1,2,3,4,7\n');
  says(dir, ['train', 'a'], /a\.csv/);
  expect(readFileSync(file).equals(before)).toBe(true);
  writeFileSync(join(dir, 'a.csv'), data);
  const { stdout, stderr } = prognet('train', 'a', '--epochs', '1', '-C', dir);
  expect(stdout).toMatch(/accuracy [01]\.\d{4}, was [01]\.\d{4}/);
  expect(stderr).toMatch(/^a is trained, not frozen: prognet freeze a makes it final, prognet train a trains it anew$/m);
  expect(readFileSync(file).equals(before)).toBe(false);
  // What was set beside the description is no difference of the description.
  expect(prognet('freeze', 'a', '-C', dir).status).toBe(0);
});

it('freezing refuses what was trained from something else, and says what', () => {
  const refused = (change: (dir: string) => void, line: RegExp) => {
    const dir = copy();
    change(dir);
    says(dir, ['freeze', 'a'], line);
    expect(existsSync(join(dir, 'columns/a'))).toBe(false);
  };
  const way = '; put it back, or train it anew: prognet train a$';
  const with_ = (text: string) => new RegExp(`^prognet: task "a" was trained from something else, ${text}${way}`, 'm');
  refused(
    (d) => changed(d, 'lr: 0.01, seed: 3', 'lr: 0.02, seed: 3'),
    with_(String.raw`prognet.yaml: columns\[0\]: train\.lr: 0\.02, trained with 0\.01`),
  );
  refused((d) => changed(d, 'seed: 3', 'seed: 4'), with_(String.raw`prognet.yaml: columns\[0\]: train\.seed: 4, trained with 3`));
  refused(
    (d) => changed(d, '[{ dense: 8 }, relu, { dropout: 0.1 }]', '[{ dense: 9 }, tanh, { dropout: 0.1 }]'),
    with_(
      String.raw`prognet.yaml: columns\[0\]: blocks\[0\]\[0\]\.units: 9, trained with 8; blocks\[0\]\[1\]: "tanh", trained with "relu"`,
    ),
  );
  refused(
    (d) => writeFileSync(join(d, 'a.csv'), csv(5)),
    with_(String.raw`its training data are others, sha256 \w+\.\., trained with \w+\.\.`),
  );
});

it('a damaged trained column is told, and training anew takes its place', () => {
  const dir = copy();
  const file = join(dir, 'runs/a/trained.safetensors');
  const bytes = readFileSync(file);
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  says(
    dir,
    ['freeze', 'a'],
    /^prognet: runs\/a\/trained\.safetensors: changed since it was written, train the task anew: prognet train a$/m,
  );
  expect(prognet('check', '-C', dir).stderr).toMatch(/warning: runs\/a\/trained\.safetensors: changed since it was written/);
  expect(prognet('train', 'a', '--quiet', '-C', dir).status).toBe(0);
});

it('train --all freezes what is trained already as it is', () => {
  const dir = copy();
  expect(prognet('train', '--all', '--threads', '1', '-C', dir).stderr).toMatch(/^a is trained already and frozen as it is$/m);
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toMatchObject([{ task: 'a' }, { task: 'b' }]);
});

it('a frozen column whose training options are others now is told, value by value', () => {
  const dir = copy();
  expect(prognet('freeze', 'a', '-C', dir)).toMatchObject({ status: 0 });
  expect(JSON.parse(prognet('check', '--json', '-C', dir).stdout).warnings).toEqual([]);
  changed(dir, 'lr: 0.01, seed: 3', 'lr: 0.02, seed: 3, clip: { norm: 1 }');
  const { status, stdout } = prognet('check', '--json', '-C', dir);
  expect(status).toBe(0);
  expect(JSON.parse(stdout).warnings).toEqual([
    'prognet.yaml: columns[0]: train.lr: 0.02, frozen with 0.01; train.clip: {"kind":"norm","limit":1}, frozen with nothing; a frozen column is not trained again: put it back, or take the column back with prognet reset a',
  ]);
  expect(prognet('verify', '-C', dir).status).toBe(0);
});

it('reset takes back what nothing reads, and names the readers otherwise', () => {
  const dir = copy();
  expect(prognet('train', '--all', ...flags, '-C', dir).status).toBe(0);
  says(dir, ['reset', 'a'], /^prognet: the column of task "a" is read by b; take that back first$/m);
  // A column that no longer fits is told with both ways out, and can be taken back.
  changed(dir, 'rank: 3', 'rank: 4');
  says(
    dir,
    ['check'],
    /laterals\.rank: 4, frozen with 3; put it back, add a new task, or take the column back: prognet reset b$/m,
  );
  expect(prognet('reset', 'b', '-C', dir).stdout).toBe('b taken back, removed: columns/b, columns/.frozen/b\n');
  expect(readdirSync(join(dir, 'columns/.frozen'))).toEqual(['a']);
  says(dir, ['reset', 'b'], /^prognet: task "b" is neither frozen nor trained here, so there is nothing to take back$/m);
  // A trained column reads it as well.
  expect(prognet('train', 'b', ...flags, '-C', dir).status).toBe(0);
  says(dir, ['reset', 'a'], /is read by b;/);
  expect(prognet('reset', 'b', '-C', dir).stdout).toBe('b taken back, removed: runs/b/trained.safetensors\n');
  expect(prognet('reset', 'a', '-C', dir).status).toBe(0);
  expect(readdirSync(join(dir, 'columns'))).toEqual(['.frozen']);
  says(dir, ['reset', '../a'], /^prognet: task "\.\.\/a" is no valid name/m);
});
