// A network that grows column by column by the command line, and what a column costs as they become many. Needs npm run build.
//   node scripts/reliability/columns.mjs [--columns 100] [--repeat 1]
// Each column has data of its own, an adapter or linear laterals from the last few columns, every tenth from all. After every tenth, `verify` proves
// all tasks bit for bit, and the files of earlier columns and what the first, the middle and the last task answer are compared at the end. Prints the
// processor time of `train` and `verify` at some columns beside that of two things alone: one pass of the data through all frozen columns' taps, and a
// session for each task's exported model with a run of its test data. Exits 1 on any miss.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { differences, snapshot } from './small-workspace.mjs';

const dist = new URL('../../dist/', import.meta.url);
const { Tensor } = await import(new URL('onnx/index.js', dist).href);
const { NodeRuntime } = await import(new URL('onnx/node.js', dist).href);
const { writeNpz } = await import(new URL('formats/npz.js', dist).href);
const { values } = parseArgs({
  options: {
    columns: { type: 'string', default: '100' },
    repeat: { type: 'string', default: '1' },
    alone: { type: 'string' },
  },
});
const count = Number(values.columns);
const repeat = Number(values.repeat);
const features = 8;
const taskOf = (k) => `task${k}`;

// ---- the network ----------------------------------------------------------------------------------------------------------

/** Uniform numbers in -0.5..0.5 from a seed. */
function stream(seed) {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Rows whose class says between which bounds a sum of three features lies, other three for each column. */
function data(k) {
  const next = stream(k);
  const part = (rows) => {
    const x = Float32Array.from({ length: rows * features }, next);
    const y = BigInt64Array.from({ length: rows }, (_, i) => {
      const sum = [0, 1, 2].reduce((s, j) => s + x[i * features + ((k + j * 3) % features)], 0);
      return sum < -0.3 ? 0n : sum < 0.3 ? 1n : 2n;
    });
    return [new Tensor('float32', [rows, features], x), new Tensor('int64', [rows], y)];
  };
  const [[xTrain, yTrain], [xTest, yTest]] = [part(200), part(100)];
  return writeNpz(
    new Map([
      ['x_train', xTrain],
      ['y_train', yTrain],
      ['x_test', xTest],
      ['y_test', yTest],
    ]),
  );
}

function described(k) {
  const few = [k - 1, k - 2, k - 3].filter((i) => i >= 1).map(taskOf);
  const from = k % 10 === 0 ? 'all' : few;
  const laterals = k === 1 ? {} : { laterals: k % 2 === 0 ? { kind: 'adapter', rank: 4, from } : { kind: 'linear', from } };
  return {
    task: taskOf(k),
    data: `${taskOf(k)}.npz`,
    ...(k === 1
      ? {
          blocks: [
            [{ dense: 16 }, 'relu'],
            [{ dense: 8 }, 'relu'],
          ],
          head: { classify: 3 },
        }
      : { like: taskOf(1) }),
    ...laterals,
    train: { epochs: 1, batch: 20, lr: 0.01, seed: k },
  };
}

function describe(folder, k) {
  const columns = Array.from({ length: k }, (_, i) => described(i + 1));
  const description = { prognet: 1, name: 'grown', input: { name: 'x', shape: [features] }, columns };
  writeFileSync(join(folder, 'prognet.json'), `${JSON.stringify(description, undefined, 1)}\n`);
  writeFileSync(join(folder, `${taskOf(k)}.npz`), data(k));
}

// ---- commands and their processor time ------------------------------------------------------------------------------------

/** Loaded before a command: writes at its end the processor time that it took. */
const clock = `data:text/javascript,${encodeURIComponent(`import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(process.env.PROGNET_CLOCK, String((userCPUTime + systemCPUTime) / 1e6));
});`)}`;

const top = mkdtempSync(join(tmpdir(), 'prognet-columns-'));
const clockFile = join(top, 'seconds');

/** Seconds of the processor, user and system. Throws where the command fails. */
function prognet(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', clock, fileURLToPath(new URL('cli/main.js', dist)), ...args],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, PROGNET_CLOCK: clockFile } },
  );
  if (status !== 0) throw new Error(`prognet ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`);
  return Number(readFileSync(clockFile, 'utf8'));
}

const least = (times, measure) => Math.min(...Array.from({ length: times }, measure));

/** A training leaves its column behind: the last of several is the one that stays, the others are of copies. */
function trained(folder, task, times) {
  const before = Array.from({ length: times - 1 }, () => {
    const copy = mkdtempSync(join(top, 'copy-'));
    cpSync(folder, copy, { recursive: true });
    const seconds = prognet(copy, 'train', task, '--freeze', '--threads', '1');
    rmSync(copy, { recursive: true });
    return seconds;
  });
  return Math.min(...before, prognet(folder, 'train', task, '--freeze', '--threads', '1'));
}

// ---- alone ----------------------------------------------------------------------------------------------------------------

const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;

/** In a process of its own: seconds of the taps of all frozen columns over the data of the last, and of a session and a run for each task. */
async function alone(folder) {
  const { loadWorkspace } = await import(new URL('node.js', dist).href);
  const { parseDescription, toInput } = await import(new URL('model/description/parse.js', dist).href);
  const { columnsOf } = await import(new URL('model/progressive/column.js', dist).href);
  const { taskModel } = await import(new URL('model/progressive/forms.js', dist).href);
  const { ColumnTaps } = await import(new URL('train/taps/column-taps.js', dist).href);
  const { loadTaskData } = await import(new URL('tasks/task-data.js', dist).href);
  const { toBinary } = await import(new URL('onnx/index.js', dist).href);
  const runtime = await NodeRuntime.load({ threads: 1 });
  const session = { providers: ['cpu'], threads: 1 };
  const loaded = loadWorkspace(folder);
  const { tasks } = loaded.columns;
  const frozen = new Map([...loaded.frozen].map(([task, { tensors }]) => [task, tensors]));
  const sets = await Promise.all(tasks.map((task) => loadTaskData(loaded, task)));
  const models = tasks.map((task) => toBinary(taskModel(loaded.columns, frozen, { tasks: [task] })));
  const written = toInput(loaded.description);
  const last = { task: 'next', like: tasks[0], laterals: { kind: 'linear', from: 'all' } };
  const column = columnsOf(parseDescription({ ...written, columns: [...written.columns, last] })).last;
  const [{ inputs }] = [sets.at(-1).train];
  const dtypes = Object.fromEntries(Object.keys(inputs).map((name) => [name, 'float32']));
  column.parameters;

  const begun = cpu();
  const taps = await ColumnTaps.create({ runtime, column, frozen, dtypes, session });
  await taps.compute(inputs);
  await taps.release();
  const tapped = cpu();
  for (const [i, model] of models.entries()) {
    const made = await runtime.createSession(model, session);
    await made.run(sets[i].test.inputs);
    await made.release();
  }
  console.log(JSON.stringify({ taps: tapped - begun, sessions: cpu() - tapped }));
}

function measuredAlone(folder, times) {
  const found = Array.from({ length: times }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--alone', folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
  return { taps: Math.min(...found.map((f) => f.taps)), sessions: Math.min(...found.map((f) => f.sessions)) };
}

// ---- the campaign ---------------------------------------------------------------------------------------------------------

const rows = Float32Array.from({ length: 32 * features }, stream(0));

/** What a task answers for the same rows, and its exported file. */
async function answers(runtime, folder, task) {
  const file = join(top, 'task.onnx');
  prognet(folder, 'export', '--task', task, '-o', file);
  const model = readFileSync(file);
  const session = await runtime.createSession(model, { providers: ['cpu'], threads: 1 });
  const { [task]: scores } = await session.run({ x: new Tensor('float32', [32, features], rows) });
  await session.release();
  return { model: model.toString('base64'), scores: Buffer.from(scores.bytes).toString('base64') };
}

async function campaign() {
  const runtime = await NodeRuntime.load({ threads: 1 });
  const folder = mkdtempSync(join(top, 'grown-'));
  const measuredAt = [1, 10, 30, 60, 100].filter((k) => k < count).concat(count);
  const keptTasks = [...new Set([1, Math.ceil(count / 2), count])];
  const kept = new Map();
  const files = {};
  const table = [];
  let proofs = 0;
  const misses = [];
  for (let k = 1; k <= count; k++) {
    describe(folder, k);
    const times = measuredAt.includes(k) ? repeat : 1;
    const train = trained(folder, taskOf(k), times);
    Object.assign(
      files,
      Object.fromEntries(
        Object.entries(hashes(folder)).filter(([path]) => path.startsWith(`${taskOf(k)}/`) || path === `.frozen/${taskOf(k)}`),
      ),
    );
    if (keptTasks.includes(k)) kept.set(k, await answers(runtime, folder, taskOf(k)));
    if (k % 10 !== 0 && !measuredAt.includes(k)) continue;
    const verify = least(times, () => prognet(folder, 'verify'));
    proofs += k;
    if (!measuredAt.includes(k)) continue;
    const { taps, sessions } = measuredAlone(folder, times);
    table.push({ column: k, train, verify, taps, sessions });
    console.error(`column ${k}: train ${train.toFixed(2)} s, verify ${verify.toFixed(2)} s`);
  }
  misses.push(...differences(files, hashes(folder)).map((path) => `columns/${path} is not as it was frozen`));
  for (const [k, before] of kept) {
    const now = await answers(runtime, folder, taskOf(k));
    for (const what of ['model', 'scores'])
      if (now[what] !== before[what]) misses.push(`${what} of ${taskOf(k)} are others than after its training`);
  }
  console.log('| column | train | verify | taps alone | sessions and runs alone |\n|---|---|---|---|---|');
  for (const { column, train, verify, taps, sessions } of table)
    console.log(`| ${column} | ${[train, verify, taps, sessions].map((s) => `${s.toFixed(2)} s`).join(' | ')} |`);
  for (const miss of misses) console.error(miss);
  console.log(
    `${count} columns: ${proofs} proofs of tasks bit for bit, ${Object.keys(files).length} files as they were frozen but for ${misses.length} misses`,
  );
  process.exitCode = misses.length === 0 ? 0 : 1;
}

/** Files of columns by their path there, column.json with its bytes too. */
function hashes(folder) {
  const columns = join(folder, 'columns');
  const found = snapshot(columns);
  for (const path of Object.keys(found))
    if (path.endsWith('column.json')) found[path] = readFileSync(join(columns, path), 'utf8');
  return found;
}

try {
  if (values.alone !== undefined) await alone(values.alone);
  else await campaign();
} finally {
  rmSync(top, { recursive: true });
}
