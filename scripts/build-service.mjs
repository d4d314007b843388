// Bundles the server that `prognet deploy node` lays into its folder, which is `prognet serve`: dist/deploy/service/server.mjs and its worker threads. What a
// folder's models need beside, it installs. Run by `npm run build`, after tsc and before build-cli.mjs, which writes the folder of the command line anew.
import { renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nodeBundle } from './node-bundle.mjs';
import { writeNotices } from './third-party.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = at('dist/deploy/service');

rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  ...nodeBundle,
  minifySyntax: true,
  minifyWhitespace: true,
  entryPoints: [
    { in: at('dist/cli/service.js'), out: 'server' },
    { in: at('dist/cli/serve-worker.js'), out: 'serve-worker' },
  ],
  outdir: folder,
});
renameSync(`${folder}/server.js`, `${folder}/server.mjs`);
writeNotices(folder, Object.keys(metafile.inputs), false);
