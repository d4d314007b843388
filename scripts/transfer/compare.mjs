// Ways to learn a new task from few examples over a frozen backbone, compared: what images.mjs and text.mjs have in common. Every way sees the same examples
// in as many steps of the same optimizer, however many the examples are; no option of any way was tuned.
// Runs are written as they end, and those that stand there of the same settings are not made again.
//   node scripts/transfer/NAME.mjs [--seeds 5] [--examples 2,5] [--steps 100] [--batch 10] [--to results.json]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { resultsOf, writePage } from './page.mjs';

export const at = (path) => new URL(`../../${path}`, import.meta.url);
const { readNetwork } = await import(at('dist/index.js').href);
const { NodeRuntime } = await import(at('dist/node.js').href);
const { Tensor } = await import(at('dist/onnx/index.js').href);

/** The model as the network of one frozen column. */
export async function imported(model, options) {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-transfer-'));
  const run = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(at('dist/cli/main.js')), ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  };
  try {
    run('import', model, '--task', 'base', '--backbone', ...options, '-o', join(folder, 'family'));
    run('bundle', '-o', join(folder, 'base.prognet'), '-C', join(folder, 'family'));
    return await readNetwork(new Uint8Array(readFileSync(join(folder, 'base.prognet'))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** So many rows of each class, drawn by a seed. `classOf` says the class of each row. */
export function few(classOf, classes, each, seed) {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const left = Array.from({ length: classes }, () => each);
  const rows = new Set();
  while (rows.size < each * classes) {
    const row = Math.floor(next() * classOf.length);
    if (left[classOf[row]] === 0 || rows.has(row)) continue;
    left[classOf[row]]--;
    rows.add(row);
  }
  return [...rows];
}

/** The classes of these rows, as targets. */
export const targetsOf = (classOf, rows) =>
  Tensor.from(
    'int64',
    rows.map((row) => classOf[row]),
    [rows.length],
  );

/**
 * Trains every way on every size and seed, and keeps what came of it in results/<name>.json. `ways` is { name: { column, lr } }, `drawn(each, seed)` gives the
 * examples, `test` is { inputs, targets }, `settings` what else the figures depend on.
 */
export async function compare(name, { base, ways, classes, drawn, test, settings, examples, steps, batch }) {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '5' },
      examples: { type: 'string', default: examples.join() },
      steps: { type: 'string', default: String(steps) },
      batch: { type: 'string', default: String(batch) },
      to: { type: 'string', default: resultsOf(name) },
    },
  });
  const asked = { steps: Number(values.steps), batch: Number(values.batch) };
  const rates = Object.fromEntries(Object.entries(ways).map(([way, { lr }]) => [way, lr]));
  const own = { ...asked, testRows: test.targets.dims[0], classes, rates, ...settings };
  const before = existsSync(values.to) ? JSON.parse(readFileSync(values.to, 'utf8')) : undefined;
  const kept =
    before !== undefined && JSON.stringify(before.settings) === JSON.stringify(own) ? before : { runs: [], parameters: {} };
  const results = { settings: own, parameters: kept.parameters, runs: kept.runs };
  const on = await NodeRuntime.load();
  for (const each of values.examples.split(',').map(Number)) {
    const perEpoch = Math.ceil((each * classes) / asked.batch);
    const epochs = Math.max(1, Math.round(asked.steps / perEpoch));
    for (let seed = 0; seed < Number(values.seeds); seed++) {
      const data = drawn(each, seed);
      for (const [way, { column, lr }] of Object.entries(ways)) {
        if (results.runs.some((run) => run.way === way && run.each === each && run.seed === seed)) continue;
        const grown = base.grow({ task: 'new', ...column, head: { classify: classes } });
        results.parameters[way] = grown.columns.column('new').parameters.count;
        const began = performance.now();
        let loss = Number.NaN;
        const onEvent = (event) => {
          if (event.kind === 'epoch') loss = event.record.loss;
        };
        const { network } = await grown.train('new', {
          on,
          data,
          epochs,
          batch: asked.batch,
          optimizer: 'adam',
          lr,
          seed,
          onEvent,
        });
        const seconds = (performance.now() - began) / 1000;
        const { value } = await network.evaluate('new', test, { on });
        await network.close();
        results.runs.push({
          way,
          each,
          seed,
          accuracy: value,
          loss: Number(loss.toPrecision(3)),
          seconds: Number(seconds.toFixed(1)),
        });
        writeFileSync(values.to, written(results));
        console.error(`${each} a class, seed ${seed}, ${way}: ${(100 * value).toFixed(1)} %, ${seconds.toFixed(1)} s`);
      }
    }
  }
  if (values.to === resultsOf(name)) writePage();
}

/** A run a line. */
function written({ runs, ...others }) {
  const head = JSON.stringify(others, undefined, 1).slice(0, -2);
  return `${head},\n "runs": [\n${runs.map((run) => `  ${JSON.stringify(run)}`).join(',\n')}\n ]\n}\n`;
}
