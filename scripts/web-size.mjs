// The sizes that pages tell: of prognet/web, as `npm run build` bundles it, of a page that takes gradients by prognet/onnx (README.md), of the
// page of deploy web (docs/deploy.md) and of ONNX Runtime's files (docs/web.md). Writes them there, or with --check fails where a page says
// otherwise by more than 20 % or a bundle has outgrown its limit. The page of prognet studio has a limit too; --pages prints both.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/**
 * Most kB, gzipped, that page and worker may take. A page opens and trains any network, so it holds every layer that a description may name, and what
 * fits taps of imported columns into blocks: some 10 kB with layers of one and three axes, recurrent ones, attention and further norms. Imports of several
 * opsets are brought to one where a network's graph is made (3 kB), and a column may tune an imported one (4 kB). Sizes may be open (2 kB). Nothing of precision, import or
 * inspect belongs there.
 */
const limits = { prognet: 83, worker: 263, grad: 100 };

/** Bytes of files, gzipped one by one or as they are. */
const packed = (paths) => paths.reduce((sum, path) => sum + gzipSync(readFileSync(at(path)), { level: 9 }).length, 0);
const plain = (paths) => paths.reduce((sum, path) => sum + statSync(at(path)).size, 0);
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
/** Most kB, gzipped, of the pages of prognet studio and of deploy web, each with its worker. Samples of any size take 1 kB of each. */
const pageLimits = { studio: 347, ask: 327 };
for (const [name, limit] of Object.entries(limits)) {
  if (found[name] <= limit) continue;
  console.error(`${name}: ${found[name]} kB gzipped, the limit is ${limit}`);
  process.exitCode = 1;
}
const pages = JSON.parse(readFileSync(at('dist/studio/pages.json'), 'utf8'));
for (const [page, limit] of Object.entries(pageLimits)) {
  const names = pages[page].filter((name) => /\.(js|css|html)$/.test(name));
  const size = packed(names.map((name) => `dist/studio/${name}`)) / 1000;
  if (process.argv.includes('--pages')) console.log(`${page}: ${Math.round(size)} kB gzipped`);
  if (size <= limit) continue;
  console.error(`dist/studio, ${page}: ${Math.round(size)} kB gzipped, the limit is ${limit}`);
  process.exitCode = 1;
}
const ort = (...names) => names.map((name) => `node_modules/onnxruntime-web/dist/${name}`);
const wasm = ort('ort-wasm-simd-threaded.wasm', 'ort.wasm.bundle.min.mjs');
const webgpu = ort('ort-wasm-simd-threaded.asyncify.wasm', 'ort.webgpu.bundle.min.mjs');
const page = pages.ask.filter((name) => !/NOTICES/.test(name)).map((name) => `dist/studio/${name}`);
const notices = ['dist/licenses/ONNXRUNTIME-THIRD-PARTY-NOTICES.txt', 'dist/studio/THIRD-PARTY-NOTICES.txt'];
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** Each sentence as its parts, and the numbers between them. */
const sentences = [
  {
    file: 'README.md',
    parts: [
      'prognet/web takes ',
      ' kB in the page and ',
      " kB in the worker, gzipped; `import { grad } from 'prognet/onnx'` takes ",
      ' kB',
    ],
    numbers: [found.prognet, found.worker, found.grad],
  },
  {
    file: 'docs/deploy.md',
    parts: [
      'Without ONNX Runtime the page takes ',
      ' MB, gzipped ',
      ' MB; with it ',
      ' MB, gzipped ',
      ' MB. `--webgpu` adds ',
      ' MB',
    ],
    numbers: [
      plain(page),
      packed(page),
      plain([...page, ...wasm, ...notices]),
      packed([...page, ...wasm, ...notices]),
      plain(webgpu),
    ].map(megabytes),
  },
  {
    file: 'docs/web.md',
    parts: ['onnxruntime-web is imported when first needed: ', ' MB gzipped for wasm, ', ' MB when WebGPU is asked for'],
    numbers: [wasm, webgpu].map((files) => megabytes(packed(files))),
  },
];
for (const { file, parts, numbers } of sentences) {
  const text = readFileSync(at(file), 'utf8');
  const [said, ...stated] =
    new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('([\\d.]+)')).exec(text) ?? [];
  if (said === undefined) throw new Error(`${file} does not say "${parts.join('...')}"`);
  if (!process.argv.includes('--check')) {
    const told = parts.map((part, i) => part + (numbers[i] ?? '')).join('');
    writeFileSync(
      at(file),
      text.replace(said, () => told),
    );
    console.log(`${file}: ${told}`);
  } else if (stated.some((number, i) => Math.abs(numbers[i] - number) > number / 5)) {
    console.error(`${file} says ${stated.join(', ')}, it is ${numbers.join(', ')}: node scripts/web-size.mjs`);
    process.exitCode = 1;
  }
}
