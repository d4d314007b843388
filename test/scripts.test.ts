// The scripts that set up Python's side and the browser's, on a machine that has neither: they say what is left out, and fail with CI=true.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const repo = new URL('..', import.meta.url).pathname;
const away = mkdtempSync(join(tmpdir(), 'prognet-bare-'));
const bin = join(away, 'bin');
mkdirSync(bin);
// No Python, no browser, no apt-get.
for (const name of ['sh', 'dirname', 'cat', 'id', 'rm', 'node']) {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  symlinkSync(found, join(bin, name));
}
// A copy without the environments that may be here.
cpSync(join(repo, 'scripts'), join(away, 'scripts'), { recursive: true, filter: (from) => !from.includes('node_modules') });

function run(script: string, ci: boolean) {
  const { CI: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync('sh', [join(away, 'scripts', script)], {
    encoding: 'utf8',
    env: { ...env, PATH: bin, ...(ci && { CI: 'true' }) },
  });
  return { status, said: (stdout + stderr).trim().split('\n') };
}

describe('a machine without Python and without Chromium', () => {
  it('python/setup leaves its environments out, and says so', () => {
    const said = [
      'python: left out: onnx and onnxruntime: no Python 3.11 or later with venv',
      'python: left out: onnxruntime-training: no Python 3.10 or 3.11 with venv',
    ];
    expect(run('python/setup', false)).toEqual({ status: 0, said });
    expect(run('python/setup', true)).toEqual({ status: 1, said: said.slice(0, 1) });
  });

  it("browser-setup leaves the browser's tests out, and says so", () => {
    const said = [
      'browser tests: Chromium is not here and there is no apt-get.',
      'Left out: prognet/web and the engine ort-training in a browser, prognet studio, the contract suite on browser-wasm, browser-webgpu and node-webgpu.',
    ];
    expect(run('browser-setup', false)).toEqual({ status: 0, said });
    expect(run('browser-setup', true)).toEqual({ status: 1, said });
  });
});
