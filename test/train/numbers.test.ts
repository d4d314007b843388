// What is done for speed changes no number by more than rounding: training by cached taps and joined parameters against the plain form of
// test/support/plain-step.ts; and with a fixed seed and number of threads no bit depends on anything else.
import { expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { train } from '../../src/train/loop.js';
import { trainSettings } from '../../src/train/settings.js';
import { columnAt, frozenIn, initialAt } from '../support/by-place.js';
import { plainTraining } from '../support/plain-step.js';
import { runtime } from '../support/run.js';

const rows = 200;
const r = new Random(5, 'numbers');
const data = {
  inputs: {
    image: new Tensor(
      'uint8',
      [rows, 1, 8, 8],
      Uint8Array.from({ length: rows * 64 }, () => r.below(256)),
    ),
  },
  targets: new Tensor(
    'int64',
    [rows],
    BigInt64Array.from({ length: rows }, () => BigInt(r.below(3))),
  ),
};

const conv = (filters: number) => ({ conv2d: { filters, kernel: 3, padding: 'same' } });
const bodies = {
  dense: [
    ['flatten', { dense: 12 }, 'relu'],
    [{ dense: 9 }, 'relu'],
  ],
  convolutional: [
    [conv(4), 'relu', { maxpool2d: 2 }],
    [conv(6), 'relu', { maxpool2d: 2 }],
    ['flatten', { dense: 7 }, 'relu'],
  ],
};
/** What sources are like: as the target, of other widths (so that parts of V differ), of other sizes (taps that cannot be joined). */
const sources = {
  alike: {},
  wider: {
    dense: [['flatten', { dense: 15 }, 'relu'], bodies.dense[1]],
    convolutional: [
      [conv(5), 'relu', { maxpool2d: 2 }],
      [conv(6), 'relu'],
      ['flatten', { dense: 7 }],
    ],
  },
};
const laterals = { adapter: { kind: 'adapter', rank: 5 }, linear: { kind: 'linear' } };

for (const body of ['dense', 'convolutional'] as const)
  for (const source of ['alike', 'wider'] as const)
    for (const lateral of ['adapter', 'linear'] as const)
      it(`${body}, sources ${source}, ${lateral}: the plain graphs' numbers, and the same bits again`, async () => {
        const blocks = bodies[body];
        const other = source === 'wider' ? sources.wider[body] : blocks;
        const description = parseDescription({
          prognet: 1,
          name: 'numbers',
          input: { name: 'image', shape: [1, 8, 8] },
          columns: [
            { task: 'a', blocks, head: { classify: 3 } },
            { task: 'b', blocks: other, head: { classify: 3 }, laterals: laterals[lateral] },
            { task: 'c', blocks, head: { classify: 3 }, laterals: laterals[lateral] },
          ],
        });
        const frozen = frozenIn(
          description,
          [0, 1].map((c) => initialAt(description, c)),
        );
        const settings = trainSettings({ epochs: 2, batch: 64, optimizer: 'adam', lr: 0.001 }, 0);
        const request = { runtime, column: columnAt(description, 2), frozen, settings, train: data };
        const plain = await plainTraining({ ...request, threads: 2 });
        const ours = await train({ ...request, session: { threads: 2 } });
        const again = await train({ ...request, session: { threads: 2 }, tapBudget: 0 });
        expect([...ours.weights.keys()]).toEqual([...plain.keys()]);
        for (const [name, { data: values }] of ours.weights) {
          const expected = must(plain.get(name), name).data as Float32Array;
          (values as Float32Array).forEach((v, i) => {
            expect(Math.abs(v - must(expected[i], name)), `${name}[${i}]`).toBeLessThan(1e-5);
          });
          expect(must(again.weights.get(name), name).data, name).toEqual(values);
        }
      });

it("transformer layers over sequences: what training rewrites of gelu and sums over steps is the plain graphs' numbers", async () => {
  const layers = [
    { transformer_encoder: { heads: 2, hidden: 12 } },
    { transformer_encoder: { heads: 2, hidden: 12, activation: 'relu' } },
  ];
  const blocks = [
    [{ reshape: [8, 8] }, ...layers],
    [layers[0], 'mean_over_steps'],
  ];
  const column = (task: string) => ({ task, blocks, head: { classify: 3 } });
  const description = parseDescription({
    prognet: 1,
    name: 'numbers',
    input: { name: 'image', shape: [1, 8, 8] },
    columns: [column('a'), { ...column('b'), laterals: { kind: 'adapter', rank: 4 } }],
  });
  const settings = trainSettings({ epochs: 2, batch: 64, optimizer: 'adam', lr: 0.001 }, 0);
  const frozen = frozenIn(description, [initialAt(description, 0)]);
  const request = { runtime, column: columnAt(description, 1), frozen, settings, train: data };
  const plain = await plainTraining({ ...request, threads: 2 });
  const { weights } = await train({ ...request, session: { threads: 2 } });
  for (const [name, { data: values }] of weights) {
    const expected = must(plain.get(name), name).data as Float32Array;
    (values as Float32Array).forEach((v, i) => {
      expect(Math.abs(v - must(expected[i], name)), `${name}[${i}]`).toBeLessThan(1e-5);
    });
  }
});
