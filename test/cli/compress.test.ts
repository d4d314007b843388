// `prognet compress`: all frozen columns as one with a head for each task, in a new workspace, at one time and one after another; heads of other kinds and
// widths, several heads, heads of each step, texts; and what is refused.
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../../src/onnx/core/random.js';
import { csv, okIn, prognet, repo, workspace, yaml } from './support.js';

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

const folder = () => join(mkdtempSync(join(tmpdir(), 'prognet-compress-')), 'smaller');
const compressed = (dir: string, ...args: string[]) => {
  const out = folder();
  const report = JSON.parse(okIn(dir, 'compress', '-o', out, ...args, '--json', '--quiet'));
  const proven = okIn(out, 'verify').match(/identical$/gm)?.length;
  return { tasks: report.tasks, proven };
};

it('takes several heads, each at its own scale, and tasks one after another', () => {
  const column = (task: string, heads: string, more: string) =>
    `  - { task: ${task}, data: { source: both.csv, header: true }, ${more}, heads: ${heads}, train: { epochs: 40, batch: 16, lr: 0.01 } }`;
  const dir = workspace(`prognet: 1
name: several
input: { name: x, features: [x0, x1, x2, x3] }
columns:
${column('a', '{ kind: { classify: 2 }, size: { regress: 1 } }', 'blocks: [[{ dense: 16 }, relu]]')}
${column('b', '{ other: { regress: 1 } }', 'like: a, laterals: none')}
`);
  const rows = csv(1)
    .split('\n')
    .map((row) => {
      const [a = '0', b = '0', ...rest] = row.split(',');
      return [a, b, ...rest, (50 * Number(a) + 20 * Number(b)).toFixed(3), (Number(b) - Number(rest[0])).toFixed(4)].join(',');
    });
  writeFileSync(join(dir, 'both.csv'), ['x0,x1,x2,x3,kind,size,other', ...rows].join('\n'));
  okIn(dir, 'train', '--all', '--freeze', '--quiet');
  for (const args of [[], ['--in-turn', '--strength', '20', '--decay', '0.9']]) {
    const { tasks, proven } = compressed(dir, '--width', '2', '--epochs', '100', '--lr', '0.01', ...args);
    const [a, b] = tasks;
    expect([proven, Object.keys(a.heads), a.metric, a.after === a.heads.kind.after]).toEqual([
      2,
      ['kind', 'size'],
      'accuracy',
      true,
    ]);
    expect(a.heads.kind.before).toBeGreaterThan(0.9);
    expect(a.heads.kind.after).toBeGreaterThan(0.8);
    // One answer for all is wrong by about 40, and by about 1.1.
    expect([a.heads.size.before < 15, a.heads.size.after < 25]).toEqual([true, true]);
    expect([b.heads.other.before < 0.7, b.heads.other.after < 0.8]).toEqual([true, true]);
  }
}, 180_000);

it('takes heads of each step, without the steps that do not count', () => {
  const label = 'label: [t0, t1, t2, t3]';
  const own = 'train: { epochs: 20, batch: 16, lr: 0.02 }';
  const dir = workspace(`prognet: 1
name: steps
input: { name: signal, features: [a, b, c, d, e, f, g, h] }
columns:
  - { task: tags, data: { source: tags.csv, ${label} }, blocks: [[{ reshape: [4, 2] }, { lstm: { units: 8, sequences: true } }]], head: { classify: { classes: 2, each: step } }, ${own} }
  - { task: sums, data: { source: sums.csv, ${label} }, like: tags, head: { regress: { outputs: 1, each: step } }, laterals: none, ${own} }
  - { task: whole, data: { source: tags.csv, label: t0 }, blocks: [[{ dense: 4 }]], head: { regress: 1 }, laterals: none, train: { epochs: 1 } }
`);
  const random = new Random(3, 'steps');
  for (const name of ['tags', 'sums']) {
    const rows = Array.from({ length: 200 }, (_, n) => {
      const x = Array.from({ length: 8 }, () => random.normal());
      const targets = [0, 1, 2, 3].map((t) => {
        const sum = x.slice(0, 2 * t + 1).reduce((a, b) => a + b, 0);
        if (name === 'sums') return sum.toFixed(4);
        return n % 3 === 0 && t === 3 ? -100 : Number(sum > 0);
      });
      return [...x.map((v) => v.toFixed(4)), ...targets].join(',');
    });
    writeFileSync(join(dir, `${name}.csv`), ['a,b,c,d,e,f,g,h,t0,t1,t2,t3', ...rows].join('\n'));
  }
  okIn(dir, 'train', 'tags', '--freeze', '--quiet');
  okIn(dir, 'train', 'sums', '--freeze', '--quiet');
  for (const args of [[], ['--in-turn']]) {
    const { tasks, proven } = compressed(dir, '--width', '2', '--epochs', '150', '--lr', '0.01', ...args);
    const [tags, sums] = tasks;
    expect([proven, tags.before > 0.8, tags.after > tags.before - 0.15]).toEqual([2, true, true]);
    // One answer for all is wrong by about 1.5.
    expect([sums.before < 0.6, sums.after < 0.9]).toEqual([true, true]);
  }
  okIn(dir, 'train', 'whole', '--freeze', '--quiet');
  const { status, stderr } = prognet('compress', '-o', folder(), '--quiet', '-C', dir);
  const said = 'compress: task "whole" answers samples, "tags" each step of a sequence, expected tasks that answer alike';
  expect([status, stderr]).toEqual([2, `prognet: ${said}\n`]);
}, 180_000);

it('takes texts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-compress-'));
  cpSync(join(repo, 'templates/init/text'), dir, { recursive: true });
  okIn(dir, 'train', '--all', '--freeze', '--quiet');
  for (const args of [[], ['--in-turn']]) {
    const { tasks, proven } = compressed(dir, '--epochs', '100', '--lr', '0.01', ...args);
    expect([proven, tasks.length]).toEqual([2, 2]);
    for (const { before, after } of tasks) expect([before > 0.8, after > 0.7]).toEqual([true, true]);
  }
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
  for (const width of ['0', '-1', 'wide'])
    expect(line('-o', out, '--width', width)).toEqual([2, `prognet: --width: found "${width}", expected a positive number\n`]);
  for (const flag of ['--epochs', '--rows'])
    expect(line('-o', out, flag, '0')).toEqual([2, `prognet: ${flag}: found "0", expected a positive integer\n`]);
  expect(line('-o', out, '--strength', '2')).toEqual([2, 'prognet: --strength: found without --in-turn, expected both\n']);
  expect(line('-o', out, '--in-turn', '--decay', '1.5')).toEqual([
    2,
    'prognet: --decay: found "1.5", expected a number of at most 1\n',
  ]);
  expect(existsSync(out)).toBe(false);
  writeFileSync(join(dir, 'prognet.yaml'), readFileSync(join(dir, 'prognet.yaml'), 'utf8').replace('a.csv', 'gone.csv'));
  const [status, stderr] = line('-o', out);
  expect([status, existsSync(out)]).toEqual([2, false]);
  expect(stderr).toMatch(/^prognet: .*gone\.csv.*\n$/);
}, 120_000);
