// Results as they come: results/<name>.json, a run a line. Scripts in Python add theirs, so what stands there is read anew each time.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const at = (path) => new URL(path, import.meta.url);
/** The folder of results that are kept in the repository. */
export const folder = fileURLToPath(at('results'));
const fileOf = (name, to) => `${to}/${name}.json`;
export const resultsOf = (name, to = folder) =>
  existsSync(fileOf(name, to)) ? JSON.parse(readFileSync(fileOf(name, to), 'utf8')) : undefined;

/** Settings of our runs: of other settings none is kept, while those of peers stay. */
export function begin(name, settings, to = folder) {
  const before = resultsOf(name, to);
  const same = JSON.stringify(before?.settings) === JSON.stringify(settings);
  write(name, to, { settings, runs: before?.runs.filter(({ by }) => same || !by.startsWith('prognet')) ?? [] });
}

/** Adds a run in place of the same one. */
export function keep(name, run, to = folder) {
  const { settings, runs } = resultsOf(name, to);
  const others = runs.filter((r) => ['by', 'seed', 'task', 'each'].some((key) => r[key] !== run[key]));
  write(name, to, { settings, runs: [...others, run] });
}

function write(name, to, { runs, ...others }) {
  const head = JSON.stringify(others, undefined, 1).slice(0, -2);
  const lines = runs.map((run) => `  ${JSON.stringify(run)}`).join(',\n');
  writeFileSync(fileOf(name, to), `${head},\n "runs": [\n${lines}\n ]\n}\n`);
}
