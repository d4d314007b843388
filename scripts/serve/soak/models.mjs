// What the soak serves: a workspace whose later columns are frozen meanwhile, files with whole numbers in them, whose answers are exact however rows are joined; and what each must answer.
import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { graph, Tensor, toBinary } from '../../../dist/onnx/index.js';

const run = promisify(execFile);
export const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Rows of a batch at most: requests of as many rows are never joined with others, so that their bits are known. */
export const maxBatch = 8;
/** Bytes of a body at most. */
export const maxBytes = 2 ** 20;
const width = 4;
const big = 512;

/** Numbers of a seed, from -1 to 1. */
export function drawn(seed, count) {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround((state / 2 ** 31 - 1) * 0.999);
  });
}

/** `y = k^products x` for whole numbers, [n, 512], with a megabyte of weights. */
function diagonal(k, products = 1) {
  const values = new Array(big * big).fill(0);
  for (let i = 0; i < big; i++) values[i * big + i] = k;
  const { model } = graph((g) => {
    const w = g.parameter('w', Tensor.from('float32', values, [big, big]));
    let y = g.input('x', 'float32', ['n', big]);
    for (let i = 0; i < products; i++) y = g.matMul(y, w);
    return { y };
  });
  return toBinary(model);
}

/** Sums of whole numbers, [n, 3]; its metadata say that rows may be joined. */
function sums() {
  const { model } = graph((g) => ({
    y: g.matMul(g.input('x', 'float32', ['n', 3]), g.constant(Tensor.from('float32', [1, 2, 3, 4, 5, 6], [3, 2]))),
  }));
  model.metadata.set('prognet.form', 'task');
  return toBinary(model);
}

/** As programs replace a file that others read. */
function replace(path, bytes) {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

export class Models {
  constructor(dir, tasks) {
    this.workspace = join(dir, 'workspace');
    this.files = join(dir, 'files');
    this.exported = join(dir, 'exported');
    /** In the order in which they are frozen. */
    this.tasks = tasks;
    /** The columns that are frozen: for each, inputs and outputs of one request. */
    this.columns = new Map();
    /** By what swap.onnx multiplies. */
    this.factor = 1;
  }

  /** Writes all files and freezes the first columns. */
  async prepare(count) {
    for (const folder of [this.workspace, this.files, this.exported]) mkdirSync(folder);
    const blocks = '[[{ dense: 32 }, relu], [{ dense: 32 }, relu]]';
    const columns = this.tasks.map((task, i) => {
      const rows = Array.from({ length: 200 }, (_, row) => [...drawn(1000 * i + row, width), row % 3].join());
      writeFileSync(join(this.workspace, `${task}.csv`), rows.join('\n'));
      const data = `data: { source: ${task}.csv, header: false }`;
      const laterals = i === 0 ? '' : ', laterals: { kind: adapter, rank: 4 }';
      return `  - { task: ${task}, ${data}, blocks: ${blocks}, head: { classify: 3 }, train: { epochs: 1, batch: 32 }${laterals} }`;
    });
    const head = `prognet: 1\nname: soak\ninput: { name: x, shape: [${width}] }\ncolumns:\n`;
    writeFileSync(join(this.workspace, 'prognet.yaml'), `${head}${columns.join('\n')}\n`);
    for (const [name, bytes] of [
      ['sums', sums()],
      ['swap', diagonal(this.factor)],
      ['slow', diagonal(1, 80)],
      // Asked before the end alone.
      ['last', diagonal(1, 80)],
      ['echo', toBinary(graph((g) => ({ y: g.identity(g.input('x', 'float32', ['n', 2])) })).model)],
    ])
      writeFileSync(join(this.files, `${name}.onnx`), bytes);
    for (const task of this.tasks.slice(0, count)) await this.freeze(task);
  }

  /** Freezes a column, and takes down what its exported file answers. */
  async freeze(task) {
    await run(process.execPath, [main, 'train', task, '--freeze', '--quiet', '-C', this.workspace]);
    const file = join(this.exported, `${task}.onnx`);
    await run(process.execPath, [main, 'export', '--task', task, '--probabilities', '-o', file, '--quiet', '-C', this.workspace]);
    const session = await InferenceSession.create(file, { intraOpNumThreads: 1 });
    const values = drawn(this.tasks.indexOf(task) + 77, maxBatch * width);
    const given = await session.run({ x: new OrtTensor('float32', Float32Array.from(values), [maxBatch, width]) });
    await session.release();
    const outputs = Object.fromEntries(Object.entries(given).map(([name, t]) => [name, Array.from(t.data, Number)]));
    this.columns.set(task, { model: task, shape: [maxBatch, width], values, outputs });
  }

  /** Puts a file in the place of swap.onnx that multiplies by the next number. */
  swap() {
    this.factor += 1;
    replace(join(this.files, 'swap.onnx'), diagonal(this.factor));
    return this.factor;
  }

  /** A request of `sums`, and its answer. */
  sums(seed) {
    const rows = 1 + (seed % 3);
    const values = drawn(seed, rows * 3).map((v) => Math.round(v * 100));
    const y = Array.from({ length: rows }, (_, i) => {
      const [a, b, c] = values.slice(3 * i, 3 * i + 3);
      return [a + 3 * b + 5 * c, 2 * a + 4 * b + 6 * c];
    });
    return { model: 'sums', shape: [rows, 3], values, outputs: { y: y.flat() } };
  }

  /** A request whose answer is what it holds: of `slow` some tenths of a second later, of `echo` at once. */
  same(model, rows, seed) {
    const each = model === 'echo' ? 2 : big;
    const values = Array.from({ length: rows * each }, (_, i) => (i + seed) % 1000);
    return { model, shape: [rows, each], values, outputs: { y: values } };
  }

  /** A request of `swap`; its answer says by what it was multiplied. */
  swapped() {
    const values = new Array(big).fill(1);
    return { model: 'swap', shape: [1, big], values };
  }
}
