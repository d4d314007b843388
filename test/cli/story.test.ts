// What a user does, in order, and what each command says.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { version } from '../../src/onnx/core/version.js';
import { lastLine, prognet, repo, workspace } from './support.js';

it('tells one version', () => {
  expect(JSON.parse(readFileSync(join(repo, 'package.json'), 'utf8')).version).toBe(version);
  expect(prognet('--version').stdout).toBe(`${version}\n`);
  expect(JSON.parse(prognet('--version', '--json').stdout)).toEqual({ version });
  expect(JSON.parse(prognet('train', '--help', '--json').stdout).help).toMatch(/^Usage: prognet train/);
});

it('shows help in a moment', () => {
  const timed = (run: () => unknown) => {
    const before = performance.now();
    run();
    return performance.now() - before;
  };
  const [help, bare]: [number[], number[]] = [[], []];
  for (let i = 0; i < 5; i++) {
    help.push(timed(() => expect(prognet('--help').stdout).toContain('Usage: prognet')));
    bare.push(timed(() => spawnSync('node', ['-e', '0'])));
  }
  // The quickest of each. A bare Node that takes more than 60 ms tells how busy the machine is.
  expect(Math.min(...help)).toBeLessThan(300 * Math.max(1, Math.min(...bare) / 60));
});

it('the whole story: check, train, eval, predict, export, verify', () => {
  const dir = workspace();
  expect(JSON.parse(prognet('check', '--json', '-C', dir).stdout).columns).toHaveLength(2);
  const trained = prognet('train', '--all', '--json', '-C', dir);
  expect(trained.stderr).toContain('a epoch 6/6');
  const { trained: done } = lastLine(trained.stdout);
  expect(done[1].earlier).toMatchObject([{ task: 'a', identical: true }]);
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toMatchObject([
    { identical: true },
    { identical: true },
  ]);
  expect(prognet('eval', 'a', '-C', dir).stdout).toContain('identical');
  const file = join(dir, 'b.onnx');
  expect(prognet('export', '--task', 'b', '--probabilities', '-o', file, '-C', dir).status).toBe(0);
  expect(existsSync(file)).toBe(true);
  expect(prognet('train', 'a', '--freeze', '-C', dir)).toMatchObject({ status: 2 });
});

it('predicts from a file, exports with weights beside, and both agree with what was trained', () => {
  const dir = workspace();
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir)).toMatchObject({ status: 0, stderr: '' });
  const input = join(dir, 'in.npy');
  writeFileSync(input, writeNpy(Tensor.from('float32', [1, 2, 3, 4, -1, -2, -3, -4], [2, 4])));
  const { labels, probabilities } = JSON.parse(prognet('predict', 'a', '--input', input, '--json', '-C', dir).stdout);
  expect(labels).toHaveLength(2);
  expect(probabilities[0][0] + probabilities[0][1]).toBeCloseTo(1, 5);
  const output = join(dir, 'out.npy');
  expect(prognet('predict', 'a', '--input', input, '--output', output, '-C', dir).stdout).toContain(
    'probabilities float32 [2,2]',
  );
  expect(readNpy(readFileSync(output), output).numbers()).toEqual(probabilities.flat());

  const file = join(dir, 'a.onnx');
  const written = JSON.parse(
    prognet('export', '--task', 'a', '--external-data', '--opset', '19', '-o', file, '--json', '-C', dir).stdout,
  );
  expect(written).toMatchObject({ externalData: true, opset: 19, tasks: ['a'] });
  const found = JSON.parse(prognet('inspect', file, '--json').stdout);
  expect(found).toMatchObject({ irVersion: 9, opsets: { 'ai.onnx': 19 }, outputs: [{ name: 'a', type: 'float32[N,2]' }] });
  expect(found.initializers.map((v: { name: string }) => v.name)).toContain('a/head/dense/weight');
});

it('begins: with no workspace, init, check, providers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-begin-'));
  expect(prognet('-C', dir)).toMatchObject({ status: 0, stdout: expect.stringContaining('prognet init my-network') });
  expect(prognet('init', join(dir, 'new'))).toMatchObject({ status: 0, stdout: expect.stringContaining('prognet train --all') });
  expect(readdirSync(join(dir, 'new'))).toEqual(['prognet.schema.json', 'prognet.yaml']);
  expect(prognet('init', join(dir, 'new')).stderr).toMatch(/is there already and stays as it is/);
  const { columns } = JSON.parse(prognet('check', '--json', '-C', join(dir, 'new')).stdout);
  const body = 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10;
  // batch_norm's four vectors, twice; an adapter is V, its bias, an alpha for each source, and U.
  const adapters = (sources: number) => 2 * (sources * 256 * 64 + 64 + sources) + 64 * 256 + 64 * 10;
  expect(columns.map((c: { parameters: number }) => c.parameters)).toEqual([
    body,
    body + 2 * 4 * 256 + adapters(1),
    body + adapters(2),
  ]);
  const { providers } = JSON.parse(prognet('providers', '--json').stdout);
  expect(providers).toContainEqual(expect.objectContaining({ provider: 'cpu', available: true }));
});

it('every command has help with examples', () => {
  const commands = Array.from(prognet('--help').stdout.matchAll(/^ {2}(\w+) .*$/gm), (m) => m[1] ?? '').filter(
    (c) => !['help', 'prognet'].includes(c),
  );
  expect(commands).toEqual(
    expect.arrayContaining(['init', 'check', 'train', 'eval', 'predict', 'export', 'verify', 'inspect', 'providers']),
  );
  for (const command of commands) {
    const { status, stdout } = prognet(command, '--help');
    expect(status, command).toBe(0);
    expect(stdout, command).toMatch(/Examples:\n {2}prognet /);
    expect(stdout, command).toMatch(/--json/);
  }
});
