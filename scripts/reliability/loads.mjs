// What the verifier passes, ONNX Runtime loads: the damaged models of mutations.mjs that decode, verifyModel and inferShapes pass, and their gradients, are
// given to onnxruntime-node (CPU). Needs npm run build and sh scripts/fetch-onnx-testdata.
//   node scripts/reliability/loads.mjs [--count 3000] [--seed 1] [--from 0] [--workers 1] [--heap 300] [--keep FOLDER] [--json]
// What it refuses is sorted by its message (mutations/refusals.mjs): classes that have a reason are counted; any other is a defect of the verifier, is
// printed with the number of the mutant (`--from N --count 1` tries it again), its bytes kept, and the script exits 1.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpus } from './mutations/corpus.mjs';
import { Loader } from './mutations/loader.mjs';
import { classOf, kindOf, undamaged } from './mutations/refusals.mjs';
import { throughPipeline } from './mutations/workers.mjs';

const { fromBinary } = await import(new URL('../../dist/onnx/serde/from-binary.js', import.meta.url).href);

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    workers: { type: 'string', default: '1' },
    heap: { type: 'string', default: '300' },
    keep: { type: 'string', default: join(tmpdir(), 'prognet-loads') },
    json: { type: 'boolean', default: false },
  },
});
const [count, seed, from, workers] = [values.count, values.seed, values.from, values.workers].map(Number);

const failures = [];
const toLoad = [];
let tried = 0;

function fail(draw, what, bytes) {
  const file = join(values.keep, `${seed}-${draw}.onnx`);
  if (bytes !== undefined) {
    mkdirSync(values.keep, { recursive: true });
    writeFileSync(file, Buffer.from(bytes, 'base64'));
  }
  failures.push({ draw, what, ...(bytes !== undefined && { file }) });
  if (!values.json) console.log(`mutant ${draw} (--seed ${seed}): ${what}`);
}

const start = Date.now();
await throughPipeline(
  { seed, from, to: from + count, workers, heap: values.heap, keep: true, only: ['verify', 'infer', 'vjp'] },
  ({ draw, name, said, bytes, gradient }) => {
    tried++;
    if (said.verify === 'passed' && said.infer === 'passed') toLoad.push({ draw, name, bytes, gradient });
  },
  (draw, why) => {
    tried++;
    fail(draw, why);
  },
);

const loader = new Loader();
const classes = new Map();
const originals = new Map(await corpus());

async function load(what, { draw, name }, bytes) {
  const refused = await loader.load(bytes);
  if (refused === null) return true;
  let { name: kind, reason } = classOf(refused, fromBinary(Buffer.from(bytes, 'base64')).opset);
  if (reason === undefined) {
    const before = await loader.load(Buffer.from(originals.get(name)).toString('base64'));
    if (before !== null && kindOf(before) === kind) ({ name: kind, reason } = undamaged);
  }
  const row = classes.get(kind) ?? { models: 0, gradients: 0, reason, example: `mutant ${draw}, ${name}: ${refused}` };
  row[what]++;
  classes.set(kind, row);
  const said = refused.replaceAll(/\s+/g, ' ').slice(0, 400);
  if (reason === undefined) fail(draw, `${what === 'models' ? '' : 'the gradient of '}${name}: ${said}`, bytes);
  return false;
}

const loaded = { models: 0, gradients: 0 };
const withGradient = [];
for (const m of toLoad) {
  if (!(await load('models', m, m.bytes))) continue;
  loaded.models++;
  if (m.gradient !== undefined) withGradient.push(m);
}
for (const m of withGradient) if (await load('gradients', m, m.gradient)) loaded.gradients++;
loader.end();
const seconds = (Date.now() - start) / 1000;

const sorted = [...classes].sort(([, a], [, b]) => b.models + b.gradients - a.models - a.gradients);
if (values.json) {
  const gradients = withGradient.length;
  console.log(
    JSON.stringify({
      seed,
      tried,
      verified: toLoad.length,
      gradients,
      loaded,
      classes: Object.fromEntries(sorted),
      seconds,
      failures,
    }),
  );
} else {
  console.log(
    `${tried} mutants in ${seconds.toFixed(0)} s: ONNX Runtime loads ${loaded.models} of ${toLoad.length} that the verifier passes, and ${loaded.gradients} of ${withGradient.length} gradients of those.`,
  );
  const rows = sorted.map(([kind, row]) => `| ${kind} | ${row.models} | ${row.gradients} | ${row.reason ?? 'a defect'} |`);
  if (rows.length > 0) console.log(['| class | models | gradients | why |', '|---|---|---|---|', ...rows].join('\n'));
  console.log(failures.length === 0 ? 'Nothing failed.' : `${failures.length} failed; bytes are in ${values.keep}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
