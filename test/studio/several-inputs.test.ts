// A network of several inputs on the page of `prognet deploy web` and in the studio, in Chromium: each input has its own field, files bring all of them,
// tasks answer as soon as what they read is there, and another one is taught.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { savesAsPredict } from '../cli/page-answers.js';
import { okIn } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { type Served, serve } from '../support/serve.js';
import { asJson, categories, rows, samples, sixDtypes, targets } from '../support/six-dtypes.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { openTab, type StudioProcess, seriousViolations, startStudio, tooSmallOrCut } from './support.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';
const sample = asJson(3);
const npy = (name: string, from: number, to: number) => {
  const tensor = must(samples[name], name);
  const width = tensor.size / rows;
  return {
    name: `${name}.npy`,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(
      writeNpy(Tensor.from(tensor.dtype, tensor.numbers().slice(from * width, to * width), [to - from, ...tensor.dims.slice(1)])),
    ),
  };
};
const field = (tab: Page, name: string): Locator => tab.getByRole('group', { name, exact: true });
const problems = async (tab: Page) => (await tab.getByRole('alert').allTextContents()).filter((text) => text !== '');
const openAll = (tab: Page) => tab.getByLabel(/^Open a \.npz file with an array for each input/);

describe.skipIf(chromium === undefined)(`a page of several inputs${why}`, () => {
  let dir = '';
  let browser: Browser;
  let site: Served;
  const at = (name: string) => join(dir, name);
  const open = async (url: string, width = 1100) =>
    await openTab(await browser.newContext({ viewport: { width, height: 900 } }), url);
  /** Probabilities of row 3, as predict gives them. */
  const predicted = (task: string): number[] =>
    JSON.parse(okIn(dir, 'predict', task, '--input', at('asked.npz'), '--json', '--quiet')).probabilities[3];

  beforeAll(async () => {
    dir = sixDtypes({ text: false });
    okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
    okIn(dir, 'deploy', 'web', '-o', at('site'));
    const names = ['shop', 'kind', 'half', 'person', 'open', 'pixels', 'image'];
    const own = (name: string) => must(samples[name], name);
    writeFileSync(at('labelled.npz'), writeNpz(new Map([...names.map((name) => [name, own(name)] as const), ['y', targets]])));
    site = await serve({ folders: [at('site')] });
    browser = await launch(false);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it('answers a .npz file of all as predict does, every task', async () => {
    const tab = await open(`${site.url}/index.html`);
    await openAll(tab).setInputFiles(at('asked.npz'));
    for (const task of ['plain', 'numbers', 'all']) await savesAsPredict(tab, dir, task, at('asked.npz'));
    expect(await seriousViolations(tab)).toEqual([]);
    await tab.close();
  });

  it('takes each input in its own field, and a task answers when all that it reads is there', async () => {
    const tab = await open(`${site.url}/index.html`);
    const answer = (task: string) => tab.getByRole('article', { name: `Answer of ${task}` });
    await field(tab, 'image')
      .getByLabel(/^Open images/)
      .setInputFiles(npy('image', 3, 4));
    await expect.poll(() => answer('plain').count()).toBe(1);
    expect(await tab.getByText('numbers waits for').textContent()).toBe(
      'numbers waits for person, kind, half, open, pixels. all waits for person, kind, shop, half, open, pixels.',
    );
    const { age, city } = Object(sample.person);
    await field(tab, 'person').getByLabel('age').fill(String(age));
    await field(tab, 'person')
      .getByLabel('city')
      .selectOption({ label: categories.includes(city) ? city : 'another' });
    await field(tab, 'kind').getByRole('textbox').fill(String(sample.kind));
    await field(tab, 'half').getByRole('textbox').fill(String(sample.half));
    await field(tab, 'open')
      .getByRole('textbox')
      .fill(sample.open === true ? '1' : '0');
    await field(tab, 'pixels').getByRole('textbox').fill(String(sample.pixels));
    await expect.poll(() => answer('numbers').count()).toBe(1);
    expect(await answer('all').count()).toBe(0);
    await field(tab, 'shop').getByRole('textbox').fill(String(sample.shop));
    await expect.poll(() => answer('all').count()).toBe(1);
    for (const task of ['numbers', 'all']) {
      const shown = await answer(task).locator('.number').allTextContents();
      expect(shown).toEqual(predicted(task).map((p) => (p > 0.9995 ? '>99.9 %' : `${(p * 100).toFixed(1)} %`)));
    }
    // What is not whole takes the answers of those who read it away.
    await field(tab, 'kind').getByRole('textbox').fill('1.5');
    expect(await field(tab, 'kind').getByRole('alert').textContent()).toBe('“1.5” is no whole number below 2^24');
    // As float32 it is 2^24.
    await field(tab, 'kind').getByRole('textbox').fill('16777217');
    expect(await field(tab, 'kind').getByRole('alert').textContent()).toBe('“16777217” is no whole number below 2^24');
    const large = Buffer.from(writeNpy(Tensor.from('int64', [16777217], [1])));
    await field(tab, 'shop')
      .getByLabel(/^Open .npy/)
      .setInputFiles({ name: 'shop.npy', mimeType: 'application/octet-stream', buffer: large });
    await expect.poll(() => problems(tab)).toContainEqual(expect.stringMatching(/16777216, expected whole numbers below 2\^24/));
    await expect.poll(() => answer('all').count()).toBe(0);
    expect(await answer('plain').count()).toBe(1);
    await tab.close();
  });

  it('shows samples of the test data, of the inputs that their task reads', async () => {
    const tab = await open(`${site.url}/index.html`, 390);
    await tab.getByRole('button', { name: /^Ask about sample 1 of plain/ }).click();
    await expect.poll(() => tab.getByText('numbers waits for').count()).toBe(1);
    await tab
      .getByRole('button', { name: /of all, labelled/ })
      .first()
      .click();
    await expect.poll(() => tab.getByText('waits for').count()).toBe(0);
    expect(await field(tab, 'shop').getByRole('textbox').inputValue()).toMatch(/^\d$/);
    expect(await tooSmallOrCut(tab)).toEqual([]);
    await tab.close();
  });

  it.each<[string, () => Parameters<Locator['setInputFiles']>[0], string]>([
    [
      'no array of an input',
      () => ({ name: 'x.npz', mimeType: '', buffer: Buffer.from(writeNpz(new Map([['x', targets]]))) }),
      'x.npz: has no array "image", "person", "kind", "shop", "half", "open", "pixels", expected one for each input',
    ],
    [
      'a table of what is no column',
      () => ({ name: 'x.csv', mimeType: '', buffer: Buffer.from('age,city\n3,Bern\n') }),
      'x.csv: the input "image" is [1,4,4], a table gives its columns; expected a .npz file',
    ],
    [
      'an archive that is cut off',
      () => ({ name: 'x.npz', mimeType: '', buffer: readFileSync(at('asked.npz')).subarray(0, 900) }),
      'x.npz: not a zip archive or truncated, it has no end-of-central-directory record',
    ],
  ])('%s: one line says it', async (_, file, message) => {
    const tab = await open(`${site.url}/index.html`);
    await openAll(tab).setInputFiles(file());
    await expect.poll(() => problems(tab)).toEqual([message]);
    await tab.close();
  });

  it('a file of several samples stands for no single input', async () => {
    const tab = await open(`${site.url}/index.html`);
    await field(tab, 'half')
      .getByLabel(/^Open \.npy/)
      .setInputFiles(npy('half', 0, 2));
    await expect
      .poll(() => problems(tab))
      .toEqual(['half.npy: holds 2 samples of "half", expected one, or a .npz file with an array for each input']);
    await tab.close();
  });

  it('another task is taught in the studio from a .npz file with labels, and nothing moved', async () => {
    const studio: StudioProcess = await startStudio('-C', dir);
    const tab = await open(studio.url);
    await tab.getByLabel(/^Open labelled samples/).setInputFiles(at('labelled.npz'));
    await tab.getByLabel('Name of the task').fill('again');
    await tab.getByText('How it is trained').click();
    await tab.getByLabel('Passes over the examples').fill('2');
    await tab.getByRole('button', { name: 'Teach it' }).click();
    await expect
      .poll(() => tab.locator('#said').textContent(), { timeout: 60_000 })
      .toMatch(/^again is learned.* Nothing else moved\.$/);
    await tab.close();
    expect(await studio.stop()).toBe(0);
  });
});
