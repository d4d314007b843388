// The files under src as text, and what is read off them: imports, circles, lists of op names. For the rules of the architecture and the counts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { findSignature } from '../../src/onnx/ops/signature.js';

/** Path relative to src, such as `onnx/ops/table.ts`, to its text. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  readonly from: string;
  /** A path relative to src for files, else the name of the package. */
  readonly to: string;
  readonly file: boolean;
  /** `import type`, `export type`: erased by the compiler. */
  readonly typeOnly: boolean;
}

export function readSources(root: string): Sources {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && /\.([cm]?ts|tsx|js)$/.test(e.name))
    .map((e) => join(e.parentPath, e.name))
    .sort();
  return new Map(files.map((f) => [relative(root, f), readFileSync(f, 'utf8')]));
}

export const generated = (path: string) => path.startsWith('onnx/serde/generated/');

/** Comments away, strings kept: an import in a comment is none. */
export function withoutComments(text: string): string {
  return text.replace(/("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\*[\s\S]*?\*\/|\/\/.*/g, (_, string) => string ?? ' ');
}

const statement = /\b(import|export)\s+(type\s+)?(?:[\w*${}\s,]+?\s+from\s+)?(['"])([^'"\n]+)\3/g;
const dynamic = /\b(?:import|require(?:\.resolve)?)\(\s*(['"])([^'"\n]+)\1/g;

export function importsOf(sources: Sources): Import[] {
  const out: Import[] = [];
  for (const [from, text] of sources) {
    const code = withoutComments(text);
    const add = (name: string, typeOnly: boolean) => {
      const file = name.startsWith('.');
      const written = file ? normalize(join(dirname(from), name)).replace(/(?<!generated\/\w+)\.js$/, '.ts') : name;
      const to = file && !sources.has(written) && sources.has(`${written}x`) ? `${written}x` : written;
      out.push({ from, to, file, typeOnly });
    };
    for (const m of code.matchAll(statement)) add(m[4] ?? '', m[2] !== undefined);
    for (const m of code.matchAll(dynamic)) add(m[2] ?? '', false);
  }
  return out;
}

/** Arrays of strings, and strings of several words, that hold names of two ops or more; those names. */
export function opLists(code: string): string[][] {
  const arrays = [...code.matchAll(/\[\s*((?:(['"])\w+\2\s*,?\s*)+)\]/g)].map((m) => (m[1] ?? '').match(/\w+/g) ?? []);
  const words = [...code.matchAll(/(['"`])(\w+(?: \w+)+)\1/g)].map((m) => m[2]?.split(' ') ?? []);
  const ops = (names: readonly string[]) => names.filter((name) => findSignature(name) !== undefined);
  return [...arrays, ...words].map(ops).filter((names) => names.length > 1);
}

/** Each cycle once, as `a.ts > b.ts > a.ts`. Imports of types count as well. */
export function cycles(sources: Sources, imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, file } of imports) if (file) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' > '));
    if (at >= 0 || done.has(path)) return;
    for (const to of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}
