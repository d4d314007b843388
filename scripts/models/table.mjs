// What becomes of models from elsewhere: each of .cache/models (fetch.py, export.py) is imported as a backbone with four taps, a head alone is grown
// over it and trained for a few steps, the network verified and exported in each form. Python's onnxruntime compares taps and outputs with the file's
// own, bit for bit, and each exported form with what `predict` answers. Writes scripts/models/results.json (page.mjs makes docs/models.md of it). What
// stands there of this version of the script and of the same file is not done again, so that two runs may share the work.
//   node scripts/models/table.mjs [--again] [--into FILE] [part of a name ...]
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { cache, limitSeconds, modelsIn, python, results, root } from './models.mjs';

/** Raised where rows of another version say something else. */
const version = 2;
const cli = join(root, 'dist/cli/main.js');
const limit = limitSeconds * 1000;
/** What open dimensions get, in this order, until a model takes it: sides that many strides divide, then windows of sound. */
const sizes = [64, 48, 224, 512, 576, 1536];
/** Of a model with many outputs the first ones are compared. */
const outputsCompared = 2;

class Stopped extends Error {}

const short = (line, file) =>
  line
    .replaceAll(file, basename(file))
    .replaceAll(/\/tmp\/prognet-models-\w+\//g, '')
    .replace(/^prognet: /, '')
    .slice(0, 400);

function prognet(...args) {
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, [cli, ...args, '--json'], {
    encoding: 'utf8',
    timeout: limit,
    maxBuffer: 1 << 28,
  });
  if (signal) return { ok: false, reason: `took over ${limitSeconds} s` };
  if (status === 0) return { ok: true, said: JSON.parse(stdout.trim().split('\n').at(-1)), notes: stderr.trim() };
  const lines = stdout.trim().split('\n').concat(stderr.trim().split('\n'));
  const document = lines.find((line) => line.startsWith('{"error"'));
  return { ok: false, reason: document ? JSON.parse(document).error.message : (lines.at(-1) ?? '') };
}

function ask(what, document) {
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'compare.py'), what], {
    encoding: 'utf8',
    timeout: limit,
    input: JSON.stringify(document),
  });
  if (status === 0) return JSON.parse(stdout);
  throw new Stopped(`Python: ${stderr.trim().split('\n').at(-1) || `took over ${limitSeconds} s`}`);
}

/** What stands for an input that is no sample. */
const numberFor = (name) => (/^sr$|rate/i.test(name) ? 16000 : 0);

/** Imports, and gives what the refusal names: sizes, numbers, layouts. */
function imported(file, folder, how) {
  let refusal;
  for (const size of sizes) {
    const given = [];
    for (;;) {
      rmSync(folder, { recursive: true, force: true });
      const found = prognet('import', file, '--task', 'base', '--backbone', ...how, ...given, '-o', folder);
      // Compared at sizes that are known, which stay open otherwise.
      const open = found.ok ? found.said.open.map((name) => ['--dim', `${name}=${size}`]) : [];
      if (found.ok && open.length === 0) return { ...found, given };
      if (found.ok) {
        given.push(...open.flat());
        continue;
      }
      const [, option, name] = /--(dim|fix|layout) (\S+)=[A-Z]/.exec(found.reason) ?? [];
      const value = { dim: size, fix: numberFor(name ?? ''), layout: 'NTF' }[option];
      const next = `${name}=${value}`;
      if (option === undefined || given.includes(next)) {
        // The last one says most: a size that is too small hides what stands behind it.
        if (refusal === undefined || !found.reason.startsWith('took over')) refusal = { ...found, given };
        break;
      }
      given.push(`--${option}`, next);
    }
    // Another size may do where one was asked for.
    if (!refusal.given.includes('--dim')) break;
  }
  return refusal;
}

/** `--dim NAME=SIZE` and `--fix NAME=NUMBER` as numbers by name. */
const numbersOf = (given, option) =>
  Object.fromEntries(
    given.flatMap((text, i) => {
      const at = text.lastIndexOf('=');
      return given[i - 1] === option ? [[text.slice(0, at), Number(text.slice(at + 1))]] : [];
    }),
  );

/** A value of the file, imported to be what the column gives: what Python is to compare, or why not. */
function alone(file, folder, name, how, given) {
  const w = join(folder, 'alone');
  const exported = join(folder, `alone-${name.replaceAll(/\W/g, '_')}.onnx`);
  const found = prognet('import', file, '--task', 'base', '--backbone', ...how, ...given, '-o', w);
  const out = found.ok ? prognet('export', '--task', 'base', '-o', exported, '-C', w) : found;
  rmSync(w, { recursive: true, force: true });
  return out.ok ? { pair: [exported, 'base', name] } : { refused: short(out.reason, file) };
}

const column = `  - task: grown
    data: grown.npz
    blocks: []
    head: { classify: 2 }
    laterals: { kind: adapter, rank: 4 }
    train: { epochs: 2, batch: 8 }
`;
const forms = { task: ['--task', 'grown'], all: ['--all'], fused: ['--all', '--fused'], routed: ['--routed'] };

function tried(file, folder) {
  const row = { model: relative(cache, file), bytes: statSync(file).size, version, date: new Date().toISOString().slice(0, 10) };
  const w = join(folder, 'w');
  const stop = (stage, reason) => ({ ...row, stopped: stage, reason: short(reason, file) });
  let stage = 'import';
  try {
    const base = imported(file, w, ['--taps', 'auto:4']);
    if (base.given.length > 0) row.arguments = base.given.join(' ');
    if (!base.ok) return stop(stage, base.reason);
    const taps = base.said.taps.map(({ name }) => name);
    row.taps = base.said.taps.map(({ name, shape }) => `${name} [${shape}]`);
    stage = 'export';
    const exported = join(folder, 'base.onnx');
    const out = prognet('export', '--task', 'base', '-o', exported, '-C', w);
    if (!out.ok) return stop(stage, out.reason);
    stage = 'bits';
    const { given } = base;
    const test = join(folder, 'test.npz');
    const { vocabulary, absent } = ask('data', {
      model: file,
      exported,
      data: join(w, 'grown.npz'),
      test,
      taps: taps.slice(0, -1),
    });
    if (Object.keys(vocabulary).length > 0) row.vocabulary = vocabulary;
    const pairs = {};
    const refused = {};
    const compare = (name, { pair, refused: reason }) => {
      if (pair) pairs[name] = pair;
      else refused[name] = reason;
    };
    for (const [i, tap] of taps.entries()) {
      const pair = [exported, i === taps.length - 1 ? 'base' : `base/${tap}`, tap];
      compare(`tap ${tap}`, absent.includes(tap) ? alone(file, folder, tap, ['--taps', tap], given) : { pair });
    }
    const inspected = prognet('inspect', file);
    const outputs = inspected.ok ? inspected.said.outputs.map(({ name }) => name) : [];
    for (const name of outputs.slice(0, outputsCompared))
      compare(`output ${name}`, alone(file, folder, name, ['--taps', taps.at(-1), '--scores', name], given));
    const asked = { model: file, test, dims: numbersOf(given, '--dim'), fixed: numbersOf(given, '--fix'), pairs };
    row.apart = { ...ask('bits', asked), ...refused };
    stage = 'train';
    appendFileSync(join(w, 'prognet.yaml'), column);
    const trained = prognet('train', 'grown', '--freeze', '-C', w);
    if (!trained.ok) return stop(stage, trained.reason);
    stage = 'verify';
    const verified = prognet('verify', '-C', w);
    if (!verified.ok || verified.said.tasks.some(({ identical }) => !identical)) return stop(stage, verified.reason ?? 'differs');
    stage = 'forms';
    const predicted = join(folder, 'p.npy');
    const answered = prognet('predict', 'grown', '--input', test, '--output', predicted, '-C', w);
    if (!answered.ok) return stop('predict', answered.reason);
    const files = {};
    row.forms = {};
    for (const [form, how] of Object.entries(forms)) {
      const path = join(folder, `${form}.onnx`);
      const written = prognet('export', ...how, '-o', path, '-C', w);
      if (written.ok) files[form] = path;
      else row.forms[form] = short(written.reason, file);
    }
    Object.assign(row.forms, ask('forms', { files, test, predicted, task: 'grown' }));
    return row;
  } catch (error) {
    if (error instanceof Stopped) return stop(stage, error.message);
    throw error;
  }
}

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { again: { type: 'boolean', default: false }, into: { type: 'string', default: results } },
});
/** Read anew each time: two runs may share the work. */
const kept = () =>
  new Map((existsSync(options.into) ? JSON.parse(readFileSync(options.into, 'utf8')) : []).map((row) => [row.model, row]));

function keep(row) {
  const rows = [...kept().set(row.model, row).values()].toSorted((a, b) => (a.model < b.model ? -1 : 1));
  writeFileSync(options.into, `${JSON.stringify(rows, undefined, 2)}\n`);
}

const files = modelsIn(cache).map((path) => ({ path, name: relative(cache, path) }));
for (const { path, name } of files.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))) {
  const before = kept().get(name);
  if (!options.again && before?.version === version && before.bytes === statSync(path).size) continue;
  const folder = mkdtempSync(join(tmpdir(), 'prognet-models-'));
  const begun = Date.now();
  try {
    const row = tried(path, folder);
    keep({ ...row, seconds: Math.round((Date.now() - begun) / 1000) });
    console.log(
      `${name}: ${row.stopped === undefined ? JSON.stringify([row.apart, row.forms]) : `${row.stopped}: ${row.reason}`}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
if (options.into === results) {
  spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', results], { stdio: 'inherit' });
  spawnSync(process.execPath, [join(import.meta.dirname, 'page.mjs')], { stdio: 'inherit' });
}
