// Writes templates/node-service/lock.json, lock-images.json and lock-texts.json, the package-lock.json of `prognet deploy node` for what the service takes:
// the entries of our own lock that onnxruntime-node needs, with sharp or @huggingface/tokenizers where images or texts come, with their versions and hashes. No network. Run after a change of package-lock.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => JSON.parse(readFileSync(at(path), 'utf8'));

/** Where node finds a package that the one at `from` asks for. */
function found(packages, from, name) {
  for (let path = from; ; path = path.slice(0, Math.max(0, path.lastIndexOf('node_modules/') - 1))) {
    const inside = path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`;
    if (packages[inside] !== undefined) return inside;
    if (path === '') return undefined;
  }
}

/** Each lock's file, and the package that it takes beside the service's own. */
export const locks = { 'lock.json': undefined, 'lock-images.json': 'sharp', 'lock-texts.json': '@huggingface/tokenizers' };

/** The text of the lock for the service's package.json, with one package more. */
export function serviceLock(more) {
  const { packages } = read('package-lock.json');
  const own = read('templates/node-service/package.json');
  const { name, version, engines } = own;
  const names = ['onnxruntime-node', ...(more === undefined ? [] : [more])];
  const dependencies = Object.fromEntries(names.map((each) => [each, packages[`node_modules/${each}`].version]));
  const kept = new Map();
  const left = Object.keys(dependencies).map((dependency) => ['', dependency]);
  for (const [from, dependency] of left) {
    const path = found(packages, from, dependency);
    if (path === undefined) throw new Error(`package-lock.json has no ${dependency}, which ${from || name} needs`);
    if (kept.has(path)) continue;
    const { dev: _dev, peer: _peer, devOptional: _either, resolved: _host, ...entry } = packages[path];
    if (entry.integrity === undefined) throw new Error(`package-lock.json has no hash of ${path}`);
    kept.set(path, entry);
    for (const inner of Object.keys(entry.dependencies ?? {})) left.push([path, inner]);
    // A package for each platform, of which npm installs the one that fits.
    for (const inner of Object.keys(entry.optionalDependencies ?? {}))
      if (found(packages, path, inner) !== undefined) left.push([path, inner]);
  }
  const sorted = Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1)));
  const lock = {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name, version, dependencies, engines }, ...sorted },
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [file, more] of Object.entries(locks)) writeFileSync(at(`templates/node-service/${file}`), serviceLock(more));
