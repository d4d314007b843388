// Every state of the pages on a phone, 360 and 390 pixels wide: nothing is cut or stands beyond its card, and all that a finger is to hit is 44 pixels a
// side. PROGNET_SHOTS=DIR keeps pictures of the states, in light and dark, and as a desktop shows them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/formats/npy.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { okIn, workspace } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { answerOf, draw, openTab, type StudioProcess, startStudio, tooSmallOrCut, zero } from './support.js';
import { hues, photos } from './workspaces.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';
const phones = [360, 390];
const shots = process.env.PROGNET_SHOTS;

/** Adds to `wrong` what is wrong in a state of the page, at each width. */
async function look(tab: Page, state: string, wrong: string[]): Promise<void> {
  for (const width of phones) {
    await tab.setViewportSize({ width, height: 740 });
    // What follows the width of its place, such as the chart, has drawn itself anew.
    await tab.evaluate('new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))');
    for (const line of await tooSmallOrCut(tab)) wrong.push(`${state}, ${width}: ${line}`);
  }
  if (shots !== undefined) await picture(tab, shots, state);
}

async function picture(tab: Page, folder: string, state: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, width, colorScheme] of [
    ['phone', 360, 'light'],
    ['phone-dark', 360, 'dark'],
    ['desktop', 1200, 'light'],
    ['desktop-dark', 1200, 'dark'],
  ] as const) {
    await tab.setViewportSize({ width, height: 800 });
    await tab.emulateMedia({ colorScheme });
    await tab.waitForTimeout(150);
    await tab.screenshot({ path: join(folder, `${state.replaceAll(' ', '-')}-${name}.png`), fullPage: true });
  }
  await tab.emulateMedia({ colorScheme: 'light' });
}

const long = {
  number: 'number_of_previous_employers_in_the_last_ten_years',
  city: 'municipality of the main place of work',
  village: 'Schwarzhäusern-Wynigen bei Langenthal an der Langete',
  kind: 'has_left_of_their_own_accord',
  stays: 'stays_with_the_company_until_retirement',
};

const table = `prognet: 1
name: people
input: { name: row, features: [age, "${long.number}", { "${long.city}": [Basel, "${long.village}"] }], prepare: [{ fill: median }, standardise, one_hot] }
columns:
  - { task: ${long.kind}, data: { source: people.csv, label: kind }, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 4, batch: 16, lr: 0.02 } }
  - { task: left, data: { source: people.csv, label: left }, like: ${long.kind}, head: { regress: 1 } }
`;

/** Names and texts longer than a phone is wide. */
function people(dir: string): void {
  const r = new Random(5, 'people');
  const rows = Array.from({ length: 300 }, () => {
    const [age, bern] = [20 + Math.floor(50 * r.uniform()), r.uniform() < 0.4];
    return `${age},${Math.floor(9 * r.uniform())},${bern ? long.village : 'Basel'},${age > 50 ? long.stays : 'leaves'},${age / 10}`;
  });
  writeFileSync(join(dir, 'people.csv'), `age,${long.number},${long.city},kind,left\n${rows.join('\n')}\n`);
}

describe.skipIf(chromium === undefined)(`a phone${why}`, () => {
  let browser: Browser;
  let studio: StudioProcess;
  const sites: Served[] = [];
  beforeAll(async () => {
    studio = await startStudio();
    browser = await launch(false);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    for (const site of sites) await site.close();
    expect(await studio?.stop()).toBe(0);
  });

  /** A tab of 360 pixels, in which fingers count. */
  const phone = async (url: string) =>
    await openTab(await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true }), url);

  async function deployed(yaml: string, fill: (dir: string) => Promise<void> | void): Promise<{ dir: string; url: string }> {
    const dir = workspace(yaml);
    await fill(dir);
    okIn(dir, 'train', '--all', '--quiet');
    okIn(dir, 'deploy', 'web', '-o', join(dir, 'site'), '--quiet');
    const site = await serve({ folders: [join(dir, 'site')] });
    sites.push(site);
    return { dir, url: `${site.url}/index.html` };
  }

  it('teaches: examples, a training under way, one that is unfinished, the proof, the network in numbers, what goes wrong', async () => {
    const wrong: string[] = [];
    const tab = await phone(studio.url);
    await draw(tab, zero);
    await answerOf(tab, 'three-to-five');
    await tab.getByText('By keyboard').click();
    await tab.getByText('In numbers').click();
    await look(tab, 'drawing', wrong);
    // Ink is seen on its ground when the system's colours change.
    const red = `(({ canvas }) => canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height * 0.2, 1, 1).data[0])({
      canvas: document.querySelector('.pad canvas'),
    })`;
    for (const [colorScheme, bright] of [
      ['dark', true],
      ['light', false],
    ] as const) {
      await tab.emulateMedia({ colorScheme });
      await expect.poll(async () => Number(await tab.evaluate(red)) > 128).toBe(bright);
    }

    await tab.getByRole('button', { name: /^Take / }).click();
    await tab.getByText('200 examples').first().waitFor();
    await tab.getByLabel('Name of class 1').fill('a class whose name is forty letters long');
    await tab.getByRole('button', { name: /^Add the sample above to a class/ }).click();
    await tab.getByText('How it is trained').click();
    await tab.getByLabel('Passes over the examples').fill('60');
    await tab.getByLabel(/^Vary few examples/).uncheck();
    await look(tab, 'lesson', wrong);

    await tab.getByRole('button', { name: 'Teach it' }).click();
    await tab.getByText(/^epoch [3-9] of 60$/).waitFor({ timeout: 60_000 });
    await look(tab, 'training', wrong);
    await tab.getByRole('button', { name: 'Stop' }).click();
    await tab.getByText(/^The lesson six-to-nine is unfinished\./).waitFor({ timeout: 60_000 });
    await look(tab, 'unfinished', wrong);
    await tab.getByRole('button', { name: 'Give it up' }).click();

    await tab.getByRole('button', { name: 'Teach it' }).waitFor();
    await tab.getByText('How it is trained').click();
    await tab.getByLabel('Passes over the examples').fill('2');
    await tab.getByRole('button', { name: 'Teach it' }).click();
    await tab.getByText(/^Nothing moved\./).waitFor({ timeout: 150_000 });
    await tab.getByText('In numbers').click();
    await tab.getByText('In numbers').click();
    await look(tab, 'proof', wrong);

    const bad = { name: 'a-file-with-a-name-that-has-no-blank-and-does-not-end-for-a-very-long-time.npy', mimeType: '' };
    const buffer = Buffer.from('no array');
    await tab.getByLabel(/^Open images/).setInputFiles({ ...bad, buffer });
    await tab.getByLabel(/^Open labelled samples/).setInputFiles({ ...bad, buffer });
    await tab.getByLabel(/^Open another network/).setInputFiles({ ...bad, name: bad.name.replace('.npy', '.prognet'), buffer });
    await tab.getByLabel('Runs on').selectOption('webgpu');
    await expect.poll(() => tab.getByRole('alert').filter({ hasText: /\w/ }).count(), { timeout: 30_000 }).toBe(4);
    await look(tab, 'trouble', wrong);
    expect(wrong).toEqual([]);
    await tab.context().close();
  }, 300_000);

  it('asks about images in colour: samples, a drawing, files, the answers to several', async () => {
    const { dir, url } = await deployed(
      photos('[16, 16, 3]', '{ transpose: [2, 0, 1] }, scale', 'resize: { height: 16, width: 16 }'),
      hues,
    );
    const wrong: string[] = [];
    const tab = await phone(url);
    await look(tab, 'colours empty', wrong);
    await draw(tab, zero);
    await answerOf(tab, 'hue');
    await look(tab, 'colours drawn', wrong);
    await tab
      .getByLabel(/^Open images/)
      .setInputFiles(['asked/a.png', 'asked/b.png', 'large.png'].map((name) => join(dir, name)));
    await tab.getByRole('heading', { name: 'All 3 samples' }).waitFor();
    await tab.getByRole('button', { name: 'Save hue as CSV' }).waitFor();
    await look(tab, 'colours files', wrong);
    expect(wrong).toEqual([]);
    await tab.context().close();
  }, 120_000);

  it('asks about a table of long names: fields, a row that is far away, the answers to several, what cannot be read', async () => {
    const { url } = await deployed(table, people);
    const wrong: string[] = [];
    const tab = await phone(url);
    await look(tab, 'table empty', wrong);
    await tab.getByRole('textbox', { name: 'age' }).fill('9000000000');
    await tab.getByRole('textbox', { name: long.number }).fill('-9000000000');
    await tab.getByLabel(long.city).selectOption(long.village);
    await tab.getByText('Far from its training data').waitFor();
    await look(tab, 'table far', wrong);
    await tab.getByRole('textbox', { name: long.number }).fill('many');
    await tab.getByText(`${long.number}: expected a number`).waitFor();
    await look(tab, 'table wrong', wrong);
    const rows = Array.from({ length: 80 }, (_, i) => `${20 + i},${i},${long.village}${i === 3 ? '-another' : ''},x`);
    const text = `age,${long.number},${long.city},a_column_that_is_not_read\n${rows.join('\n')}\n`;
    await tab
      .getByLabel('Open a CSV file of rows to ask about')
      .setInputFiles({ name: 'rows.csv', mimeType: '', buffer: Buffer.from(text) });
    await tab.getByRole('button', { name: 'Show all 80' }).waitFor();
    await look(tab, 'table rows', wrong);
    await tab
      .getByLabel('Open a CSV file of rows to ask about')
      .setInputFiles({ name: 'rows.csv', mimeType: '', buffer: Buffer.from(`age,${long.number},${long.city}\n1,x,Basel\n`) });
    await tab.getByText(/^rows\.csv: row 2, column 2 /).waitFor();
    await look(tab, 'table unread', wrong);
    expect(wrong).toEqual([]);
    await tab.context().close();
  }, 120_000);

  it('asks about plain numbers', async () => {
    const dir = workspace();
    okIn(dir, 'train', '--all', '--quiet');
    const own = await startStudio(dir);
    const wrong: string[] = [];
    const tab = await phone(own.url);
    await tab.getByLabel(/^4 numbers/).fill('1 2 3 4');
    await answerOf(tab, 'a');
    await look(tab, 'numbers', wrong);
    const some = Float32Array.from({ length: 80 }, (_, i) => i / 9);
    const buffer = Buffer.from(writeNpy(new Tensor('float32', [20, 4], some)));
    await tab.getByLabel('Open .npy or .csv…').setInputFiles({ name: 'some.npy', mimeType: '', buffer });
    await tab.getByRole('heading', { name: 'All 20 samples' }).waitFor();
    await look(tab, 'numbers several', wrong);
    expect(wrong).toEqual([]);
    await tab.context().close();
    expect(await own.stop()).toBe(0);
  }, 60_000);
});
