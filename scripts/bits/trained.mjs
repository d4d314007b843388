// Every file that the command line writes, training included, from workspaces on small data: `node scripts/bits/trained.mjs ROOT FOLDER`
// with the build in ROOT/dist. Bits of trained weights depend on the processor and on onnxruntime-node: compare within one machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomNetworks, writeArrays, writeMnist } from './networks.mjs';

const repo = new URL('../..', import.meta.url).pathname;
const [root, folder] = process.argv.slice(2);
const main = join(root, 'dist/cli/main.js');

/** Runs a command in `cwd`; gives its document. */
function prognet(cwd, ...args) {
  try {
    return JSON.parse(
      execFileSync('node', [main, ...args, '--json', '--quiet'], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  } catch (error) {
    throw new Error(`${main} ${args.join(' ')} in ${cwd}: ${error.stderr || error.message}`);
  }
}

const helpOf = (command) => execFileSync('node', [main, command, '--help'], { encoding: 'utf8' });
/** Flags that were renamed: those of the checkout at hand. */
const [of, by] = helpOf('grad').includes('--of ') ? ['--of', '--by'] : ['--loss', '--wrt'];
/** Where training alone freezes, there is no flag for it. */
const freeze = helpOf('train').includes('--freeze') ? ['--freeze'] : [];

/** Folders of data beside the workspaces, linked into each. */
const shared = ['data', 'images', 'photos'];

/** A workspace with this description; `data` and `images` stand beside it. */
function workspace(name, text) {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  for (const part of shared) symlinkSync(join(folder, '..', part), join(dir, part));
  if (text !== undefined) writeFileSync(join(dir, 'prognet.yaml'), text);
  return dir;
}

/** Leaves what is compared: the columns' records without times and versions, which say nothing of the bits; no data, no runs. */
function settle(dir, tasks) {
  for (const task of tasks) {
    const file = join(dir, 'columns', task, 'column.json');
    const { createdAt, self, versions, ...record } = JSON.parse(readFileSync(file, 'utf8'));
    delete record.metrics.seconds;
    // The options of the training, which older checkouts do not note.
    delete record.data.train;
    // Nor the measures of each epoch.
    const names = ['epoch', 'loss', 'rate', 'validation_loss', 'validation_metric'];
    record.history = record.history?.map((epoch) =>
      Object.fromEntries(Object.entries(epoch).filter(([name]) => names.includes(name))),
    );
    writeFileSync(file, JSON.stringify(record, undefined, 2));
  }
  for (const name of ['runs', ...shared]) rmSync(join(dir, name), { recursive: true, force: true });
}

const onFewImages = (text) => text.replaceAll(/(data|source): mnist\b/g, '$1: images');

/** Trains all columns of a workspace. */
function trainAll(dir, ...flags) {
  const { trained } = prognet(dir, 'train', '--all', '--threads', '1', ...flags);
  const tasks = trained.map((t) => t.task);
  writeFileSync(
    join(dir, 'trained.json'),
    JSON.stringify(trained, (key, value) => (['seconds', 'frozen'].includes(key) ? undefined : value), 2),
  );
  return tasks;
}

/** Every form, precision and opset of a trained workspace. */
function exportForms(dir, tasks) {
  const last = tasks.at(-1);
  const forms = [
    ...tasks.map((task) => ['--task', task]),
    ['--all'],
    ['--all', '--probabilities', '--opset', '18'],
    ['--routed'],
    ['--routed', '--probabilities', '--fused', '--opset', '19'],
    ['--task', last, '--fused', '--probabilities'],
    ['--task', last, '--external-data', '--opset', '21'],
    ['--all', '--fused', '--external-data', '--opset', '20'],
    ['--task', last, '--precision', 'fp16'],
    ['--all', '--precision', 'fp16', '--half-io', '--probabilities'],
    ['--routed', '--precision', 'fp16'],
    ['--all', '--precision', 'int8', '--calibration', '64'],
    ['--task', last, '--precision', 'int8', '--percentile', '100', '--reduce-range'],
    ['--task', last, '--precision', 'int8-dynamic'],
  ];
  for (const form of forms) {
    const document = prognet(dir, 'export', ...form, '-o', `export${form.join('')}.onnx`);
    writeFileSync(join(dir, `export${form.join('')}.json`), JSON.stringify(document, undefined, 2));
  }
}

function artifacts(dir, task, ...flags) {
  prognet(dir, 'artifacts', task, '-o', `artifacts-${task}${flags.join('')}`, ...flags);
}

// ---- the demo and the other models ------------------------------------------------------------------------------------------

mkdirSync(folder, { recursive: true });
writeArrays(join(folder, '../data'), [1, 4, 4]);
writeArrays(join(folder, '../photos'), [1, 8, 8], 48);
writeMnist(join(folder, '../images'));

const demo = workspace('demo');
prognet(demo, 'init');
// The schema is for editors: what it says of options is no file's content.
rmSync(join(demo, 'prognet.schema.json'));
const template = readFileSync(join(demo, 'prognet.yaml'), 'utf8');
writeFileSync(join(demo, 'prognet.yaml'), onFewImages(template));
artifacts(demo, 'digits');
const demoTasks = trainAll(demo, '--epochs', '2');
for (const task of demoTasks) prognet(demo, 'export', '--task', task, '-o', `${task}.onnx`);
prognet(demo, 'export', '--all', '-o', 'all.onnx');
prognet(demo, 'bundle', '-o', 'demo.prognet');
settle(demo, demoTasks);

for (const name of ['mnist-family', 'studio-demo']) {
  const dir = workspace(name, onFewImages(readFileSync(join(repo, 'models', `${name}.yaml`), 'utf8')));
  const tasks = trainAll(dir, '--epochs', '1');
  exportForms(dir, tasks);
  prognet(dir, 'deploy', 'triton', '-o', 'triton');
  prognet(dir, 'deploy', 'kserve', '--form', 'all', '--storage-uri', 's3://here/models', '-o', 'kserve');
  settle(dir, tasks);
}

// ---- twenty random networks -------------------------------------------------------------------------------------------------

for (const plain of randomNetworks()) {
  const dir = workspace(plain.name, JSON.stringify(plain));
  const tasks = trainAll(dir);
  prognet(dir, 'export', '--all', '-o', 'all.onnx');
  settle(dir, tasks);
}

// ---- checkpoints of a training that could not be frozen, one for each optimizer ------------------------------------------------

for (const plain of randomNetworks(5)) {
  const dir = workspace(`checkpoint-${plain.name}`, JSON.stringify(plain));
  // A file stands where the folder of the column would: everything is done but the freezing, and the run stays.
  mkdirSync(join(dir, 'columns'));
  writeFileSync(join(dir, 'columns/a'), '');
  const { status } = spawnSync('node', [main, 'train', 'a', ...freeze, '--threads', '1', '--quiet'], { cwd: dir });
  const kept = readdirSync(join(dir, 'runs/a')).filter((name) => name.startsWith('checkpoint-'));
  if (status === 0 || kept.length === 0) throw new Error(`${dir}: a training that cannot be frozen left no checkpoint`);
  for (const name of kept) cpSync(join(dir, 'runs/a', name), join(dir, name));
  settle(dir, []);
}

// ---- artifacts over a frozen column, and back -------------------------------------------------------------------------------

const [plain] = randomNetworks().slice(1);
const half = workspace('artifacts', JSON.stringify(plain));
const [first, second] = plain.columns.map((c) => c.task);
prognet(half, 'train', first, ...freeze, '--threads', '1');
artifacts(half, second);
artifacts(half, second, '--frozen', 'initializers', '--optimizer', 'sgd', '--clip', '1');
artifacts(half, second, '--nominal');
artifacts(half, second, '--checkpoint-version', '1');
prognet(half, 'artifacts', second, '--absorb', `artifacts-${second}/checkpoint`, '--threads', '1');
prognet(half, 'export', '--all', '-o', 'all.onnx');
settle(half, [first, second]);

// ---- imports ----------------------------------------------------------------------------------------------------------------

const family = workspace('import');
cpSync(join(repo, 'test/tasks/torch/prognet.onnx'), join(folder, '../torch.onnx'));
const importing = [
  'import',
  join(folder, '../torch.onnx'),
  '--data',
  '{ source: photos/classify, test: 0.5 }',
  '-o',
  '.',
  '--threads',
  '1',
];
prognet(family, ...importing, '--task', 'imported', '--scores', 'second', '--taps', 'relu_2,relu_3,tanh_1');
appendFileSync(
  join(family, 'prognet.yaml'),
  `  - ${JSON.stringify({
    task: 'later',
    data: 'photos/classify',
    blocks: [
      [{ conv2d: { filters: 2, kernel: 3 } }, 'relu'],
      ['flatten', { dense: 4 }, 'tanh'],
    ],
    head: { classify: 3 },
    laterals: { kind: 'adapter', rank: 2 },
    train: { epochs: 2, batch: 8 },
  })}\n`,
);
trainAll(family);
for (const form of [
  ['--task', 'imported'],
  ['--task', 'later', '--fused'],
  ['--all', '--probabilities'],
  ['--routed', '--opset', '21'],
])
  prognet(family, 'export', ...form, '-o', `export${form.join('')}.onnx`);
settle(family, ['imported', 'later']);

// ---- gradients ---------------------------------------------------------------------------------------------------------------

const gradients = join(folder, 'grad');
mkdirSync(gradients);
const models = join(repo, 'test/onnx/autodiff/torch');
for (const [name, ...flags] of [
  ['lstm', by, 'x,head.weight'],
  ['encoder', by, 'x', '--mode', 'jvp'],
  ['resnet', by, 'x,stem.0.weight', '--memory', '1.5MB', '--external-data'],
]) {
  cpSync(join(models, `${name}.onnx`), join(folder, '..', `${name}.onnx`));
  prognet(gradients, 'grad', join(folder, '..', `${name}.onnx`), of, 'loss', ...flags, '-o', `${name}.onnx`);
}
