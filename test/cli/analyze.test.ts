// `prognet analyze`: the table, the document, what is kept, and what it refuses.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { okIn, prognet, workspace, yaml } from './support.js';

it('measures what a task takes of earlier columns', () => {
  const dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  const text = okIn(dir, 'analyze', 'b', '--quiet');
  expect(text).toMatch(/^b: accuracy [01]\.\d{4} on 40 test samples, 0\.\d{4} by one answer for all\n/);
  expect(text).toMatch(/^into +reads +tap +fisher +perturbation +half at +alpha +gain +accuracy without$/m);
  expect(text).toMatch(/^block 1 +b itself +0 +[01]\.\d{3} +[01]\.\d{3} +\S+ +- +- +-$/m);
  expect(text).toMatch(/^ +a +0 +[01]\.\d{3} +[01]\.\d{3} +\S+ +-?\d\S* +\d\.\d{3} +[01]\.\d{4} \([+-]0\.\d{4}\)$/m);
  const found = JSON.parse(okIn(dir, 'analyze', 'b', '--json', '--quiet'));
  expect(found).toMatchObject({ task: 'b', rows: 40, metric: 'accuracy', drawn: false });
  for (const into of [1, 2]) {
    const taps = found.taps.filter((tap: { into: number }) => tap.into === into);
    expect(taps.map(({ source, tap }: { source: string; tap: number }) => [source, tap])).toEqual([
      ['b', into - 1],
      ['a', into - 1],
    ]);
    const sum = (what: string) => taps.reduce((s: number, tap: Record<string, number>) => s + (tap[what] ?? 0), 0);
    expect(sum('fisher')).toBeCloseTo(1, 6);
    expect(sum('perturbation')).toBeCloseTo(1, 6);
  }
  const { weights, ...kept } = JSON.parse(readFileSync(join(dir, 'analysis/b.json'), 'utf8'));
  expect(kept).toEqual(found);
  expect(weights).toBe(JSON.parse(readFileSync(join(dir, 'columns/b/column.json'), 'utf8')).sha256.weights);
  // The same seed, the same numbers; fewer samples are other ones.
  expect(JSON.parse(okIn(dir, 'analyze', 'b', '--json', '--quiet'))).toEqual(found);
  expect(JSON.parse(okIn(dir, 'analyze', 'b', '--rows', '20', '--seed', '4', '--json', '--quiet'))).toMatchObject({ rows: 20 });
});

it('tells how the network grows', () => {
  const dir = workspace();
  expect(okIn(dir, 'analyze')).toBe('no task is trained yet\n');
  okIn(dir, 'train', '--all', '--quiet');
  // 4 to 8 to 8 to 2; b has two adapters of rank 3 beside it, and of a its two blocks.
  const own = 4 * 8 + 8 * 8 + 8 * 2;
  const adapters = 8 * 3 + 3 * 8 + (8 * 3 + 3 * 2);
  expect(JSON.parse(okIn(dir, 'analyze', '--json'))).toEqual({
    tasks: [
      { task: 'a', parameters: own + 18, model: { parameters: own + 18, bytes: 4 * (own + 18), multiplyAdds: own } },
      {
        task: 'b',
        parameters: own + 18 + adapters + 2 * 4,
        model: {
          parameters: own + 18 + adapters + 2 * 4 + 4 * 8 + 8 + 8 * 8 + 8,
          bytes: 4 * (own + 18 + adapters + 2 * 4 + 4 * 8 + 8 + 8 * 8 + 8),
          multiplyAdds: own + adapters + 4 * 8 + 8 * 8,
        },
      },
    ],
  });
  expect(okIn(dir, 'analyze')).toMatch(
    /^task +parameters +its model +bytes +multiply-adds +the first\na +130 +130 +520 +112 +1\.00 times\n/,
  );
  expect(prognet('analyze', '--rows', '3', '-C', dir).stderr).toBe(
    'prognet: --rows is of one task, expected prognet analyze <task>\n',
  );
});

it('says in one line what cannot be analysed', () => {
  const dir = workspace();
  const line = (...args: string[]) => {
    const { status, stderr } = prognet('analyze', ...args, '-C', dir);
    return [status, stderr];
  };
  expect(line('a')).toEqual([2, 'prognet: task "a" is not trained yet: prognet train a\n']);
  okIn(dir, 'train', 'a', '--quiet');
  expect(line('a')).toEqual([2, 'prognet: task "a" takes nothing of earlier columns, expected one with laterals\n']);
  expect(line('c')).toEqual([2, 'prognet: unknown task "c", the description has: a, b\n']);
  expect(line('b', '--rows', '0')).toEqual([2, 'prognet: --rows: found "0", expected a positive integer\n']);
});

it('says which sizes of the multiply-adds are open', () => {
  const dir = workspace(
    yaml('', 1)
      .replace('input: { name: x, shape: [4] }', 'input: { name: x, shape: [1, length] }')
      .replaceAll('{ source: a.csv, header: false }', 'a.npz')
      .replace(
        '[[{ dense: 8 }, relu, { dropout: 0.1 }], [{ dense: 8 }, relu]]',
        '[[{ conv1d: { filters: 3, kernel: 1 } }, relu, global_avgpool]]',
      )
      .split('  - task: b')[0],
  );
  const rows = Tensor.from(
    'float32',
    Array.from({ length: 40 }, (_, i) => i % 7),
    [10, 1, 4],
  );
  const labels = Tensor.from(
    'int64',
    Array.from({ length: 10 }, (_, i) => i % 2),
  );
  const arrays = { x_train: rows, y_train: labels, x_test: rows, y_test: labels };
  writeFileSync(join(dir, 'a.npz'), writeNpz(new Map(Object.entries(arrays))));
  okIn(dir, 'train', 'a', '--quiet');
  const { stdout, stderr } = prognet('analyze', '--json', '-C', dir);
  expect(stderr).toBe('multiply-adds count open sizes as 1: length\n');
  expect(JSON.parse(stdout).tasks[0].model).toMatchObject({ multiplyAdds: 3 + 3 * 2, open: ['length'] });
});
