// Builds the page of `prognet studio` from src/studio to dist/studio by Vite. onnxruntime-web is no part of it: its files lie beside the page, put
// there by whoever serves it (src/deploy/studio-page.ts). Run by `npm run build`.
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { writeNotices } from './third-party.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Each of onnxruntime-web's builds as the file beside the page that holds it; all of the page's own files lie in one folder with them. */
const onnxruntimeBeside = {
  name: 'onnxruntime-web-beside',
  enforce: 'pre',
  resolveId(id) {
    const [, build] = /^onnxruntime-web\/(\w+)$/.exec(id) ?? [];
    return build === undefined ? null : { id: `./ort.${build}.bundle.min.mjs`, external: 'relative' };
  },
};

/** The library names its worker as the compiled file; here it is still TypeScript. */
const workerSource = {
  name: 'worker-source',
  enforce: 'pre',
  transform: (code, id) => (id.endsWith('src/web/client.ts') ? code.replace("'./worker.js'", "'./worker.ts'") : null),
};

/** All that goes into the page and its worker. */
const modules = new Set();
const moduleNames = {
  name: 'module-names',
  generateBundle(_, bundle) {
    for (const { moduleIds = [] } of Object.values(bundle)) for (const id of moduleIds) modules.add(id);
  },
};

const plugins = () => [onnxruntimeBeside, workerSource, moduleNames];

await build({
  root: at('src/studio'),
  base: './',
  configFile: false,
  logLevel: 'warn',
  plugins: plugins(),
  worker: { format: 'es', plugins },
  build: {
    outDir: at('dist/studio'),
    emptyOutDir: true,
    assetsDir: '',
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Says how long plugins take on a busy machine.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
writeNotices(at('dist/studio'), [...modules], true);
