// The report of a study: its numbers are those of study.json, and nothing in it asks for a network.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readStudy } from '../../src/analysis/study/read.js';
import { dataFiles, reportJson } from '../../src/report/data.js';
import { reportPage } from '../../src/report/page.js';
import { figuresOf, tablesOf } from '../../src/report/report.js';
import { studyReport } from '../../src/tasks/report/study-report.js';
import { launch } from '../support/browser.js';
import { exampleStudy } from '../support/study-example.js';
import { chromium } from '../support/swiftshader.js';

const study = exampleStudy();
const report = studyReport(study);
type Rows = readonly Readonly<Record<string, unknown>>[];
const { tables } = JSON.parse(JSON.stringify(reportJson(report))) as { tables: Readonly<Record<string, Rows>> };

it('draws curves, transfer, forgetting and parameters', () => {
  expect(figuresOf(report).map(({ name }) => name)).toEqual([
    'study-curves-plain',
    'study-curves-noisy',
    'study-curves-inverted',
    'transfer-scores',
    'transfer-matrix-linear',
    'forgetting',
    'forgetting-scores',
    'parameters',
    'parameters-growth',
  ]);
  const names = [...figuresOf(report).map(({ name }) => name), ...tablesOf(report).map(({ name }) => name)];
  expect(names.filter((name) => !/^[A-Za-z0-9_-]+$/.test(name))).toEqual([]);
  expect(new Set(tablesOf(report).map(({ name }) => name)).size).toBe(tablesOf(report).length);
});

it('has the numbers of the study, each once', () => {
  for (const { label, tasks, after, parameters, summary } of study.methods) {
    expect(tables.methods?.find((row) => row.method === label)).toMatchObject({
      parameters,
      average: summary.average?.mean ?? null,
      average_deviation: summary.average?.deviation ?? null,
      forgetting: summary.forgetting?.mean ?? null,
      transfer: summary.transfer?.mean ?? null,
    });
    for (const { task, curve, area, end } of tasks) {
      expect(
        tables.curves?.filter((row) => row.method === label && row.task === task).map(({ mean, seed_2 }) => [mean, seed_2]),
      ).toEqual(curve.map(({ value }) => [value.mean, value.values[1]]));
      expect(tables.learned?.find((row) => row.method === label && row.task === task)).toMatchObject({
        area: area.mean,
        end: end.mean,
      });
    }
    const last = tables.after?.filter((row) => row.method === label && row.after === 'inverted').map(({ metric }) => metric);
    if (label !== 'B1') expect(last).toEqual(after.at(-1)?.map(({ mean }) => mean));
  }
  const page = reportPage(report);
  const [matrix] = study.matrices;
  for (const row of matrix?.transfer ?? [])
    for (const cell of row) if (cell !== null) expect(page).toContain(`>${cell.mean.toFixed(3)}</text>`);
  const b3 = study.methods[1]?.summary.average;
  expect(page).toContain(`${b3?.mean.toFixed(4)} ± ${b3?.deviation.toFixed(4)}</td>`);
  expect(page).toContain('every earlier one gave the very same bits over its whole test data: linear, linear-equal.');
  expect(page).toContain('Earlier tasks answered otherwise after later ones: B3.');
  expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|<script|@import|url\((?!#)|<link|src=/);
  expect(page.length).toBeLessThan(200_000);
  expect(dataFiles(report).size).toBe(tablesOf(report).length + 1);
});

it('one seed has no spread, and what was not asked for is said', () => {
  const one = { mean: 0.5, deviation: 0, values: [0.5] };
  const alone = exampleStudy();
  const [first] = alone.methods;
  if (first === undefined) throw new Error('no method');
  const tasks = first.tasks.map((t) => ({
    ...t,
    curve: [{ epoch: 1, value: one }],
    area: one,
    learned: one,
    end: one,
    transfer: null,
  }));
  const page = reportPage(
    studyReport({ ...alone, seeds: [7], matrices: [], methods: [{ ...first, tasks, bitIdentical: null }] }),
  );
  expect(page).toContain('One seed, so nothing is known of how much the numbers spread.');
  expect(page).toContain('The study has no transfer matrix: it was not asked for.');
  expect(page).toContain('No method of this study learns one task after another.');
  expect(page).not.toContain('class="spread');
});

describe('a file', () => {
  const write = (value: unknown) => {
    const folder = mkdtempSync(join(tmpdir(), 'prognet-study-'));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'study.json');
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  it('comes back as it was', () => {
    expect(readStudy(write(study))).toEqual(study);
  });
  it('that is none is refused in one line', () => {
    expect(() => readStudy(write({ ...study, seeds: 'many' }))).toThrow(
      /study\.json: seeds: found "many", expected a result that prognet study wrote/,
    );
    expect(() => readStudy(write([]))).toThrow(/study\.json: found \[\], expected a result that prognet study wrote/);
    const [task, ...others] = study.tasks;
    expect(() => readStudy(write({ ...study, tasks: [{ ...task, task: '../x' }, ...others] }))).toThrow(
      /^task "\.\.\/x" is no valid name/,
    );
  });
});

describe.skipIf(chromium === undefined)(`in a browser${chromium === undefined ? ' (skipped: no chromium here)' : ''}`, () => {
  const browser = chromium === undefined ? undefined : launch(false);
  afterAll(async () => (await browser)?.close());
  it('has no barrier that axe finds, and no text of a picture is cut or lies on another', async () => {
    const page = await (await browser)?.newPage({ viewport: { width: 1180, height: 900 } });
    if (page === undefined) throw new Error('no page');
    await page.setContent(reportPage(report));
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()');
    expect(violations.map(({ id }) => id)).toEqual([]);
    const found = await page.evaluate<unknown>(`(() => [...document.querySelectorAll('svg')].map((svg) => {
      const own = svg.getBoundingClientRect();
      const boxes = [...svg.querySelectorAll('text')].map((t) => ({ text: t.textContent, box: t.getBoundingClientRect(), aslant: t.hasAttribute('transform') }));
      const over = (a, b) => !(a.aslant && b.aslant) && a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 && a.box.top < b.box.bottom - 4 && b.box.top < a.box.bottom - 4;
      return [
        boxes.filter(({ box }) => box.left < own.left || box.right > own.right + 0.5 || box.bottom > own.bottom).map((b) => b.text),
        boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b) => (over(a, b) ? [[a.text, b.text]] : []))),
      ];
    }).flat(2))()`);
    expect(found).toEqual([]);
    await page.close();
  });
});
