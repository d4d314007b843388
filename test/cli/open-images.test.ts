// Images and lines of JSON of any size, from a folder by class to who answers: every image keeps its size where the network takes any and nothing resizes it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ask, serve } from '../support/service.js';
import { okIn, prognet, workspace } from './support.js';

const column = (task: string, data: string) => `  - task: ${task}
    data: ${data}
    blocks: [[{ conv2d: { filters: 3, kernel: 3 } }, relu, global_avgpool]]
    head: { classify: 2 }
    laterals: none
    train: { epochs: 1 }
`;
const yaml = `prognet: 1
name: photos
input: { name: photo, shape: [3, height, width], dtype: uint8, prepare: [scale] }
columns:
${column('own', 'photos')}${column('stored', '{ source: photos, memory: 1MiB }')}${column('sized', '{ source: mixed, resize: { height: 6, width: 9 } }')}${column('mixed', 'mixed')}`;
const random = new Random(3, 'open images');
let dir = '';
const at = (...names: string[]) => join(dir, ...names);

async function image(path: string, height: number, width: number): Promise<Uint8Array> {
  const rgb = Uint8Array.from({ length: height * width * 3 }, () => random.below(256));
  writeFileSync(
    path,
    await sharp(rgb, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
  return Uint8Array.from(rgb, (_, i) => rgb[(i % (height * width)) * 3 + Math.floor(i / (height * width))] ?? 0);
}
/** What `predict` answers. */
const answers = (task: string, input: string): number[][] =>
  JSON.parse(okIn(dir, 'predict', task, '--input', input, '--json', '--quiet')).probabilities;

beforeAll(async () => {
  dir = workspace(yaml);
  for (const [part, count, height, width] of [
    ['train', 20, 150, 160],
    ['test', 6, 40, 30],
  ] as const)
    for (const name of ['a', 'b']) {
      mkdirSync(at('photos', part, name), { recursive: true });
      for (let i = 0; i < count; i++) await image(at('photos', part, name, `${i}.png`), height, width);
    }
  for (const name of ['a', 'b']) {
    mkdirSync(at('mixed', name), { recursive: true });
    for (let i = 0; i < 12; i++) await image(at('mixed', name, `${i}.png`), 8 + i, 20 - i);
  }
  okIn(dir, 'train', 'own', '--freeze', '--quiet', '--threads', '1');
}, 120_000);

it('a part of one size is trained on at that size, in memory and on disk; files are answered each at its own', async () => {
  expect(JSON.parse(readFileSync(at('columns', 'own', 'column.json'), 'utf8')).data.decoding).toEqual({
    kind: 'image',
    axes: 'CHW',
    colours: 'rgb',
  });
  expect(okIn(dir, 'verify')).toContain('identical');
  mkdirSync(at('asked'));
  const [a, b] = [await image(at('asked', 'a.png'), 5, 7), await image(at('asked', 'b.png'), 30, 11)];
  writeFileSync(at('a.npy'), writeNpy(new Tensor('uint8', [1, 3, 5, 7], a)));
  writeFileSync(at('b.npy'), writeNpy(new Tensor('uint8', [1, 3, 30, 11], b)));
  const right = [...answers('own', at('a.npy')), ...answers('own', at('b.npy'))];
  expect(answers('own', at('asked'))).toEqual(right);
  okIn(dir, 'deploy', 'node', '--tasks', 'own', '-o', at('service'), '--quiet');
  const url = await serve(at('service'));
  const headers = { 'content-type': 'image/png' };
  const said = await (
    await ask(`${url}/predict/own`, { method: 'POST', headers, body: readFileSync(at('asked', 'b.png')) })
  ).json();
  expect(Object(said).probabilities).toEqual([right[1]]);

  okIn(dir, 'train', 'stored', '--quiet', '--threads', '1');
  const lines = prognet('eval', 'stored', '-C', dir, '--json');
  expect(lines.status, lines.stderr).toBe(0);
}, 120_000);

it('images of several sizes take "resize", after which the network is asked at that size', () => {
  const { status, stderr } = prognet('train', 'mixed', '-C', dir, '--quiet');
  expect([status, stderr]).toEqual([
    2,
    expect.stringMatching(
      /png: is \d+ x \d+ pixels \(width x height\), expected 20 x 8; "resize: { height: 8, width: 20 }" in the data entry brings all to one size\n$/,
    ),
  ]);
  okIn(dir, 'train', 'sized', '--quiet', '--threads', '1');
  expect(answers('sized', at('mixed', 'a'))).toHaveLength(12);
}, 120_000);

it('lines of JSON say the size, one for all lines; a table to be answered names what does', () => {
  const line = (height: number) => `${JSON.stringify({ photo: Array(3).fill(Array(height).fill([0, 50, 200, 255])) })}\n`;
  writeFileSync(at('rows.jsonl'), line(5) + line(5));
  const [row] = answers('own', at('rows.jsonl'));
  const planes = Array.from({ length: 15 }, () => [0, 50, 200, 255]).flat();
  writeFileSync(at('rows.npy'), writeNpy(new Tensor('uint8', [1, 3, 5, 4], Uint8Array.from(planes))));
  expect([row]).toEqual(answers('own', at('rows.npy')));
  writeFileSync(at('rows.jsonl'), line(5) + line(6));
  writeFileSync(at('rows.csv'), '1,2,3,4\n');
  const refused = (file: string) => prognet('predict', 'own', '--input', at(file), '-C', dir);
  expect(refused('rows.jsonl').stderr).toContain(
    'rows.jsonl: line 2: "photo": is a list of 6 at depth 1, expected [3,5,4], [3,height,width] as the first line has it',
  );
  expect(refused('rows.csv').stderr).toBe(
    'prognet: a table to be answered: the input "photo" is [3,height,width], "height" is open, expected a .npy, .npz or .jsonl file\n',
  );
});
