// `prognet compress`: all frozen columns as one with a head for each task, in a new workspace; heads of other kinds and widths; and what is refused.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csv, okIn, prognet, workspace, yaml } from './support.js';

/** The rows of csv(1) with a number in place of the class: a sum of the first two features. */
const numbers = csv(1)
  .split('\n')
  .map((row) => {
    const [a = '0', b = '0', c, d] = row.split(',');
    return [a, b, c, d, (3 * Number(a) - 2 * Number(b)).toFixed(4)].join(',');
  })
  .join('\n');

const three = `  - task: c
    data: { source: c.csv, header: false }
    blocks: [[{ dense: 16 }, relu], [{ dense: 8 }, relu]]
    head: { regress: 1 }
    laterals: none
    train: { epochs: 60, batch: 16, lr: 0.01 }
`;

it('gives one column and a head for each task, which answer nearly as the columns did', () => {
  const dir = workspace(yaml(three, 30));
  writeFileSync(join(dir, 'c.csv'), numbers);
  okIn(dir, 'train', '--all', '--quiet');
  const smaller = join(mkdtempSync(join(tmpdir(), 'prognet-compress-')), 'smaller');
  const report = JSON.parse(okIn(dir, 'compress', '-o', smaller, '--width', '2', '--json', '--quiet'));
  expect(report.workspace).toBe(smaller);
  expect(report.tasks.map(({ task, metric }: Record<string, string>) => [task, metric])).toEqual([
    ['a', 'accuracy'],
    ['b', 'accuracy'],
    ['c', 'error'],
  ]);
  const [a, b, c] = report.tasks;
  for (const { before, after } of [a, b]) expect([before > 0.8, after > before - 0.1]).toEqual([true, true]);
  // One answer for all is wrong by about 2.9.
  expect([c.before < 1, c.after < 1.2]).toEqual([true, true]);
  // 4 to 16 to 16, a head of 2; then heads over 16.
  expect(report.tasks.map(({ parameters }: { parameters: number }) => parameters)).toEqual([80 + 272 + 34, 34, 17]);
  expect(report.parameters.after).toBe(386 + 34 + 17);
  // It is a workspace as any other: proven, exported, a base of further columns.
  expect(okIn(smaller, 'verify').match(/identical$/gm)).toHaveLength(3);
  okIn(smaller, 'export', '--all', '-o', join(smaller, 'all.onnx'));
  const further = `${readFileSync(join(smaller, 'prognet.yaml'), 'utf8')}
  - task: d
    data: { source: ${JSON.stringify(join(dir, 'b.csv'))}, header: false }
    blocks: [[{ dense: 4 }, relu]]
    head: { classify: 2 }
    train: { epochs: 1 }
`;
  writeFileSync(join(smaller, 'prognet.yaml'), further);
  expect(okIn(smaller, 'train', 'd', '--freeze', '--quiet')).toMatch(
    /^d .*a identical \(40 rows\), b identical \(40 rows\), c identical \(40 rows\)$/m,
  );
}, 180_000);

it('refuses what it cannot compress, and leaves nothing behind', () => {
  const dir = workspace(yaml('', 1));
  const out = join(mkdtempSync(join(tmpdir(), 'prognet-compress-')), 'smaller');
  const line = (...args: string[]) => {
    const { status, stderr } = prognet('compress', ...args, '--quiet', '-C', dir);
    return [status, stderr];
  };
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  expect(line('-o', out)).toEqual([2, 'prognet: compress: found 1 frozen tasks with a head, expected two or more\n']);
  okIn(dir, 'train', 'b', '--freeze', '--quiet');
  expect(line('-o', dir)).toEqual([2, `prognet: ${dir}: holds prognet.yaml, expected a new folder\n`]);
  expect(line('-o', out, '--like', 'c')).toEqual([2, 'prognet: unknown task "c", the description has: a, b\n']);
  expect(line('-o', out, '--width', '1000')).toEqual([2, 'prognet: --width: found "1000", expected a factor of at most 100\n']);
  expect(existsSync(out)).toBe(false);
  writeFileSync(join(dir, 'prognet.yaml'), readFileSync(join(dir, 'prognet.yaml'), 'utf8').replace('a.csv', 'gone.csv'));
  const [status, stderr] = line('-o', out);
  expect([status, existsSync(out)]).toEqual([2, false]);
  expect(stderr).toMatch(/^prognet: .*gone\.csv.*\n$/);
}, 120_000);
