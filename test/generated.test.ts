// Files that scripts write are committed: what the scripts write now must be the same.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveSchemaText } from '../src/serve/json-schema.js';
import { jsonSchemaText } from '../src/tasks/json-schema.js';
import { environment, python } from './python/python.js';

const repo = new URL('..', import.meta.url).pathname;

it('models/prognet.schema.json is what `prognet schema` prints (--update writes it)', async () => {
  await expect(jsonSchemaText()).toMatchFileSnapshot(join(repo, 'models/prognet.schema.json'));
});

it('docs/serve.schema.json is what `prognet schema serve` prints (--update writes it)', async () => {
  await expect(serveSchemaText()).toMatchFileSnapshot(join(repo, 'docs/serve.schema.json'));
});

it('the protobuf code is generated from proto/onnx.proto', () => {
  const folder = join(repo, 'src/onnx/serde/generated');
  const fresh = mkdtempSync(join(tmpdir(), 'prognet-generated-'));
  execFileSync('bash', ['scripts/generate-proto.sh', fresh], { cwd: repo, stdio: 'pipe' });
  const names = readdirSync(folder).sort();
  expect(readdirSync(fresh).sort()).toEqual(names);
  for (const name of names)
    expect(readFileSync(join(folder, name), 'utf8') === readFileSync(join(fresh, name), 'utf8'), name).toBe(true);
}, 60_000);

const { missing, note } = environment('.venv');

it.skipIf(missing)(
  `the signatures of ops are those of the schemas that onnx and onnxruntime hold${note}`,
  () => {
    const fresh = mkdtempSync(join(tmpdir(), 'prognet-signatures-'));
    python('.venv', 'signatures.py', fresh);
    const names = ['methods.ts', 'signatures-microsoft.ts', 'signatures-ml.ts', 'signatures.ts'];
    expect(readdirSync(fresh).sort()).toEqual(names);
    const folder = join(repo, 'src/onnx/ops');
    for (const name of names)
      expect(readFileSync(join(folder, name), 'utf8') === readFileSync(join(fresh, name), 'utf8'), name).toBe(true);
  },
  60_000,
);
