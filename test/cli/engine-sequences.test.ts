// prognet train --engine ort-training over what is no image: several inputs with masks, recurrent layers, transformers, heads of each step, several heads, tuned
// columns. Each trains to the figures of the engine ort.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { okIn, workspace } from './support.js';

const [rows, steps] = [40, 6];
const random = new Random(11, 'engines');
const drawn = (...dims: number[]) =>
  Tensor.from(
    'float32',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    dims,
  );
const whole = (below: number, first: number, ...dims: number[]) =>
  Tensor.from(
    'int64',
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => first + random.below(below)),
    dims,
  );

const tasks = ['recurrent', 'transformer', 'tags', 'tuned', 'several'];
const train = 'train: { epochs: 2, batch: 8, lr: 0.01 }';
const columns = `
  - task: recurrent
    data: whole.npz
    inputs: [seq, meta, n]
    blocks: [[{ gru: { units: 4, mask: n } }], [{ concat: meta }, { dense: 6 }, relu]]
    head: { classify: 2 }
    ${train}
  - task: transformer
    data: whole.npz
    inputs: [seq, meta, n]
    blocks:
      - [{ transformer_encoder: { heads: 1, mask: n } }, { attention_over_steps: { mask: n } }]
      - [{ concat: meta }, { dense: 6 }, relu]
    head: { classify: 2 }
    laterals: { kind: adapter, rank: 2, from: recurrent }
    ${train}
  - task: tags
    data: tags.npz
    inputs: [seq, n]
    blocks: [[{ lstm: { units: 4, sequences: true, direction: bidirectional, mask: n } }]]
    head: { classify: { classes: 3, each: step } }
    laterals: none
    ${train}
  - task: tuned
    data: whole.npz
    tune: { base: base, lora: { rank: 2, on: ["w"] } }
    head: { classify: 2 }
    ${train}
  - task: several
    data: several.npz
    inputs: [seq, meta]
    blocks: [[{ gru: 4 }, { concat: meta }, { dense: 6 }, relu]]
    heads: { kind: { classify: 3 }, size: { regress: 1, weight: 0.3 } }
    laterals: none
    ${train}
`;

function made(): string {
  const dir = workspace(`prognet: 1
name: engines
input:
  - { name: seq, shape: [${steps}, 2] }
  - { name: meta, shape: [3] }
  - { name: n, shape: [], dtype: int64 }
columns: []
`);
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  okIn(dir, 'import', join(dir, 'base.onnx'), '--task', 'base', '--backbone', '--taps', 'hidden');
  const file = join(dir, 'prognet.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}${columns}`);
  return dir;
}

const files = new Map<string, Uint8Array>();
beforeAll(() => {
  const inputs = { seq: drawn(rows, steps, 2), meta: drawn(rows, 3), n: whole(steps, 1, rows) };
  files.set('whole.npz', writeNpz(new Map(Object.entries({ ...inputs, y: whole(2, 0, rows) }))));
  const several = { seq: inputs.seq, meta: inputs.meta, kind: whole(3, 0, rows), size: drawn(rows) };
  files.set('several.npz', writeNpz(new Map(Object.entries(several))));
  const tags = Tensor.from(
    'int64',
    Array.from({ length: rows * steps }, (_, i) => (i % 5 === 0 ? -100 : i % 3)),
    [rows, steps],
  );
  files.set('tags.npz', writeNpz(new Map(Object.entries({ ...inputs, y: tags }))));
  const g = ops({ name: 'base' });
  const hidden = g.relu(g.matMul(g.input('meta', 'float32', ['N', 3]), g.initializer('w', drawn(3, 5))));
  g.output(hidden, 'hidden');
  files.set('base.onnx', toBinary(g.model()));
});

it('trains each to the figures of the engine ort', () => {
  const [theirs, ours] = [made(), made()];
  for (const task of tasks) {
    const options = ['train', task, '--threads', '1', '--json'];
    const [official, own] = [[theirs, '--engine', 'ort-training'] as const, [ours] as const].map(([dir, ...more]) =>
      okIn(dir, ...options, ...more)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'epoch'),
    );
    expect([official?.length, own?.length]).toEqual([2, 2]);
    for (const [i, { loss }] of (own ?? []).entries())
      expect(Math.abs(official?.[i].loss - loss) / loss, `${task}, epoch ${i}`).toBeLessThan(1e-4);
    // The next one stands on it.
    if (task === 'recurrent') for (const dir of [theirs, ours]) okIn(dir, 'freeze', task, '--quiet');
  }
}, 240_000);
