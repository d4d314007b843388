// The size of prognet/web, as `npm run build` bundles it, and of a page that takes gradients by prognet/onnx: writes both into README.md, or
// with --check fails where README.md says otherwise by more than 20 % or a bundle has outgrown its limit. The pages of prognet studio and of
// deploy web have limits too; --pages prints their sizes. onnxruntime-web is not counted.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** Most kB, gzipped, that page and worker may take. */
const limits = { prognet: 70, worker: 230, grad: 100 };

const gzipped = (bytes) => Math.round(gzipSync(bytes, { level: 9 }).length / 1000);
const kb = (name) => gzipped(readFileSync(at(`dist/browser/${name}.js`)));

/** What a bundler makes of the one line. */
async function gradAlone() {
  const { outputFiles } = await build({
    stdin: { contents: "import { grad } from './dist/onnx/index.js';\nconsole.log(grad);", resolveDir: at('.') },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  });
  return gzipped(outputFiles[0].contents);
}

const found = { prognet: kb('prognet'), worker: kb('worker'), grad: await gradAlone() };
/** Most kB, gzipped, of the pages of prognet studio and of deploy web, each with its worker. */
const pageLimits = { studio: 305, ask: 290 };
const sentence =
  /prognet\/web takes (\d+) kB in the page and (\d+) kB in the worker, gzipped; `import \{ grad \} from 'prognet\/onnx'` takes (\d+) kB/;
const readme = readFileSync(at('README.md'), 'utf8');
const said = sentence.exec(readme);
if (said === null) throw new Error('README.md does not state the size of prognet/web');

for (const [name, limit] of Object.entries(limits)) {
  if (found[name] <= limit) continue;
  console.error(`${name}: ${found[name]} kB gzipped, the limit is ${limit}`);
  process.exitCode = 1;
}
const pages = JSON.parse(readFileSync(at('dist/studio/pages.json'), 'utf8'));
for (const [page, limit] of Object.entries(pageLimits)) {
  const names = pages[page].filter((name) => /\.(js|css|html)$/.test(name));
  const size =
    names.reduce((sum, name) => sum + gzipSync(readFileSync(at(`dist/studio/${name}`)), { level: 9 }).length, 0) / 1000;
  if (process.argv.includes('--pages')) console.log(`${page}: ${Math.round(size)} kB gzipped`);
  if (size <= limit) continue;
  console.error(`dist/studio, ${page}: ${Math.round(size)} kB gzipped, the limit is ${limit}`);
  process.exitCode = 1;
}
if (process.argv.includes('--check')) {
  const stated = { prognet: Number(said[1]), worker: Number(said[2]), grad: Number(said[3]) };
  for (const [name, size] of Object.entries(found)) {
    if (Math.abs(size - stated[name]) <= stated[name] / 5) continue;
    console.error(`README.md says ${stated[name]} kB of ${name}, it takes ${size}: node scripts/web-size.mjs`);
    process.exitCode = 1;
  }
} else {
  const text = `prognet/web takes ${found.prognet} kB in the page and ${found.worker} kB in the worker, gzipped; \`import { grad } from 'prognet/onnx'\` takes ${found.grad} kB`;
  writeFileSync(at('README.md'), readme.replace(sentence, text));
  console.log(text);
}
