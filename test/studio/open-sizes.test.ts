// Inputs that take any size on the page of `prognet deploy web` and in the studio, in Chromium: a sample is answered at its own size as `predict` answers it,
// whatever brings it: numbers, arrays, tables, image files, a drawing. What has no size is told in a line.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { savesAsPredict } from '../cli/page-answers.js';
import { okIn, workspace } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { answerOf, draw, openTab, startStudio } from './support.js';

// Trains, deploys and serves before it asks.
const timeout = 180_000;
const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';
const random = new Random(8, 'any size');
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const below = (most: number, dims: readonly number[], first = 0) =>
  Tensor.from(
    'int64',
    Array.from({ length: product(dims) }, () => first + random.below(most)),
    [...dims],
  );
const floats = (dims: readonly number[]) =>
  new Tensor(
    'float32',
    [...dims],
    Float32Array.from({ length: product(dims) }, () => random.uniform()),
  );
const npy = (name: string, tensor: Tensor) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(writeNpy(tensor)),
});
const alerts = async (tab: Page) => (await tab.getByRole('alert').allTextContents()).filter((text) => text !== '');

const words = `prognet: 1
name: words
input:
  - { name: tokens, shape: [steps], dtype: int64 }
  - { name: count, shape: [], dtype: int64 }
columns:
  - task: mood
    data: mood.npz
    inputs: [tokens, count]
    blocks: [[{ embedding: { size: 6, vocabulary: 20 } }, { gru: { units: 5, mask: count } }, { dense: 4 }, relu]]
    head: { classify: 2 }
    train: { epochs: 2 }
`;
const pictures = `prognet: 1
name: pictures
input: { name: photo, shape: [3, height, width] }
columns:
  - task: hue
    data: hue.npz
    blocks: [[{ conv2d: { filters: 4, kernel: 3 } }, relu, global_avgpool]]
    head: { classify: 2 }
    train: { epochs: 2 }
`;
const signals = `prognet: 1
name: signals
input: { name: signal, shape: [length] }
columns:
  - task: kind
    data: kind.npz
    blocks: [[{ reshape: [-1, 1] }, { gru: { units: 4 } }]]
    head: { classify: 2 }
    train: { epochs: 2 }
`;

describe.skipIf(chromium === undefined)(`a page of inputs of any size${why}`, () => {
  let browser: Browser;
  const sites: Served[] = [];
  /** A workspace with data of two sizes, and the tab of its page. */
  async function pageOf(yaml: string, file: string, parts: (count: number, size: number, part: string) => [string, Tensor][]) {
    const dir = workspace(yaml);
    writeFileSync(join(dir, file), writeNpz(new Map([...parts(60, 9, 'train'), ...parts(20, 6, 'test')])));
    okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
    okIn(dir, 'deploy', 'web', '-o', join(dir, 'site'));
    const site = await serve({ folders: [join(dir, 'site')] });
    sites.push(site);
    return { dir, tab: await openTab(await browser.newContext(), `${site.url}/index.html`) };
  }
  beforeAll(async () => {
    browser = await launch(false);
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of sites) await site.close();
  });
  const probabilities = (dir: string, task: string, input: string): number[] =>
    JSON.parse(okIn(dir, 'predict', task, '--input', input, '--json', '--quiet')).probabilities[0];
  const answersAsPredict = async (tab: Page, dir: string, task: string, input: string) => {
    const wanted = probabilities(dir, task, input);
    await expect
      .poll(async () => Math.max(...(await answerOf(tab, task)).percents.map((p, i) => Math.abs(p - 100 * (wanted[i] ?? 0)))))
      .toBeLessThan(0.11);
  };

  it(
    'of ids beside a number: numbers as many as there are, arrays of all, samples; the studio teaches of them',
    async () => {
      const { dir, tab } = await pageOf(words, 'mood.npz', (count, steps, part) => [
        [`tokens_${part}`, below(20, [count, steps])],
        [`count_${part}`, below(steps, [count], 1)],
        [`y_${part}`, below(2, [count])],
      ]);
      const asked = join(dir, 'asked.npz');
      for (const steps of [1, 4, 17]) {
        const [tokens, count] = [below(20, [1, steps]), below(steps, [1], 1)];
        writeFileSync(
          asked,
          writeNpz(
            new Map([
              ['tokens', tokens],
              ['count', count],
            ]),
          ),
        );
        await tab.getByLabel('Numbers, [any], apart by blanks or commas').fill(tokens.numbers().join(' '));
        await tab.getByRole('group', { name: 'count' }).getByRole('textbox').fill(String(count.numbers()[0]));
        await answersAsPredict(tab, dir, 'mood', asked);
      }
      const [tokens, count] = [below(20, [5, 21]), below(21, [5], 1)];
      writeFileSync(
        asked,
        writeNpz(
          new Map([
            ['tokens', tokens],
            ['count', count],
          ]),
        ),
      );
      await tab.getByLabel(/^Open a \.npz file/).setInputFiles(asked);
      await savesAsPredict(tab, dir, 'mood', asked);
      // The ids of a sample of the test data have its size; another part keeps the others.
      await tab.getByRole('button', { name: /^Ask about sample 1,/ }).click();
      await expect.poll(async () => (await tab.getByLabel(/^Numbers/).inputValue()).split(', ').length).toBe(6);
      await tab.getByLabel(/^Numbers/).fill('3 4');
      await expect.poll(() => alerts(tab)).toContainEqual(expect.stringMatching(/input "count" holds \d at \[0\], expected/));
      await tab.getByRole('group', { name: 'count' }).getByRole('textbox').fill('2');
      await answerOf(tab, 'mood');
      await tab.close();

      // What is taught is of one size, and the proof asks samples of it.
      const studio = await startStudio('-C', dir);
      const own = await openTab(await browser.newContext(), studio.url);
      const labelled = new Map([
        ['tokens', below(20, [24, 7])],
        ['count', below(7, [24], 1)],
        [
          'y',
          Tensor.from(
            'int64',
            Array.from({ length: 24 }, (_, i) => i % 2),
          ),
        ],
      ]);
      writeFileSync(join(dir, 'labelled.npz'), writeNpz(labelled));
      await own.getByLabel(/^Open labelled samples/).setInputFiles(join(dir, 'labelled.npz'));
      await own.getByLabel(/^Open a \.npz file/).setInputFiles(asked);
      await own
        .getByRole('button', { name: /^Add the sample above/ })
        .first()
        .click();
      await expect
        .poll(() => alerts(own))
        .toEqual(['"tokens" of this example is [21], expected [7]: all examples of a lesson have one size']);
      await own.getByLabel('Name of the task').fill('again');
      await own.getByText('How it is trained').click();
      await own.getByLabel('Passes over the examples').fill('2');
      await own.getByRole('button', { name: 'Teach it' }).click();
      await expect
        .poll(() => own.locator('#said').textContent(), { timeout: 60_000 })
        .toMatch(/^again is learned.* Nothing else moved\.$/);
      // What is asked has kept its own size.
      await savesAsPredict(own, dir, 'mood', asked);
      await own.close();
      expect(await studio.stop()).toBe(0);
    },
    timeout,
  );

  it(
    'of images: files keep their size, a drawing has that of the samples',
    async () => {
      const { dir, tab } = await pageOf(pictures, 'hue.npz', (count, side, part) => [
        [`photo_${part}`, floats([count, 3, side, side + 2])],
        [`y_${part}`, below(2, [count])],
      ]);
      const open = tab.getByLabel(/^Open images/);
      const image = async (name: string, height: number, width: number) => {
        const rgb = Uint8Array.from({ length: height * width * 3 }, () => random.below(256));
        const path = join(dir, name);
        writeFileSync(
          path,
          await sharp(rgb, { raw: { width, height, channels: 3 } })
            .png()
            .toBuffer(),
        );
        const planes = Float32Array.from(
          { length: rgb.length },
          (_, i) => (rgb[(i % (height * width)) * 3 + Math.floor(i / (height * width))] ?? 0) / 255,
        );
        writeFileSync(`${path}.npy`, writeNpy(new Tensor('float32', [1, 3, height, width], planes)));
        return path;
      };
      const [small, wide] = [await image('small.png', 5, 8), await image('wide.png', 20, 61)];
      for (const [path, size] of [
        [wide, '20 × 61'],
        [small, '5 × 8'],
      ] as const) {
        await open.setInputFiles(path);
        await tab.getByText(`As the network sees it: ${size}`).waitFor();
        await answersAsPredict(tab, dir, 'hue', `${path}.npy`);
      }
      await open.setInputFiles([small, wide]);
      await expect
        .poll(() => alerts(tab))
        .toEqual(['wide.png: is [3,20,61], small.png is [3,5,8], expected one size of all that is asked together']);
      await open.setInputFiles(npy('grey.npy', floats([2, 1, 9, 9])));
      await expect.poll(() => alerts(tab)).toEqual(['grey.npy: [2,1,9,9] float32, expected [N,3,any,any] of float32 or uint8']);
      await open.setInputFiles(npy('two.npy', floats([2, 3, 30, 12])));
      await tab.getByRole('heading', { name: 'All 2 samples' }).waitFor();
      await draw(tab, [
        [0.2, 0.2],
        [0.8, 0.7],
      ]);
      await tab.getByText('As the network sees it: 6 × 8').waitFor();
      await answerOf(tab, 'hue');
      await tab.close();
    },
    timeout,
  );

  it(
    'of a row: a table of any width',
    async () => {
      const { dir, tab } = await pageOf(signals, 'kind.npz', (count, length, part) => [
        [`signal_${part}`, floats([count, length])],
        [`y_${part}`, below(2, [count])],
      ]);
      const csv = join(dir, 'rows.csv');
      writeFileSync(csv, '0.5,1,0.25,3\n1,0,2,0.125\n');
      writeFileSync(
        join(dir, 'rows.npy'),
        writeNpy(new Tensor('float32', [2, 4], Float32Array.of(0.5, 1, 0.25, 3, 1, 0, 2, 0.125))),
      );
      await tab.getByLabel(/^Open .npy or .csv/).setInputFiles(csv);
      await savesAsPredict(tab, dir, 'kind', join(dir, 'rows.npy'));
      await tab.close();
    },
    timeout,
  );
});
