// Learning curves: what stands in the picture, and in a browser that nothing is cut, that it is dark where the system is, and that nothing is fetched.
import { afterAll, describe, expect, it } from 'vitest';
import { type Curves, curvesSvg } from '../../src/chart/curves.js';
import { evenScale, linePath, logScale, wholeTicks } from '../../src/chart/scale.js';
import { launch } from '../support/browser.js';
import { chromium } from '../support/swiftshader.js';

const points = (...values: number[]) => values.map((value, i) => ({ epoch: i + 1, value }));

const curves = (runs: number): Curves => ({
  title: 'Learning curves of <a task> & others',
  runs: Array.from({ length: runs }, (_, i) => ({
    name: `${'a-long-name-of-a-task'.repeat(i + 1)}`,
    about: 'trained, not frozen, 200 epochs; best epoch 143 by validation balanced accuracy',
    result: 'test accuracy 0.9876',
    best: 2,
  })),
  panels: [
    { name: 'loss', unit: 'mean over rows', logarithmic: true, lines: lines(runs, [20, 1, 0.05]) },
    { name: 'r2', unit: 'of the variance, 1 is best', least: -1, lines: lines(runs, [-300, 0.2, 0.93]) },
    { name: 'rmse', unit: 'root mean squared error, unit of the target', lines: lines(runs, [123456789, 120000000, 119999999]) },
  ],
});
const lines = (runs: number, values: number[]) =>
  Array.from({ length: runs }, (_, run) => run).flatMap((run) =>
    (['training', 'validation'] as const).map((part) => ({ run, part, points: points(...values) })),
  );

describe('scales', () => {
  it('end on marks, and hold every value', () => {
    expect(evenScale([0.21, 0.97]).ticks).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(evenScale([3, 3]).ticks.length).toBeGreaterThan(1);
    expect(evenScale([0]).ticks).toEqual([-0.5, 0, 0.5]);
    expect(evenScale([-1, 0.93]).ticks).toEqual([-1, -0.5, 0, 0.5, 1]);
    const log = logScale([0.05, 20]);
    expect([log.from, log.to, log.ticks]).toEqual([0.05, 20, [0.1, 1, 10]]);
    expect([log.at(0.05), log.at(1), log.at(20)]).toEqual([0, 0.5, 1].map((v) => expect.closeTo(v, 6)));
    expect(logScale([0.3, 4]).ticks).toEqual([0.2, 0.5, 1, 2, 5]);
  });

  it('count epochs in whole numbers, the last among them', () => {
    expect([1, 2, 7, 21, 200].map((last) => wholeTicks(last, 6))).toEqual([
      [1],
      [1, 2],
      [1, 2, 4, 6, 7],
      [1, 5, 10, 15, 21],
      [1, 50, 100, 150, 200],
    ]);
  });

  it('a line is parted where there is no number', () => {
    expect(
      linePath([
        [0, 1],
        [1, 2],
        [2, Number.NaN],
        [3, 4],
        [4, 5],
      ]),
    ).toBe('M0.0 1.0 L1.0 2.0 M3.0 4.0 L4.0 5.0');
  });
});

it('says what it shows, and holds nothing from elsewhere', () => {
  const svg = curvesSvg(curves(1));
  expect(svg).toContain('<title id="title">Learning curves of &lt;a task&gt; &amp; others</title>');
  expect(svg).toMatch(/role="img" aria-labelledby="title desc"/);
  expect(svg).toContain('loss on validation data: 20 in epoch 1, 0.05 in epoch 3.');
  expect(svg).toMatch(/>mean over rows, logarithmic</);
  expect(svg).toMatch(/>of the variance, 1 is best, cut at -1</);
  expect(svg).toContain('>0.2 at best<');
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|<script|@import|url\((?!#)/);
});

it('a strong run is above the others, quiet ones have one row together and lie behind', () => {
  const runs = curves(4).runs.map((run, i) => ({
    ...run,
    ...(i === 0 && { weight: 'strong' as const }),
    ...(i > 1 && { weight: 'quiet' as const }),
  }));
  const svg = curvesSvg({ ...curves(4), runs });
  expect(svg).toContain('>2 more</text>');
  expect(svg.match(/class="name" x="48"/g)).toHaveLength(2);
  const [panel = ''] = svg.split('>r2<');
  const lines = [...panel.matchAll(/<path class="(\S+ \S+( strong)?)" clip-path/g)].map(([, name]) => name);
  expect(lines.slice(0, 4).every((name) => name?.endsWith('quiet'))).toBe(true);
  expect(lines.slice(-2)).toEqual(['training c0', 'validation c0 strong']);
  expect(svg).toMatch(/<desc id="desc">.* 2 more\. /);
});

it('one epoch is a point', () => {
  const one = curvesSvg({
    title: 't',
    runs: [{ name: 'a', about: 'x' }],
    panels: [{ name: 'loss', unit: '', lines: [{ run: 0, part: 'training', points: points(2) }] }],
  });
  expect(one.match(/<circle/g)).toHaveLength(1);
  expect(one).not.toContain('NaN');
});

it('other steps than epochs have their own names, a point each, and no data to tell apart', () => {
  const svg = curvesSvg({
    title: 't',
    runs: [
      { name: 'a', about: 'x' },
      { name: 'b', about: 'y' },
    ],
    panels: [
      { name: 'accuracy', unit: '', lines: [0, 1].map((run) => ({ run, part: 'validation' as const, points: points(2, 5, 7) })) },
    ],
    along: { name: 'examples a class', at: ['2', '5 < 6', '50'] },
  });
  expect(svg).toContain('>5 &lt; 6</text>');
  expect(svg).toContain('>examples a class</text>');
  // A sign for each run, at each of its points and beside its name.
  const signs = [...svg.matchAll(/<path class="shape validation (c\d)" d="M[\d. -]+([a-zA-Z])/g)].map(
    ([, run, kind]) => `${run} ${kind}`,
  );
  expect(signs.toSorted()).toEqual(['c0 h', 'c0 h', 'c0 h', 'c0 h', 'c1 L', 'c1 L', 'c1 L', 'c1 L']);
  expect(svg).not.toContain('<circle');
  expect(svg).not.toMatch(/>(epoch|validation)</);
  expect(svg).toContain('a, accuracy by examples a class: 2 at 2, 5 at 5 &lt; 6, 7 at 50.');
});

it('what values spread by lies behind their line, on the scale', () => {
  const spread = points(0.4, 0.6).map((point) => ({ ...point, spread: 0.2 }));
  const svg = curvesSvg({
    title: 't',
    runs: [{ name: 'a', about: 'x' }],
    panels: [{ name: 'accuracy', unit: '', lines: [{ run: 0, part: 'validation', points: spread }] }],
  });
  expect(
    svg.match(/<path class="spread validation c0" clip-path="url\(#p0\)" d="M[^"]*Z"\/>\n?<path class="validation c0"/g),
  ).toHaveLength(1);
  expect(svg).toContain('>0.8</text>');
});

describe.skipIf(chromium === undefined)(`in a browser${chromium === undefined ? ' (skipped: no chromium here)' : ''}`, () => {
  const browser = chromium === undefined ? undefined : launch(false);
  afterAll(async () => (await browser)?.close());

  it.each([
    [1, 'light', '#ffffff'],
    [6, 'dark', '#14171c'],
  ] as const)('%i runs, %s: nothing is cut, no text on another', async (runs, colorScheme, paper) => {
    const page = await (await browser)?.newPage({ colorScheme, viewport: { width: 390, height: 844 } });
    if (page === undefined) throw new Error('no page');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.setContent(`<body style="margin:0">${curvesSvg(curves(runs))}`);
    const found = await page.evaluate<unknown>(`(() => {
      const svg = document.querySelector('svg');
      const own = svg.getBoundingClientRect();
      const boxes = [...svg.querySelectorAll('text')].map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }));
      const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
      return {
        width: own.width,
        cut: boxes.filter(({ box }) => box.left < own.left || box.right > own.right + 0.5 || box.bottom > own.bottom).map((b) => b.text),
        over: boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b) => (over(a.box, b.box) ? [[a.text, b.text]] : []))),
        filled: [...svg.querySelectorAll('path:not(.shape)')].filter((path) => getComputedStyle(path).fill !== 'none').length,
        paper: getComputedStyle(svg).getPropertyValue('--paper'),
      };
    })()`);
    expect(found).toEqual({ width: 390, cut: [], over: [], filled: 0, paper: paper === '#ffffff' ? '#fff' : paper });
    expect(asked).toEqual([]);
    await page.close();
  });
});
