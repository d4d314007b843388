// Checks Kubernetes manifests: node scripts/deploy-check/manifests.mjs FILE. By the validators that kubernetes-models has of Kubernetes' OpenAPI, and since
// those pass over fields that they do not know, by its types as well: the compiler refuses such a field of a literal. Prints the kinds that were met, or what is
// wrong with the exit code 1.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';

const repo = fileURLToPath(new URL('../..', import.meta.url));
const kinds = { Deployment, Service };
const documents = parseAllDocuments(readFileSync(process.argv[2], 'utf8')).map((document) => document.toJS());
const wrong = [];
for (const value of documents) {
  const Kind = kinds[value.kind];
  if (Kind?.apiVersion !== value.apiVersion) wrong.push(`no schema of ${value.apiVersion} ${value.kind}`);
  else
    try {
      new Kind(value).validate();
    } catch (error) {
      wrong.push(`${value.kind}: ${error.message}`);
    }
}
const literals = documents.map((value, i) => `export const d${i}: I${value.kind} = ${JSON.stringify(value, null, 1)};`);
// Inside the repository, from where its packages are found.
const folder = mkdtempSync(join(repo, 'node_modules/.prognet-manifests-'));
try {
  const imports = Object.values(kinds).map(
    ({ apiVersion, name }) => `import type { I${name} } from 'kubernetes-models/${apiVersion}/${name}';`,
  );
  writeFileSync(join(folder, 'manifests.ts'), [...imports, ...literals].join('\n'));
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--types', '', '--module', 'nodenext', '--ignoreConfig'];
  const { status, stdout } = spawnSync(join(repo, 'node_modules/.bin/tsc'), [...flags, 'manifests.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) wrong.push(stdout.trim());
} finally {
  rmSync(folder, { recursive: true });
}
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exitCode = 1;
else console.log(documents.map(({ kind }) => kind).join(' '));
