// prognet studio when things go wrong: what cannot be opened, a connection that is lost, a tab that is closed in mid-training. The network is a toy
// over four numbers, so that a training is a matter of moments.
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { readNetwork } from '../../src/network/read-network.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { prognet, workspace } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { answerOf, openTab, type StudioProcess, seriousViolations, startStudio } from './support.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';
const dir = mkdtempSync(join(tmpdir(), 'prognet-trouble-'));
const at = (name: string) => join(dir, name);

/** 300 points, two classes by the sign of the last number. */
function writeLesson(): void {
  const r = new Random(4, 'lesson');
  const x = Float32Array.from({ length: 1200 }, () => r.normal());
  const y = Array.from({ length: 300 }, (_, i) => ((x[4 * i + 3] ?? 0) > 0 ? 1 : 0));
  writeFileSync(at('x.npy'), writeNpy(new Tensor('float32', [300, 4], x)));
  writeFileSync(at('y.npy'), writeNpy(Tensor.from('int64', y)));
}

async function prepareLesson(tab: Page, passes: number): Promise<void> {
  await tab.getByLabel(/^Open labelled samples/).setInputFiles([at('x.npy'), at('y.npy')]);
  await tab.getByLabel('Name of the task').fill('last');
  await tab.getByText('How it is trained').click();
  await tab.getByLabel('Passes over the examples').fill(String(passes));
}

const teach = (tab: Page) => tab.getByRole('button', { name: 'Teach it' }).click();
const taught = (tab: Page) => tab.getByText(/^Nothing moved\./).waitFor({ timeout: 150_000 });
const learned = /^last is learned, \d+\.\d percent right on held-out examples\. Nothing else moved\.$/;

async function weightsOf(tab: Page): Promise<unknown> {
  const [download] = await Promise.all([
    tab.waitForEvent('download'),
    tab.getByRole('button', { name: 'Download the network' }).click(),
  ]);
  return (await readNetwork(readFileSync(await download.path()))).weights('last');
}

describe.skipIf(chromium === undefined)(`prognet studio in trouble${why}`, () => {
  let studio: StudioProcess;
  let browser: Browser;
  let context: BrowserContext;
  beforeAll(async () => {
    const folder = workspace();
    expect(prognet('train', '--all', '--quiet', '-C', folder).status).toBe(0);
    expect(prognet('export', '--task', 'a', '--probabilities', '-o', at('a.onnx'), '--quiet', '-C', folder).status).toBe(0);
    writeLesson();
    writeFileSync(at('notes.prognet'), 'no network at all');
    for (const name of ['huge.prognet', 'huge.npy']) {
      writeFileSync(at(name), '');
      truncateSync(at(name), 3 * 2 ** 30);
    }
    studio = await startStudio(folder);
    browser = await launch(false);
    context = await browser.newContext();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    expect(await studio?.stop()).toBe(0);
  });

  it('says in one line what it cannot take, and goes on with what it has', async () => {
    const tab = await openTab(context, studio.url);
    const numbers = tab.getByLabel(/^4 numbers/);
    await numbers.fill('0.5 -1 2 0.25');
    const before = await answerOf(tab, 'b');

    const says = (place: string, text: RegExp) => tab.locator(`${place} [role=alert]`).filter({ hasText: text }).waitFor();
    const model = tab.getByLabel(/^Open another network/);
    const take = 'section[aria-labelledby=take-title]';
    await model.setInputFiles(at('notes.prognet'));
    await says(take, /^notes\.prognet: [^\n]+$/);
    await model.setInputFiles(at('huge.prognet'));
    await says(take, /^huge\.prognet: 3\.0 GiB, a browser takes files up to 2 GiB; use it in Node$/);

    const ask = 'section[aria-labelledby=ask-title]';
    const samples = tab.getByLabel('Open .npy or .csv…');
    await samples.setInputFiles(at('huge.npy'));
    await says(ask, /^huge\.npy: 3072 MiB, this page takes files of data up to 512 MiB; train on more with prognet train$/);
    await samples.setInputFiles(at('y.npy'));
    await says(ask, /^y\.npy: \[300\] int64, expected \[N,4\] of float32 or uint8$/);
    await numbers.fill('0.5 -1 two 0.25');
    await says(ask, /“two” is no number/);

    await tab.getByLabel('Runs on').selectOption('webgpu');
    await says(
      '.provider',
      /^webgpu does not run here: no WebGPU adapter: a browser with WebGPU turned on and a GPU are needed \(/,
    );
    expect(await tab.getByLabel('Runs on').inputValue()).toBe('wasm');

    await numbers.fill('0.5 -1 2 0.25');
    await expect.poll(async () => (await answerOf(tab, 'b')).percents).toEqual(before.percents);

    // An ONNX model answers the same, and says that it cannot grow.
    const a = await answerOf(tab, 'a');
    await model.setInputFiles(at('a.onnx'));
    await tab.getByText(/^An ONNX model with the outputs a\./).waitFor();
    await expect.poll(async () => (await answerOf(tab, 'a')).percents).toEqual(a.percents);
    expect(await tab.getByRole('button', { name: 'Teach it' }).isDisabled()).toBe(true);
    await tab.getByRole('button', { name: 'Back to the one it came with' }).click();
    await tab.locator('.drawing .task').first().waitFor();
    await tab.close();
  });

  it('says that the connection is lost, and keeps the network that it has', async () => {
    const alone = await browser.newContext({ serviceWorkers: 'block' });
    const tab = await openTab(alone, studio.url);
    await alone.setOffline(true);
    await tab.getByLabel('Runs on').selectOption('webgpu');
    await expect.poll(() => tab.locator('.provider [role=alert]').textContent()).toMatch(/is there a network\?/);
    await tab.getByLabel(/^4 numbers/).fill('0.5 -1 2 0.25');
    expect((await answerOf(tab, 'a')).said).toMatch(/ ms on wasm$/);
    await alone.close();
  });

  it('a tab closed in mid-training loses nothing: the next one ends with the same bits', async () => {
    const [whole, broken] = [await browser.newContext(), await browser.newContext()];
    const calm = await openTab(whole, studio.url);
    await prepareLesson(calm, 30);
    await teach(calm);
    await taught(calm);

    const first = await openTab(broken, studio.url);
    await prepareLesson(first, 30);
    await teach(first);
    await first.getByText(/^epoch ([4-9]|\d\d) of 30$/).waitFor();
    await first.close();

    const second = await openTab(broken, studio.url);
    await second.getByText(/^The lesson last is unfinished\./).waitFor();
    expect(await seriousViolations(second)).toEqual([]);
    await second.getByRole('button', { name: 'Go on with last' }).click();
    await taught(second);
    await expect.poll(() => second.locator('#said').textContent()).toMatch(learned);
    expect(await weightsOf(second)).toEqual(await weightsOf(calm));
    await second.getByLabel(/^4 numbers/).fill('9 -9 9 9');
    await second.getByText('Of 60 samples of its own kind').waitFor();
    await second
      .getByRole('status')
      .getByText(/ of \w+ is 9, in training it was /)
      .first()
      .waitFor();
    expect(Number.parseFloat((await second.locator('#accuracy').textContent()) ?? '')).toBeGreaterThan(90);
    await Promise.all([whole.close(), broken.close()]);
  }, 200_000);

  it('a tab closed behind the last pass, before the network is kept, loses nothing: the next one trains no pass and says how good it is', async () => {
    const own = await browser.newContext();
    const first = await openTab(own, studio.url);
    // As if it were closed there: the checkpoint of the last pass stays, and the network is not kept.
    await must(first.workers()[0], 'worker').evaluate('IDBObjectStore.prototype.delete = () => { throw new Error("closed"); }');
    await first.evaluate(`{
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (...given) {
        if (this.name === 'networks') throw new Error('closed');
        return put.apply(this, given);
      };
    }`);
    await prepareLesson(first, 3);
    await teach(first);
    await first.getByText(/this browser keeps nothing \(closed\)/).waitFor();
    await first.close();

    const second = await openTab(own, studio.url);
    await second.getByText(/^The lesson last is unfinished\./).waitFor();
    await second.getByRole('button', { name: 'Go on with last' }).click();
    await taught(second);
    await expect.poll(() => second.locator('#said').textContent()).toMatch(learned);
    expect(await second.locator('.chart .held-point').count()).toBe(3);
    await own.close();
  }, 200_000);

  it('an empty network learns its first task, from samples that are added one by one, and is replaced only on a yes', async () => {
    const own = await browser.newContext();
    const asked: string[] = [];
    let yes = false;
    const tab = await openTab(own, studio.url, (question) => {
      asked.push(question);
      return yes;
    });
    await tab.getByRole('button', { name: 'Begin an empty one' }).click();
    await tab.getByText('No task is learned yet').waitFor();
    await tab.getByLabel('Name of the task').fill('first');
    const samples = { A: ['1 0 0 0', '2 0 0 0', '3 1 0 0'], B: ['-1 0 0 0', '-2 0 1 0', '-3 0 0 0'] };
    for (const [name, rows] of Object.entries(samples))
      for (const row of rows) {
        await tab.getByLabel(/^4 numbers/).fill(row);
        await tab.getByRole('button', { name: `Add the sample above to ${name}` }).click();
      }
    await tab.getByRole('button', { name: 'Teach it' }).click();
    await tab.getByText('first is the first task: there was nothing that could have moved.').waitFor({ timeout: 150_000 });
    await tab.getByLabel(/^4 numbers/).fill('2 0 0 0.5');
    expect((await answerOf(tab, 'first')).best).toBe('A');

    expect(asked).toEqual([]);
    const tasks = () => tab.locator('.drawing .task').allTextContents();
    await tab.getByRole('button', { name: 'Begin an empty one' }).click();
    await tab.getByRole('button', { name: 'Back to the one it came with' }).click();
    await expect
      .poll(() => asked)
      .toEqual(Array(2).fill(expect.stringMatching(/^The network that this browser keeps is replaced\./)));
    expect(await tasks()).toEqual(['first']);
    yes = true;
    await tab.getByRole('button', { name: 'Back to the one it came with' }).click();
    await expect.poll(tasks).toEqual(['a', 'b']);
    await own.close();
  }, 200_000);

  it('is stopped, and the lesson given up: nothing is left of it', async () => {
    const own = await browser.newContext();
    const tab = await openTab(own, studio.url);
    await prepareLesson(tab, 500);
    await teach(tab);
    await tab.getByText(/^epoch \d+ of 500$/).waitFor();
    await tab.getByRole('button', { name: 'Stop' }).click();
    await tab.getByRole('button', { name: 'Give it up' }).click();
    await tab.getByRole('button', { name: 'Teach it' }).waitFor();
    expect(await tab.locator('.drawing .task').allTextContents()).toEqual(['a', 'b']);
    const left = `new Promise((resolve) => {
      const request = indexedDB.open('prognet', 1);
      request.onsuccess = () => {
        const count = request.result.transaction('checkpoints').objectStore('checkpoints').count();
        count.onsuccess = () => resolve(count.result);
      };
    })`;
    await expect.poll(() => tab.evaluate(left)).toBe(0);
    await own.close();
  }, 200_000);
});
