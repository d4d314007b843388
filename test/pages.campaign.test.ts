// README.md and the pages of docs that are no tours, followed to the letter as the tours are: a stranger has the packed package and an empty folder.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDescription } from '../src/model/description/parse.js';
import { columnsOf } from '../src/model/progressive/column.js';
import { environment } from './python/python.js';
import { serving } from './serve/serving.js';
import { launch } from './support/browser.js';
import { followPages, python } from './support/follow.js';
import { previewed } from './support/preview.js';
import { serve as serveFolder } from './support/serve.js';
import { serve as startService } from './support/service.js';
import { chromium, noChromium } from './support/swiftshader.js';
import { blocksOf } from './support/tour.js';

const repo = new URL('..', import.meta.url).pathname;
const { follow } = followPages();
const withoutBrowser = chromium === undefined ? ` (not opened: ${noChromium})` : '';
const training = environment('.venv-training');
/** Of a page that has one block of Python to run. */
const leftOf = python.missing ? ['no Python'] : [];

const children: ReturnType<typeof spawn>[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

describe('a stranger follows', () => {
  it('README.md', () => {
    const titles = { yaml: 'described/prognet.yaml', ts: 'library.ts' };
    const after = `npx prognet check -C described
npm install typescript @types/node
mv library.ts library.mts
npx tsc --module nodenext --types node library.mts
node library.mjs
npx prognet check -C family`;
    const train =
      'npx prognet train --all                           # columns are trained and frozen, one after another: some minutes';
    // What it says takes two minutes, ten epochs of each task.
    const instead = { [train]: 'npx prognet train --all --epochs 1' };
    expect(readFileSync(join(repo, 'README.md'), 'utf8')).toContain(`\n${train}\n`);
    expect(follow('README.md', { titles, instead, after }).left).toEqual([]);
  }, 300_000);

  it(`docs/artifacts.md${training.note}`, () => {
    const reason = 'the training package stands in an environment of its own, in which the test runs it';
    // The page's own commands, but that Python is the one of that environment, without PyTorch.
    const page = blocksOf(readFileSync(join(repo, 'docs/artifacts.md'), 'utf8'));
    expect(page.filter(({ left }) => left !== undefined)).toMatchObject([{ left: reason, text: 'python train.py\n' }]);
    const trains = `PYTHONPATH=${join(repo, 'scripts/python')} ${join(repo, '.venv-training/bin/python')} -c "import ort_training, runpy; runpy.run_path('train.py')"`;
    if (!training.missing) expect(follow('docs/artifacts.md', { instead: { 'python train.py': trains } }).left).toEqual([]);
  }, 180_000);

  it('docs/concepts.md', () => {
    const { reader, left } = follow('docs/concepts.md', { titles: { yaml: 'columns.yaml' } });
    expect(left).toEqual([]);
    const columns = [{ task: 'digits', blocks: [['flatten']], head: { classify: 10 } }];
    columns.push(...parse(readFileSync(join(reader.root, 'columns.yaml'), 'utf8')));
    const described = parseDescription({ prognet: 1, name: 'words', input: { name: 'image', shape: [1, 28, 28] }, columns });
    expect(described.columns.at(-1)?.laterals).toEqual({
      kind: 'linear',
      from: ['digits', 'rows', 'looking', 'layered', 'tags'],
      into: [0],
    });
    expect([...columnsOf(described)].map(({ taps }) => taps)).toEqual([
      [[784]],
      [[28, 128], [64]],
      [[28, 28], [28]],
      [[28, 28], [28]],
      [
        [28, 128],
        [28, 32],
      ],
      [],
    ]);
  }, 60_000);

  it('docs/deploy.md', async () => {
    const { reader, left } = follow('docs/deploy.md');
    expect(left).toEqual([
      'npm ci asks a registry, and the service runs until it is stopped; the test starts it on installed packages',
      'the test asks the service that it started, by this very line',
      'what the service answers; the test compares it',
      'a test starts the Triton that a Python package brings, with this flag',
      'pip asks a registry; a test starts MLServer on the folder',
      'the test runs it on the lock of each kind of folder',
    ]);
    const [, ask, answer] = blocksOf(readFileSync(join(repo, 'docs/deploy.md'), 'utf8')).filter(
      (block) => block.left !== undefined,
    );
    const url = await startService(join(reader.root, 'shop/service'));
    const line = ask?.text.replace('localhost:8000', url.replace('http://', '')) ?? '';
    const answered = JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' }));
    const shown = JSON.parse(answer?.text ?? '');
    // Trained weights, and so the scores, are of this processor.
    const near = (rows: number[][]) => rows.map((row) => row.map((v) => expect.closeTo(v, 0)));
    expect(answered).toEqual({ ...shown, scores: near(shown.scores), probabilities: near(shown.probabilities) });
  }, 120_000);

  it('docs/serve.md', async () => {
    const { reader, left } = follow('docs/serve.md');
    expect(left).toEqual([
      'it runs until it is stopped; the test starts it on a port that is free',
      'the test asks the server that it started, by this very line',
      'what the server answers; the test compares it',
      'it runs until it is stopped; test/serve/tracing.test.ts starts a server with the file above',
    ]);
    const [, line, answer] = blocksOf(readFileSync(join(repo, 'docs/serve.md'), 'utf8')).filter((b) => b.left !== undefined);
    // The options of the page's file hold as they stand, but for its ports.
    const { http, models } = await serving(
      '--config',
      join(reader.root, 'shop/serve.yaml'),
      '-C',
      join(reader.root, 'shop'),
      join(reader.root, 'shop'),
    );
    expect(models).toEqual(['customers', 'left', 'took']);
    const asked = (line?.text ?? '').replace('localhost:8000', http.replace('http://', ''));
    expect(JSON.parse(execFileSync('sh', ['-c', asked], { encoding: 'utf8' }))).toEqual(JSON.parse(answer?.text ?? ''));
  }, 120_000);

  it('docs/gradients.md', () => {
    expect(follow('docs/gradients.md').left).toEqual([]);
  }, 60_000);

  it('docs/import.md', () => {
    const left = [
      'PyTorch is not among what the tests install; test/tasks/import.test.ts imports what it exported',
      'test/tasks/import-backbone.test.ts does it',
    ];
    expect(follow('docs/import.md').left).toEqual(left);
  }, 120_000);

  it('docs/analysis.md', () => {
    expect(follow('docs/analysis.md').left).toEqual([]);
  }, 240_000);

  it('docs/study.md', () => {
    expect(follow('docs/study.md').left).toEqual([]);
  }, 120_000);

  it('docs/report.md', () => {
    const { reader, left } = follow('docs/report.md');
    expect(left).toEqual([]);
    expect(existsSync(join(reader.root, 'shop/figures/network.png'))).toBe(true);
  }, 120_000);

  it('docs/tuning.md', () => {
    expect(follow('docs/tuning.md').left).toEqual([]);
  }, 60_000);

  it(`docs/fleet.md${python.note}`, () => {
    expect(follow('docs/fleet.md').left).toEqual(leftOf);
  }, 180_000);

  it(`docs/inference.md${python.note}`, () => {
    expect(follow('docs/inference.md').left).toEqual(leftOf);
  }, 60_000);

  it('docs/precision.md', () => {
    const { reader, left } = follow('docs/precision.md');
    expect(left).toEqual([]);
    const size = (name: string) => readFileSync(join(reader.root, 'pictures', name)).length;
    expect(size('small.onnx')).toBeLessThan(0.4 * size('all.onnx'));
  }, 120_000);

  it('docs/providers.md', () => {
    expect(follow('docs/providers.md').left).toEqual([
      'CUDA libraries are fetched from their maker, and a CUDA device is needed',
    ]);
  }, 60_000);

  it(`docs/studio.md${withoutBrowser}`, async () => {
    const { reader, left } = follow('docs/studio.md');
    expect(left).toEqual(['it serves until it is stopped; the test serves it and opens it in Chromium']);
    if (chromium === undefined) return;
    const [shown] = blocksOf(readFileSync(join(repo, 'docs/studio.md'), 'utf8')).filter((block) => block.left !== undefined);
    expect(shown?.text).toBe('npx prognet studio --open\n');
    const main = join(reader.root, 'node_modules/prognet/dist/cli/main.js');
    const child = spawn('node', [main, 'studio', '--port', '0'], { cwd: join(reader.root, 'shop') });
    children.push(child);
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      const hear = (chunk: Buffer) => {
        said += chunk;
        const found = /http:\/\/127\.0\.0\.1:\d+\S*/.exec(said)?.[0];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('close', () => reject(new Error(said)));
    });
    const site = await serveFolder({ folders: [join(reader.root, 'shop/site')] });
    const browser = await launch(false);
    try {
      for (const address of [url, `${site.url}/index.html`]) {
        const tab = await browser.newPage();
        await tab.goto(address);
        await tab.getByRole('heading', { name: 'Answers' }).waitFor();
        await tab.close();
      }
    } finally {
      await browser.close();
      await site.close();
    }
  }, 120_000);

  it(`docs/web.md${withoutBrowser}`, async () => {
    const { reader, left } = follow('docs/web.md');
    expect(left).toEqual([]);
    if (chromium === undefined) return;
    await previewed(reader.root, async (tab, open) => {
      const said: string[] = [];
      tab.on('pageerror', (error) => said.push(String(error)));
      tab.on('console', (message) => message.type() === 'log' && said.push(message.text()));
      await open();
      await expect.poll(() => said.at(-1), { timeout: 60_000 }).toMatch(/^unchanged: true bytes: \d+ \d+$/);
      expect(said.slice(0, 2)).toEqual([expect.stringMatching(/^wasm /), '[40] [40, 3]']);
    });
  }, 180_000);
});
