// Every file that is the same on each machine: exports with weights of our own, first weights, step graphs, gradient graphs.
// `node scripts/bits/untrained.mjs DIST FOLDER` writes them to a folder; kept.mjs hashes them.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openLibrary, withoutVersion } from './library.mjs';
import { randomNetworks, stream } from './networks.mjs';

const repo = new URL('../..', import.meta.url).pathname;

/** Positive numbers of few bits, so that products and sums of two are exact. */
function ownWeights(library, description, column) {
  const draw = stream(column + 100);
  const entries = library.specs(description, column).map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, () => (draw(96) + 32) / 128);
    return [name, library.tensor([...shape], data)];
  });
  return new Map(entries);
}

const optimizers = [
  { kind: 'adam' },
  { kind: 'sgd', momentum: 0.5, nesterov: true },
  { kind: 'adamw' },
  { kind: 'rmsprop', momentum: 0.5 },
];
const clips = [undefined, { kind: 'norm', limit: 1 }, { kind: 'value', limit: 0.5 }];

/** What a description becomes. `i` chooses among the ways to say it, so that twenty networks meet all of them. */
function* ofDescription(library, name, description, i) {
  const tasks = description.columns.map((c) => c.task);
  const weights = tasks.map((_, c) => ownWeights(library, description, c));
  const model = (options) => library.export(description, weights, options);
  const last = tasks.slice(-1);
  for (const task of tasks) yield [`${name}/${task}.onnx`, model({ tasks: [task] })];
  yield [`${name}/all.onnx`, model({ tasks, probabilities: true })];
  yield [`${name}/last-fused.onnx`, model({ tasks: last, fused: true, probabilities: i % 2 === 0 })];
  yield [`${name}/opset-${18 + (i % 4)}.onnx`, model({ tasks, opset: 18 + (i % 4), fused: i % 3 === 0 })];
  const classes = description.columns.every((c) => c.head.kind === 'classify');
  yield [`${name}/routed.onnx`, model({ tasks, routed: true, probabilities: classes, fused: i % 2 === 0 })];
  for (const [c, task] of tasks.entries()) {
    const hash = [...library.initialWeights(description, c)].map(([n, t]) => [
      Buffer.from(`${n} ${t.dims}\n`),
      Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength),
    ]);
    yield [`${name}/${task}-first-weights.bin`, Buffer.concat(hash.flat())];
    const step = (more) => library.step(description, c, optimizers[(i + c) % 4], { dataType: 'float32', ...more });
    const clip = clips[(i + c) % 3];
    yield [`${name}/${task}-step.onnx`, step({ batch: 16, channelsLast: true, ...(clip && { clip }) })];
    if (c === tasks.length - 1) yield [`${name}/${task}-one-step.onnx`, step({ form: 'step', batch: 8, classes: 'int32' })];
  }
  const by = [description.inputs[0].name];
  const mode = i % 2 === 0 ? 'vjp' : 'jvp';
  yield [`${name}/${mode}.onnx`, library.gradient(model({ tasks: last }), { of: last, by, mode })];
}

const torch = [
  ['onnx/autodiff/torch/lstm', { of: 'loss', by: ['x', 'head.weight'] }],
  ['onnx/autodiff/torch/lstm', { of: 'loss', by: ['x'], mode: 'jvp' }],
  ['onnx/autodiff/torch/encoder', { of: 'loss', by: ['x'] }],
  ['onnx/autodiff/torch/encoder', { of: 'loss', by: ['x'], mode: 'jvp' }],
  ['onnx/autodiff/torch/resnet', { of: 'loss', by: ['x', 'stem.0.weight'] }],
  ['onnx/autodiff/torch/resnet', { of: 'loss', by: ['x', 'stem.0.weight'], memory: 1_500_000 }],
  ['onnx/autodiff/torch/resnet', { of: 'loss', by: ['x'], mode: 'jvp' }],
  ['tasks/torch/prognet', { of: ['first', 'second'], by: ['image'] }],
];

/** Pairs of a name and bytes. */
export async function* untrained(dist) {
  const library = await openLibrary(dist);
  const masked = ([name, bytes]) => [name, withoutVersion(bytes, library.version)];
  // Places choose forms: what was added later stands last.
  const first = ['mnist-family.yaml', 'mnist-three.yaml', 'studio-demo.yaml'];
  const later = readdirSync(join(repo, 'models')).filter((name) => name.endsWith('.yaml') && !first.includes(name));
  const ofFile = (file) => [`models/${file}`, library.read(readFileSync(join(repo, 'models', file), 'utf8'))];
  const described = [
    ...first.map(ofFile),
    ...randomNetworks().map((plain) => [`random/${plain.name}`, library.parse(plain)]),
    ...later.map(ofFile),
  ];
  for (const [i, [name, description]] of described.entries()) {
    for (const pair of ofDescription(library, name, description, i)) yield masked(pair);
  }
  for (const [i, [file, options]] of torch.entries()) {
    yield masked([
      `grad/${i}-${file.split('/').pop()}.onnx`,
      library.gradient(readFileSync(join(repo, 'test', `${file}.onnx`)), options),
    ]);
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [dist, folder] = process.argv.slice(2);
  for await (const [name, bytes] of untrained(dist)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}
