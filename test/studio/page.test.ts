// prognet studio in Chromium: the demo network is asked by drawing, on wasm and on WebGPU, and learns four digits that it has never seen.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { take } from '../../src/data/dataset.js';
import { loadData } from '../../src/data/sources.js';
import { writeIdx } from '../../src/formats/idx.js';
import { writeNpy } from '../../src/formats/npy.js';
import { lateralStrengths } from '../../src/model/progressive/lateral-strength.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { outputsOf } from '../../src/train/outputs.js';
import { launch } from '../support/browser.js';
import { runtime } from '../support/run.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import {
  answerOf,
  draw,
  drop,
  openTab,
  pad,
  type StudioProcess,
  seriousViolations,
  startStudio,
  tooSmallOrCut,
  zero,
} from './support.js';

const unseen = await loadData({ source: 'mnist', transform: [{ classes: [6, 7, 8, 9] }] }, { baseDir: '.' });
const dir = mkdtempSync(join(tmpdir(), 'prognet-studio-'));
const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';

async function scores(model: Uint8Array, task: string, inputs: Tensor): Promise<Tensor> {
  const session = await runtime.createSession(model, { threads: 1 });
  const [name = ''] = session.inputNames;
  const out = await outputsOf(session, task, [{ name, dtype: 'float32' }], { [name]: inputs });
  await session.release();
  return out;
}

/** The file that a click on this button downloads. */
async function downloaded(tab: Page, button: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name: button }).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

describe.skipIf(chromium === undefined)(`prognet studio${why}`, () => {
  let studio: StudioProcess;
  let browser: Browser;
  let context: BrowserContext;
  const outside: string[] = [];
  beforeAll(async () => {
    studio = await startStudio();
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    context.on('request', (request) => {
      if (!request.url().startsWith(studio.url) && !/^(blob|data):/.test(request.url())) outside.push(request.url());
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    expect(await studio?.stop()).toBe(0);
  });

  it('is drawn on by pointer and by keyboard, and every task answers on wasm and on WebGPU', async () => {
    const tab = await openTab(context, studio.url);
    expect(await tab.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await draw(tab, zero);
    const wasm = [await answerOf(tab, 'zero-to-two'), await answerOf(tab, 'three-to-five')] as const;
    expect(wasm[0]).toMatchObject({ names: ['0', '1', '2'], best: '0', said: expect.stringMatching(/^[\d.]+ ms on wasm$/) });
    expect(wasm[1].names).toEqual(['3', '4', '5']);
    for (const { percents } of wasm) expect(percents.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 0);

    await tab.getByLabel('Runs on').selectOption('webgpu');
    await tab
      .getByText(/ ms on webgpu$/)
      .first()
      .waitFor({ timeout: 30_000 });
    const webgpu = [await answerOf(tab, 'zero-to-two'), await answerOf(tab, 'three-to-five')] as const;
    for (const [i, { percents }] of webgpu.entries())
      for (const [j, percent] of percents.entries())
        expect(Math.abs(percent - must(wasm[i]?.percents[j], 'percent'))).toBeLessThan(0.11);
    await tab.getByLabel('Runs on').selectOption('wasm');

    // A one, by keyboard alone.
    await tab.getByRole('button', { name: 'Clear' }).click();
    await pad(tab).focus();
    for (let i = 0; i < 9; i++) await tab.keyboard.press('ArrowUp');
    await tab.keyboard.press('Space');
    for (let i = 0; i < 18; i++) await tab.keyboard.press('ArrowDown');
    await tab.keyboard.press('Space');
    await expect.poll(async () => (await answerOf(tab, 'zero-to-two')).best).toBe('1');
    // The network that was opened on wasm meanwhile may be said before its answer.
    await expect
      .poll(() => tab.locator('#said').textContent(), { timeout: 30_000 })
      .toMatch(/^zero-to-two: 1, \d+ percent\. three-to-five: /);

    // A picture of the drawing, dark on bright and with the pad's border, dropped as a file.
    const png = (await pad(tab).screenshot()).toString('base64');
    await tab.getByRole('button', { name: 'Clear' }).click();
    await draw(tab, zero);
    await expect.poll(async () => (await answerOf(tab, 'zero-to-two')).best).toBe('0');
    await drop(tab, pad(tab), 'one.png', png);
    await expect.poll(async () => (await answerOf(tab, 'zero-to-two')).best).toBe('1');
    await tab.close();
  }, 200_000);

  it('learns four unseen digits, moves nothing, and is taken away with the same numbers', async () => {
    const tab = await openTab(context, studio.url);
    const before = await readNetwork((await downloaded(tab, 'Download the network')).bytes);
    const rows = [0, 1, 2, 3].flatMap((c) => {
      const own = [...unseen.train.targets.data.entries()].filter(([, label]) => Number(label) === c);
      return own.slice(0, 200).map(([row]) => row);
    });
    const lesson = take(unseen.train, rows);
    const [images, labels] = [join(dir, 'digits-images.idx'), join(dir, 'digits-labels.idx')];
    writeFileSync(images, writeIdx([rows.length, 28, 28], lesson.inputs.bytes));
    writeFileSync(
      labels,
      writeIdx(
        [rows.length],
        Uint8Array.from(lesson.targets.numbers(), (c) => c + 6),
      ),
    );
    await tab.getByLabel(/^Open labelled samples/).setInputFiles([images, labels]);
    await tab.getByLabel('Name of the task').fill('six-to-nine');
    await tab.getByText('How it is trained').click();
    await tab.getByLabel('Passes over the examples').fill('6');
    await tab.getByLabel(/^Vary few examples/).uncheck();
    await tab.getByRole('button', { name: 'Teach it' }).click();
    await tab.getByRole('progressbar').waitFor();
    await tab.getByText(/^Nothing moved\./).waitFor({ timeout: 150_000 });
    expect(Number.parseFloat((await tab.locator('#accuracy').textContent()) ?? '')).toBeGreaterThan(90);
    expect(
      await tab
        .getByRole('row', { name: /^zero-to-two/ })
        .last()
        .textContent(),
    ).toMatch(/192 identical$/);
    expect(await tab.locator('.drawing .column').count()).toBe(3);

    expect(await seriousViolations(tab)).toEqual([]);

    // The same, seen from outside: weights bit for bit, outputs of the old tasks bit for bit on images that the page has never had.
    const after = await readNetwork((await downloaded(tab, 'Download the network')).bytes);
    expect(after.tasks).toEqual(['zero-to-two', 'three-to-five', 'six-to-nine']);
    const test = take(
      unseen.test,
      Array.from({ length: 200 }, (_, i) => i),
    );
    for (const task of before.tasks) {
      expect(after.weights(task)).toEqual(before.weights(task));
      expect(await scores(after.export({ task }), task, test.inputs)).toEqual(
        await scores(before.export({ task }), task, test.inputs),
      );
    }
    // The laterals in numbers are those of its weights.
    const strengths = lateralStrengths(after.columns.column('six-to-nine'), must(after.weights('six-to-nine'), 'weights'));
    await tab.getByText('In numbers').click();
    const laterals = tab.getByRole('row').filter({ has: tab.getByRole('cell', { name: /^six-to-nine, / }) });
    expect(strengths).toHaveLength(6);
    for (const [i, { alpha = Number.NaN, norm, gain }] of strengths.entries())
      expect((await laterals.nth(i).getByRole('cell').allTextContents()).slice(1)).toEqual([
        alpha.toFixed(3),
        norm.toFixed(2),
        gain.toFixed(3),
      ]);

    const onnx = await downloaded(tab, 'Download ONNX');
    expect(onnx.name).toBe('studio-demo.onnx');
    const out = await scores(onnx.bytes, 'six-to-nine', unseen.test.inputs);
    const right = unseen.test.targets.numbers().filter((label, i) => {
      const row = out.numbers().slice(4 * i, 4 * i + 4);
      return row.indexOf(Math.max(...row)) === label;
    });
    expect(right.length / unseen.test.targets.size).toBeGreaterThan(0.9);

    // Images out of a .npy: the page's probabilities are those of the downloaded file in Node.
    const some = take(unseen.test, [3, 14]);
    const file = join(dir, 'some.npy');
    writeFileSync(file, writeNpy(some.inputs));
    await tab.getByLabel(/^Open images/).setInputFiles(file);
    const expected = await scores(onnx.bytes, 'six-to-nine_probabilities', some.inputs);
    for (const [i, from] of [
      [0, 0],
      [1, 4],
    ] as const) {
      if (i > 0) await tab.getByLabel('Sample', { exact: true }).fill(String(i + 1));
      const want = expected.numbers().slice(from, from + 4);
      await expect
        .poll(async () =>
          Math.max(...(await answerOf(tab, 'six-to-nine')).percents.map((p, j) => Math.abs(p - 100 * must(want[j], 'p')))),
        )
        .toBeLessThan(0.11);
    }

    // Its answers are marked where they mean nothing, here and by whoever opens the downloaded file.
    const random = new Random(1, 'noise');
    const grey = Uint8Array.from({ length: 200 * 784 }, () => 256 * random.uniform());
    const noise = new Tensor('uint8', [200, 1, 28, 28], grey);
    writeFileSync(file, writeNpy(noise));
    await tab.getByLabel(/^Open images/).setInputFiles(file);
    const answer = tab.getByRole('article', { name: 'Answer of six-to-nine' });
    await answer.getByText('Of 160 samples of its own kind 95 % are nearer to what it learned').waitFor();
    await tab.getByRole('button', { name: 'Show all 200' }).click();
    const cellsOf = tab.locator('table.all tbody tr td:nth-of-type(3)');
    await expect.poll(() => cellsOf.count()).toBe(200);
    const marked = await cellsOf.filter({ hasText: 'unlike its data' }).count();
    const net = after.on(runtime, { threads: 1 });
    const strange = async (inputs: Tensor) =>
      ((await net.predict('six-to-nine', inputs, { marks: true })).strange ?? []).filter((v) => v).length;
    expect([marked, await strange(noise)]).toEqual([marked, marked]);
    expect(marked).toBeGreaterThan(190);
    expect(await strange(unseen.test.inputs)).toBeLessThan((unseen.test.targets.size * 15) / 100);
    await net.close();

    // It is still there in another tab, and gone when it is sent back.
    const again = await openTab(context, studio.url);
    expect(await again.locator('.drawing .task').allTextContents()).toEqual(['zero-to-two', 'three-to-five', 'six-to-nine']);
    await again.getByRole('button', { name: 'Back to the one it came with' }).click();
    await expect.poll(() => again.locator('.drawing .task').count()).toBe(2);
    await again.close();
    await tab.close();
  }, 200_000);

  it.each(['light', 'dark'] as const)('axe finds nothing serious in %s', async (colorScheme) => {
    const tab = await openTab(context, studio.url);
    await tab.emulateMedia({ colorScheme });
    await draw(tab, zero);
    await answerOf(tab, 'three-to-five');
    await tab.getByText('In numbers').click();
    await tab.getByText('How it is trained').click();
    expect(await seriousViolations(tab)).toEqual([]);
    await tab.close();
  });

  it('fits a phone of 360 pixels', async () => {
    const tab = await openTab(context, studio.url);
    await tab.setViewportSize({ width: 360, height: 740 });
    await draw(tab, zero);
    await answerOf(tab, 'three-to-five');
    await tab.getByText('In numbers').click();
    await tab.getByText('How it is trained').click();
    await tab.getByText('By keyboard').click();
    expect(await tooSmallOrCut(tab)).toEqual([]);
    await tab.close();
  });

  it('works without a connection, and asks no other host, ever', async () => {
    const tab = await openTab(context, studio.url);
    await tab.evaluate('navigator.serviceWorker.ready');
    await expect.poll(() => tab.evaluate("caches.match('ort-wasm-simd-threaded.wasm').then((r) => r !== undefined)")).toBe(true);
    await context.setOffline(true);
    await tab.reload();
    await tab.getByRole('heading', { name: 'Answers' }).waitFor();
    expect(await tab.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await draw(tab, zero);
    expect((await answerOf(tab, 'zero-to-two')).best).toBe('0');
    await context.setOffline(false);
    await tab.close();
    expect(outside).toEqual([]);
  });
});
