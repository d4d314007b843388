// same-bits: builds two checkouts, lets both write the same files and says which differ. scripts/bits/changes.json lists what differs on
// purpose: { "files": a regular expression over their names, "reason": why }.
//     sh scripts/same-bits OTHER-CHECKOUT            this checkout against another, the other being the one before
//     sh scripts/same-bits OTHER-CHECKOUT untrained  only what needs no training
//     sh scripts/same-bits --keep [CHECKOUT]         writes the kept hashes (test/same-bits.json) anew from a checkout, this one by default
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compareFolders } from './compare.mjs';
import { openLibrary, withoutVersion } from './library.mjs';

const repo = new URL('../..', import.meta.url).pathname;
const scripts = join(repo, 'scripts/bits');
const work = mkdtempSync(join(tmpdir(), 'prognet-same-bits-'));

/** The library and the command line of a checkout, compiled into a folder of their own; the checkout stays as it is. */
function build(checkout, root) {
  mkdirSync(root);
  for (const name of ['src', 'templates', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    if (existsSync(join(checkout, name))) cpSync(join(checkout, name), join(root, name), { recursive: true });
  const modules = [join(checkout, 'node_modules'), join(repo, 'node_modules')].find((path) => existsSync(path));
  symlinkSync(modules, join(root, 'node_modules'));
  execFileSync('node', [join(modules, 'typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
  const generated = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(^|\/)serde\/generated$/.test(name),
  );
  for (const name of generated) cpSync(join(root, 'src', name), join(root, 'dist', name), { recursive: true });
  return join(root, 'dist');
}

const node = (script, ...args) => execFileSync('node', [join(scripts, script), ...args], { stdio: 'inherit' });

/** Prints what differs; true where all of it is on purpose. */
function report(what, { count, differing }, changes) {
  const reasonOf = (name) => changes.find(({ files }) => new RegExp(files).test(name))?.reason;
  const [meant, wrong] = [differing.filter(({ name }) => reasonOf(name)), differing.filter(({ name }) => !reasonOf(name))];
  for (const { name, why } of wrong) console.log(`  ${name}\n${why.map((line) => `      ${line}`).join('\n')}`);
  const reasons = new Set(meant.map(({ name }) => reasonOf(name)));
  for (const reason of reasons)
    console.log(`  on purpose, ${meant.filter(({ name }) => reasonOf(name) === reason).length} files: ${reason}`);
  console.log(
    `${what.padEnd(10)} ${String(count).padStart(5)} files   ${count - differing.length} the same, ${meant.length} changed on purpose, ${wrong.length} differ`,
  );
  return wrong.length === 0;
}

async function compare(other, parts) {
  const changes = JSON.parse(readFileSync(join(scripts, 'changes.json'), 'utf8'));
  const sides = {};
  for (const [side, checkout] of [
    ['before', resolve(other)],
    ['after', repo],
  ]) {
    console.log(`building ${checkout}`);
    const root = join(work, side);
    const dist = build(checkout, root);
    const { version } = await openLibrary(dist);
    sides[side] = { root, dist, settle: (bytes) => withoutVersion(bytes, version) };
  }
  let same = true;
  for (const part of parts) {
    const written = ({ root }) => join(root, part, 'files');
    for (const side of Object.values(sides)) {
      const began = performance.now();
      node(`${part}.mjs`, part === 'trained' ? side.root : side.dist, written(side));
      console.log(`${part} files of ${side.root} written in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    }
    const settle = { before: sides.before.settle, after: sides.after.settle };
    same = report(part, compareFolders(written(sides.before), written(sides.after), settle), changes) && same;
  }
  return same;
}

const [first, second] = process.argv.slice(2);
if (first === undefined) {
  console.error('usage: sh scripts/same-bits OTHER-CHECKOUT [untrained], or sh scripts/same-bits --keep [CHECKOUT]');
  process.exitCode = 2;
} else if (first === '--keep') {
  node('kept.mjs', build(resolve(second ?? repo), join(work, 'kept')), '--keep');
  rmSync(work, { recursive: true });
} else if (await compare(first, second === undefined ? ['untrained', 'trained'] : [second])) {
  rmSync(work, { recursive: true });
} else {
  console.log(`the files are in ${work}`);
  process.exitCode = 1;
}
