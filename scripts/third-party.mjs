// What is asked of those who pass bundled code on: THIRD-PARTY-NOTICES.txt beside it, prognet's own licence, that of each package inside, as its
// folder in node_modules has it, and that of onnxruntime-web, whose files come to lie there. Called by the scripts that bundle.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const repo = fileURLToPath(new URL('..', import.meta.url));
const noticesName = 'THIRD-PARTY-NOTICES.txt';
const onnxruntimeNoticesName = 'ONNXRUNTIME-THIRD-PARTY-NOTICES.txt';

/** The folder of the package that a module belongs to; undefined for prognet's own. */
function packageOf(module) {
  const parts = resolve(repo, module).split(sep);
  const at = parts.lastIndexOf('node_modules');
  if (at < 0) return undefined;
  const length = parts[at + 1].startsWith('@') ? 3 : 2;
  return parts.slice(0, at + length).join(sep);
}

function sectionOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|copying|notice)(?:$|[.-])/i.test(file));
  const kept = join(repo, `scripts/licenses/${name}.txt`);
  if (files.length === 0 && existsSync(kept))
    return { title: `${name} ${version} (${license})`, text: readFileSync(kept, 'utf8').trim() };
  if (files.length === 0) throw new Error(`${name} ${version} is bundled and has no licence file in ${folder}`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { title: `${name} ${version} (${license})`, text: texts.join('\n\n') };
}

/** Its package holds no licence file. */
function onnxruntimeWeb() {
  const { version, license } = JSON.parse(readFileSync(join(repo, 'node_modules/onnxruntime-web/package.json'), 'utf8'));
  const text = readFileSync(join(repo, 'scripts/licenses/onnxruntime.txt'), 'utf8').trim();
  const inside = `What its .wasm files hold of others: ${onnxruntimeNoticesName}, beside them.`;
  return { title: `onnxruntime-web ${version} (${license})`, text: `${text}\n\n${inside}` };
}

/**
 * Writes the file.
 * @param folder where the bundles lie
 * @param modules all that went into them, as the bundler names them
 * @param beside whether onnxruntime-web's files come to lie there
 */
export function writeNotices(folder, modules, beside) {
  const paths = modules.map((module) => module.replace(/^\0/, '').replace(/\?.*$/, ''));
  const folders = new Set(paths.map(packageOf).filter((path) => path !== undefined && existsSync(path)));
  const sections = [...folders].map(sectionOf);
  if (beside) sections.push(onnxruntimeWeb());
  sections.sort((a, b) => (a.title < b.title ? -1 : 1));
  const own = { title: 'prognet (MIT)', text: readFileSync(join(repo, 'LICENSE'), 'utf8').trim() };
  const line = '-'.repeat(80);
  const text = [own, ...sections].map((section) => `${line}\n${section.title}\n${line}\n\n${section.text}\n`).join('\n');
  writeFileSync(join(folder, noticesName), text);
}

/** Puts beside the compiled code what src/deploy/onnxruntime-files.ts lays beside onnxruntime-web's files. */
export function copyOnnxruntimeNotices() {
  const folder = join(repo, 'dist/licenses');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(repo, 'scripts/licenses/onnxruntime-third-party.txt'), join(folder, onnxruntimeNoticesName));
}
