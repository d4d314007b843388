// The README's example compiles and runs as it stands, and its description is valid.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDescription } from '../src/model/description/read-text.js';
import { loadModel } from '../src/onnx/serde/external-data.js';

const repo = new URL('..', import.meta.url).pathname;
const readme = readFileSync(join(repo, 'README.md'), 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? '';

it('the library in twenty lines', () => {
  // Inside the package, so that it imports `prognet` by its own name.
  const dir = join(repo, '.cache', 'readme');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const code = block('ts');
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(20);
  writeFileSync(join(dir, 'example.ts'), code);
  writeFileSync(join(dir, 'example.mjs'), code);
  const flags = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
    '--ignoreConfig',
  ];
  execFileSync('npx', ['tsc', ...flags, join(dir, 'example.ts')], { cwd: repo });
  execFileSync('node', ['example.mjs'], { cwd: dir });
  expect(loadModel(join(dir, 'permuted.onnx')).graph.outputs.map((v) => v.name)).toEqual(['permuted']);
}, 120_000);

it('the description', () => {
  expect(readDescription(block('yaml'), 'README.md').columns.map((c) => c.task)).toEqual(['digits', 'permuted']);
});
