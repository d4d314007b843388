// `prognet plot`: curves of what is trained, frozen or interrupted; and files that it does not write over.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { okIn, prognet, start, until, workspace, yaml } from './support.js';

let dir = '';
beforeAll(() => {
  dir = workspace(yaml('', 8).replace('patience: 8', 'patience: 8, monitor: auc'));
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
});
const file = () => join(mkdtempSync(join(tmpdir(), 'prognet-plot-')), 'curves.svg');
const plot = (...args: string[]) => prognet('plot', ...args, '-C', dir);

it('draws loss and measures of training and validation data, and marks the best epoch', () => {
  const out = file();
  const { status, stdout, stderr } = plot('b', '-o', out);
  expect([status, stdout]).toEqual([0, `${out} written: loss, accuracy, macro f1\n`]);
  expect(stderr).toMatch(
    /^b: trained, not frozen, 8 epochs; best epoch [1-8] by validation macro auc; test accuracy \d\.\d{4}\n$/,
  );
  const svg = readFileSync(out, 'utf8');
  expect(svg.match(/<path class="(?:training|validation) c\d" clip-path/g)).toHaveLength(6);
  // Again over its own.
  expect(plot('a', '-o', out, '--quiet').status).toBe(0);
  expect(readFileSync(out, 'utf8').match(/<path class="(?:training|validation) c\d" clip-path/g)).toHaveLength(3);
});

it('draws several tasks, chosen measures, and to stdout', () => {
  const { stdout } = plot('a', 'b', '--measure', 'loss', '--measure', 'auc', '-o', '-');
  expect(stdout).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" class="prognet-chart" /);
  expect(stdout).toContain('<title id="title">Learning curves of a, b</title>');
  expect(stdout).toContain('b, macro auc on validation data');
  const out = file();
  expect(JSON.parse(plot('a', '--json', '-o', out).stdout)).toMatchObject({
    file: out,
    measures: ['loss', 'accuracy', 'macro f1'],
    runs: [{ name: 'a' }],
  });
});

it('draws an unfinished training beside the one that is kept', async () => {
  const other = workspace(yaml('', 400));
  okIn(other, 'train', 'a', '--epochs', '3', '--quiet');
  const training = start('train', 'a', '-C', other);
  await until(training, /epoch 5\/400/);
  training.child.kill('SIGINT');
  await training.ended;
  const { stderr } = prognet('plot', 'a', '-o', file(), '-C', other);
  expect(stderr).toMatch(
    /^a: trained, not frozen, 3 epochs; .*\na, unfinished: unfinished, \d+ epochs; best epoch \d+ by training loss\n$/,
  );
});

it.each<[string, string[], RegExp]>([
  ['a task that is not there', ['c'], /^prognet: unknown task "c"/],
  ['a measure that is none', ['a', '--measure', 'f2'], /^prognet: --measure: found "f2", expected one of loss, accuracy, /],
  ['a measure that was not taken', ['a', '--measure', 'mae'], /^prognet: no epoch of a was measured by "mae"\n$/],
  [
    'another kind of file',
    ['a', '-o', 'a.png'],
    /^prognet: --output: found "a\.png", expected a name that ends in \.svg, or - for stdout\n$/,
  ],
  ['--json beside stdout', ['a', '--json', '-o', '-'], /^prognet: --json and -o - would both take stdout, give -o a file\n$/],
])('refuses %s', (_, args, message) => {
  const { status, stderr } = plot(...args);
  expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
});

it('refuses a task without epochs, and a file that it did not draw', () => {
  const fresh = workspace();
  expect(prognet('plot', 'a', '-C', fresh)).toMatchObject({
    status: 2,
    stderr: 'prognet: task "a" has no epoch to draw yet: prognet train a\n',
  });
  expect(existsSync('a.svg')).toBe(false);
  const mine = file();
  writeFileSync(mine, '<svg/>');
  expect(plot('a', '-o', mine)).toMatchObject({
    status: 2,
    stderr: `prognet: ${mine}: is not a picture that prognet plot drew; it stays as it is, expected another output\n`,
  });
  expect(readFileSync(mine, 'utf8')).toBe('<svg/>');
});
