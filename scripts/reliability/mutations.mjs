// Damaged models through everything that reads one: decode, verify, infer, upgrade, optimise, fuse, gradients both ways, import, float16, int8 both ways,
// inspect. Needs npm run build and sh scripts/fetch-onnx-testdata.
//   node scripts/reliability/mutations.mjs [--count 100000] [--seed 1] [--from 0] [--workers 2] [--heap 300] [--only verify,vjp] [--keep FOLDER] [--json]
// Each mutant passes or is refused in one line, each stage within two seconds and 400 MB. Failures are printed with the number of the mutant (`--from N
// --count 1` tries it again) and their bytes kept in a folder; then it exits 1. Whether ONNX Runtime loads what passes: loads.mjs.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { throughPipeline } from './mutations/workers.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    workers: { type: 'string', default: '2' },
    heap: { type: 'string', default: '300' },
    only: { type: 'string' },
    keep: { type: 'string', default: join(tmpdir(), 'prognet-mutations') },
    json: { type: 'boolean', default: false },
  },
});
const [count, seed, first, workers] = [values.count, values.seed, values.from, values.workers].map(Number);

const stages = new Map();
const failures = [];
let [tried, whole, slowest, highest] = [0, 0, { ms: 0 }, { mb: 0 }];

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

function take({ draw, name, said, ms, mb, stage, bytes }) {
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
}

const start = Date.now();
const range = { seed, from: first, to: first + count, workers, heap: values.heap, only: values.only?.split(',') };
await throughPipeline(range, take, (draw, why) => {
  tried++;
  fail(draw, why);
});
const seconds = (Date.now() - start) / 1000;

const result = {
  seed,
  tried,
  whole,
  stages: Object.fromEntries([...stages].map(([stage, row]) => [stage, Object.fromEntries(row)])),
  seconds,
  slowest,
  highest,
  failures,
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
  console.log(failures.length === 0 ? 'Nothing failed.' : `${failures.length} failed; bytes are in ${values.keep}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
