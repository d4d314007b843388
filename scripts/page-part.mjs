// The parts of docs/ that scripts write: what stands between `<!-- NAME: written by COMMAND -->` and `<!-- end of NAME -->`.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `page` with `text` as its part `name`, lines of its own. Throws where the page has no such part. */
export function withPart(page, name, text) {
  const [begin, end] = [`<!-- ${name}: `, `\n<!-- end of ${name} -->`];
  const at = page.indexOf(begin);
  const [from, to] = [page.indexOf('-->\n', at), page.indexOf(end)];
  if (at < 0 || from < 0 || to < from) throw new Error(`the page has no part between ${begin}... --> and${end}`);
  return `${page.slice(0, from)}-->\n${text}${page.slice(to)}`;
}

/** Writes the part `name` of docs/FILE. */
export function writePart(file, name, text) {
  const path = fileURLToPath(new URL(`../docs/${file}`, import.meta.url));
  writeFileSync(path, withPart(readFileSync(path, 'utf8'), name, text));
}
