// Many columns of one base trained from files of customers: by `prognet fleet train` one after another and two at one time, by its graphs in one process of Python, by Ray, and by a process of PyTorch for each column,
// of which a sample is run and the rest is reckoned. All but PyTorch give the same columns, which is checked. --kill: Ray with a killed worker and a killed driver.
//   node scripts/bench/fleet-train.mjs [--quick] [--kill] [--write]     Needs sh scripts/python/ray/setup and sh scripts/bench/setup; --write puts what stands in results/ into docs/fleet.md.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readColumn, readFleet } from '../../dist/fleet/folder.js';
import { writeNpz } from '../../dist/formats/npz.js';
import { exportFleet, loadRuntime, loadWorkspace, trainTask } from '../../dist/node.js';
import { Random } from '../../dist/onnx/core/random.js';
import { Tensor } from '../../dist/onnx/core/tensor.js';
import { writePart } from '../page-part.mjs';

const repo = new URL('../..', import.meta.url).pathname;
const results = join(repo, 'scripts/bench/results/fleet-train.json');
const flag = (name) => process.argv.includes(name);
const quick = flag('--quick');
const [count, sample] = quick ? [16, 4] : [1000, 8];
const [epochs, batch, rows, width] = [10, 16, 100, 256];

const kept = () => JSON.parse(readFileSync(results, 'utf8'));
const keep = (more) => {
  if (quick) return;
  let was = {};
  try {
    was = kept();
  } catch {
    // the first time
  }
  writeFileSync(results, `${JSON.stringify({ ...was, ...more }, null, 2)}\n`);
};
const round = (n, digits = 2) => Number(n.toFixed(digits));

if (flag('--write') && !quick) {
  write();
  process.exit();
}

const description = `prognet: 1
name: bench
input: { name: x, shape: [${width}] }
columns:
  - { task: base, blocks: [[{ dense: 1024 }, relu], [{ dense: 1024 }, relu], [{ dense: 768 }, relu]], head: { classify: 10 }, train: { epochs: 1, batch: 64, seed: 1 } }
  - { task: one, blocks: [[{ dense: 32 }, relu], [{ dense: 32 }, relu], [{ dense: 16 }, relu]], head: { classify: 10 }, laterals: { kind: adapter, rank: 8, from: [base] }, train: { epochs: ${epochs}, batch: ${batch}, seed: 2 } }
`;
const random = new Random(1, 'fleet-train');
const numbers = (n) => Float32Array.from({ length: n * width }, () => random.normal());
/** Rows of ten classes: which of ten of the numbers is the largest, other ten for each customer. */
function labelled(n, customer) {
  const data = numbers(n);
  const label = (row) => {
    const own = Array.from({ length: 10 }, (_, k) => data[row * width + ((customer * 7 + k * 11) % width)]);
    return BigInt(own.indexOf(Math.max(...own)));
  };
  const targets = new Tensor(
    'int64',
    [n],
    BigInt64Array.from({ length: n }, (_, row) => label(row)),
  );
  return { x: new Tensor('float32', [n, width], data), targets };
}

const dir = mkdtempSync(join(tmpdir(), 'prognet-bench-fleet-train-'));
const clean = () => rmSync(dir, { recursive: true, force: true });
process.on('exit', clean);
const { runtime } = await loadRuntime();
writeFileSync(join(dir, 'prognet.yaml'), description);
const part = (n) => {
  const { x, targets } = labelled(n, 0);
  return { inputs: x, targets };
};
for (const task of ['base', 'one'])
  await trainTask(runtime, dir, task, { data: { train: part(256), test: part(64) }, threads: 1 });
const loaded = loadWorkspace(dir);
const empty = join(dir, 'empty');
const { bytesOfColumn } = exportFleet(loaded, empty, { training: true });
const baseBytes = 4 * loaded.columns.column('base').parameters.count;
const weights = [...loaded.frozen.get('base').tensors.values()];
const baseFile = join(dir, 'base.npz');
writeFileSync(
  baseFile,
  writeNpz(
    new Map(
      [0, 1, 2].flatMap((i) => [
        [`weight${i}`, weights[2 * i]],
        [`bias${i}`, weights[2 * i + 1]],
      ]),
    ),
    false,
  ),
);
const data = join(dir, 'customers');
mkdirSync(data);
const nameOf = (i) => `c${String(i).padStart(4, '0')}`;
for (let i = 0; i < count; i++)
  writeFileSync(join(data, `${nameOf(i)}.npz`), writeNpz(new Map(Object.entries(labelled(rows, i))), false));

const fleetFor = (name) => {
  const folder = join(dir, name);
  cpSync(empty, folder, { recursive: true });
  return folder;
};
const columnsIn = (folder) => readdirSync(join(folder, 'columns')).filter((name) => /^c\d+\.safetensors$/.test(name));
const hashesOf = (folder) => {
  const fleet = readFleet(folder);
  return columnsIn(folder).map((file) => readColumn(folder, fleet, file.slice(0, -'.safetensors'.length)).record.sha256.weights);
};
const load = () => round(loadavg()[0], 1);

/** Runs a command; the names of columns that it said to have trained, and when. `watch` is called with each. */
function running(command, args, watch = () => {}) {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const told = [];
  let [text, first] = ['', undefined];
  child.stderr.on('data', (chunk) => {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop();
    for (const line of lines) {
      const [, name] = /(?:^|: )(c\d+) trained/.exec(line) ?? [];
      if (name === undefined) continue;
      first ??= (performance.now() - begun) / 1000;
      told.push(name);
      watch(told, child);
    }
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, told, first, seconds: (performance.now() - begun) / 1000 }));
  });
}
const python = join(repo, '.venv-ray/bin/python');
const script = join(repo, 'scripts/python/ray/train.py');
const prognet = (folder, jobs) => [
  process.execPath,
  [join(repo, 'dist/cli/main.js'), 'fleet', 'train', folder, data, '--jobs', String(jobs)],
];
const ways = {
  'prognet fleet train --jobs 1': (folder) => prognet(folder, 1),
  'prognet fleet train --jobs 2': (folder) => prognet(folder, 2),
  'Python, one process': (folder) => [python, [script, folder, data, '--alone']],
  Ray: (folder) => [python, [script, folder, data, '--jobs', '2']],
};

if (flag('--kill')) await kill();
else await race();

async function race() {
  const torch = [];
  const one = () => {
    const begun = performance.now();
    const args = [
      join(repo, 'scripts/bench/fleet-column-torch.py'),
      baseFile,
      join(data, `${nameOf(torch.length)}.npz`),
      join(dir, 'out.pt'),
    ];
    execFileSync(join(repo, '.venv-bench/bin/python'), [...args, String(epochs), String(batch)]);
    torch.push((performance.now() - begun) / 1000);
  };
  const found = {};
  const share = Math.ceil(sample / (Object.keys(ways).length + 1));
  const hashes = [];
  one();
  // The first reads the files of PyTorch from the disk.
  torch.pop();
  // PyTorch's processes stand between the others, since other programs use the machine as well.
  for (const [name, way] of Object.entries(ways)) {
    for (let i = 0; i < share; i++) one();
    const folder = fleetFor(name.replaceAll(/\W/g, '-'));
    const before = load();
    const { code, first, seconds } = await running(...way(folder));
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
    hashes.push(hashesOf(folder).join());
    found[name] = { columns: columnsIn(folder).length, seconds: round(seconds), first: round(first), load: [before, load()] };
    console.log(name, JSON.stringify(found[name]));
  }
  while (torch.length < sample) one();
  found['PyTorch, a process for each'] = { columns: torch.length, each: torch.map((s) => round(s)), load: [load(), load()] };
  console.log('PyTorch', JSON.stringify(found['PyTorch, a process for each']));
  const same = hashes.every((each) => each === hashes[0]);
  if (!same) throw new Error('the columns of the ways differ');
  console.log('the columns of all ways but PyTorch are the same');
  keep({
    made: new Date().toISOString().slice(0, 10),
    columns: count,
    baseBytes,
    bytesOfColumn,
    rows,
    epochs,
    batch,
    ways: found,
  });
}

/** A worker killed after a third of the columns, the driver after two thirds; then the command again. */
async function kill() {
  const folder = fleetFor('killed');
  const before = load();
  let worker = 0;
  const first = await running(...ways.Ray(folder), (told, child) => {
    if (worker === 0 && told.length > count / 3) worker = killWorker(child.pid);
    if (worker !== 0 && told.length > (2 * count) / 3) child.kill('SIGKILL');
  });
  if (worker === 0 || first.signal !== 'SIGKILL') throw new Error(`nothing was killed, ended with ${first.code}`);
  // What its workers are at when it dies may still come to its end.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const finished = new Map(columnsIn(folder).map((name) => [name, statSync(join(folder, 'columns', name)).ino]));
  const lost = first.told.filter((name) => !finished.has(`${name}.safetensors`));
  const second = await running(...ways.Ray(folder));
  if (second.code !== 0) throw new Error(`Ray ended with ${second.code}`);
  const moved = [...finished].filter(([name, ino]) => statSync(join(folder, 'columns', name)).ino !== ino);
  const twice = [...first.told, ...second.told].filter((name, i, all) => all.indexOf(name) !== i);
  const whole = fleetFor('whole');
  const { code } = await running(...ways['prognet fleet train --jobs 2'](whole));
  if (code !== 0) throw new Error(`prognet ended with ${code}`);
  const same = hashesOf(folder).join() === hashesOf(whole).join();
  const told = {
    columns: columnsIn(folder).length,
    finished: finished.size,
    trained: second.told.length,
    lost: lost.length,
    moved: moved.length,
    twice: twice.length,
    same,
    load: [before, load()],
  };
  console.log(JSON.stringify(told));
  if (
    told.columns !== count ||
    lost.length + moved.length + twice.length > 0 ||
    finished.size + second.told.length !== count ||
    !same
  )
    throw new Error('a column is missing, was trained twice or is another');
  keep({ kill: told });
}

/** A worker of Ray is a child of the raylet, which is a child of the driver. */
function killWorker(driver) {
  const all = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const children = (parent) => all.filter(([, , ppid]) => Number(ppid) === Number(parent));
  const own = children(driver)
    .flatMap(([, pid]) => children(pid))
    .find(([, , , text = '']) => text.startsWith('ray::train'));
  if (own === undefined) return 0;
  process.kill(Number(own[1]), 'SIGKILL');
  return Number(own[1]);
}

function write() {
  const { made, columns, baseBytes: base, bytesOfColumn: bytes, ways: found, kill: killed, ...rest } = kept();
  const median = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    return (sorted[(list.length - 1) >> 1] + sorted[list.length >> 1]) / 2;
  };
  const rate = ({ columns: n, seconds, each }) => (each === undefined ? n / seconds : 1 / median(each));
  const torch = rate(found['PyTorch, a process for each']);
  const line = ([name, way]) => {
    const all = Math.round(columns / rate(way)).toLocaleString('en');
    const start = way.first === undefined ? '' : `${way.first.toFixed(1)} s`;
    const taken =
      way.each === undefined
        ? ''
        : `, reckoned from the median of ${way.each.length} processes, which took ${Math.round(Math.min(...way.each))} to ${Math.round(Math.max(...way.each))} s`;
    return `| ${name} | ${rate(way).toPrecision(2)} | ${Number((rate(way) / torch).toPrecision(2))} | ${start} | ${all} s${taken} | ${way.load.join(' to ')} |`;
  };
  const lines = [
    `Measured on ${made}: ${columns.toLocaleString('en')} columns of ${Math.round(bytes / 1000)} kB over a base of ${(base / 1e6).toFixed(1)} MB, ${rest.rows} rows for each customer, ${rest.epochs} epochs in minibatches of ${rest.batch}, a machine with two cores.`,
    'The last column is the mean number of processes that wanted to run, before and after.',
    '',
    '| by | columns a second | times PyTorch | until the first column | in all | load |',
    '|---|---:|---:|---:|---:|---:|',
    ...Object.entries(found).map(line),
    ...(killed === undefined
      ? []
      : [
          '',
          `\`--kill\`: with a worker of Ray killed after a third of the columns and the driver after two thirds, ${killed.finished} of ${killed.columns.toLocaleString('en')} columns were finished, and stayed. The same command trained the other ${killed.trained}. No column was trained twice, and all had the bits of \`prognet fleet train\`.`,
        ]),
  ];
  writePart('fleet.md', 'training', lines.join('\n'));
}
