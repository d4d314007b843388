// Several heads of one column, and a head of each step with lengths, on the page of `prognet deploy web` and in the studio: in Chromium, with the answers of
// `predict`; another task is taught beside them, and nothing moved.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { savesAsPredict } from '../cli/page-answers.js';
import { okIn, workspace } from '../cli/support.js';
import { answerOf, openTab, type StudioProcess, seriousViolations, startStudio, tooSmallOrCut } from '../studio/support.js';
import { launch } from '../support/browser.js';
import { type Served, serve } from '../support/serve.js';
import { chromium, noChromium } from '../support/swiftshader.js';

const why = chromium === undefined ? ` (skipped: ${noChromium})` : '';
const [rows, steps] = [120, 4];
const random = new Random(21, 'heads on a page');
const signal = Array.from({ length: rows * steps * 2 }, () => Number((random.uniform() * 4 - 2).toFixed(3)));
const first = (row: number, step: number) => signal[(row * steps + step) * 2] ?? 0;
const lengths = Array.from({ length: rows }, (_, row) => 1 + (row % steps));
const places = Array.from({ length: steps }, (_, step) => step);
const sum = (row: number) => places.reduce((total, step) => total + first(row, step), 0);

const yaml = `prognet: 1
name: signals
input:
  - { name: signal, shape: [${steps}, 2] }
  - { name: length, shape: [], dtype: int64 }
columns:
  - task: whole
    data: { source: whole.npz, targets: { marks: marks } }
    blocks: [[{ lstm: 6 }]]
    heads: { kind: { classify: { classes: 3, names: [low, middle, high] } }, marks: { binary: { labels: 2, names: [rises, long] } }, sum: { regress: 1, weight: 0.1 } }
    train: { epochs: 4, batch: 16, lr: 0.02 }
  - task: tags
    data: tags.npz
    inputs: [signal, length]
    blocks: [[{ lstm: { units: 6, sequences: true, mask: length } }]]
    head: { classify: { classes: 2, each: step, names: [down, up] } }
    laterals: none
    train: { epochs: 4, batch: 16, lr: 0.02 }
  - task: levels
    data: levels.npz
    inputs: [signal, length]
    like: tags
    head: { regress: { outputs: 1, each: step } }
    laterals: none
`;

describe.skipIf(chromium === undefined)(`heads on a page${why}`, () => {
  let dir = '';
  let browser: Browser;
  let site: Served;
  const at = (name: string) => join(dir, name);
  const save = (name: string, arrays: Readonly<Record<string, Tensor>>) =>
    writeFileSync(at(name), writeNpz(new Map(Object.entries(arrays))));
  const ints = (values: readonly number[], dims: readonly number[]) => Tensor.from('int64', [...values], dims);
  const openAll = (tab: Page) => tab.getByLabel(/^Open a \.npz file with an array for each input/);
  const asked = 5;

  beforeAll(async () => {
    dir = workspace(yaml);
    const all = Array.from({ length: rows }, (_, row) => row);
    const inputs = {
      signal: Tensor.from('float32', signal, [rows, steps, 2]),
      length: ints(lengths, [rows]),
    };
    const kinds = all.map((row) => (sum(row) < -1 ? 0 : sum(row) < 1 ? 1 : 2));
    const flags = all.flatMap((row) => [Number(first(row, 3) > first(row, 0)), Number((lengths[row] ?? 0) > 2)]);
    save('whole.npz', {
      signal: inputs.signal,
      kind: ints(kinds, [rows]),
      marks: Tensor.from('float32', flags, [rows, 2]),
      sum: Tensor.from('float32', all.map(sum), [rows]),
    });
    const each = <T>(of: (row: number, step: number) => T) => all.flatMap((row) => places.map((step) => of(row, step)));
    const there = (row: number, step: number) => step < (lengths[row] ?? 0);
    save('tags.npz', {
      ...inputs,
      y: ints(
        each((row, step) => (there(row, step) ? Number(first(row, step) > 0) : -100)),
        [rows, steps],
      ),
    });
    save('levels.npz', {
      ...inputs,
      y: Tensor.from(
        'float32',
        each((row, step) => (there(row, step) ? first(row, step) : Number.NaN)),
        [rows, steps, 1],
      ),
    });
    save('asked.npz', {
      signal: Tensor.from('float32', signal.slice(0, asked * steps * 2), [asked, steps, 2]),
      length: ints(lengths.slice(0, asked), [asked]),
    });
    save('labelled.npz', { ...inputs, y: ints(kinds, [rows]) });
    okIn(dir, 'train', '--all', '--freeze', '--quiet', '--threads', '1');
    okIn(dir, 'deploy', 'web', '-o', at('site'), '--quiet');
    site = await serve({ folders: [at('site')] });
    browser = await launch(false);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  const open = async (url: string, width = 1100) =>
    await openTab(await browser.newContext({ viewport: { width, height: 900 } }), url);

  it('answers head by head and step by step as predict does, sample by sample and as CSV', async () => {
    const tab = await open(`${site.url}/index.html`);
    await openAll(tab).setInputFiles(at('asked.npz'));
    for (const task of ['whole', 'tags', 'levels']) await savesAsPredict(tab, dir, task, at('asked.npz'));
    const predicted = (task: string) => JSON.parse(okIn(dir, 'predict', task, '--input', at('asked.npz'), '--json', '--quiet'));
    const { answers } = predicted('whole');
    const said = await answerOf(tab, 'whole kind');
    expect([said.names, said.best]).toEqual([['low', 'middle', 'high'], answers[0].kind.name]);
    said.percents.forEach((p, i) => {
      expect(p).toBeCloseTo(100 * answers[0].kind.probabilities[i], 0);
    });
    const marks = tab.getByRole('article', { name: 'Answer of whole marks' });
    expect(await marks.locator('.bars .name').allTextContents()).toEqual(['rises', 'long']);
    const number = await tab.getByRole('article', { name: 'Answer of whole sum' }).locator('.number').textContent();
    expect(Number(number)).toBeCloseTo(answers[0].sum.values[0], 3);
    const tags = predicted('tags');
    const stepsShown = (task: string) =>
      tab
        .getByRole('article', { name: `Answer of ${task}` })
        .getByRole('listitem')
        .allTextContents();
    const words = (row: number) => tags.names[row] as string[];
    expect((await stepsShown('tags')).map((text) => text.split(' ')[0])).toEqual(words(0));
    expect((await stepsShown('levels')).map((text) => Number(text).toFixed(2))).toEqual(
      predicted('levels').values[0].map(([v]: number[]) => Number(v).toFixed(2)),
    );
    // The table of all samples has a column for each head, and of steps a row's in one cell.
    const table = tab.locator('table.all');
    expect(await table.locator('thead th').allTextContents()).toEqual([
      'Sample',
      'whole kind',
      'whole marks',
      'whole sum',
      'tags',
      'levels',
    ]);
    const third = await table.locator('tbody tr').nth(2).locator('td').allTextContents();
    expect(third[0]?.startsWith(answers[2].kind.name)).toBe(true);
    expect(third[1]?.trim()).toContain(answers[2].marks.names.join(' and ') || 'none');
    expect(third[3]?.trim()).toBe(words(2).join(' '));
    expect(await seriousViolations(tab)).toEqual([]);
    await tab.close();
  });

  it('shows samples by their labels, head by head and step by step, on a narrow page', async () => {
    const tab = await open(`${site.url}/index.html`, 390);
    await tab
      .getByRole('button', { name: /^Ask about sample 1 of whole, labelled kind (low|middle|high), marks .*, sum -?[\d.]+$/ })
      .click();
    await answerOf(tab, 'whole kind');
    await tab
      .getByRole('button', { name: /^Ask about sample \d of tags, labelled ((up|down|–) ?){4}$/ })
      .first()
      .click();
    await tab.getByRole('article', { name: 'Answer of tags' }).waitFor();
    expect(await tooSmallOrCut(tab)).toEqual([]);
    await tab.close();
  });

  it('another task is taught beside them in the studio, and nothing moved', async () => {
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
