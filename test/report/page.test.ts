// The page of a report and its data files: every text escaped, nothing from elsewhere, the same numbers in each form, no barrier that axe finds.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { barsPicture } from '../../src/chart/bars.js';
import { dataFiles, reportJson, tableCsv } from '../../src/report/data.js';
import { figureFiles } from '../../src/report/figures.js';
import { reportPage } from '../../src/report/page.js';
import { type Report, type Table, tablesOf, written } from '../../src/report/report.js';
import { launch } from '../support/browser.js';
import { chromium } from '../support/swiftshader.js';

const evil = '<script>alert(1)</script>"\'&\u0007';
const table: Table = {
  name: 'things',
  caption: `Things of ${evil}`,
  columns: [
    { key: 'task', name: evil, as: 'text' },
    { key: 'count', name: 'count', as: 'count' },
    { key: 'accuracy', name: 'accuracy', as: 'measure' },
    { key: 'at', name: 'at', as: 'when' },
    { key: 'sha256', name: 'hash', as: 'hash' },
  ],
  rows: [
    [evil, 1234567, 0.98765432, '2026-01-31T12:34:56.789Z', 'ab'.repeat(32)],
    ['=1+1', null, null, null, null],
    ['a "quoted", text', 0, 1, null, null],
  ],
};
const report: Report = {
  of: 'workspace',
  title: `Report of ${evil}`,
  about: evil,
  created: '2026-11-29T20:01:02.000Z',
  version: '9.9.9',
  sections: [
    {
      id: 'things',
      heading: evil,
      says: [evil],
      figures: ['one', 'two'].map((name) => ({
        name,
        says: evil,
        picture: barsPicture({
          title: evil,
          parts: [evil, 'rest'],
          panels: [{ name: evil, unit: evil, rows: [{ name: evil, values: [1, 2], said: evil }] }],
        }),
      })),
      tables: [table, { ...table, name: 'folded', folded: true, most: 2 }],
    },
  ],
};

it('writes numbers as the command line does, and - for what is not known', () => {
  const [first = [], second = []] = table.rows;
  const shown = (row: typeof first) => table.columns.map(({ as }, i) => written(row[i] ?? null, as));
  expect(shown(first).slice(1, 4)).toEqual(['1 234 567', '0.9877', '2026-01-31 12:34 UTC']);
  expect(shown(second)).toEqual(['=1+1', '-', '-', '-', '-']);
  expect([written(2.5, 'seconds'), written(2.5, 'times'), written(0.5, 'share'), written(1e-7, 'short')]).toEqual([
    '2.5 s',
    '2.50 times',
    '0.500',
    '1e-7',
  ]);
});

it('escapes every text of the page and of the pictures, and asks for nothing', async () => {
  const page = reportPage(report);
  const files = await figureFiles(report);
  expect([...files.keys()]).toEqual(['one.svg', 'two.svg']);
  for (const text of [page, ...[...files.values()].map((bytes) => new TextDecoder().decode(bytes))]) {
    expect(text).not.toMatch(/<script|\u0007/);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;');
    expect(text.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|@import|url\((?!#)|<link|src=/);
  }
  expect(page).toContain("default-src 'none'");
  expect(page).toContain('(2 of 3 rows)');
  // Two pictures alike in one page have ids of their own.
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('gives the same numbers to JSON and CSV, in full', () => {
  const files = dataFiles(report);
  expect([...files.keys()]).toEqual(['report.json', 'things.csv', 'folded.csv']);
  const json = JSON.parse(new TextDecoder().decode(files.get('report.json')));
  expect(json).toEqual(JSON.parse(JSON.stringify(reportJson(report))));
  expect(json.tables.things).toHaveLength(3);
  expect(json.tables.folded).toEqual(json.tables.things);
  expect(json.tables.things[0]).toMatchObject({ count: 1234567, accuracy: 0.98765432 });
  // A text that a program for tables would run is none any more.
  expect(tableCsv(table).split('\r\n').slice(2)).toEqual(["'=1+1,,,,", '"a ""quoted"", text",0,1,,', '']);
});

it('names each table once', () => {
  expect(tablesOf(report).map(({ name }) => name)).toEqual(['things', 'folded']);
});

describe.skipIf(chromium === undefined)(`in a browser${chromium === undefined ? ' (skipped: no chromium here)' : ''}`, () => {
  const browser = chromium === undefined ? undefined : launch(false);
  afterAll(async () => (await browser)?.close());
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  it.each(['light', 'dark'] as const)(
    '%s, on a phone: no barrier, nothing beside the page, no script runs',
    async (colorScheme) => {
      const page = await (await browser)?.newPage({ colorScheme, viewport: { width: 360, height: 780 } });
      if (page === undefined) throw new Error('no page');
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('dialog', () => asked.push('a script ran'));
      await page.setContent(reportPage(report));
      await page.evaluate(axe);
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      expect(asked).toEqual([]);
      await page.close();
    },
  );
});
