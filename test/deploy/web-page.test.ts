// prognet deploy web: the folder in Chromium, asked in every way that the page has; its numbers are those of `predict` on the same rows and files.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { take } from '../../src/data/dataset.js';
import { loadData } from '../../src/data/sources.js';
import { writeNpy } from '../../src/formats/npy.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { savesAsPredict } from '../cli/page-answers.js';
import { okIn, prognet, workspace } from '../cli/support.js';
import { answerOf, draw, drop, pad, seriousViolations, tooSmallOrCut } from '../studio/support.js';
import { hues, people, photos, table } from '../studio/workspaces.js';
import { launch } from '../support/browser.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';

/** A workspace that is trained and deployed, and the page over it. */
interface Site {
  readonly dir: string;
  readonly folder: string;
  readonly said: string;
  readonly served: Served;
}

async function site(yaml: string, fill: (dir: string) => Promise<void> | void, ...flags: string[]): Promise<Site> {
  const dir = workspace(yaml);
  await fill(dir);
  okIn(dir, 'train', '--all', '--quiet');
  const folder = join(dir, 'site');
  const { status, stderr } = prognet('deploy', 'web', '-o', folder, '-C', dir, ...flags);
  expect(status, stderr).toBe(0);
  return { dir, folder, said: stderr, served: await serve({ folders: [folder] }) };
}

async function tabOf(context: BrowserContext, { served }: Site): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto(`${served.url}/index.html`);
  await tab.getByRole('heading', { name: 'Answers' }).waitFor();
  return tab;
}

/** The percents on the page are those of `predict` for the same one sample. */
async function answersAsPredict(tab: Page, { dir }: Site, task: string, input: string): Promise<void> {
  const { probabilities } = JSON.parse(okIn(dir, 'predict', task, '--input', input, '--json', '--quiet'));
  await expect
    .poll(async () => {
      const { percents } = await answerOf(tab, task);
      return Math.max(...percents.map((p, i) => Math.abs(p - 100 * probabilities[0][i])));
    })
    .toBeLessThan(0.11);
}

const digits = `prognet: 1
name: digits
input: { name: image, shape: [1, 28, 28] }
columns:
  - task: low
    data: { source: mnist, transform: [{ classes: [0, 1, 2, 3, 4] }, { subset: { count: 3000 } }] }
    blocks: [[flatten, { dense: 64 }, relu]]
    head: { classify: 5 }
    train: { epochs: 3, batch: 32, lr: 0.002 }
`;

describe.skipIf(chromium === undefined)(`the page of deploy web${why}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  const outside: string[] = [];
  const sites: Site[] = [];
  const made = async (...args: Parameters<typeof site>) => {
    const one = await site(...args);
    sites.push(one);
    return one;
  };
  beforeAll(async () => {
    browser = await launch(false);
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    context.on('request', (request) => {
      if (!/^(blob|data):|^http:\/\/127\.0\.0\.1:/.test(request.url())) outside.push(request.url());
    });
  });
  afterAll(async () => {
    await browser?.close();
    for (const { served } of sites) await served.close();
    expect(outside).toEqual([]);
  });

  it('of a table: a row in fields, a CSV file, samples; the numbers of predict', async () => {
    const own = await made(table, people);
    expect(own.said).toMatch(
      /samples of test data go with the page: kind 6 \(72 bytes\), left 6 \(72 bytes\); --no-samples leaves them out/,
    );
    const tab = await tabOf(context, own);
    expect(await tab.title()).toBe('people');
    expect(await tab.getByRole('heading', { level: 1 }).textContent()).toBe('people');
    expect(await tab.locator('meta[http-equiv=Content-Security-Policy]').getAttribute('content')).toContain("default-src 'self'");

    // Samples of the test data, told by their labels.
    await tab.getByRole('button', { name: /^Ask about sample 1 of kind, labelled (stays|leaves)$/ }).click();
    await answerOf(tab, 'kind');
    expect(await tab.getByLabel('income').inputValue()).toMatch(/^\d+$/);

    // A row by the features' names.
    const one = join(own.dir, 'one.csv');
    await tab.getByRole('button', { name: 'Clear' }).click();
    await tab.getByLabel('age').fill('61');
    await tab.getByLabel('income').fill('70000');
    await tab.getByText('1 of 3 still to be filled in.').waitFor();
    await tab.getByLabel('city').selectOption('Bern');
    writeFileSync(one, 'income,city,age\n70000,Bern,61\n');
    await answersAsPredict(tab, own, 'kind', one);
    const { names } = await answerOf(tab, 'kind');
    expect(names).toEqual(['leaves', 'stays']);
    // A value that is missing, and a text that is none of the categories.
    await tab.getByLabel('age').fill('');
    await tab.getByLabel('city').selectOption('another');
    writeFileSync(one, 'income,city,age\n70000,Uri,\n');
    await answersAsPredict(tab, own, 'kind', one);
    await tab.getByLabel('income').fill('much');
    await tab.getByText('income: expected a number').waitFor();

    // What is far from all that was learned from is told beside the answers, and is gone with the next sample.
    await tab.getByLabel('income').fill('9000000');
    const far = tab.getByRole('status').filter({ hasText: 'Far from its training data' });
    await far.getByText(/^income is 9e\+?6|^income is 9000000, in training it was [\d.]+ to [\d.]+$/).waitFor();
    await tab.getByLabel('income').fill('70000');
    await expect.poll(() => far.count()).toBe(0);

    // A CSV file, its columns in another order and one that is no feature.
    const rows = join(own.dir, 'rows.csv');
    writeFileSync(rows, 'city,note,age,income\nBern,x,30,40000\nBasel,y,,81000\nUri,z,77,12345.5\nBasel,z,50,9000000\n');
    await drop(tab, tab.locator('.numbers'), 'rows.csv', readFileSync(rows).toString('base64'));
    await tab.getByRole('heading', { name: 'All 4 samples' }).waitFor();
    for (const task of ['kind', 'left']) await savesAsPredict(tab, own.dir, task, rows, task === 'left' ? 1e-4 : 1e-5);
    await far
      .last()
      .getByText(/^income is [\d.]+ to 9000000, in training it was /)
      .waitFor();
    const notes = await tab.getByRole('status').getByRole('list', { name: 'What was read' }).textContent();
    expect(notes).toContain('rows.csv: not read: column 2 ("note")');
    expect(notes).toContain('holds "Uri", which is none of its categories and counts as none');
    // An income of nine million is like nothing that was learned from.
    expect(await tab.getByRole('row', { name: /^Show sample 4/ }).textContent()).toContain('unlike its data');
    await tab.getByRole('button', { name: 'Show sample 3' }).click();
    expect(await tab.getByLabel('income').inputValue()).toBe('12345.5');
    expect(await seriousViolations(tab)).toEqual([]);

    // What cannot be read is told by row and column, and the page goes on.
    await tab
      .getByLabel('Open a CSV file of rows to ask about')
      .setInputFiles({ name: 'bad.csv', mimeType: '', buffer: Buffer.from('age,city,income\n1,Bern,x\n') });
    await tab.getByText('bad.csv: row 2, column 3 ("income") holds "x", expected a number').waitFor();

    await tab.setViewportSize({ width: 360, height: 740 });
    expect(await tooSmallOrCut(tab)).toEqual([]);
    await tab.close();
  });

  it('of images in colour: files, samples and drawings; the numbers of predict', async () => {
    const hwc = await made(photos('[16, 16, 3]', '{ transpose: [2, 0, 1] }, scale', 'resize: { height: 16, width: 16 }'), hues);
    const tab = await tabOf(context, hwc);
    await tab.getByRole('button', { name: 'Ask about sample 1, labelled blue' }).click();
    expect((await answerOf(tab, 'hue')).best).toBe('blue');
    const files = ['a.png', 'b.png'].map((name) => join(hwc.dir, 'asked', name));
    await tab.getByLabel(/^Open images/).setInputFiles(files);
    await tab.getByRole('heading', { name: 'All 2 samples' }).waitFor();
    await savesAsPredict(tab, hwc.dir, 'hue', join(hwc.dir, 'asked'));
    // One of another size is cut and made smaller as the column's own were.
    await tab.getByLabel(/^Open images/).setInputFiles(join(hwc.dir, 'large.png'));
    await tab.getByText('made to fit by “cover”').waitFor();
    await answersAsPredict(tab, hwc, 'hue', join(hwc.dir, 'large.png'));

    // What is drawn, in two colours, is asked as it is seen.
    await tab.getByLabel('Pen', { exact: true }).fill('#e02010');
    await tab.getByLabel('Paper', { exact: true }).fill('#401060');
    await draw(
      tab,
      [
        [0.2, 0.2],
        [0.8, 0.7],
      ],
      [
        [0.8, 0.2],
        [0.2, 0.8],
      ],
    );
    const seen = tab.getByRole('img', { name: 'The sample as the network sees it' });
    await seen.waitFor();
    const image = "document.querySelector('.seen canvas').getContext('2d').getImageData(0, 0, 16, 16).data";
    const looked = async () => (await tab.evaluate(`Array.from(${image})`)) as number[];
    let rgba = await looked();
    // Until nothing of the drawing is to come any more.
    for (let before: number[] = []; String(before) !== String(rgba); ) {
      await tab.waitForTimeout(300);
      [before, rgba] = [rgba, await looked()];
    }
    const pixels = Uint8Array.from(rgba.filter((_, i) => i % 4 < 3));
    const reds = pixels.filter((_, i) => i % 3 === 0);
    expect([...pixels.slice(0, 3), Math.max(...reds) > 0xb0]).toEqual([0x40, 0x10, 0x60, true]);
    const drawn = join(hwc.dir, 'drawn.npy');
    writeFileSync(drawn, writeNpy(new Tensor('uint8', [1, 16, 16, 3], pixels)));
    await answersAsPredict(tab, hwc, 'hue', drawn);
    await tab.close();

    // Planes of colours, and images of one size alone.
    const chw = await made(photos('[3, 16, 16]', 'scale', 'seed: 0'), hues, '--no-samples');
    expect(chw.said).not.toContain('samples of test data');
    const other = await tabOf(context, chw);
    expect(await other.getByRole('button', { name: /^Ask about sample/ }).count()).toBe(0);
    for (const [i, name] of ['a.png', 'b.png'].entries())
      await drop(other, pad(other), name, readFileSync(must(files[i], name)).toString('base64')).then(() =>
        answersAsPredict(other, chw, 'hue', join(chw.dir, 'asked', name)),
      );
    await drop(other, pad(other), 'large.png', readFileSync(join(hwc.dir, 'large.png')).toString('base64'));
    await other
      .getByText(
        /^large\.png: is 90 x 60 pixels \(width x height\), expected 16 x 16; the network was trained on images of that size/,
      )
      .waitFor();
    await other.close();
  });

  it('of MNIST: arrays as predict reads them, marks on what was never learned, offline, and small', async () => {
    const own = await made(digits, () => {});
    const sizes = new Map(readdirSync(own.folder).map((name) => [name, statSync(join(own.folder, name)).size]));
    expect([...sizes.keys()].filter((name) => name.endsWith('.wasm'))).toEqual(['ort-wasm-simd-threaded.wasm']);
    const ours = [...sizes].filter(([name]) => !/^ort|^ONNXRUNTIME/.test(name)).reduce((sum, [, size]) => sum + size, 0);
    expect(ours).toBeLessThan(1_450_000);

    const tab = await tabOf(context, own);
    const { test } = await loadData({ source: 'mnist', transform: [{ classes: [0, 1, 2, 3, 4] }] }, { baseDir: '.' });
    const some = take(
      test,
      Array.from({ length: 300 }, (_, i) => 7 * i),
    );
    const file = join(own.dir, 'some.npy');
    writeFileSync(file, writeNpy(some.inputs));
    const marked = async (name: string) => {
      await tab.getByLabel(/^Open images/).setInputFiles(join(own.dir, name));
      await tab.getByRole('button', { name: 'Show all 300' }).click();
      const shown = tab.locator('table.all tbody tr');
      await expect.poll(() => shown.count()).toBe(300);
      return await shown.filter({ hasText: 'unlike its data' }).count();
    };
    const seen = await marked('some.npy');
    await savesAsPredict(tab, own.dir, 'low', file);
    const random = new Random(1, 'noise');
    writeFileSync(
      join(own.dir, 'noise.npy'),
      writeNpy(
        new Tensor(
          'uint8',
          [300, 1, 28, 28],
          Uint8Array.from({ length: 300 * 784 }, () => 256 * random.uniform()),
        ),
      ),
    );
    await tab.getByRole('button', { name: 'Clear' }).click();
    expect([seen < 35, (await marked('noise.npy')) > 295]).toEqual([true, true]);
    await tab.locator('.strange').filter({ hasText: 'Unlike its own data' }).waitFor();
    expect(await seriousViolations(tab)).toEqual([]);

    // Without a connection.
    await tab.evaluate('navigator.serviceWorker.ready');
    await expect.poll(() => tab.evaluate("caches.match('ort-wasm-simd-threaded.wasm').then((r) => r !== undefined)")).toBe(true);
    await context.setOffline(true);
    await tab.reload();
    await tab.getByRole('button', { name: /^Ask about sample 2, labelled 1$/ }).click();
    expect((await answerOf(tab, 'low')).best).toBe('1');
    await context.setOffline(false);
    await tab.close();
  });
});

it('takes the network as it is, and what is for pages alone', () => {
  const dir = workspace();
  const refused = (...args: string[]) => prognet('deploy', ...args, '-o', join(dir, 'out'), '-C', dir).stderr;
  expect(refused('web', '--precision', 'fp16')).toMatch(/^prognet: web takes the network as it is/);
  expect(refused('node', '--webgpu')).toBe('prognet: --webgpu is for web\n');
  expect(refused('node', '--no-samples')).toBe('prognet: --no-samples is for web\n');
});
