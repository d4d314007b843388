// A workspace whose files, data or description changed under it: what every command then says.
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { csv, lastLine, prognet, start, until, workspace, yaml } from './support.js';

let trained = '';
beforeAll(() => {
  trained = workspace(yaml('', 2));
  for (const task of ['a', 'b']) expect(prognet('train', task, '--freeze', '--quiet', '-C', trained).status).toBe(0);
}, 60_000);

/** A copy of the trained workspace. */
function copy(): string {
  const dir = workspace(yaml('', 2));
  cpSync(join(trained, 'columns'), join(dir, 'columns'), { recursive: true });
  return dir;
}
const says = (dir: string, args: string[], message: RegExp, code = 2) => {
  const { status, stderr } = prognet(...args, '-C', dir);
  expect(stderr).toMatch(message);
  expect(status).toBe(code);
};

it('a source column that was swapped for another is found at once', () => {
  const dir = copy();
  const other = workspace(yaml('', 2));
  expect(prognet('train', 'a', '--freeze', '--seed', '5', '--quiet', '-C', other).status).toBe(0);
  rmSync(join(dir, 'columns/a'), { recursive: true });
  renameSync(join(other, 'columns/a'), join(dir, 'columns/a'));
  for (const command of [['check'], ['verify'], ['export', '--task', 'b', '-o', join(dir, 'b.onnx')]])
    says(
      dir,
      command,
      /^prognet: columns\/b: was trained over another column "a", sha256 \w+\.\., found \w+\.\.; restore columns\/a from a copy$/m,
    );
});

it('a source column that is gone is named, not trained anew', () => {
  const dir = copy();
  rmSync(join(dir, 'columns/a'), { recursive: true });
  for (const command of [['check'], ['train', 'a', '--freeze'], ['verify']])
    says(dir, command, /columns\/b: reads the column "a", whose files are missing; restore columns\/a from a copy/);
});

it('the newest column that is gone is told, until it is given up', () => {
  const dir = copy();
  rmSync(join(dir, 'columns/b'), { recursive: true });
  for (const command of [['check'], ['verify'], ['train', 'b', '--freeze'], ['export', '--task', 'a', '-o', join(dir, 'a.onnx')]])
    says(
      dir,
      command,
      /^prognet: columns\/b: is missing; it was frozen with sha256 \w+\.\.: restore it from a copy, or give it up: prognet reset b$/m,
    );
  symlinkSync('/nowhere', join(dir, 'columns/b'));
  says(dir, ['check'], /^prognet: columns\/b: is a link that leads nowhere, restore the folder that it led to$/m);
  expect(prognet('reset', 'b', '-C', dir)).toMatchObject({
    status: 0,
    stdout: 'b taken back, removed: columns/b, columns/.frozen/b\n',
  });
  expect(prognet('check', '-C', dir).status).toBe(0);
});

it('a column that is a link to its folder counts as one, and another column in its place does not', () => {
  const dir = copy();
  renameSync(join(dir, 'columns/b'), join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'columns/b'));
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toHaveLength(2);
  says(dir, ['train', 'b', '--freeze'], /task "b" is trained and frozen for good/);
  writeFileSync(join(dir, 'columns/.frozen/b'), `${'0'.repeat(64)}\n`);
  says(dir, ['check'], /columns\/b: is another column, sha256 \w+\.\.; it was frozen with sha256 000000000000\.\./);
});

it('a workspace of before the notes is taken, and noted by the next training', () => {
  const dir = copy();
  for (const path of ['columns/.frozen', 'columns/b']) rmSync(join(dir, path), { recursive: true });
  expect(prognet('verify', '-C', dir).status).toBe(0);
  expect(prognet('train', 'b', '--freeze', '-C', dir).stderr).toMatch(
    /^column "a" was frozen without a note of it: noted now in columns\/\.frozen/m,
  );
  expect(readdirSync(join(dir, 'columns/.frozen')).sort()).toEqual(['a', 'b']);
});

it('verify goes on where one task has no data, and then fails', () => {
  const dir = copy();
  rmSync(join(dir, 'b.csv'));
  const { status, stdout } = prognet('verify', '--json', '-C', dir);
  expect(status).toBe(1);
  expect(JSON.parse(stdout).tasks).toMatchObject([
    { task: 'a', identical: true },
    { task: 'b', reason: expect.stringContaining('b.csv') },
  ]);
});

it('verify fails where the test data are others, eval tells it', () => {
  const dir = copy();
  writeFileSync(join(dir, 'a.csv'), csv(9));
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks[0]).toMatchObject({
    reason: 'the test data are others than at freezing',
  });
  expect(prognet('verify', '-C', dir).status).toBe(1);
  expect(prognet('eval', 'a', '-C', dir).status).toBe(0);
});

it('a frozen task without data is no reason not to train the next', () => {
  const dir = copy();
  const text = yaml('  - { task: c, data: { source: b.csv, header: false }, like: a, train: { epochs: 1 } }\n', 2);
  writeFileSync(join(dir, 'prognet.yaml'), text.replace('    data: { source: a.csv, header: false }\n', ''));
  const { status, stdout } = prognet('train', 'c', '--freeze', '--json', '-C', dir);
  expect(status).toBe(0);
  expect(lastLine(stdout).trained[0].earlier).toMatchObject([
    { task: 'a', reason: expect.stringContaining('names no data') },
    { task: 'b', identical: true },
  ]);
});

it('a training resumes only as it was begun: losses count as well', async () => {
  const dir = workspace(yaml('', 5000));
  const training = start('train', 'a', '--freeze', '-C', dir);
  await until(training, /a epoch 1\/5000/);
  // While it runs, another is told of it.
  says(dir, ['train', 'a', '--freeze'], /runs\/a\/lock: .*process \d+/);
  training.child.kill('SIGINT');
  expect((await training.ended).code).toBe(130);
  writeFileSync(
    join(dir, 'prognet.yaml'),
    yaml('', 5000).replace('classify: 2', 'classify: { classes: 2, label_smoothing: 0.3 }'),
  );
  says(
    dir,
    ['train', 'a', '--freeze', '--resume'],
    /the run began with other settings, column\.head\.label_smoothing: .*0, .*0\.3/,
  );
}, 60_000);

it('no command writes over the description or a frozen column', () => {
  const dir = copy();
  says(dir, ['export', '--task', 'a', '-o', join(dir, 'prognet.yaml')], /prognet\.yaml: is a file of the workspace itself/);
  says(dir, ['export', '--task', 'a', '-o', join(dir, 'columns/a/weights.safetensors')], /is a file of the workspace itself/);
  expect(readFileSync(join(dir, 'prognet.yaml'), 'utf8')).toBe(yaml('', 2));
});

it('a plain export over one with external data leaves no data file', () => {
  const dir = copy();
  const file = join(dir, 'b.onnx');
  writeFileSync(file, 'something of the user');
  chmodSync(file, 0o644);
  expect(prognet('export', '--all', '--external-data', '-o', file, '-C', dir).status).toBe(0);
  expect(prognet('export', '--all', '-o', file, '-C', dir).status).toBe(0);
  expect(existsSync(`${file}.data`)).toBe(false);
  expect(prognet('inspect', file).status).toBe(0);
  symlinkSync(file, join(dir, 'link.onnx'));
  expect(prognet('export', '--task', 'a', '-o', join(dir, 'link.onnx'), '-C', dir).status).toBe(0);
  expect(lstatSync(join(dir, 'link.onnx')).isSymbolicLink()).toBe(true);
  expect(JSON.parse(prognet('inspect', file, '--json').stdout).outputs).toMatchObject([{ name: 'a' }]);
});

it('one JSON document whatever is asked, and surplus words are refused', () => {
  const dir = copy();
  expect(JSON.parse(prognet('--json', '-C', dir).stdout)).toMatchObject({ workspace: expect.stringContaining('prognet-cli-') });
  expect(JSON.parse(prognet('--json', '-C', '/').stdout)).toMatchObject({
    workspace: null,
    begin: ['prognet init my-network', expect.anything(), expect.anything()],
  });
  says(dir, ['train', 'a', '--freeze', 'b'], /too many arguments/);
  says(dir, ['train', 'b', '--freeze', '--epochs', '0x1'], /--epochs: found "0x1", expected/);
});
