// Bundles the command line, so that Node opens a few files at the start and not four hundred: dist/cli/main.js, the processes of a sweep's trials and of a study's
// trainings, the threads of a server, and what they share. It runs nothing of its user's, so it may hold copies of what the library's entries hold. Run by `npm run build`, after tsc.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nodeBundle } from './node-bundle.mjs';
import { writeNotices } from './third-party.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const { metafile, outputFiles } = await build({
  ...nodeBundle,
  splitting: true,
  write: false,
  entryPoints: ['main', 'trial-process', 'study-process', 'fleet-process', 'serve-worker'].map((name) =>
    at(`dist/cli/${name}.js`),
  ),
  outdir: at('dist/cli'),
});

rmSync(at('dist/cli'), { recursive: true });
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
writeNotices(at('dist/cli'), Object.keys(metafile.inputs), false);
