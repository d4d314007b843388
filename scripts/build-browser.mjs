// Bundles prognet/web for pages without a bundler of their own: dist/browser/prognet.js, its worker.js, both importing onnxruntime-web from
// files beside them. Run by `npm run build`, after tsc.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { copyOnnxruntimeNotices, writeNotices } from './third-party.mjs';

/** Each of onnxruntime-web's builds as the file beside the bundle that holds it. */
const onnxruntime = {
  name: 'onnxruntime-web-beside',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^onnxruntime-web\// }, ({ path }) => ({
      path: `./ort.${path.slice('onnxruntime-web/'.length)}.bundle.min.mjs`,
      external: true,
    }));
  },
};

/** Options for anything that runs in a page beside onnxruntime-web's files. */
export const browserBuild = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'warning',
  plugins: [onnxruntime],
};

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const browser = await build({
    ...browserBuild,
    minify: true,
    metafile: true,
    entryPoints: { prognet: at('dist/web.js'), worker: at('dist/web/worker.js') },
    outdir: at('dist/browser'),
  });
  writeNotices(at('dist/browser'), Object.keys(browser.metafile.inputs), true);
  copyOnnxruntimeNotices();
  // The package's own worker becomes one module that imports onnxruntime-web alone: dev servers hand a worker's imports to the browser as they
  // are, and some of them are CommonJS.
  const worker = await build({
    bundle: true,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
    external: ['onnxruntime-web/*'],
    entryPoints: [at('dist/web/worker.js')],
    outfile: at('dist/web/worker.js'),
    allowOverwrite: true,
    // Says that it is a module, which its dynamic import alone does not.
    footer: { js: 'export {};' },
  });
  writeNotices(at('dist/web'), Object.keys(worker.metafile.inputs), false);
}
