// Writes templates/node-service/lock.json, the package-lock.json of `prognet deploy node`: the entries of our own lock that onnxruntime-node needs,
// with their versions and hashes. No network. Run after a change of package-lock.json.
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

/** The text of the lock for the service's package.json. */
export function serviceLock() {
  const { packages } = read('package-lock.json');
  const own = read('templates/node-service/package.json');
  const { name, version, dependencies, engines } = own;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(at('templates/node-service/lock.json'), serviceLock());
