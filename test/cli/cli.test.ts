// The command line as a user runs it: child processes over the built package, real workspaces in temporary folders.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mnistTemplate } from '../../src/cli/templates.js';
import { Random } from '../../src/core/random.js';
import { version } from '../../src/version.js';

const repo = new URL('../..', import.meta.url).pathname;
const main = join(repo, 'dist/cli/main.js');

beforeAll(() => {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: repo });
}, 120_000);

function prognet(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('node', [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const yaml = (extra = '', epochs = 6) => `prognet: 1
name: toy
input: { name: x, shape: [4] }
columns:
  - task: a
    data: { source: a.csv, header: false }
    blocks: [[{ dense: 8 }, relu, { dropout: 0.1 }], [{ dense: 8 }, relu]]
    head: { classify: 2 }
    train: { epochs: ${epochs}, batch: 16, lr: 0.01, seed: 3 }
  - task: b
    data: { source: b.csv, header: false }
    like: a
    laterals: { kind: adapter, rank: 3 }
    train: { epochs: ${epochs}, batch: 16, lr: 0.01, validation: 0.2, early_stopping: { patience: ${epochs} } }
${extra}`;

function csv(seed: number): string {
  const r = new Random(seed, 'csv');
  return Array.from({ length: 200 }, () => {
    const x = Array.from({ length: 4 }, () => r.normal());
    return [...x.map((v) => v.toFixed(4)), (x[seed % 4] ?? 0) > 0 ? 1 : 0].join(',');
  }).join('\n');
}

function workspace(text = yaml()): string {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-cli-'));
  writeFileSync(join(dir, 'prognet.yaml'), text);
  writeFileSync(join(dir, 'a.csv'), csv(1));
  writeFileSync(join(dir, 'b.csv'), csv(2));
  return dir;
}

it('tells one version, and one template', () => {
  expect(JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')).version).toBe(version);
  expect(mnistTemplate).toBe(readFileSync(join(repo, 'models/mnist-three.yaml'), 'utf8'));
});

it('shows help in a moment', () => {
  const times = Array.from({ length: 5 }, () => {
    const before = performance.now();
    expect(prognet('--help').stdout).toContain('Usage: prognet');
    return performance.now() - before;
  }).sort((a, b) => a - b);
  expect(times[2]).toBeLessThan(300);
});

it('the whole story: check, train, eval, predict, export, verify', () => {
  const dir = workspace();
  expect(JSON.parse(prognet('check', '--json', '-C', dir).stdout).columns).toHaveLength(2);
  const trained = prognet('train', '--all', '--json', '-C', dir);
  expect(trained.stderr).toContain('a epoch 6/6');
  const { trained: done } = JSON.parse(trained.stdout);
  expect(done[1].earlier).toMatchObject([{ task: 'a', identical: true }]);
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toMatchObject([
    { identical: true },
    { identical: true },
  ]);
  expect(prognet('eval', 'a', '-C', dir).stdout).toContain('identical');
  const file = join(dir, 'b.onnx');
  expect(prognet('export', '--task', 'b', '--probabilities', '-o', file, '-C', dir).status).toBe(0);
  expect(existsSync(file)).toBe(true);
  expect(prognet('train', 'a', '-C', dir)).toMatchObject({ status: 2 });
});

it('killed at random moments and resumed, ends with the same bits as an uninterrupted run', async () => {
  const [whole, broken] = [workspace(yaml('', 40)), workspace(yaml('', 40))];
  for (const task of ['a', 'b']) expect(prognet('train', task, '-C', whole, '--threads', '1').status).toBe(0);
  const r = new Random(9, 'kills');
  let kills = 0;
  for (const task of ['a', 'b']) {
    for (let i = 0; i < 40 && !existsSync(join(broken, 'columns', task)); i++) {
      const child = spawn('node', [main, 'train', task, '--resume', '--threads', '1', '-C', broken], { stdio: 'ignore' });
      const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
      const timer = setTimeout(() => child.kill('SIGKILL'), i < 8 ? 150 + 450 * r.uniform() : 20_000);
      await closed;
      clearTimeout(timer);
      if (child.signalCode === 'SIGKILL') kills++;
    }
    const file = (dir: string) => readFileSync(join(dir, 'columns', task, 'weights.safetensors'));
    expect(Buffer.compare(file(whole), file(broken))).toBe(0);
  }
  expect(kills).toBeGreaterThan(3);
}, 120_000);

describe('bad input: one clear line, exit code 2', () => {
  const says = (dir: string, args: string[], message: RegExp) => {
    const { status, stderr } = prognet(...args, '-C', dir);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  };
  it('an unknown layer', () =>
    says(workspace(yaml().replace('dense: 8', 'densee: 8')), ['check'], /unknown layer "densee", did you mean "dense"/));
  it('shapes that do not fit', () =>
    says(workspace(yaml().replace('[{ dense: 8 }, relu]]', '[{ maxpool2d: 2 }]]')), ['check'], /columns\[0\].blocks\[1\]\[0\]/));
  it('a lateral from an unknown task', () =>
    says(workspace(yaml().replace('rank: 3', 'from: [zebra]')), ['check'], /unknown task "zebra"/));
  it('an unknown task', () => says(workspace(), ['train', 'zebra'], /unknown task "zebra", the description has: a, b/));
  it('a task before its source', () => says(workspace(), ['train', 'b'], /reads the column "a", which is not trained yet/));
  it('no workspace', () => says(mkdtempSync(join(tmpdir(), 'prognet-none-')), ['check'], /begin with: prognet init/));
  it('NaN in data', () => {
    const dir = workspace();
    writeFileSync(join(dir, 'a.csv'), csv(1).replace(/^[^,]+/, 'NaN'));
    says(dir, ['train', 'a'], /a\.csv/);
  });
  it('a label out of range', () => {
    const dir = workspace();
    writeFileSync(join(dir, 'a.csv'), csv(1).replace(/[01]$/, '7'));
    says(dir, ['train', 'a'], /label 7 at row \d+ of a (train|test) data is out of range, expected 0\.\.1/);
  });
  it('a changed frozen file, and a description that no longer fits', () => {
    const dir = workspace();
    expect(prognet('train', 'a', '--quiet', '-C', dir).status).toBe(0);
    writeFileSync(join(dir, 'prognet.yaml'), yaml().replace('dense: 8', 'dense: 9'));
    says(dir, ['check'], /no longer fits its frozen column, blocks\[0\]\[0\]\.units: was 8, is 9/);
    writeFileSync(join(dir, 'prognet.yaml'), yaml());
    const file = join(dir, 'columns/a/weights.safetensors');
    chmodSync(file, 0o644);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    says(dir, ['verify'], /changed since it was frozen/);
  });
  it('a truncated ONNX file', () => {
    const dir = workspace();
    prognet('train', 'a', '--quiet', '-C', dir);
    const file = join(dir, 'a.onnx');
    expect(prognet('export', '--task', 'a', '-o', file, '-C', dir).status).toBe(0);
    expect(JSON.parse(prognet('inspect', file, '--json').stdout)).toMatchObject({
      opsets: { 'ai.onnx': 17 },
      outputs: [{ name: 'a' }],
    });
    writeFileSync(file, readFileSync(file).subarray(0, 300));
    says(dir, ['inspect', file], /a\.onnx: /);
  });
  it('an output folder that cannot be written', () => {
    const dir = workspace();
    prognet('train', 'a', '--quiet', '-C', dir);
    says(dir, ['export', '--task', 'a', '-o', '/proc/none/x.onnx'], /cannot write|\/proc/);
  });
});
