// `prognet prune` and `export --prune`: a smaller column in place of a trained one, a smaller model of a frozen one, and what is refused.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pruneTask } from '../../src/node.js';
import { runtime } from '../support/run.js';
import { okIn, prognet, workspace, yaml } from './support.js';

const parametersOf = (dir: string, file: string): number =>
  JSON.parse(okIn(dir, 'inspect', join(dir, file), '--json')).parameters.count;

it('makes a trained column smaller, in the description too', () => {
  const dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
  const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
  const dry = JSON.parse(okIn(dir, 'prune', 'b', '--threshold', '0.6', '--dry-run', '--json', '--quiet'));
  expect(readFileSync(join(dir, 'prognet.yaml'), 'utf8')).toBe(text);
  const said = okIn(dir, 'prune', 'b', '--threshold', '0.6', '--quiet');
  expect(said).toMatch(/^b: parameters \d+ -> \d+, of its exported model \d+ -> \d+$/m);
  expect(said).toMatch(
    /^accuracy on the test data 0\.\d{4} -> [01]\.\d{4}; on the validation part \(32 samples\) [01]\.\d{4} -> [01]\.\d{4}$/m,
  );
  expect(said).toMatch(/^units of block 0 +8 +\d$/m);
  // `like: a` is written out, a stays as it was.
  const now = readFileSync(join(dir, 'prognet.yaml'), 'utf8');
  expect(now.split('- task: b')[1]).toContain('blocks:');
  const { parameters, test, epochs } = dry;
  expect(parameters.after).toBeLessThan(parameters.before);
  expect(epochs).toBe(0);
  const inspected = JSON.parse(okIn(dir, 'inspect', 'b', '--json'));
  expect(inspected).toMatchObject({ state: 'trained', parameters: parameters.after });
  expect(inspected.training.test.accuracy).toBe(test.after);
  expect(okIn(dir, 'eval', 'b')).toMatch(/identical, not frozen$/m);
  okIn(dir, 'freeze', 'b', '--quiet');
  okIn(dir, 'export', '--task', 'b', '-o', join(dir, 'b.onnx'));
  expect(parametersOf(dir, 'b.onnx')).toBe(dry.model.after);
  expect(okIn(dir, 'verify')).toMatch(/^b .*identical$/m);
});

it('makes a column of several heads smaller, each measured, with the heads in the description', () => {
  const dir = workspace(`prognet: 1
name: heads
input: { name: x, shape: [3] }
columns:
  - { task: a, data: { source: a.csv, header: false, drop: [3] }, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 4 } }
  - task: b
    data: { source: a.csv, header: false, targets: { kind: -1, size: 3 } }
    blocks: [[{ dense: 12 }, relu]]
    heads: { kind: { classify: 2 }, size: { regress: 1 } }
    laterals: { kind: adapter, rank: 3, into: [head] }
    train: { epochs: 20, lr: 0.02 }
`);
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
  const before = JSON.parse(okIn(dir, 'inspect', 'b', '--json')).parameters;
  const { parameters } = JSON.parse(okIn(dir, 'prune', 'b', '--threshold', '0.6', '--json', '--quiet'));
  expect([parameters.before, parameters.after < before]).toEqual([before, true]);
  const text = readFileSync(join(dir, 'prognet.yaml'), 'utf8').split('- task: b')[1];
  expect(text).toMatch(/heads:/);
  expect(text).not.toMatch(/dense: 12\b/);
  expect(JSON.parse(okIn(dir, 'inspect', 'b', '--json'))).toMatchObject({ state: 'trained', parameters: parameters.after });
  expect(okIn(dir, 'eval', 'b')).toMatch(/identical, not frozen$/m);
  okIn(dir, 'freeze', 'b', '--quiet');
  expect(okIn(dir, 'verify')).toMatch(/^b .*identical$/m);
});

it('trains on with what is left', () => {
  const dir = workspace();
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
  const found = JSON.parse(okIn(dir, 'prune', 'b', '--threshold', '0.9', '--epochs', '4', '--lr', '0.01', '--json', '--quiet'));
  expect(found).toMatchObject({ task: 'b', epochs: 4 });
  expect(okIn(dir, 'eval', 'b')).toMatch(/identical, not frozen$/m);
});

it('writes a smaller model of a frozen column, which stays', () => {
  const dir = workspace();
  okIn(dir, 'train', '--all', '--quiet');
  okIn(dir, 'export', '--task', 'b', '-o', join(dir, 'whole.onnx'));
  const { stderr, status } = prognet(
    'export',
    '--task',
    'b',
    '--prune',
    '--threshold',
    '0.6',
    '-o',
    join(dir, 'b.onnx'),
    '-C',
    dir,
  );
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^b: parameters (\d+) -> (?!\1)\d+, of its exported model/m)]);
  expect(parametersOf(dir, 'b.onnx')).toBeLessThan(parametersOf(dir, 'whole.onnx'));
  expect(okIn(dir, 'verify')).toMatch(/^b .*identical$/m);
  // What the file says of itself is of the smaller column.
  const [accuracy] = /(?<=test data 0\.\d{4} -> )[\d.]+/.exec(stderr) ?? [];
  const facts = JSON.parse(okIn(dir, 'inspect', join(dir, 'b.onnx'), '--json'));
  expect(JSON.stringify(facts)).toContain(`"accuracy":${Number(accuracy)}`);
  okIn(dir, 'export', '--task', 'b', '-o', join(dir, 'again.onnx'));
  expect(readFileSync(join(dir, 'again.onnx'))).toEqual(readFileSync(join(dir, 'whole.onnx')));
});

it('says in one line what is wrong', async () => {
  const dir = workspace(yaml('', 2));
  okIn(dir, 'train', 'a', '--freeze', '--quiet');
  okIn(dir, 'train', 'b', '--quiet');
  const line = (...args: string[]) => {
    const { status, stderr } = prognet(...args, '-C', dir);
    return [status, stderr];
  };
  // A program's bound that is none is refused before anything is read, where every comparison with it would say nothing.
  const asked = (goal: object) => pruneTask(runtime, dir, 'b', { goal: goal as never, dry: true });
  await expect(asked({})).rejects.toThrow(
    /^pruneTask: goal: accuracy is undefined, expected a share of the samples, above 0 and at most 1$/,
  );
  await expect(asked({ keep: 95 })).rejects.toThrow(/^pruneTask: goal: accuracy is 95, expected a share of the samples, .*$/);
  await expect(asked({ threshold: Number.NaN })).rejects.toThrow(
    /^pruneTask: goal: threshold is NaN, expected a positive number$/,
  );
  const much = 'prognet: say how much may go: --threshold, or --keep-accuracy (of numbers --keep-error)\n';
  expect(line('prune', 'b')).toEqual([2, much]);
  expect(line('prune', 'b', '--threshold', '0.1', '--keep-accuracy', '0.5')).toEqual([2, much]);
  expect(line('prune', 'b', '--threshold', '-1')).toEqual([2, 'prognet: --threshold: found "-1", expected a positive number\n']);
  for (const flag of ['--threshold', '--keep-accuracy'])
    expect(line('prune', 'b', flag, '0')).toEqual([2, `prognet: ${flag}: found "0", expected a positive number\n`]);
  expect(line('prune', 'b', '--keep-accuracy', '95')).toEqual([
    2,
    'prognet: --keep-accuracy: found "95", expected a share of the samples, at most 1\n',
  ]);
  expect(line('prune', 'b', '--keep-error', '0.1')).toEqual([
    2,
    'prognet: the task is measured by its accuracy, expected --keep-accuracy\n',
  ]);
  expect(line('prune', 'b', '--threshold', '0.1', '--lr', '0.1')).toEqual([2, 'prognet: --lr is of --epochs\n']);
  expect(line('prune', 'a', '--threshold', '0.1')).toEqual([
    2,
    'prognet: task "a" is frozen and stays as it is, expected export --prune, which writes a smaller model of it\n',
  ]);
  expect(line('prune', 'x', '--threshold', '0.1')).toEqual([2, 'prognet: unknown task "x", the description has: a, b\n']);
  const out = ['-o', join(dir, 'x.onnx')];
  expect(line('export', '--all', '--prune', '--threshold', '0.1', ...out)).toEqual([
    2,
    'prognet: --prune is of one task, expected --task\n',
  ]);
  expect(line('export', '--task', 'a', '--keep-accuracy', '0.1', ...out)).toEqual([
    2,
    'prognet: --keep-accuracy is of --prune\n',
  ]);
}, 180_000);
