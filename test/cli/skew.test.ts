// No skew between training and use: a table that is standardised and images of bytes answer alike inside prognet, by `predict` on the raw file, by the
// exported file in Python's onnxruntime on raw arrays, and by the node service.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { environment, python } from '../python/python.js';
import { serve } from '../support/service.js';
import { prognet, workspace } from './support.js';

const rows = 200;
const random = new Random(11, 'skew');
const labels = Array.from({ length: rows }, (_, i) => i % 2);

/** Features of unlike sizes and places, as measured: without `prepare` nothing is learned of them. */
const table = labels.map((y) => [900 + 60 * y + 20 * random.uniform(), 0.002 * random.uniform(), -70 * random.uniform(), 5]);
/** The same with values that are missing, here and there. */
const holes = table.map((row, i) => row.map((v, j) => (i % 7 === j + 1 && j > 0 ? Number.NaN : v)));
/** The same as grey levels of images [1,5,4], for a network of float32: they are divided by 255. */
const grey = new Tensor(
  'uint8',
  [rows, 1, 5, 4],
  Uint8Array.from({ length: rows * 20 }, (_, i) => (labels[Math.floor(i / 20)] === 1 ? 90 : 0) + random.below(160)),
);
/** [H,W,C] as decoders give them. */
const pixels = new Tensor(
  'uint8',
  [rows, 5, 4, 3],
  Uint8Array.from({ length: rows * 60 }, (_, i) => (labels[Math.floor(i / 60)] === 1 ? 90 : 0) + random.below(160)),
);

const cases = {
  'a table, standardised': {
    yaml: `prognet: 1
name: measures
input: { name: row, shape: [4], prepare: [standardise] }
columns:
  - { task: a, data: table.csv, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 15, batch: 16, lr: 0.02 } }
  - { task: b, data: table.csv, prepare: [{ normalise: { mean: 900, std: 50 } }, standardise], blocks: [[{ dense: 8 }, relu], [{ dense: 6 }, relu]], head: { classify: 2 },
      laterals: { kind: adapter, rank: 2 }, train: { epochs: 15, batch: 16, lr: 0.02 } }
`,
    inputs: Tensor.from('float32', table.flat(), [rows, 4]),
  },
  'a table with holes, filled': {
    yaml: `prognet: 1
name: measures
input: { name: row, shape: [4], prepare: [{ fill: mean }, standardise] }
columns:
  - { task: a, data: table.csv, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 15, batch: 16, lr: 0.02 } }
  - { task: b, data: table.csv, prepare: [{ fill: median }, { normalise: { mean: 900, std: 50 } }, { fill: -1 }, standardise], blocks: [[{ dense: 8 }, relu], [{ dense: 6 }, relu]],
      head: { classify: 2 }, laterals: { kind: adapter, rank: 2 }, train: { epochs: 15, batch: 16, lr: 0.02 } }
`,
    inputs: Tensor.from('float32', holes.flat(), [rows, 4]),
  },
  'images of bytes, channels last': {
    yaml: `prognet: 1
name: pictures
input: { name: image, shape: [5, 4, 3], dtype: uint8, prepare: [{ transpose: [2, 0, 1] }, scale] }
columns:
  - { task: a, data: images.npz, blocks: [[flatten, { dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 10, batch: 16, lr: 0.02 } }
  - { task: b, data: images.npz, prepare: [{ transpose: [2, 0, 1] }, { resize: { height: 10, width: 8 } }, standardise],
      blocks: [[{ conv2d: { filters: 3, kernel: 3 } }, relu], [flatten, { dense: 6 }, relu]], head: { classify: 2 }, train: { epochs: 10, batch: 16, lr: 0.02 } }
`,
    inputs: pixels,
  },
  'images of bytes to a network of float32': {
    yaml: `prognet: 1
name: greys
input: { name: image, shape: [1, 5, 4] }
columns:
  - { task: a, data: grey.npz, blocks: [[flatten, { dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 10, batch: 16, lr: 0.02 } }
  - { task: b, data: grey.npz, blocks: [[{ conv2d: { filters: 3, kernel: 3 } }, relu], [flatten, { dense: 6 }, relu]], head: { classify: 2 }, train: { epochs: 10, batch: 16, lr: 0.02 } }
`,
    inputs: grey,
  },
};
/** What a model of float32 takes for bytes: as prognet itself divides them. */
const outside = ({ dtype, dims, data }: Tensor, yaml: string): Tensor =>
  dtype === 'float32' || yaml.includes('dtype: uint8')
    ? new Tensor(dtype, dims, data)
    : Tensor.from(
        'float32',
        [...(data as Uint8Array)].map((v) => Math.fround(v * Math.fround(1 / 255))),
        dims,
      );

const answers = z.record(z.string(), z.array(z.unknown()));
const reply = z.object({ probabilities: z.array(z.array(z.number())) });

const { missing, note } = environment('.venv');

describe.each(Object.entries(cases))('%s', (_, { yaml, inputs }) => {
  it.skipIf(missing)(
    `gives the same everywhere${note}`,
    async () => {
      const dir = workspace(yaml);
      const at = (name: string) => join(dir, name);
      const ok = (...args: string[]) => {
        const { status, stdout, stderr } = prognet(...args, '-C', dir);
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
        return stdout;
      };
      const cells = yaml.includes('fill') ? holes.map((row) => row.map((v) => (Number.isNaN(v) ? '' : v))) : table;
      writeFileSync(at('table.csv'), `p,q,r,s,y\n${cells.map((row, i) => [...row, labels[i]].join()).join('\n')}\n`);
      writeFileSync(
        at('images.npz'),
        writeNpz(
          new Map([
            ['x', pixels],
            ['y', Tensor.from('int64', labels)],
          ]),
        ),
      );
      writeFileSync(
        at('grey.npz'),
        writeNpz(
          new Map([
            ['x', grey],
            ['y', Tensor.from('int64', labels)],
          ]),
        ),
      );
      writeFileSync(at('raw.npy'), writeNpy(inputs));
      const taken = outside(inputs, yaml);
      writeFileSync(at('taken.npy'), writeNpy(taken));
      ok('train', '--all', '--quiet', '--threads', '1');
      ok('verify', '--quiet');
      ok('deploy', 'node', '-o', at('service'));
      ok('export', '--all', '--probabilities', '-o', at('all.onnx'));
      ok('export', '--all', '--fused', '--probabilities', '-o', at('fused.onnx'));
      ok('export', '--routed', '--probabilities', '-o', at('routed.onnx'));
      const answered = new Map<string, (found: readonly number[]) => void>();
      for (const task of ['a', 'b']) {
        const measured = JSON.parse(ok('eval', task, '--json'));
        expect(JSON.stringify(measured), task).toMatch(/"now":(1|0\.9\d*)/);
        ok('predict', task, '--input', at('raw.npy'), '--output', at('answers.npy'));
        const inside = readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers();
        const right = labels.filter((y, i) => (inside[2 * i + y] ?? 0) > 0.5).length;
        expect(right / rows).toBeGreaterThan(0.95);
        const near = (found: readonly number[]) => {
          expect(found.length).toBe(inside.length);
          for (const [i, v] of found.entries())
            expect(Math.abs(v - (inside[i] ?? Number.NaN)), `${task} ${i}`).toBeLessThan(1e-5);
        };
        ok('export', '--task', task, '--probabilities', '-o', at(`${task}.onnx`));
        for (const file of [`${task}.onnx`, 'all.onnx', 'fused.onnx']) {
          const found = answers.parse(python('.venv', 'answers.py', at(file), at('taken.npy')));
          near((found[`${task}_probabilities`] ?? []).flat().map(Number));
        }
        const routed = answers.parse(python('.venv', 'answers.py', at('routed.onnx'), at('taken.npy'), task === 'a' ? '0' : '1'));
        near((routed.probabilities ?? []).flat().map(Number));
        answered.set(task, near);
      }
      // No child is waited for meanwhile, which would leave connections to end unseen.
      const url = await serve(at('service'));
      for (const [task, near] of answered) {
        const type = 'content-type';
        const sent = [
          { headers: { [type]: 'application/x-npy' }, body: writeNpy(inputs) },
          {
            headers: { [type]: 'application/json' },
            body: JSON.stringify({
              inputs: Array.from({ length: rows }, (_, i) =>
                taken.numbers().slice((i * taken.size) / rows, ((i + 1) * taken.size) / rows),
              ),
            }),
          },
        ];
        for (const request of sent) {
          const response = await fetch(`${url}/predict/${task}`, { method: 'POST', ...request });
          near(reply.parse(await response.json()).probabilities.flat());
        }
        if (taken.dtype === inputs.dtype) continue;
        // The bytes as they are, where the model takes them divided by 255.
        const numbers = JSON.stringify({ inputs: [inputs.numbers().slice(0, 20)] });
        const refused = await fetch(`${url}/predict/${task}`, {
          method: 'POST',
          headers: { [type]: 'application/json' },
          body: numbers,
        });
        expect({ status: refused.status, ...Object(await refused.json()) }).toEqual({
          status: 400,
          error: expect.stringMatching(
            /^image is \d+ to \d+, and the model takes 0 to 1: expected bytes divided by 255, or a \.npy of uint8$/,
          ),
        });
      }
    },
    180_000,
  );
});

it.skipIf(missing)(
  `numbers that float16 holds to 32 alone are prepared in float32${note}`,
  () => {
    const dir = workspace(cases['a table, standardised'].yaml);
    const at = (name: string) => join(dir, name);
    const far = table.map((row) => row.map((v, i) => (i === 0 ? v + 59_100 : v)));
    writeFileSync(at('table.csv'), `p,q,r,s,y\n${far.map((row, i) => [...row, labels[i]].join()).join('\n')}\n`);
    writeFileSync(at('raw.npy'), writeNpy(Tensor.from('float32', far.flat(), [rows, 4])));
    const ok = (...args: string[]) => expect(prognet(...args, '-C', dir)).toMatchObject({ status: 0 });
    ok('train', 'a', '--freeze', '--quiet', '--threads', '1');
    ok('predict', 'a', '--input', at('raw.npy'), '--output', at('answers.npy'));
    const inside = readNpy(readFileSync(at('answers.npy')), 'answers.npy').numbers();
    for (const flags of [['fp16'], ['fp16', '--fused'], ['int8'], ['int8-dynamic']]) {
      ok('export', '--task', 'a', '--probabilities', '--precision', ...flags, '-o', at('low.onnx'));
      const found = answers.parse(python('.venv', 'answers.py', at('low.onnx'), at('raw.npy')));
      const values = (found.a_probabilities ?? []).flat().map(Number);
      expect(values.length).toBe(inside.length);
      for (const [i, v] of values.entries()) expect(Math.abs(v - (inside[i] ?? Number.NaN)), `${flags} ${i}`).toBeLessThan(0.05);
    }
  },
  120_000,
);

it('normalise among the transforms of data is refused with the line where it belongs', () => {
  const dir = workspace(
    cases['a table, standardised'].yaml.replace('data: table.csv,', 'data: { source: table.csv, transform: [normalise] },'),
  );
  writeFileSync(join(dir, 'table.csv'), 'p,q,r,s,y\n1,2,3,4,0\n2,3,4,5,1\n');
  const { status, stderr } = prognet('train', 'a', '--freeze', '-C', dir);
  expect(status).toBe(2);
  expect(stderr).toMatch(/columns\[0\]\.data\.transform\[0\]: normalise is a part of the model, .* prepare: \[normalise\]\n$/);
});
