// A fleet of so many columns for benchmarks: copies of one trained column under other names, each with its own weights, record and hash.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeColumn } from '../../dist/fleet/column-file.js';
import { exportFleet, loadWorkspace, trainTask } from '../../dist/node.js';
import { Random } from '../../dist/onnx/core/random.js';
import { Tensor } from '../../dist/onnx/core/tensor.js';
import { sha256 } from '../../dist/onnx/files/hash.js';
import { writeRecord } from '../../dist/workspace/column-record.js';
import { weightsFile } from '../../dist/workspace/column-store.js';

const head = 'head: { classify: 10 }, train: { epochs: 1, batch: 64';
const over = 'laterals: { kind: adapter, rank: 8, from: [base] }';
const network = (input, base, blocks) => `prognet: 1
name: bench
input: { name: x, shape: [${input}] }
columns:
  - { task: base, blocks: ${base}, ${head}, seed: 1 } }
  - { task: one, blocks: ${blocks}, ${over}, ${head}, seed: 2 } }
`;

/** Bases of some 8 MB, and columns over them. */
export const networks = {
  dense: {
    shape: [256],
    base: '[[{ dense: 1024 }, relu], [{ dense: 1024 }, relu], [{ dense: 768 }, relu]]',
    blocks: '[[{ dense: 32 }, relu], [{ dense: 32 }, relu], [{ dense: 16 }, relu]]',
  },
  conv2d: {
    shape: [3, 32, 32],
    base: '[[{ conv2d: { filters: 32, kernel: 3 } }, relu, { maxpool2d: 2 }], [{ conv2d: { filters: 64, kernel: 3 } }, relu, { maxpool2d: 2 }], [flatten, { dense: 900 }, relu]]',
    blocks:
      '[[{ conv2d: { filters: 8, kernel: 3 } }, relu, { maxpool2d: 2 }], [{ conv2d: { filters: 8, kernel: 3 } }, relu, { maxpool2d: 2 }], [flatten, { dense: 32 }, relu]]',
  },
  lstm: {
    shape: [20, 32],
    base: '[[{ lstm: { units: 416, sequences: true } }], [{ lstm: 400 }]]',
    blocks: '[[{ lstm: { units: 24, sequences: true } }], [{ lstm: 24 }]]',
  },
};

/** In a temporary folder `dir`, which is the caller's to remove. */
export async function fleetOfCopies(runtime, count, { shape, base, blocks } = networks.dense) {
  const random = new Random(1, 'bench');
  const size = shape.reduce((a, b) => a * b, 1);
  const rows = (n) =>
    new Tensor(
      'float32',
      [n, ...shape],
      Float32Array.from({ length: n * size }, () => random.normal()),
    );
  const part = () => ({
    inputs: rows(64),
    targets: new Tensor(
      'int64',
      [64],
      BigInt64Array.from({ length: 64 }, (_, i) => BigInt(i % 10)),
    ),
  });
  const dir = mkdtempSync(join(tmpdir(), 'prognet-bench-fleet-'));
  writeFileSync(join(dir, 'prognet.yaml'), network(shape, base, blocks));
  for (const task of ['base', 'one']) await trainTask(runtime, dir, task, { data: { train: part(), test: part() }, threads: 1 });
  const loaded = loadWorkspace(dir);
  const folder = join(dir, 'fleet');
  const { bytesOfColumn } = exportFleet(loaded, folder);
  const { record, tensors } = loaded.frozen.get('one');
  const names = Array.from({ length: count }, (_, i) => `c${i}`);
  for (const [i, task] of names.entries()) {
    const own = new Map(
      [...tensors].map(([name, t]) => [
        `${task}${name.slice(3)}`,
        new Tensor(
          t.dtype,
          t.dims,
          t.data.map((v) => v * (1 + i / 1e5)),
        ),
      ]),
    );
    const { format: _, self: __, sha256: hashes, ...rest } = record;
    const made = writeRecord({ ...rest, task, sha256: { graph: hashes.graph } }, sha256(weightsFile(task, own)), task);
    writeFileSync(join(folder, `columns/${task}.safetensors`), encodeColumn({ record: made.record, tensors: own }));
  }
  return { random, rows, dir, loaded, folder, bytesOfColumn, names };
}
