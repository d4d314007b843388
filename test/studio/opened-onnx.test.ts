// An ONNX file that prognet exported, opened in the studio: it is asked as its network is, by what its metadata say of its inputs, and answers the same.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { okIn, workspace } from '../cli/support.js';
import { launch } from '../support/browser.js';
import { chromium, noChromium } from '../support/swiftshader.js';
import { answerOf, draw, openTab, type StudioProcess, startStudio } from './support.js';
import { hues, people, photos, table } from './workspaces.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';

describe.skipIf(chromium === undefined)(`an ONNX file in the studio${why}`, () => {
  let studio: StudioProcess;
  let browser: Browser;
  beforeAll(async () => {
    studio = await startStudio(workspaceOf(table, people, '--all'));
    browser = await launch(false);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    expect(await studio?.stop()).toBe(0);
  });

  /** A trained workspace with its export, `model.onnx`. */
  function workspaceOf(yaml: string, fill: (dir: string) => void, ...flags: [string, ...string[]]): string {
    const dir = workspace(yaml);
    fill(dir);
    okIn(dir, 'train', '--all', '--quiet');
    okIn(dir, 'export', '--probabilities', '-o', join(dir, 'model.onnx'), '--quiet', ...flags);
    return dir;
  }

  async function opened(file: string): Promise<Page> {
    const tab = await openTab(await browser.newContext(), studio.url);
    await tab.getByLabel(/^Open another network/).setInputFiles(file);
    await tab.getByText(/^An ONNX model with the outputs /).waitFor();
    return tab;
  }

  /** The percents on the page are those of `predict`. */
  async function answersAsPredict(tab: Page, dir: string, task: string, input: string): Promise<void> {
    const { probabilities } = JSON.parse(okIn(dir, 'predict', task, '--input', input, '--json', '--quiet'));
    const away = async () => {
      const { percents } = await answerOf(tab, task);
      return Math.max(...percents.map((p, i) => Math.abs(p - 100 * probabilities[0][i])));
    };
    await expect.poll(away).toBeLessThan(0.11);
  }

  it('of a table has its fields by name, its categories, its empty cells, and tells what is far away', async () => {
    const dir = workspaceOf(table, people, '--all');
    const tab = await opened(join(dir, 'model.onnx'));
    const one = join(dir, 'one.csv');
    await tab.getByRole('textbox', { name: 'age' }).fill('61');
    await tab.getByLabel('income').fill('70000');
    await tab.getByText('1 of 3 still to be filled in. A number may stay empty: the model fills it.').waitFor();
    for (const city of ['Bern', 'another']) {
      await tab.getByLabel('city').selectOption(city);
      writeFileSync(one, `income,city,age\n70000,${city === 'Bern' ? city : 'Uri'},61\n`);
      await answersAsPredict(tab, dir, 'kind', one);
    }
    expect((await answerOf(tab, 'kind')).names).toEqual(['leaves', 'stays']);
    await tab.getByRole('textbox', { name: 'age' }).fill('');
    writeFileSync(one, 'income,city,age\n70000,Uri,\n');
    await answersAsPredict(tab, dir, 'kind', one);
    await tab.getByLabel('income').fill('9000000');
    await tab
      .getByRole('status')
      .getByText(/^income is 9000000, in training it was [\d.]+ to [\d.]+$/)
      .waitFor();
    const rows = join(dir, 'rows.csv');
    writeFileSync(rows, 'city,age,income\nBern,30,40000\nBasel,,81000\n');
    await tab.getByLabel('Open a CSV file of rows to ask about').setInputFiles(rows);
    await tab.getByRole('heading', { name: 'All 2 samples' }).waitFor();
    await answersAsPredict(tab, dir, 'kind', rows);
    await tab.context().close();
  });

  it('without its preparation takes a row of numbers, and none of what is known of the raw ones', async () => {
    const dir = workspaceOf(table, people, '--task', 'kind', '--prepared-input');
    const tab = await opened(join(dir, 'model.onnx'));
    await tab.getByLabel(/^4 numbers/).fill('9000 0 1 0');
    await answerOf(tab, 'kind');
    expect(await tab.getByText('Far from its training data').count()).toBe(0);
    await tab.context().close();
  });

  it.each([
    ['[16, 16, 3]', '{ transpose: [2, 0, 1] }, scale'],
    ['[3, 16, 16]', 'scale'],
  ])('of images of bytes %s is drawn on, and takes files as its own data were', async (shape, prepare) => {
    const dir = workspace(photos(shape, prepare, 'resize: { height: 16, width: 16 }'));
    await hues(dir);
    okIn(dir, 'train', '--all', '--quiet');
    okIn(dir, 'export', '--all', '--probabilities', '-o', join(dir, 'model.onnx'), '--quiet');
    const tab = await opened(join(dir, 'model.onnx'));
    for (const name of ['asked/a.png', 'asked/b.png', 'large.png']) {
      await tab.getByLabel(/^Open images/).setInputFiles(join(dir, name));
      await answersAsPredict(tab, dir, 'hue', join(dir, name));
    }
    await tab.getByText('made to fit by “cover”').waitFor();
    await tab.getByLabel('Pen', { exact: true }).fill('#1020e0');
    await draw(tab, [
      [0.1, 0.5],
      [0.9, 0.5],
    ]);
    await answerOf(tab, 'hue');
    await tab.context().close();
  });
});
