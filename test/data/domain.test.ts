// What is marked as unlike a column's own samples: at most a twentieth of its own, all that is far away, whatever the number of features.
import { expect, it } from 'vitest';
import { type AboutTask, decodeAbout, encodeAbout } from '../../src/data/about-tasks.js';
import { type Domain, domainIn, domainOf, domainText, doubtsOf, isStrange, type ScoresAndTap } from '../../src/data/domain.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

/** Two classes around (3, 0, ...) and (0, 3, ...), the second feature of each pair ten times as wide; scores that say so. */
function rows(count: number, width: number, seed: number, away = 0): ScoresAndTap & { labels: number[] } {
  const random = new Random(seed, 'rows');
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  const tap = Float32Array.from({ length: count * width }, (_, i) => {
    const [row, j] = [Math.floor(i / width), i % width];
    return (j === labels[row] ? 3 : 0) + away + random.normal() * (j % 2 === 0 ? 0.1 : 1);
  });
  const scores = Float32Array.from({ length: count * 2 }, (_, i) => (i % 2 === labels[i >> 1] ? 4 : -4) + random.normal());
  return { labels, tap: new Tensor('float32', [count, width], tap), scores: new Tensor('float32', [count, 2], scores) };
}

const share = (domain: Domain, seen: ScoresAndTap) =>
  doubtsOf(domain, seen).filter((v) => isStrange(domain, v)).length / (seen.scores.dims[0] ?? 1);

it.each([4, 64, 400])('of %i features a twentieth of its own is marked, and all that is far away', (width) => {
  const learned = rows(800, width, 1);
  const own = rows(400, width, 2);
  for (const labels of [learned.labels, undefined]) {
    const domain = must(domainOf(learned, labels, own), 'domain');
    expect(share(domain, own)).toBe(0.05);
    expect(share(domain, rows(400, width, 3))).toBeLessThan(0.12);
    expect(share(domain, rows(100, width, 4, 20))).toBe(1);
  }
});

it('marks what is no number, and says nothing of few samples', () => {
  const domain = must(domainOf(rows(100, 4, 1), undefined, rows(40, 4, 2)), 'domain');
  expect(isStrange(domain, Number.NaN)).toBe(true);
  expect(domainOf(rows(39, 4, 1), undefined, rows(100, 4, 2))).toBeUndefined();
  expect(domainOf(rows(100, 4, 1), undefined, rows(39, 4, 2))).toBeUndefined();
});

it('a domain is the same out of its text, and what is no such text says nothing', () => {
  const learned = rows(100, 4, 1);
  const domain = must(domainOf(learned, learned.labels, rows(40, 4, 2)), 'domain');
  const text = domainText(domain);
  expect(domainIn(text)).toEqual(domain);
  const parsed = JSON.parse(text);
  for (const bad of [
    undefined,
    'no JSON',
    '{}',
    JSON.stringify({ ...parsed, means: [1] }),
    JSON.stringify({ ...parsed, rows: 'x' }),
  ])
    expect(domainIn(bad)).toBeUndefined();
});

it.each([
  [16, 5_000],
  [64, 45_000],
  [400, 45_000],
])('the text of %i features and ten classes takes at most %i bytes', (width, most) => {
  const learned = rows(800, width, 1);
  const labels = learned.labels.map((_, i) => i % 10);
  expect(domainText(must(domainOf(learned, labels, rows(400, width, 2)), 'domain')).length).toBeLessThan(most);
});

it('a page reads what was written, and refuses what is no such file', () => {
  const task = {
    weights: 'a',
    labels: ['x', 'y'],
    samples: [Tensor.from('float32', [1, 2], [2, 1]), Tensor.from('int64', [3, 4], [2])],
  };
  const tasks = new Map<string, AboutTask>([
    ['t', task],
    ['u', { weights: 'b' }],
  ]);
  const about = { decimal: ',' as const, tasks };
  expect(decodeAbout(encodeAbout(about), 'about')).toEqual(about);
  const other = encodeAbout({ decimal: '.', tasks: new Map() }).map((v) => (v === 0x2e ? 0x2d : v));
  expect(() => decodeAbout(other, 'about')).toThrow('about: says nothing of tasks under prognet.about');
});
