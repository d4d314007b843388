// Builds the pages of `prognet studio` and of `prognet deploy web` from src/studio to dist/studio by Vite, and pages.json, which says what each of
// them needs. onnxruntime-web is no part of them: its files lie beside a page, put there by whoever serves it (src/deploy/page.ts). Run by
// `npm run build`.
import { readdirSync, writeFileSync } from 'node:fs';
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

/** Each page by its document. */
const pages = { studio: 'index.html', ask: 'ask.html' };
const reached = new Map(Object.keys(pages).map((page) => [page, new Set()]));

/** The files of each page: its scripts, their styles and the worker, which both have. */
const filesOfPages = {
  name: 'files-of-pages',
  generateBundle(_, bundle) {
    const assets = Object.keys(bundle).filter((name) => /^worker-.*\.js$|\.css$/.test(name));
    for (const [page, html] of Object.entries(pages)) {
      const files = reached.get(page);
      const visit = (name) => {
        if (files.has(name) || bundle[name] === undefined) return;
        files.add(name);
        for (const next of [...(bundle[name].imports ?? []), ...(bundle[name].dynamicImports ?? [])]) visit(next);
      };
      const entry = Object.values(bundle).find((chunk) => chunk.isEntry && chunk.facadeModuleId?.endsWith(`src/studio/${html}`));
      visit(entry.fileName);
      for (const name of [html, ...assets]) files.add(name);
    }
  },
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
  plugins: [...plugins(), filesOfPages],
  worker: { format: 'es', plugins },
  build: {
    outDir: at('dist/studio'),
    emptyOutDir: true,
    assetsDir: '',
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Says how long plugins take on a busy machine.
    rolldownOptions: {
      input: Object.fromEntries(Object.entries(pages).map(([page, html]) => [page, at(`src/studio/${html}`)])),
      checks: { pluginTimings: false },
    },
  },
});
writeNotices(at('dist/studio'), [...modules], true);
const notices = 'THIRD-PARTY-NOTICES.txt';
const plain = [...readdirSync(at('src/studio/public')), notices];
const lists = [...reached].map(([page, files]) => [page, [...files, ...plain].sort()]);
writeFileSync(at('dist/studio/pages.json'), JSON.stringify(Object.fromEntries(lists)));
