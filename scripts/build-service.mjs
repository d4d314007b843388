// Bundles what the Node service takes over from training: dist/deploy/service/elements.mjs, ranges.mjs, images.mjs and texts.mjs, which `prognet deploy node` copies. They find the
// packages that decode beside themselves. Run by `npm run build`, after tsc.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeNotices } from './third-party.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = at('dist/deploy/service');
const names = ['elements', 'ranges', 'images', 'texts'];

const { metafile } = await build({
  bundle: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  logLevel: 'warning',
  entryPoints: names.map((name) => ({ in: `${folder}/${name}.js`, out: name })),
  outdir: folder,
  outExtension: { '.js': '.mjs' },
});
for (const name of names) for (const ending of ['js', 'd.ts']) rmSync(`${folder}/${name}.${ending}`, { force: true });
writeNotices(folder, Object.keys(metafile.inputs), false);
