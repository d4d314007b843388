// Every writing command, stopped once at each of its calls to the file system that write: by SIGKILL, and by a disk that is full from there on.
//   node scripts/reliability/sweep.mjs [--commands export,deploy] [--modes kill,full] [--every 1]     (needs npm run build)
// After a kill, what the command replaces is the old or the new one, whole, and the command run again ends as if nothing had happened, with no file
// left over. On a full disk it exits with 1 and one line, and the files are those from before. Prints a row for each command; exits 1 on any miss.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, differences, prognet, snapshot } from './small-workspace.mjs';

const { load } = await import(new URL('../../dist/onnx/node.js', import.meta.url).href);
const { values } = parseArgs({
  options: {
    commands: { type: 'string' },
    modes: { type: 'string', default: 'kill,full' },
    every: { type: 'string', default: '1' },
  },
});

const top = mkdtempSync(join(tmpdir(), 'prognet-sweep-'));
const must = (folder, ...args) => {
  const { status, stderr } = prognet(folder, args);
  if (status !== 0) throw new Error(`prognet ${args.join(' ')}: ${stderr}`);
};

/** Workspaces that commands begin from: without a description, described, with the first task trained, with it frozen, with both and what was written before. */
const stages = Object.fromEntries(['empty', 'described', 'trained', 'one', 'two'].map((name) => [name, join(top, name)]));
describe(stages.described);
cpSync(stages.described, stages.empty, { recursive: true });
rmSync(join(stages.empty, 'prognet.yaml'));
cpSync(stages.described, stages.trained, { recursive: true });
must(stages.trained, 'train', 'a', '--threads', '1');
cpSync(stages.described, stages.one, { recursive: true });
must(stages.one, 'train', 'a', '--freeze', '--threads', '1');
cpSync(stages.one, stages.two, { recursive: true });
must(stages.two, 'train', 'b', '--freeze', '--threads', '1');
must(stages.two, 'export', '--task', 'a', '-o', 'plain.onnx');
must(stages.two, 'export', '--task', 'a', '--external-data', '-o', 'beside.onnx');
must(stages.two, 'deploy', 'node', '--tasks', 'a', '-o', 'service');
must(stages.two, 'artifacts', 'a', '-o', 'artifacts');
must(stages.two, 'bundle', '-o', 'toy.prognet');

const trained = 'runs/a/trained.safetensors';

/** `whole`: paths that are the old or the new ones at any kill. `folders`: replaced as a whole; `again`: how a killed one is continued. */
const commands = {
  init: { stage: 'empty', args: ['init', '.'], whole: ['prognet.yaml'] },
  train: { stage: 'described', args: ['train', 'a', '--freeze', '--threads', '1'], again: ['--resume'], folders: ['columns/a'] },
  'train-second': {
    stage: 'one',
    args: ['train', 'b', '--freeze', '--threads', '1'],
    again: ['--resume'],
    folders: ['columns/b'],
  },
  'train-alone': { stage: 'described', args: ['train', 'a', '--threads', '1'], again: ['--resume'], whole: [trained] },
  'train-anew': {
    stage: 'trained',
    args: ['train', 'a', '--epochs', '3', '--threads', '1'],
    again: ['--resume'],
    whole: [trained],
  },
  sweep: {
    stage: 'trained',
    args: ['sweep', 'a', '--set', 'lr=0.01,0.1', '--jobs', '1', '--keep', 'best', '--write'],
    again: [],
    whole: [trained, 'prognet.yaml'],
  },
  freeze: { stage: 'trained', args: ['freeze', 'a'], folders: ['columns/a'] },
  reset: { stage: 'two', args: ['reset', 'b'], folders: ['columns/b'] },
  export: { stage: 'two', args: ['export', '--all', '-o', 'plain.onnx'], whole: ['plain.onnx'] },
  'export-external': { stage: 'two', args: ['export', '--all', '--external-data', '-o', 'beside.onnx'], models: ['beside.onnx'] },
  'export-inside': { stage: 'two', args: ['export', '--task', 'b', '-o', 'beside.onnx'], models: ['beside.onnx'] },
  bundle: { stage: 'two', args: ['bundle', '-o', 'toy.prognet'], whole: ['toy.prognet'] },
  artifacts: { stage: 'two', args: ['artifacts', 'b', '-o', 'artifacts'], replaced: ['artifacts'] },
  deploy: { stage: 'two', args: ['deploy', 'node', '-o', 'service'], replaced: ['service'] },
  import: {
    stage: 'two',
    args: ['import', 'plain.onnx', '--task', 'c', '--data', '{ source: a.csv, header: false, label: -1 }', '--threads', '1'],
    whole: ['prognet.yaml'],
    folders: ['columns/c'],
  },
  grad: { stage: 'two', args: ['grad', 'plain.onnx', '--of', 'a', '--by', 'x', '-o', 'grad.onnx'], whole: ['grad.onnx'] },
  predict: { stage: 'two', args: ['predict', 'a', '--input', 'rows.npy', '--output', 'out.npy'], whole: ['out.npy'] },
};

/** A model whose weights lie beside it may name them anew: it is whole, and there is one file of them or none. */
function settled(command, folder, done) {
  return differences(snapshot(folder), snapshot(done)).filter((path) => {
    const model = command.models?.find((name) => path.startsWith(name));
    if (model === undefined) return true;
    load(join(folder, model));
    const count = (f) => Object.keys(snapshot(f)).filter((name) => name.startsWith(model)).length;
    return count(folder) !== count(done);
  });
}

/** Left where a command was done but for its last steps and is not run again: locks, temporary files, the note of a freezing. The next writer sees to them. */
const isLock = (path) => /(^|\/)\.?[^/]*lock$|\.tmp-|^columns\/\.frozen\//.test(path);
const hashes = (folder, path) => JSON.stringify(snapshot(join(folder, path)));

function fresh(stage) {
  const folder = mkdtempSync(join(top, 'run-'));
  cpSync(stages[stage], folder, { recursive: true });
  return folder;
}

/** What is wrong right after a kill; `gap` where a folder that is replaced is absent for the moment between two renames. */
function wrongAfterKill(command, folder, old, done) {
  const wrong = [];
  let gap = false;
  for (const path of command.whole ?? []) {
    const now = snapshot(folder)[path];
    if (now !== snapshot(old)[path] && now !== snapshot(done)[path]) wrong.push(`${path} is neither old nor new`);
  }
  for (const path of [...(command.folders ?? []), ...(command.replaced ?? [])]) {
    const now = hashes(folder, path);
    if (now === hashes(old, path) || now === hashes(done, path)) continue;
    if (command.replaced?.includes(path) && !existsSync(join(folder, path))) gap = true;
    else wrong.push(`${path} is neither old nor new`);
  }
  for (const path of command.models ?? []) {
    try {
      load(join(folder, path));
    } catch (error) {
      wrong.push(`${path} cannot be read: ${error.message}`);
    }
  }
  return { wrong, gap };
}

function killed(command, k, done) {
  const folder = fresh(command.stage);
  const { signal } = prognet(folder, command.args, `kill:${k}`);
  if (signal !== 'SIGKILL') return { wrong: ['was not killed'], gap: false };
  const { wrong, gap } = wrongAfterKill(command, folder, stages[command.stage], done);
  const { status, stderr } = prognet(folder, [...command.args, ...(command.again ?? [])]);
  const left = settled(command, folder, done).filter((path) => status === 0 || !isLock(path));
  if (status !== 0 && (left.length > 0 || status !== 2)) wrong.push(`run again: exit ${status}, ${stderr.trim()}`);
  if (left.length > 0) wrong.push(`run again: differs in ${left.slice(0, 4).join(', ')}`);
  rmSync(folder, { recursive: true });
  return { wrong, gap };
}

function full(command, k, done) {
  const folder = fresh(command.stage);
  const { status, signal, stderr } = prognet(folder, command.args, `full:${k}`);
  const wrong = [];
  const last = stderr.trim().split('\n').at(-1) ?? '';
  if (status === 0) {
    // Only what came after all that needs space.
    const left = settled(command, folder, done).filter((path) => !isLock(path));
    if (left.length > 0) wrong.push(`exit 0, and differs in ${left.slice(0, 4).join(', ')}`);
  } else {
    if (status !== 1) wrong.push(`exit ${status ?? signal}: ${last}`);
    if (!/^prognet: cannot write .*no space is left/.test(last)) wrong.push(`says ${last}`);
    const left = differences(snapshot(folder), snapshot(stages[command.stage])).filter((path) => !isLock(path));
    // A training keeps its state; another command leaves nothing.
    const stray = command.again === undefined ? left : left.filter((path) => !/^(runs|cache|columns)\//.test(path));
    if (stray.length > 0 && settled(command, folder, done).length > 0) wrong.push(`leaves ${stray.slice(0, 4).join(', ')}`);
    const again = prognet(folder, [...command.args, ...(command.again ?? [])]);
    const rest = settled(command, folder, done).filter((path) => again.status === 0 || !isLock(path));
    if (rest.length > 0)
      wrong.push(`run again: exit ${again.status}, ${again.stderr.trim()}, differs in ${rest.slice(0, 4).join(', ')}`);
  }
  rmSync(folder, { recursive: true });
  return { wrong, gap: false };
}

const modes = { kill: killed, full };
const every = Number(values.every);
const chosen = values.commands?.split(',') ?? Object.keys(commands);
let misses = 0;
console.log(
  '| command | writing calls | mode | tried | survived | absent between two renames | s |\n|---|---|---|---|---|---|---|',
);
for (const name of chosen) {
  const command = commands[name];
  const done = fresh(command.stage);
  const log = join(top, `calls-${name}`);
  const { status, stderr } = prognet(done, command.args, `count:${log}`);
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  const calls = readFileSync(log, 'utf8').trim().split('\n');
  for (const mode of values.modes.split(',')) {
    const started = performance.now();
    let [tried, survived, gaps] = [0, 0, 0];
    for (let k = 1; k <= calls.length; k += every) {
      tried++;
      const { wrong, gap } = modes[mode](command, k, done);
      if (gap) gaps++;
      if (wrong.length === 0) survived++;
      for (const what of wrong) console.error(`${name}, ${mode} at call ${k} of ${calls.length} (${calls[k - 1]}): ${what}`);
    }
    misses += tried - survived;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`| ${name} | ${calls.length} | ${mode} | ${tried} | ${survived} | ${gaps} | ${seconds} |`);
  }
}
rmSync(top, { recursive: true });
process.exitCode = misses === 0 ? 0 : 1;
