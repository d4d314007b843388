// Colours of pictures: what stands on a ground is read there, and series are told apart.
import { expect, it } from 'vitest';
import { escaped, heatPairs, seriesColours, svgFile, svgPlain } from '../../src/chart/picture.js';

/** Relative luminance of WCAG 2. */
function luminance(colour: string): number {
  const hex = colour.length === 4 ? colour.replace(/[0-9a-f]/g, '$&$&') : colour;
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const v = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

it.each([0, 1] as const)('numbers are read on every colour of heat, mode %i', (mode) => {
  for (const [ground, ink] of heatPairs)
    expect([ground[mode], contrast(ground[mode], ink[mode]) >= 4.5]).toEqual([ground[mode], true]);
});

it.each([0, 1] as const)('lines stand out of the paper, mode %i', (mode) => {
  const paper = ['#ffffff', '#14171c'][mode] ?? '';
  for (const colour of seriesColours) expect(contrast(colour[mode], paper)).toBeGreaterThan(3);
});

it('a file has no text that XML cannot hold, and a plain one no variable', () => {
  const picture = { width: 9, height: 9, title: 'a\u0000b', spoken: '"<', body: () => `<text>${escaped('\u0008')}</text>` };
  expect(svgFile(picture)).not.toMatch(/[\u0000\u0008]/);
  expect(svgFile(picture)).toContain('&quot;&lt;');
  expect(svgPlain(picture)).not.toMatch(/var\(|@media/);
});
