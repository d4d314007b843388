// A folder of photographs from files to answers: inside prognet, by `predict` on the files, and from the exported model in Python's onnxruntime on the
// decoded arrays, the answers are the same; the model's file says how images are decoded.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadData } from '../../src/data/sources.js';
import { writeNpy } from '../../src/formats/npy.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { decodeInputs } from '../../src/tasks/decoding-of.js';
import { environment, python } from '../python/python.js';
import { image } from '../support/images.js';
import { serve } from '../support/service.js';
import { okIn, prognet, workspace } from './support.js';

const yaml = `prognet: 1
name: photos
input: { name: image, shape: [12, 10, 3], dtype: uint8, prepare: [{ transpose: [2, 0, 1] }, scale] }
columns:
  - task: kind
    data: { source: photos, resize: { height: 12, width: 10, fit: contain } }
    blocks: [[{ conv2d: { filters: 4, kernel: 3 } }, relu, flatten, { dense: 8 }, relu]]
    head: { classify: 2 }
    train: { epochs: 8, batch: 8, lr: 0.02 }
`;
const random = new Random(7, 'photos');
const kinds = ['green', 'red'];
let dir = '';
const at = (...names: string[]) => join(dir, ...names);
const ok = (...args: string[]) => okIn(dir, ...args);
const answers = z.object({ labels: z.array(z.int()), probabilities: z.array(z.array(z.number())) });

beforeAll(async () => {
  dir = workspace(yaml);
  for (const part of ['train', 'test'])
    for (const [kind, name] of kinds.entries()) {
      mkdirSync(at('photos', part, name), { recursive: true });
      for (let i = 0; i < (part === 'train' ? 24 : 8); i++) {
        const [width, height] = [8 + random.below(12), 8 + random.below(12)];
        const pixels = Uint8Array.from(
          { length: width * height * 3 },
          (_, p) => 40 + random.below(80) + (p % 3 === 1 - kind ? 90 : 0),
        );
        const made = image(width, height, 3, pixels);
        const [ending, file] = (
          [
            ['png', made.png()],
            ['jpg', made.jpeg({ quality: 90 })],
            ['webp', made.webp({ lossless: true })],
          ] as const
        )[i % 3] ?? ['png', made.png()];
        writeFileSync(at('photos', part, name, `${String(i).padStart(3, '0')}.${ending}`), await file.toBuffer());
      }
    }
  ok('train', 'kind', '--freeze', '--quiet', '--threads', '1');
});

const predicted = () =>
  kinds.map((name) => answers.parse(JSON.parse(ok('predict', 'kind', '--input', at('photos/test', name), '--json'))));

it('trains to the classes of the folders, which the record and the exported file name', () => {
  const record = JSON.parse(readFileSync(at('columns/kind/column.json'), 'utf8'));
  const decoding = { kind: 'image', colours: 'rgb', axes: 'HWC', height: 12, width: 10, fit: 'contain' };
  expect(record.data).toMatchObject({ classes: kinds, rows: 48, decoding });
  ok('export', '--task', 'kind', '-o', at('kind.onnx'));
  const { metadata } = loadModel(at('kind.onnx'));
  expect(JSON.parse(metadata.get('prognet.decoding.kind') ?? '')).toEqual(decoding);
  expect(metadata.get('prognet.classes.kind')).toBe('["green","red"]');
});

it('predict decodes a folder of images, or one, as training did', () => {
  const record = JSON.parse(readFileSync(at('columns/kind/column.json'), 'utf8'));
  const right = predicted().flatMap(({ labels }, kind) => labels.filter((label) => label === kind)).length;
  expect(right / 16).toBe(record.metrics.accuracy);
  expect(right).toBeGreaterThan(12);
  const one = answers.parse(JSON.parse(ok('predict', 'kind', '--input', at('photos/test/red/001.jpg'), '--json')));
  expect(one.probabilities[0]?.map((v) => v.toFixed(6))).toEqual(predicted()[1]?.probabilities[1]?.map((v) => v.toFixed(6)));
});

it('predict says that what is transparent is laid on white', async () => {
  const seen = await sharp({ create: { width: 10, height: 12, channels: 4, background: { r: 250, g: 10, b: 10, alpha: 0.4 } } })
    .png()
    .toBuffer();
  mkdirSync(at('asked'));
  writeFileSync(at('asked/a.png'), seen);
  writeFileSync(at('asked/b.jpg'), readFileSync(at('photos/test/red/001.jpg')));
  const { status, stderr } = prognet('predict', 'kind', '--input', at('asked'), '-C', dir);
  expect([status, stderr]).toEqual([
    0,
    `${at('asked')}: 1 of 2 images have an alpha channel; transparent parts are laid on white\n`,
  ]);
});

it('refuses a folder of other things, and images for a task that learned of arrays', async () => {
  const { status, stderr } = prognet('predict', 'kind', '--input', at('photos'), '-C', dir);
  expect([status, stderr]).toEqual([2, `prognet: ${at('photos')}: holds "test", expected PNG, JPEG or WebP files alone\n`]);
  await expect(decodeInputs([], [], undefined, 'a.png')).rejects.toThrow(
    'a.png: is an image, and the task was trained on arrays: nothing says how an image becomes one, expected .npy, .npz, IDX, .csv or .parquet',
  );
});

const { missing, note } = environment('.venv');

describe.skipIf(missing)(`in Python${note}`, () => {
  it('the exported model answers the decoded arrays as predict answers the files', async () => {
    ok('export', '--task', 'kind', '--probabilities', '-o', at('answers.onnx'));
    const spec = { source: 'photos', resize: { height: 12, width: 10, fit: 'contain' as const } };
    const inputs = [{ name: 'image', dtype: 'uint8' as const, shape: [12, 10, 3] }];
    const { test } = await loadData(spec, { baseDir: dir, inputs });
    writeFileSync(at('raw.npy'), writeNpy(new Tensor('uint8', test.inputs.dims, Uint8Array.from(test.inputs.bytes))));
    const outside = z
      .record(z.string(), z.array(z.array(z.number()).or(z.number())))
      .parse(python('.venv', 'answers.py', at('answers.onnx'), at('raw.npy')));
    const inside = predicted().flatMap(({ probabilities }) => probabilities);
    const found = outside.kind_probabilities?.map((row) => [row].flat()) ?? [];
    expect(found).toHaveLength(16);
    for (const [i, row] of inside.entries()) for (const [j, p] of row.entries()) expect(found[i]?.[j]).toBeCloseTo(p, 5);
  });
});

it('the Node service takes the files themselves and answers as predict does; what is no image is refused', async () => {
  ok('deploy', 'node', '-o', at('service'));
  const url = await serve(at('service'));
  const post = (body: Uint8Array, type: string) =>
    fetch(`${url}/predict/kind`, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });
  const types = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' };
  for (const [kind, { probabilities }] of predicted().entries()) {
    const files = readdirSync(at('photos/test', kinds[kind] ?? '')).toSorted();
    for (const [i, file] of files.entries()) {
      const ending = file.split('.')[1] as keyof typeof types;
      const response = await post(readFileSync(at('photos/test', kinds[kind] ?? '', file)), types[ending]);
      const found = answers.parse(await response.json());
      expect(found.probabilities, file).toHaveLength(1);
      for (const [k, p] of (found.probabilities[0] ?? []).entries())
        expect(Math.abs(p - (probabilities[i]?.[k] ?? Number.NaN)), file).toBeLessThan(1e-6);
    }
  }
  // What predict says of a transparent one, the service says too, and of no other.
  const told = async (file: string, type: string) =>
    Object(await (await post(readFileSync(at('asked', file)), type)).json()).notes;
  expect(await told('a.png', 'image/png')).toEqual(['the image: has an alpha channel; transparent parts are laid on white']);
  expect(await told('b.jpg', 'image/jpeg')).toBe(undefined);
  const refused = async (body: Uint8Array, type = 'image/png') => {
    const response = await post(body, type);
    return [response.status, Object(await response.json()).error];
  };
  const whole = readFileSync(at('photos/test/red', readdirSync(at('photos/test/red')).find((f) => f.endsWith('png')) ?? ''));
  expect(await refused(new TextEncoder().encode('<svg/>'))).toEqual([400, 'the image: is no PNG, JPEG or WebP image']);
  expect(await refused(whole.subarray(0, 60))).toEqual([400, expect.stringMatching(/^the image: is damaged, /)]);
  const wide = await image(4100, 4100, 1, new Uint8Array(4100 * 4100))
    .png()
    .toBuffer();
  expect(await refused(wide)).toEqual([400, 'the image has 4100 x 4100 pixels, expected at most 16777216']);
  expect(JSON.stringify(await (await fetch(`${url}/tasks`)).json())).toContain('"decoding":{"kind":"image","colours":"rgb"');
}, 60_000);
