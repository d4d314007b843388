// Every regular expression in src, checked for time beyond the length of its input (recheck, which runs offline). A polynomial one over text from
// a file is a hang: `\d+\.?\d*` over 40 kB of digits took 4.6 s. Prints those that are not linear and exits 1; needs node_modules/recheck.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from 'recheck';
import { parseAst } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Literals in a syntax tree, and those that are made at run time, which nothing can check here. */
function* expressions(node) {
  if (typeof node !== 'object' || node === null) return;
  if (node.type === 'Literal' && node.regex) yield { start: node.start, ...node.regex };
  if (node.type === 'NewExpression' && node.callee?.name === 'RegExp') yield { start: node.start, pattern: undefined, flags: '' };
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const item of value) yield* expressions(item);
    else yield* expressions(value);
  }
}

/** Those that are not linear in general and are over what is short. One that is no longer there is to be taken off. */
const allowed = new Map([
  [String.raw`src/chart/numbers.ts \B(?=(\d{3})+$)`, 'digits of one number'],
  [String.raw`src/onnx/ir/inspect.ts \B(?=(\d{3})+$)`, 'digits of one number'],
  [String.raw`src/onnx/core/one-line.ts \S{241,}`, 'gives up after 240 characters'],
  ['src/onnx/ops/signature.ts [?*]+$', 'our own signatures'],
  ['src/deploy/kserve.ts -+$', 'cut to 63 characters before'],
]);

let [count, misses] = [0, 0];
for (const name of readdirSync(join(root, 'src'), { recursive: true })) {
  if (!/\.tsx?$/.test(name) || name.includes('generated')) continue;
  const path = join(root, 'src', name);
  const text = readFileSync(path, 'utf8');
  for (const { pattern, flags, start } of expressions(parseAst(text, { lang: name.endsWith('x') ? 'tsx' : 'ts' }))) {
    count++;
    if (allowed.delete(`${relative(root, path)} ${pattern}`)) continue;
    const place = `${relative(root, path)}:${text.slice(0, start).split('\n').length}`;
    const found = pattern === undefined ? undefined : await check(pattern, flags, { timeout: 10_000 });
    // A check that runs out of time on a busy machine says `unknown`.
    if (found !== undefined && found.status !== 'vulnerable') continue;
    misses++;
    console.log(
      `${place}: ${pattern === undefined ? 'made at run time' : `/${pattern}/${flags} is ${found.complexity?.summary ?? found.status}`}`,
    );
  }
}
for (const place of allowed.keys()) console.log(`${place}: allowed, and not there`);
misses += allowed.size;
console.log(`${count} regular expressions, ${misses} not linear`);
process.exitCode = misses === 0 ? 0 : 1;
