// A model beyond the 2 GB of a file, all the way: made here with random weights in a file of external data, inspected, imported as a backbone, a head
// alone trained over its last tap, verified, and exported with the weights beside the model, which must be those of the file. Prints JSON: { weights in bytes,
// peaks in bytes, seconds }; needs about three times the weights on disk, and removes what it made.
//   node scripts/bench/import-huge.mjs [gigabytes]
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeNpz } from '../../dist/formats/npz.js';
import { StoredTensor } from '../../dist/onnx/core/stored-tensor.js';
import { graph, load, save, Tensor } from '../../dist/onnx/node.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = here('../../dist/cli/main.js');
const gigabytes = Number(process.argv[2] ?? 2.3);
const layers = 5;
const features = 64;
const width = Math.round(Math.sqrt((gigabytes * 1e9) / 4 / layers));
const folder = mkdtempSync(join(tmpdir(), 'prognet-huge-'));

/** Numbers that keep the size of what goes through, drawn row by row when they are written. */
function matrix(seed, rows, columns) {
  function* pieces() {
    let state = seed;
    const row = new Float32Array(columns);
    const size = Math.sqrt(6 / rows);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        row[j] = (state / 2 ** 31 - 1) * size;
      }
      yield new Uint8Array(row.buffer);
    }
  }
  return new StoredTensor('float32', [rows, columns], { pieces, read: () => Buffer.concat([...pieces()].map((p) => p.slice())) });
}

const runs = {};
function prognet(...args) {
  const file = join(folder, 'peak');
  const started = performance.now();
  const printed = execFileSync(process.execPath, ['--require', here('peak.cjs'), cli, ...args, '--json'], {
    encoding: 'utf8',
    env: { ...process.env, PEAK_FILE: file },
  });
  runs[args[0]] = { peak: Number(readFileSync(file, 'utf8')), seconds: (performance.now() - started) / 1000 };
  return JSON.parse(printed.trim().split('\n').at(-1));
}

/** The bits that ONNX Runtime gives for a model on disk. */
async function answers(path, name) {
  const { InferenceSession, Tensor: Value } = await import('onnxruntime-node');
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 });
  const x = new Value(
    'float32',
    Float32Array.from({ length: 3 * features }, (_, i) => Math.sin(i)),
    [3, features],
  );
  const found = (await session.run({ x }, [name]))[name];
  await session.release();
  return Buffer.from(found.data.buffer, found.data.byteOffset, found.data.byteLength).toString('hex');
}

try {
  const file = join(folder, 'huge.onnx');
  const { model } = graph((g) => {
    let x = g.input('x', 'float32', ['N', features]);
    let rows = features;
    for (let i = 0; i <= layers; i++) {
      x = g.relu(g.matMul(x, g.initializer(`w${i}`, matrix(i + 1, rows, width))));
      rows = width;
    }
    return { features: g.identity(x) };
  });
  save(model, file, { externalData: true });
  const data = readdirSync(folder).find((name) => name.endsWith('.data'));
  const weights = statSync(join(folder, data)).size;
  const w = join(folder, 'w');
  prognet('inspect', file);
  prognet('import', file, '--task', 'base', '--backbone', '--taps', 'auto:2', '-o', w);
  const rows = Tensor.from(
    'float32',
    Array.from({ length: 16 * features }, (_, i) => Math.sin(i)),
    [16, features],
  );
  const labels = Tensor.from(
    'int64',
    Array.from({ length: 16 }, (_, i) => i % 2),
  );
  writeFileSync(
    join(w, 'd.npz'),
    writeNpz(new Map(Object.entries({ x_train: rows, y_train: labels, x_test: rows, y_test: labels }))),
  );
  appendFileSync(
    join(w, 'prognet.yaml'),
    '  - { task: next, data: d.npz, blocks: [], head: { classify: 2 }, laterals: { kind: linear }, train: { epochs: 3, batch: 8 } }\n',
  );
  prognet('train', 'next', '--freeze', '-C', w);
  const { tasks } = prognet('verify', '-C', w);
  const out = join(folder, 'out.onnx');
  prognet('export', '--task', 'base', '-o', out, '--external-data', '-C', w);
  const name = load(out, undefined, true).graph.outputs[0].name;
  const [own, exported] = [await answers(file, 'features'), await answers(out, name)];
  const each = (key) => Object.fromEntries(Object.entries(runs).map(([command, run]) => [command, run[key]]));
  const identical = own === exported && tasks.every((t) => t.identical === true);
  process.stdout.write(`${JSON.stringify({ weights, identical, peaks: each('peak'), seconds: each('seconds') })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
