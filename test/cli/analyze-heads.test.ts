// `prognet analyze`, `prune` and `export --prune` of columns with several heads and with heads of each step, and the report that shows them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { csv, okIn, prognet, workspace } from './support.js';

const text = `prognet: 1
name: heads
input: { name: x, features: [x0, x1, x2, x3] }
columns:
  - task: a
    data: { source: both.csv, label: kind }
    blocks: [[{ dense: 12 }, relu]]
    head: { classify: 2 }
    train: { epochs: 30, batch: 16, lr: 0.02 }
  - task: b
    data: both.csv
    like: a
    heads: { size: { regress: 1 }, kind: { classify: 2 } }
    laterals: { kind: adapter, rank: 3, into: [head] }
    train: { epochs: 60, batch: 16, lr: 0.02 }
  - task: steps
    data: { source: both.csv, label: [t0, t1] }
    blocks: [[{ reshape: [2, 2] }, { dense: { units: 8, each: step } }, relu]]
    head: { classify: { classes: 2, each: step } }
    laterals: { kind: adapter, rank: 3, into: [head], from: [a] }
    train: { epochs: 30, batch: 16, lr: 0.02 }
`;

it('several heads and heads of each step are analysed, pruned for export, and shown', () => {
  const dir = workspace(text);
  const rows = csv(1)
    .split('\n')
    .map((row, i) => {
      const [a = '0', b = '0', c = '0', d = '0', kind] = row.split(',');
      const steps = [Number(Number(a) > 0), i % 4 === 0 ? -100 : Number(Number(c) > Number(d))];
      return [a, b, c, d, kind, (3 * Number(b) - Number(a)).toFixed(3), ...steps].join(',');
    });
  writeFileSync(join(dir, 'both.csv'), ['x0,x1,x2,x3,kind,size,t0,t1', ...rows].join('\n'));
  for (const task of ['a', 'b', 'steps']) okIn(dir, 'train', task, '--freeze', '--quiet');
  const several = JSON.parse(okIn(dir, 'analyze', 'b', '--json', '--quiet'));
  expect([several.metric, several.value, Object.keys(several.heads)]).toEqual([
    'error',
    several.heads.size.value,
    ['size', 'kind'],
  ]);
  const lateral = several.taps.find(({ source }: { source: string }) => source === 'a');
  expect(lateral.without).toBe(lateral.withoutByHead.size);
  expect(okIn(dir, 'analyze', 'b', '--quiet')).toMatch(/size error without +kind accuracy without/);
  const each = JSON.parse(okIn(dir, 'analyze', 'steps', '--json', '--quiet'));
  expect([each.value > 0.8, each.drawn, each.taps.length]).toEqual([true, true, 2]);
  okIn(
    dir,
    'export',
    '--task',
    'b',
    '--prune',
    '--keep-accuracy',
    '0.8',
    '--keep-error',
    '1.5',
    '-o',
    join(dir, 'b.onnx'),
    '--quiet',
  );
  const { status, stderr } = prognet('prune', 'b', '--keep-accuracy', '0.8', '-C', dir);
  const said = 'the task is measured by its error and its accuracy, expected --keep-error and --keep-accuracy';
  expect([status, stderr]).toEqual([2, `prognet: ${said}\n`]);
  okIn(dir, 'report', '-o', join(dir, 'report.html'), '--data', join(dir, 'data'), '--quiet');
  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  expect([page.includes('steps'), page.includes('What each head loses without a lateral')]).toEqual([true, true]);
  // Every head that a lateral feeds, in the numbers that analyze kept.
  const file = must(
    readdirSync(join(dir, 'data')).find((name) => /without\.csv$/.test(name)),
    'table',
  );
  const [header, ...table] = readFileSync(join(dir, 'data', file), 'utf8')
    .trim()
    .split('\r\n');
  expect(header).toBe('task,into,reads,tap,head,metric,value,without,change');
  const { size, kind } = lateral.withoutByHead;
  expect(table.map((line) => line.split(',').slice(0, 8))).toEqual([
    ['b', 'head', 'a', '0', 'kind', 'accuracy', String(several.heads.kind.value), String(kind)],
    ['b', 'head', 'a', '0', 'size', 'error', String(several.heads.size.value), String(size)],
  ]);
}, 240_000);
