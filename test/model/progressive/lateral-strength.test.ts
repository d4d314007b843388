// Lateral strengths against the definition, worked out by another route: what a lateral makes of independent inputs of mean square 1.
import { expect, it } from 'vitest';
import {
  adapter,
  buildDescription,
  classify,
  column,
  conv2d,
  dense,
  flatten,
  input,
  linearLaterals,
  maxpool2d,
  relu,
} from '../../../src/model/description/builder.js';
import { parseDescription } from '../../../src/model/description/parse.js';
import { lateralStrengths } from '../../../src/model/progressive/lateral-strength.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { columnAt, initialAt } from '../../support/by-place.js';

const small = [
  [dense(3), relu()],
  [dense(5), relu()],
];
const description = buildDescription({
  input: input('x', [4]),
  columns: [
    column('a', { blocks: small, head: classify(2) }),
    column('b', {
      blocks: [
        [dense(2), relu()],
        [dense(3), relu()],
      ],
      head: classify(2),
      laterals: linearLaterals(),
    }),
    column('c', { blocks: small, head: classify(2), laterals: adapter({ rank: 6, alpha: -0.5 }) }),
  ],
});
const strengths = (of: typeof description, index: number) => lateralStrengths(columnAt(of, index), initialAt(of, index));

/** Root mean square over the units of a matrix [features, units], its rows from `from` on taken: each unit's is the norm of its weights. */
function unitsNorm(w: Tensor, from: number, count: number): number {
  const [, units = 0] = w.dims;
  const perUnit = Array.from({ length: units }, (_, u) =>
    Math.hypot(...Array.from({ length: count }, (_, f) => Number(w.data[(from + f) * units + u]))),
  );
  return Math.sqrt(perUnit.reduce((sum, n) => sum + n * n, 0) / units);
}

it('linear: each source has its own matrix', () => {
  const weights = initialAt(description, 1);
  const found = strengths(description, 1);
  expect(found.map(({ into, source, sourceBlock, kind }) => [into, source, sourceBlock, kind])).toEqual([
    [1, 'a', 0, 'linear'],
    [2, 'a', 1, 'linear'],
  ]);
  expect(found[0]?.gain).toBeCloseTo(unitsNorm(must(weights.get('b/1/lateral/a/weight'), 'U'), 0, 3), 6);
  expect(found[1]?.gain).toBeCloseTo(unitsNorm(must(weights.get('b/head/lateral/a/weight'), 'U'), 0, 5), 6);
  expect(found[0]).not.toHaveProperty('alpha');
});

it('adapter: each source has its part of V, scaled by its alpha', () => {
  const weights = initialAt(description, 2);
  const v = must(weights.get('c/1/adapter/V'), 'V');
  expect(v.dims).toEqual([5, 6]);
  const [a, b] = strengths(description, 2);
  expect(a).toMatchObject({ into: 1, source: 'a', alpha: -0.5 });
  expect(b).toMatchObject({ into: 1, source: 'b', alpha: -0.5 });
  expect(a?.gain).toBeCloseTo(0.5 * unitsNorm(v, 0, 3), 6);
  expect(b?.gain).toBeCloseTo(0.5 * unitsNorm(v, 3, 2), 6);
  // The parts make up the whole.
  expect(Math.hypot(a?.norm ?? 0, b?.norm ?? 0)).toBeCloseTo(Math.hypot(...v.numbers()), 6);
});

it('adapter between images: V is a convolution over channels', () => {
  const blocks = [
    [conv2d(2, { kernel: 3, padding: 'same' as const }), relu()],
    [conv2d(3, { kernel: 3, padding: 'same' as const }), maxpool2d(2)],
    [flatten(), dense(4)],
  ];
  const images = buildDescription({
    input: input('x', [1, 4, 4]),
    columns: [column('a', { blocks, head: classify(2) }), column('b', { like: 'a', laterals: adapter({ rank: 5, alpha: 2 }) })],
  });
  const weights = initialAt(images, 1);
  const found = strengths(images, 1);
  expect(found.map((l) => l.into)).toEqual([1, 2, 3]);
  const v = must(weights.get('b/1/adapter/V'), 'V');
  expect(v.dims).toEqual([5, 2, 1, 1]);
  const turned = new Tensor(
    'float32',
    [2, 5],
    Float32Array.from({ length: 10 }, (_, i) => Number(v.data[(i % 5) * 2 + Math.floor(i / 5)])),
  );
  expect(found[0]?.gain).toBeCloseTo(2 * unitsNorm(turned, 0, 2), 6);
  // Into the dense block the image is flattened: its 3 x 2 x 2 features are V's rows.
  expect(found[1]?.norm).toBeCloseTo(Math.hypot(...must(weights.get('b/2/adapter/V'), 'V').numbers()), 5);
});

/** An image and a sequence, and a column over both. */
const mixed = (laterals: object, blocks: readonly unknown[]) =>
  parseDescription({
    prognet: 1,
    name: 'mixed',
    input: { name: 'x', shape: [1, 4, 4] },
    columns: [
      { task: 'image', blocks: [[{ conv2d: { filters: 2, kernel: 3, padding: 'same' } }]], head: { classify: 2 } },
      {
        task: 'sequence',
        blocks: [
          [{ reshape: [4, 4] }, { lstm: { units: 3, sequences: true } }],
          ['flatten', { dense: 2 }],
        ],
        head: { classify: 2 },
        laterals: 'none',
      },
      { task: 'c', blocks, head: { classify: 2 }, laterals: { from: ['image', 'sequence'], into: [1], ...laterals } },
    ],
  });

it('adapter: an image that is flattened beside a sequence that is pooled', () => {
  const d = mixed({ kind: 'adapter', rank: 5, alpha: 1 }, [['flatten', { dense: 4 }], [{ dense: 4 }]]);
  const v = must(initialAt(d, 2).get('c/1/adapter/V'), 'V');
  // 2 channels of 4 x 4, and 3 features of the mean over the steps.
  expect(v.dims).toEqual([35, 5]);
  const [image, sequence] = strengths(d, 2);
  expect(image?.gain).toBeCloseTo(unitsNorm(v, 0, 32), 6);
  expect(sequence?.gain).toBeCloseTo(unitsNorm(v, 32, 3), 6);
});

it('linear: a flattened tap at each place of an image', () => {
  const d = mixed({ kind: 'linear', join: 'flatten' }, [
    [{ conv2d: { filters: 2, kernel: 3, padding: 'same' } }],
    [{ conv2d: { filters: 4, kernel: 1 } }],
  ]);
  const u = must(initialAt(d, 2).get('c/1/lateral/image/weight'), 'U');
  expect(u.dims).toEqual([4, 32, 1, 1]);
  expect(strengths(d, 2)[0]?.gain).toBeCloseTo(Math.hypot(...u.numbers()) / 2, 6);
});
