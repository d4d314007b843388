// Columns that were trained apart, in workspaces of their own, brought together as sources of a new one: bits, hashes and proof as they were; what
// does not fit is refused in one line and leaves nothing behind.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lastLine, okIn, prognet } from '../cli/support.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-together-'));
const at = (...path: string[]) => join(dir, ...path);
const text = (...path: string[]) => readFileSync(at(...path), 'utf8');

const run = (folder: string, ...args: string[]) => lastLine(okIn(at(folder), ...args, '--json'));

function refused(folder: string, ...args: string[]): string {
  const { status, stderr } = prognet(...args, '-C', at(folder));
  expect(status).toBe(2);
  return stderr.trim();
}

function workspace(name: string, columns: string, input = '{ name: x, shape: [3] }') {
  mkdirSync(at(name), { recursive: true });
  const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i * 7 + 1), Math.cos(i * 5), Math.sin(i * 3)]);
  const table = (answer: (a: number, b: number, c: number) => boolean) =>
    `a,b,c,answer\n${rows.map(([a = 0, b = 0, c = 0]) => `${a},${b},${c},${answer(a, b, c) ? 1 : 0}`).join('\n')}\n`;
  writeFileSync(
    at(name, 'inside.csv'),
    table((a, b) => a * a + b * b < 1),
  );
  writeFileSync(
    at(name, 'above.csv'),
    table((a, b) => a < b),
  );
  writeFileSync(at(name, 'prognet.yaml'), `prognet: 1\nname: ${name}\nseed: 7\ninput: ${input}\ncolumns:\n${columns}`);
}

const column = (task: string, data: string, rest = '', epochs = 2) =>
  `  - task: ${task}\n    data: ${data}\n    blocks: [[{ dense: 5 }, relu], [{ dense: 4 }, relu]]\n    head: { classify: 2 }\n    train: { epochs: ${epochs}, batch: 8 }\n${rest}`;

beforeAll(() => {
  workspace('ann', column('inside', 'inside.csv'));
  workspace(
    'ben',
    column('inside', 'inside.csv', '', 3) +
      column(
        'above',
        '{ source: above.csv, test: 0.3 }',
        '    laterals: { kind: adapter, rank: 3, from: [inside], taps: { 1: 0, head: 0 } }\n',
      ),
  );
  run('ann', 'train', '--all', '--freeze');
  run('ben', 'train', '--all', '--freeze');
  workspace('ours', column('sum', '../ann/above.csv'));
});

describe('columns of two workspaces as sources of a third', () => {
  beforeAll(() => {
    expect(run('.', 'import', at('ann'), '--task', 'inside', '-o', at('joint'))).toMatchObject({
      columns: [{ task: 'inside', was: 'inside', state: 'brought', identical: true }],
    });
    expect(run('joint', 'import', at('ben'), '--task', 'above', '--as', 'ben')).toMatchObject({
      columns: [
        { task: 'ben-inside', was: 'inside', state: 'brought', identical: true },
        { task: 'ben', was: 'above', state: 'brought', identical: true },
      ],
    });
  });

  it('files under the same name are the same, byte for byte', () => {
    for (const name of ['weights.safetensors', 'column.json'])
      expect(readFileSync(at('joint', 'columns', 'inside', name))).toEqual(readFileSync(at('ann', 'columns', 'inside', name)));
  });

  it('a record under another name says where the column came from', () => {
    const was = JSON.parse(text('ben', 'columns', 'above', 'column.json'));
    const is = JSON.parse(text('joint', 'columns', 'ben', 'column.json'));
    expect(is.data.from).toEqual({ network: 'ben', task: 'above', sha256: was.sha256.weights });
    expect(is.outputs).toEqual(was.outputs);
    expect(Object.keys(is.sources)).toEqual(['ben-inside']);
  });

  it('a new column reads all of them, adapters included, and every proof holds', () => {
    writeFileSync(
      at('joint', 'prognet.yaml'),
      text('joint', 'prognet.yaml') + column('both', '../ann/above.csv', '    laterals: { kind: adapter, rank: 2, alpha: 1 }\n'),
    );
    run('joint', 'train', 'both', '--freeze');
    const { tasks } = run('joint', 'verify');
    expect(tasks.map((t: { task: string; identical: boolean }) => [t.task, t.identical])).toEqual(
      ['inside', 'ben-inside', 'ben', 'both'].map((task) => [task, true]),
    );
    const record = JSON.parse(text('joint', 'columns', 'both', 'column.json'));
    expect(Object.keys(record.sources).sort()).toEqual(['ben', 'ben-inside', 'inside']);
  });

  it('what is here already is not brought again', () => {
    expect(
      run('joint', 'import', at('ben'), '--task', 'above', '--as', 'ben').columns.map((c: { state: string }) => c.state),
    ).toEqual(['here', 'here']);
  });
});

describe('refused, and nothing is left behind', () => {
  let before = '';
  const tree = (folder: string) => JSON.stringify(readdirSync(at(folder), { recursive: true }).sort());
  beforeEach(() => {
    before = tree('ours') + text('ours', 'prognet.yaml');
  });
  const unchanged = () => expect(tree('ours') + text('ours', 'prognet.yaml')).toBe(before);

  it('a task that is not there, or is not frozen', () => {
    expect(refused('ours', 'import', at('ann'), '--task', 'outside')).toBe(
      'prognet: unknown task "outside", the description has: inside',
    );
    workspace('raw', column('inside', 'inside.csv'));
    expect(refused('ours', 'import', at('raw'), '--task', 'inside')).toMatch(/task "inside" is not trained yet/);
    unchanged();
  });

  it('an input of another shape', () => {
    workspace('wide', '  []\n', '{ name: x, shape: [4] }');
    expect(refused('wide', 'import', at('ann'), '--task', 'inside')).toMatch(
      /the column "inside" does not fit here, inputs\[0\]\.shape\[0\]: 4, frozen with 3/,
    );
    expect(existsSync(at('wide', 'columns'))).toBe(false);
    expect(text('wide', 'prognet.yaml')).not.toMatch(/inside/);
  });

  it('a name that is taken by another column', () => {
    cpSync(at('ann'), at('other'), { recursive: true });
    expect(refused('other', 'import', at('ben'), '--task', 'above')).toBe(
      'prognet: task "inside" is frozen here already with other weights: choose another name, --as <name>',
    );
    expect(readdirSync(at('other', 'columns')).filter((name) => !name.startsWith('.'))).toEqual(['inside']);
  });

  it('a workspace that is not whole, the workspace itself, options of models', () => {
    cpSync(at('ann'), at('broken'), { recursive: true });
    cpSync(at('broken', 'columns', 'inside'), at('broken', 'columns', 'copy'), { recursive: true });
    expect(refused('ours', 'import', at('broken'), '--task', 'inside')).toMatch(
      /the frozen column "copy" is no longer in the description/,
    );
    expect(refused('ours', 'import', at('ours'), '--task', 'sum')).toMatch(
      /is the workspace itself, expected another one|not trained yet/,
    );
    expect(refused('ours', 'import', at('ann'), '--task', 'inside', '--data', 'mnist')).toMatch(
      /--data: is for an ONNX model, .* is a folder, whose columns bring it/,
    );
    unchanged();
  });

  it('data that are not here: the column is brought, and that is said', () => {
    cpSync(at('ann'), at('away'), { recursive: true });
    writeFileSync(at('away', 'prognet.yaml'), text('away', 'prognet.yaml').replace('inside.csv', 'gone.csv'));
    workspace('alone', '  []\n');
    const { status, stderr } = prognet('import', at('away'), '--task', 'inside', '-C', at('alone'));
    expect(status).toBe(0);
    expect(stderr).toMatch(/task "inside": its answers could not be compared, .*unknown source "\.\.\/away\/gone\.csv"/);
  });
});
