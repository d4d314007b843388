// How often a file is run before it is taken: where its graph shows that a row is its sample's alone, by itself and as the column that is exported. Where it
// does not, once more.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { importTask } from '../../src/tasks/import-task.js';
import { counting } from '../support/counting.js';
import { runtime } from '../support/run.js';

const dir = mkdtempSync(join(tmpdir(), 'prognet-sessions-'));
afterAll(() => rmSync(dir, { recursive: true }));

const waves = (...dims: number[]) => {
  const size = dims.reduce((a, b) => a * b, 1);
  return Tensor.from(
    'float32',
    Array.from({ length: size }, (_, i) => Math.sin(i + 1)),
    dims,
  );
};

/** Imports a convolution, what stands behind it, and a product, with two taps. */
async function imported(name: string, behind: (g: Ops, x: Value) => Value) {
  const g = ops({ name });
  const x = g.input('x', 'float32', ['N', 3, 6, 6]);
  const first = Object.assign(g.relu(behind(g, g.conv(x, g.initializer('w', waves(4, 3, 3, 3))))), { name: 'first' });
  const second = g.relu(g.gemm(g.flatten(first), g.initializer('v', waves(64, 5)), g.initializer('b', waves(5))));
  g.output(g.gemm(Object.assign(second, { name: 'second' }), g.initializer('u', waves(5, 2))), 'y');
  const file = join(dir, `${name}.onnx`);
  writeFileSync(file, toBinary(g.model()));
  const { runtime: counted, models } = counting(runtime);
  const notes: string[] = [];
  const onNote = (line: string) => notes.push(line.replace(file, 'm.onnx'));
  const options = { task: 'base', head: 'none', backbone: true, onNote } as const;
  const { taps } = await importTask(counted, join(dir, name), true, file, options);
  return { sessions: models.length, taps, notes };
}

const taps = [
  { name: 'first', shape: [4, 4, 4] },
  { name: 'second', shape: [5] },
];

it('a graph of layers that keep rows apart is run by itself and as a column', async () => {
  const { sessions, taps: found, notes } = await imported('apart', (_, x) => x);
  expect({ sessions, found, notes }).toEqual({ sessions: 2, found: taps, notes: [] });
});

it('one with an op of which nothing is known is run with its taps too, and gives the same column', async () => {
  // Twice the other way round: the same numbers.
  const perm = [0, 1, 3, 2];
  const turned = (g: Ops, x: Value) => g.transpose(g.transpose(x, { perm }), { perm });
  const { sessions, taps: found, notes } = await imported('turned', turned);
  expect({ sessions, found, notes }).toEqual({ sessions: 3, found: taps, notes: [] });
});

it('what a sample takes of the others is still found', async () => {
  const centred = (g: Ops, x: Value) => g.sub(x, g.reduceMean(x, [0], { keepdims: 1 }));
  const { sessions, notes } = await imported('centred', centred);
  expect(sessions).toBe(3);
  expect(notes).toEqual([expect.stringMatching(/^m\.onnx: "first" of a sample changes with the others of its batch/)]);
});
