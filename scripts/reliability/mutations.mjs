// Damaged models through everything that reads one: decode, verify, infer, upgrade, optimise, fuse, gradients both ways, import, float16, int8 both ways,
// inspect. Needs npm run build and sh scripts/fetch-onnx-testdata.
//   node scripts/reliability/mutations.mjs [--count 100000] [--seed 1] [--from 0] [--workers 2] [--heap 300] [--load 50] [--keep FOLDER] [--json]
// Each mutant passes or is refused in one line, each stage within two seconds and 400 MB; `--load` mutants of a hundred that our verifier passes, and their
// gradients, are loaded in ONNX Runtime as well, and what it refuses is counted. Failures are printed with the number of the mutant (`--from N --count 1`
// tries it again) and their bytes kept in a folder; then it exits 1.
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    workers: { type: 'string', default: '2' },
    heap: { type: 'string', default: '300' },
    load: { type: 'string', default: '10' },
    only: { type: 'string' },
    keep: { type: 'string', default: join(tmpdir(), 'prognet-mutations') },
    json: { type: 'boolean', default: false },
  },
});
const [count, seed, first, workers, load] = [values.count, values.seed, values.from, values.workers, values.load].map(Number);
const last = first + count;
/** Mutants that a worker takes at once; a hang is one that takes as long as `patience`. */
const batch = 50;
const patience = 20_000;
const here = (file) => new URL(`mutations/${file}`, import.meta.url).pathname;

const stages = new Map();
const failures = [];
const toLoad = [];
let [tried, whole, next, slowest, highest] = [0, 0, first, { ms: 0 }, { mb: 0 }];
const again = [];

function count1(map, key, what) {
  const row = map.get(key) ?? new Map();
  map.set(key, row.set(what, (row.get(what) ?? 0) + 1));
}

function fail(draw, what, bytes) {
  const file = join(values.keep, `${seed}-${draw}.onnx`);
  if (bytes !== undefined) {
    mkdirSync(values.keep, { recursive: true });
    writeFileSync(file, Buffer.from(bytes, 'base64'));
  }
  failures.push({ draw, what, ...(bytes !== undefined && { file }) });
  if (!values.json) console.log(`mutant ${draw} (--seed ${seed}): ${what}`);
}

function take({ draw, name, said, ms, mb, stage, bytes, gradient }) {
  tried++;
  if (Object.values(said).every((s) => s === 'passed')) whole++;
  for (const [key, what] of Object.entries(said)) {
    count1(stages, key, what.startsWith('!') ? 'failed' : what);
    if (what.startsWith('!')) fail(draw, `${name}: ${key}: ${what.slice(1)}`, bytes);
  }
  if (ms > slowest.ms) slowest = { ms, draw, stage };
  if (mb > highest.mb) highest = { mb, draw, stage };
  if (ms > 2000) fail(draw, `${name}: ${stage} takes ${Math.round(ms)} ms`, bytes);
  if (mb > 400) fail(draw, `${name}: ${stage} takes ${Math.round(mb)} MB`, bytes);
  if (bytes !== undefined && said.verify === 'passed') toLoad.push({ draw, name, bytes, gradient });
}

/** Runs one worker after the other until nothing is left; a worker that dies is followed by another. */
function runWorker() {
  return new Promise((resolve) => {
    const child = fork(here('pipeline.mjs'), {
      execArgv: [`--max-old-space-size=${values.heap}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let complaint = '';
    let range;
    let begun;
    let timer;
    child.stderr.on('data', (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    const stop = () => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.kill('SIGKILL');
    };
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => lost(`hangs, past ${patience / 1000} s`), patience);
    };
    const lost = (why) => {
      stop();
      if (begun !== undefined) {
        tried++;
        fail(begun, why);
        if (begun + 1 < range[1]) again.push([begun + 1, range[1]]);
      }
      resolve(begun === undefined ? why : runWorker());
    };
    child.on('message', (m) => {
      watch();
      if (m.begun !== undefined) begun = m.begun;
      else if (m.idle) {
        range = again.pop() ?? (next < last ? [next, Math.min(last, next + batch)] : undefined);
        if (range === undefined) {
          stop();
          return resolve(undefined);
        }
        if (range[0] === next) next = range[1];
        child.send({
          seed,
          from: range[0],
          to: range[1],
          keep: load > 0 ? Math.max(1, Math.round(100 / load)) : Number.MAX_SAFE_INTEGER,
          only: values.only,
        });
      } else take(m);
    });
    child.on('exit', (code, signal) =>
      lost(`the process ends, ${signal ?? code}: ${complaint.split('\n').find((l) => /FATAL|Error/.test(l)) ?? ''}`),
    );
    watch();
  });
}

/** What ONNX Runtime says of models, in order: null, why it refuses, or that it died. */
async function loaded(models) {
  const said = [];
  let child;
  const begin = () => {
    child = fork(here('load.mjs'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    return new Promise((resolve) => child.once('message', resolve));
  };
  if (models.length > 0) await begin();
  for (const bytes of models) {
    const answer = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve('hangs'), patience);
      child.once('message', (m) => {
        clearTimeout(timer);
        resolve(m.refused);
      });
      child.once('exit', () => {
        clearTimeout(timer);
        resolve('dies');
      });
      child.send({ bytes });
    });
    child.removeAllListeners();
    said.push(answer);
    if (answer === 'hangs' || answer === 'dies') {
      child.kill('SIGKILL');
      await begin();
    }
  }
  child?.kill();
  return said;
}

/** Messages that differ in names and numbers alone are one. */
const kindOf = (message) =>
  message
    .replaceAll(/\(?node[_ ]?(name)?:? ?\S+/gi, 'node')
    .replaceAll(/'[^']*'|"[^"]*"|\[[^\]]*\]|\{[^}]*\}/g, '..')
    .replaceAll(/-?\d+/g, '#')
    .slice(0, 110);

const start = Date.now();
const lost = (await Promise.all(Array.from({ length: workers }, runWorker))).find((why) => why !== undefined);
if (lost !== undefined) throw new Error(`no worker begins: ${lost}`);
const seconds = (Date.now() - start) / 1000;

const originals = await loaded(toLoad.map((m) => m.bytes));
const refusals = new Map();
originals.forEach((why, i) => {
  if (why === null) return;
  const { draw, name } = toLoad[i];
  const kind = kindOf(why);
  const row = refusals.get(kind) ?? { count: 0, draw, name, why: why.slice(0, 300) };
  refusals.set(kind, { ...row, count: row.count + 1 });
});
const withGradient = toLoad.filter((m, i) => originals[i] === null && m.gradient !== undefined);
const gradients = await loaded(withGradient.map((m) => m.gradient));
const gradientRefusals = gradients.flatMap((why, i) =>
  why === null ? [] : [{ draw: withGradient[i].draw, name: withGradient[i].name, why: why.slice(0, 300) }],
);

const result = {
  seed,
  tried,
  whole,
  stages: Object.fromEntries([...stages].map(([stage, row]) => [stage, Object.fromEntries(row)])),
  seconds,
  slowest,
  highest,
  failures,
  runtime: {
    verified: toLoad.length,
    refused: originals.filter((w) => w !== null).length,
    gradients: withGradient.length,
    gradientsRefused: gradientRefusals.length,
  },
};
if (values.json) console.log(JSON.stringify(result));
else {
  const rows = [...stages].map(([stage, row]) => {
    const all = [...row.values()].reduce((a, b) => a + b, 0);
    const refused = [...row].filter(([what]) => what !== 'passed' && what !== 'failed').sort((a, b) => b[1] - a[1]);
    return `| ${stage} | ${all} | ${row.get('passed') ?? 0} | ${refused.map(([name, n]) => `${name} ${n}`).join(', ')} | ${row.get('failed') ?? 0} |`;
  });
  console.log(
    `${tried} mutants in ${seconds.toFixed(0)} s, ${whole} passed every stage; the slowest stage took ${slowest.ms.toFixed(0)} ms (${slowest.stage}, mutant ${slowest.draw}), the most memory was ${highest.mb.toFixed(0)} MB (mutant ${highest.draw})`,
  );
  console.log(['| stage | tried | passed | refused | failed |', '|---|---|---|---|---|', ...rows].join('\n'));
  console.log(
    `ONNX Runtime loaded ${toLoad.length - result.runtime.refused} of ${toLoad.length} that the verifier passes, and ${withGradient.length - gradientRefusals.length} of ${withGradient.length} gradients of those.`,
  );
  for (const [kind, row] of [...refusals].sort((a, b) => b[1].count - a[1].count))
    console.log(`  ${row.count}: ${kind} | mutant ${row.draw} of ${row.name}: ${row.why.replaceAll('\n', ' ')}`);
  for (const { draw, name, why } of gradientRefusals)
    console.log(`  gradient of mutant ${draw} of ${name}: ${why.replaceAll('\n', ' ')}`);
  console.log(failures.length === 0 ? 'Nothing failed.' : `${failures.length} failed; bytes are in ${values.keep}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
