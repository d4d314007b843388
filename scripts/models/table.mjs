// What becomes of models from elsewhere: each of .cache/models (fetch.py, export.py) is imported as a backbone with four taps and exported, and
// Python's onnxruntime compares the last tap with the file's own value, bit for bit. Writes scripts/models/results.json: for each model how far it
// came, and the first line of what stopped it. No column is grown over them here.
//   node scripts/models/table.mjs [part of a name ...]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const cache = join(root, '.cache/models');
const cli = join(root, 'dist/cli/main.js');
const python = join(root, '.venv/bin/python');
/** What open dimensions get, where a model asks for a size: many strides divide it. */
const size = 64;

function* models(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* models(path);
    else if (name.endsWith('.onnx')) yield path;
  }
}

function prognet(...args) {
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 300_000 });
  const said = stderr.split('\n').find((line) => line.startsWith('prognet: '));
  return { ok: status === 0, stdout, reason: signal ? 'took over 300 s' : (said ?? stderr.trim().split('\n').at(-1)) };
}

/** Imports, and gives a size to each dimension that is asked for. */
function importBase(file, folder) {
  const given = [];
  for (;;) {
    const args = [
      'import',
      file,
      '--task',
      'base',
      '--backbone',
      '--taps',
      'auto:4',
      ...given.flatMap((d) => ['--dim', d]),
      '-o',
      folder,
      '--json',
    ];
    const found = prognet(...args);
    const asked = /--dim ([^\s=]+)=/.exec(found.reason ?? '')?.[1];
    if (found.ok || asked === undefined || given.length > 6 || given.some((d) => d.startsWith(`${asked}=`)))
      return { ...found, given };
    given.push(`${asked}=${size}`);
  }
}

const compare = `
import sys, numpy, onnx, onnxruntime as ort
original, exported, taps = sys.argv[1], sys.argv[2], sys.argv[3:]
m = onnx.load(original)
known = {o.name: o for o in m.graph.output}
kept = known.get(taps[-1], onnx.helper.make_empty_tensor_value_info(taps[-1]))
del m.graph.output[:]
m.graph.output.append(kept)
quiet = ort.SessionOptions(); quiet.log_severity_level = 4
a = ort.InferenceSession(m.SerializeToString(), quiet)
b = ort.InferenceSession(exported, quiet)
r = numpy.random.default_rng(0)
(x,) = b.get_inputs()
shape = [2 if i == 0 else d for i, d in enumerate(x.shape)]
v = r.random(shape, dtype=numpy.float32) if 'float' in x.type else r.integers(0, 2, shape).astype(numpy.int64)
first = [i.name for i in a.get_inputs()]
got = b.run(None, {x.name: v})[0]
want = a.run([taps[-1]], {first[0]: v})[0]
print('same bits' if got.tobytes() == want.tobytes() else f'apart by {abs(got.astype(float) - want.astype(float)).max()}')
`;

function tried(file) {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-models-'));
  const row = { model: relative(cache, file), bytes: statSync(file).size };
  try {
    const base = importBase(file, join(folder, 'w'));
    if (base.given.length > 0) row.arguments = base.given.map((d) => `--dim ${d}`).join(' ');
    if (!base.ok) return { ...row, stopped: 'import', reason: base.reason.replaceAll(file, basename(file)) };
    const w = join(folder, 'w');
    row.taps = JSON.parse(base.stdout).taps.map(({ name, shape }) => `${name} [${shape}]`);
    const out = join(folder, 'base.onnx');
    const exported = prognet('export', '--task', 'base', '-o', out, '-C', w);
    if (!exported.ok) return { ...row, stopped: 'export', reason: exported.reason };
    const names = JSON.parse(base.stdout).taps.map(({ name }) => name);
    const ran = spawnSync(python, ['-c', compare, file, out, ...names], { encoding: 'utf8', timeout: 120_000 });
    row.python = ran.status === 0 ? ran.stdout.trim() : ran.stderr.trim().split('\n').at(-1);
    return { ...row, stopped: ran.status === 0 ? undefined : 'python' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const results = join(import.meta.dirname, 'results.json');
const known = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : [];
const rows = new Map(known.map((row) => [row.model, row]));
const wanted = process.argv.slice(2);
for (const file of models(cache)) {
  const name = relative(cache, file);
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const row = tried(file);
  rows.set(name, row);
  console.log(`${name}: ${row.stopped === undefined ? row.python : `${row.stopped}: ${row.reason ?? row.python}`}`);
  writeFileSync(results, `${JSON.stringify([...rows.values()], undefined, 2)}\n`);
}
