// The package as npm lays it down alone, with its dependencies and neither package of ONNX Runtime: what is missing is said, and how to get it.
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { laidDown } from '../support/alone.js';
import { commandLine, repo, workspace } from './support.js';

let alone = '';
const prognet = (...args: string[]) =>
  spawnSync('node', [join(alone, 'dist/cli/main.js'), ...args], { encoding: 'utf8', cwd: alone });

beforeAll(() => {
  alone = laidDown();
});

it('what help cites is in the package', () => {
  const cited = commandLine.match(/docs\/[\w-]+\.md/g) ?? [];
  expect(cited).toContain('docs/import.md');
  for (const path of cited) expect(existsSync(join(alone, path)), path).toBe(true);
});

const node = expect.stringMatching(/^onnxruntime-node cannot be loaded .*\): npm install onnxruntime-node$/);
const web = expect.stringMatching(/^onnxruntime-web cannot be loaded .*\): npm install onnxruntime-web$/);

it('providers is a table of reasons', () => {
  const { status, stdout, stderr } = prognet('providers', '--json');
  expect([status, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({
    runtime: null,
    providers: [
      { provider: 'cpu', available: false, reason: node },
      { provider: 'wasm', available: false, reason: web },
    ],
  });
  expect(prognet('providers').stdout).toMatch(/^no ONNX Runtime is installed\nprovider +runs +reason\ncpu +no +onnxruntime-node/);
  expect(prognet('providers', '--provider', 'cuda!').status).toBe(2);
});

it('what needs a runtime says so in a line', () => {
  const { status, stderr } = prognet('train', '--all', '-C', workspace());
  expect(status).toBe(2);
  expect(stderr).toMatch(/^prognet: onnxruntime-node cannot be loaded .*\): npm install onnxruntime-node; .*\n$/);
});

it('onnxruntime-web alone trains, freezes and verifies, and says that it is slower', () => {
  for (const name of ['onnxruntime-web', 'onnxruntime-common'])
    symlinkSync(join(repo, 'node_modules', name), join(alone, 'node_modules', name));
  const dir = workspace();
  const trained = prognet('train', '--all', '-C', dir);
  expect(trained.stderr).toMatch(/^onnxruntime-web \S+ on wasm, several times slower: /m);
  expect(trained.status).toBe(0);
  expect(JSON.parse(prognet('verify', '--json', '-C', dir).stdout).tasks).toMatchObject([
    { task: 'a', identical: true },
    { task: 'b', identical: true },
  ]);
}, 60_000);
