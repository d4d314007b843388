// Where the models of scripts/models lie, and in which order they are tried: packages before exports, small ones first, one of each architecture before
// the second of any.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
export const cache = join(root, '.cache/models');
export const python = join(root, '.venv/bin/python');
/** A command that takes longer has failed. */
export const limitSeconds = 400;
export const results = join(import.meta.dirname, 'results.json');

function* filesOf(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesOf(path);
    else if (name.endsWith('.onnx')) yield path;
  }
}

/** Paths of the ONNX files in packages/ and exports/. */
export function modelsIn(folder) {
  const bySize = (part) => [...filesOf(join(folder, part))].toSorted((a, b) => statSync(a).size - statSync(b).size);
  const seen = new Map();
  const exports = bySize('exports').map((path) => {
    const architecture = basename(path).split('-')[0];
    const turn = seen.get(architecture) ?? 0;
    seen.set(architecture, turn + 1);
    return { path, turn };
  });
  return [...bySize('packages'), ...exports.toSorted((a, b) => a.turn - b.turn).map(({ path }) => path)];
}
