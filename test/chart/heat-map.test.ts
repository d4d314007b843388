// Heat maps, bars and the drawing of a network: each number in its place with its colour, and in a browser nothing cut and no text on another.
import { afterAll, describe, expect, it } from 'vitest';
import { barsPicture } from '../../src/chart/bars.js';
import { type HeatMap, heatPicture } from '../../src/chart/heat-map.js';
import { networkPicture } from '../../src/chart/network.js';
import { type Picture, svgFile } from '../../src/chart/picture.js';
import { launch } from '../support/browser.js';
import { chromium } from '../support/swiftshader.js';

const names = (n: number) => Array.from({ length: n }, (_, i) => `a-task-of-a-long-name-${i}`);
const heat = (n: number): HeatMap => ({
  title: 'Transfer',
  rowsAre: 'sources',
  columnsAre: 'targets',
  rows: names(n),
  columns: names(n),
  cells: names(n).map((_, r) => names(n).map((_, c) => (r === c ? undefined : { value: r / n, said: (r / n).toFixed(3) }))),
  scale: { most: 1 },
  unit: 'share',
});

const classesOf = (svg: string) => [...svg.matchAll(/<rect class="cell (\w+)"/g)].map(([, name]) => name);

it('a heat map colours by steps to both ends, and leaves out what is not known', () => {
  const cells = [[0, 0.5, 1, undefined, 9].map((value) => (value === undefined ? undefined : { value, said: `v${value}` }))];
  const of = (scale: HeatMap['scale']) => svgFile(heatPicture({ ...heat(1), rows: ['r'], columns: [...'abcde'], cells, scale }));
  expect(classesOf(of({ most: 1 }))).toEqual(['h0', 'h4', 'h7', 'h7']);
  expect(classesOf(of({ around: 0.5, reach: 0.5 }))).toEqual(['s0', 's3', 's6', 's6']);
  expect(classesOf(of({ around: 0.5, reach: 0 }))).toEqual(['s3', 's3', 's3', 's3']);
  const svg = of({ most: 1 });
  expect(svg.match(/class="none"/g)).toHaveLength(1);
  expect(svg).toContain('Rows are sources, columns are targets. r: a v0, b v0.5, c v1, e v9.');
});

it('bars begin at nothing, also to the other side, and say what they are', () => {
  const svg = svgFile(
    barsPicture({
      title: 't',
      parts: [],
      panels: [
        {
          name: 'p',
          unit: 'u',
          rows: [
            { name: 'a', values: [2] },
            { name: 'b', values: [-1], spread: 0.5 },
            { name: 'c', values: [] },
          ],
        },
      ],
    }),
  );
  const [a, b] = [...svg.matchAll(/<rect class="c0" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, x, w]) => [
    Number(x),
    Number(w),
  ]);
  // The left end of the first is the right end of the second, half as long.
  expect((b?.[0] ?? 0) + (b?.[1] ?? 0)).toBeCloseTo(a?.[0] ?? 0, 0);
  expect(2 * (b?.[1] ?? 0)).toBeCloseTo(a?.[1] ?? 0, 0);
  expect(svg).toContain('p, u: a 2, b -1, c not known.');
  expect(svg.match(/class="whisker"/g)).toHaveLength(1);
});

const network = (shares: boolean): Picture =>
  networkPicture({
    title: 'The network',
    input: 'x 4',
    unit: 'by Fisher sensitivity',
    tasks: ['a', 'b'].map((task, i) => ({
      task,
      trained: i === 0,
      blocks: [
        { layers: ['dense 8', 'relu'], shape: [8] },
        { layers: ['dense 8', 'relu'], shape: ['length', 8] },
      ],
      head: 'classify',
      outputs: 2,
      laterals: i === 0 ? [] : [{ source: 'a', sourceBlock: 0, into: 1, gain: 0.75, ...(shares && { share: 0.75 }) }],
      own: new Map(i === 1 && shares ? [[1, 0.25]] : []),
    })),
  });

it('the drawing of a network has every lateral, its share and whether it is known', () => {
  const [known, not] = [svgFile(network(true)), svgFile(network(false))];
  expect(known).toContain('<title>a into block 1 of b: 75 %</title>');
  expect(known).toContain('>25 %</text>');
  expect(known).toContain('laterals a into block 1 75 %.');
  expect(known).not.toContain('class="unknown"');
  expect(not.match(/class="unknown"/g)).toHaveLength(1);
  expect(not).toContain('dotted: a lateral that is not measured');
  expect(not.match(/class="box new"/g)).toHaveLength(2);
});

describe.skipIf(chromium === undefined)(`in a browser${chromium === undefined ? ' (skipped: no chromium here)' : ''}`, () => {
  const browser = chromium === undefined ? undefined : launch(false);
  afterAll(async () => (await browser)?.close());

  const rows = names(3).map((name, i) => ({ name, values: [1234567 * i, 1000], said: '1 234 567' }));
  it.each<[string, Picture]>([
    ['a small heat map', heatPicture(heat(2))],
    ['a large heat map', heatPicture(heat(20))],
    [
      'bars',
      barsPicture({
        title: 'Growth',
        parts: ['the column itself', 'what else its model holds'],
        panels: [{ name: 'parameters', unit: 'of each', rows }],
      }),
    ],
    ['a network', network(true)],
    ['a network not measured', network(false)],
  ])('%s: nothing is cut, no text on another', async (_, picture) => {
    const page = await (await browser)?.newPage({ viewport: { width: picture.width, height: 900 } });
    if (page === undefined) throw new Error('no page');
    await page.setContent(`<body style="margin:0">${svgFile(picture)}`);
    const found = await page.evaluate<unknown>(`(() => {
      const svg = document.querySelector('svg');
      const own = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('text')];
      const boxes = texts.map((t) => ({ text: t.textContent, box: t.getBoundingClientRect(), aslant: t.hasAttribute('transform') }));
      const over = (a, b) => !(a.aslant && b.aslant) && a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 && a.box.top < b.box.bottom - 4 && b.box.top < a.box.bottom - 4;
      return {
        cut: boxes.filter(({ box }) => box.left < own.left || box.right > own.right + 0.5 || box.bottom > own.bottom).map((b) => b.text),
        over: boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b) => (over(a, b) ? [[a.text, b.text]] : []))),
      };
    })()`);
    expect(found).toEqual({ cut: [], over: [] });
    await page.close();
  });
});
