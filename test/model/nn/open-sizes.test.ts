// Layers over samples whose sizes are open: one graph of all sizes answers as the graphs do that are made of each size, and has no weight that depends on one;
// what needs a size says so.
import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../src/model/nn/layers.js';
import { grown, product, type Size, shrunk, sizeIn } from '../../../src/model/nn/open-size.js';
import type { Layout } from '../../../src/model/nn/sample.js';
import type { DType } from '../../../src/onnx/core/dtype.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { runModel } from '../../support/run.js';
import { lower, numbers } from './support.js';

type Sizes = Readonly<Record<string, number>>;
interface Case {
  readonly layers: readonly LayerInput[];
  readonly shape: readonly Size[];
  readonly layout?: Layout;
  readonly dtype?: DType;
  readonly inputs?: Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly Size[] }>>;
}

const bound = (shape: readonly Size[], sizes: Sizes): number[] => shape.map((d) => (typeof d === 'number' ? d : (sizes[d] ?? 0)));
const rows = 3;

/** Numbers of a sample, or ids and flags. */
function drawn(dtype: DType, shape: readonly number[], seed: number): Tensor {
  const values = numbers([rows, ...shape], seed);
  if (dtype === 'float32') return values;
  const most = shape.length === 0 ? 3 : 5;
  return Tensor.from(
    dtype,
    values
      .numbers()
      .map((v) => (dtype === 'bool' ? Number(v > 0) : Math.floor(((v + 1) / 2) * most) + (shape.length === 0 ? 1 : 0))),
    [rows, ...shape],
  );
}

const sequence: Omit<Case, 'layers'> = { shape: ['steps', 4], layout: 'channels-last' };
const signal: Omit<Case, 'layers'> = { shape: [4, 'length'] };
const image: Omit<Case, 'layers'> = { shape: [4, 'height', 'width'] };
const half: Omit<Case, 'layers'> = { shape: [4, 'height', 6] };
const volume: Omit<Case, 'layers'> = { shape: [2, 'depth', 'height', 5] };
const lengths = { n: { dtype: 'int64', shape: [] } } as const;
const mask = { n: { dtype: 'bool', shape: ['steps'] } } as const;
const masked = (layer: LayerInput): Case[] => [
  { layers: [layer], ...sequence, inputs: lengths },
  { layers: [layer], ...sequence, inputs: mask },
];
const ids: Omit<Case, 'layers'> = { shape: ['steps'], dtype: 'int64' };

const cases: Case[] = [
  ...[{ conv1d: { filters: 3, kernel: 3 } }, { conv1d: { filters: 3, kernel: 3, padding: 'same' } }].map(
    (layer) => ({ layers: [layer], ...signal }) as Case,
  ),
  {
    layers: [{ conv1d: { filters: 4, kernel: 3, padding: 'same', stride: 2 } }, { conv1d: { filters: 3, kernel: 2 } }],
    ...signal,
  },
  { layers: [{ conv1d: { filters: 4, kernel: 3, padding: 2, stride: 3, dilation: 2 } }, 'relu'], ...signal },
  { layers: [{ conv_transpose1d: { filters: 3, kernel: 3, stride: 2, output_padding: 1 } }], ...signal },
  { layers: [{ conv_transpose1d: { filters: 3, kernel: 4, stride: 2, padding: 'same' } }, { maxpool1d: 3 }], ...signal },
  { layers: [{ maxpool1d: 2 }, { avgpool1d: { kernel: 3, stride: 2, padding: 'same' } }], ...signal },
  { layers: ['to_sequence', { lstm: 3 }], ...signal },
  { layers: ['instance_norm', { group_norm: 2 }, 'batch_norm', { squeeze_excitation: 2 }], ...signal },
  { layers: ['rms_norm', 'global_maxpool'], ...signal },
  { layers: [{ conv2d: { filters: 4, kernel: 3, padding: 'same', stride: 2 } }, 'batch_norm', { maxpool2d: 2 }], ...image },
  { layers: [{ conv2d: { filters: 4, kernel: 5, padding: [2, 1] } }, { group_norm: 2 }, { avgpool2d: 2 }], ...image },
  { layers: [{ depthwise_conv2d: 3 }, { conv_transpose2d: { filters: 2, kernel: 2, stride: 2 } }], ...image },
  { layers: [{ squeeze_excitation: 2 }, 'global_avgpool', { dense: 3 }], ...image },
  { layers: ['to_sequence', { attention: { heads: 2, rotary: 100 } }, 'mean_over_steps'], ...image },
  { layers: ['to_sequence', 'sinusoidal'], ...half },
  {
    layers: [
      {
        residual: {
          layers: [
            { conv2d: { filters: 6, kernel: 3, padding: 1, stride: 2 } },
            'relu',
            { conv2d: { filters: 6, kernel: 3, padding: 'same' } },
          ],
          project: true,
        },
      },
      { residual: [{ conv2d: { filters: 6, kernel: 3, padding: 1 } }] },
    ],
    ...image,
  },
  {
    layers: [{ residual: { layers: [{ maxpool2d: 3 }], shortcut: [{ avgpool2d: { kernel: 3, stride: 3 } }] } }],
    shape: [4, 'height', 'height'],
  } as Case,
  { layers: [{ conv3d: { filters: 3, kernel: 2, stride: 2, padding: 'same' } }, { maxpool3d: 2 }, 'global_avgpool'], ...volume },
  { layers: [{ avgpool3d: { kernel: 2, stride: 1 } }, 'to_sequence', { gru: 2 }], ...volume },
  { layers: [{ reshape: [-1, 4] }, { lstm: 2 }], shape: [1, 'length', 4] },
  { layers: [{ reshape: [2, -1] }, { conv1d: { filters: 2, kernel: 2 } }], shape: [2, 'length'] },
  { layers: [{ softmax: -1 }, 'to_channels', { conv1d: { filters: 2, kernel: 2, padding: 'same' } }], ...sequence },
  { layers: ['sinusoidal', { dropout: 0.5 }, 'gelu', 'max_over_steps'], ...sequence },
  { layers: ['last_step', { dense: 2 }], ...sequence },
  { layers: ['attention_over_steps'], ...sequence },
  ...['lstm', 'gru', 'rnn'].map(
    (kind) =>
      ({
        layers: [{ [kind]: { units: 3, layers: 2, direction: 'bidirectional', sequences: true } }, { [kind]: 2 }],
        ...sequence,
      }) as unknown as Case,
  ),
  { layers: [{ attention: { heads: 2, kv_heads: 1, causal: true, rotary: 10000 } }], ...sequence },
  {
    layers: [
      { transformer_encoder: { heads: 2, rotary: 50 } },
      { transformer_encoder: { heads: 2, norm: 'post', causal: true } },
    ],
    ...sequence,
  },
  {
    layers: [{ transformer_decoder: { heads: 2, cross: 'other', cross_mask: 'm' } }],
    ...sequence,
    inputs: { other: { dtype: 'float32', shape: ['seen', 3] }, m: { dtype: 'bool', shape: ['seen'] } },
  },
  ...masked({ lstm: { units: 3, mask: 'n', direction: 'bidirectional', sequences: true } }),
  ...masked({ gru: { units: 3, mask: 'n', direction: 'reverse' } }),
  ...masked({ attention: { heads: 2, mask: 'n', causal: true } }),
  ...masked({ transformer_encoder: { heads: 2, mask: 'n' } }),
  ...masked({ mean_over_steps: { mask: 'n' } }),
  ...masked({ max_over_steps: { mask: 'n' } }),
  ...masked({ last_step: { mask: 'n' } }),
  ...masked({ attention_over_steps: { mask: 'n' } }),
  { layers: [{ embedding: { size: 3, vocabulary: 5 } }, { lstm: 2 }], ...ids },
  { layers: [{ embedding: { size: 3, vocabulary: 5, padding: 0 } }, 'sinusoidal'], ...ids },
  { layers: [{ embedding: { size: 3, vocabulary: 5, pool: 'mean', padding: 0 } }], ...ids },
  { layers: [{ embedding: { size: 3, vocabulary: 5, pool: 'max' } }], ...ids },
  { layers: [{ concat: 'other' }], ...signal, inputs: { other: { dtype: 'float32', shape: [2, 'length'] } } },
];
const every: Sizes[] = [
  { steps: 5, length: 9, height: 7, width: 11, depth: 6, seen: 4 },
  { steps: 8, length: 16, height: 12, width: 8, depth: 9, seen: 7 },
  { steps: 1, length: 7, height: 8, width: 8, depth: 5, seen: 1 },
];

/** All but the names of what is open. */
const specsOf = (layers: readonly LayerInput[], shape: readonly Size[], options: object) =>
  lower(layers, shape, options).specs.map(({ name, shape }) => ({ name, shape }));

describe.each(
  cases.map((of) => ({ ...of, name: `${JSON.stringify(of.layers)} over [${of.shape}] ${Object.keys(of.inputs ?? {})}` })),
)('$name', ({ layers, shape, layout, dtype = 'float32', inputs = {} }) => {
  const options = { ...(layout && { layout }), dtype, inputs };
  it('one graph answers as those of each size', async () => {
    const open = lower(layers, shape, options);
    for (const sizes of every) {
      const own = Object.fromEntries(Object.entries(inputs).map(([name, i]) => [name, { ...i, shape: bound(i.shape, sizes) }]));
      const fixed = lower(layers, bound(shape, sizes), { ...options, inputs: own });
      expect(fixed.specs.map(({ name, shape }) => ({ name, shape }))).toEqual(specsOf(layers, shape, options));
      const feeds: Record<string, Tensor> = { x: drawn(dtype, bound(shape, sizes), 3) };
      for (const [name, i] of Object.entries(own)) feeds[name] = drawn(i.dtype, i.shape, 4);
      open.specs.forEach(({ name, shape }, i) => {
        const drawn = numbers(shape, 20 + i);
        feeds[name] = name.endsWith('/var')
          ? Tensor.from(
              'float32',
              drawn.numbers().map((v) => v * v + 0.5),
              shape,
            )
          : drawn;
      });
      const [a, b] = [(await runModel(open.g.model(), feeds)).y, (await runModel(fixed.g.model(), feeds)).y];
      expect(a?.dims).toEqual(b?.dims);
      const expected = b?.numbers() ?? [];
      expect(expected.length).toBeGreaterThan(0);
      for (const [i, v] of (a?.numbers() ?? []).entries()) expect(Math.abs(v - (expected[i] ?? Number.NaN))).toBeLessThan(1e-5);
    }
  });

  it('says of every size of its answer how it follows of the open ones', () => {
    const { g } = lower(layers, shape, options);
    const y = g.graph.outputs[0];
    expect(y?.shape?.includes(null)).toBe(false);
  });
});

it.each([
  [
    ['flatten'],
    [4, 'length'],
    'blocks[0][0]: flatten does not fit its input [4,length]: "length" is open, so how many values stand in a row is not known: pool',
  ],
  [
    [{ dense: 2 }],
    [4, 'length'],
    'blocks[0][0]: dense does not fit its input [4,length]: a flat input is needed, pool its positions before it',
  ],
  [
    [{ dense: 2 }],
    ['length'],
    'blocks[0][0]: dense does not fit its input [length]: "length" is open, and there is a weight for each feature',
  ],
  [
    ['positional_embedding'],
    ['steps', 4],
    '"steps" is open, and there is a learned row for each step: "sinusoidal" takes any number of steps',
  ],
  [['layer_norm'], ['steps', 4], '"steps" is open, and there is a scale for each value: "rms_norm" normalises each position'],
  [['batch_norm'], ['steps', 4], '"steps" is open, and channels are told apart by weights: expected a known number of channels'],
  [
    [{ reshape: [16, 49] }],
    [1, 'length'],
    '"length" is open, so [16,49] may not hold its values: expected -1 for it beside 1 values',
  ],
  [[{ reshape: [-1] }], [1, 'height', 'width'], '"height" and "width" is open, so [-1] may not hold its values'],
  [
    [{ lstm: 2 }],
    ['steps', 'width'],
    '"width" is open, and channels are told apart by weights: expected a known number of channels',
  ],
  [[{ conv1d: { filters: 2, kernel: 3 } }], ['channels', 8], '"channels" is open, and channels are told apart by weights'],
  [
    [{ residual: [{ conv1d: { filters: 4, kernel: 3 } }] }],
    [4, 'length'],
    'the layers inside must keep the shape [4,length], they give [4,(length-2)]',
  ],
] as [LayerInput[], Size[], string][])('%j over %j says what would do', (layers, shape, message) => {
  expect(() => lower(layers, shape)).toThrow(message);
});

it.each([
  ['n', 7],
  ['(n-2)', 5],
  ['ceil((n+4)/3)', 4],
  ['(2*ceil(n/2)+3)', 11],
  ['ceil((2*n-1)/4)', 4],
  ['(6*n*ceil((m-1)/2))', 84],
  [product([shrunk('n', 1, 1), shrunk('m', -1, 1)]), 32],
  [shrunk(product([shrunk('n', 1, 2), shrunk('m', 0, 2)]), -2, 3), 4],
  ['k', undefined],
  ['2*k', undefined],
] as const)('%s of sizes that are known is %s', (size, value) => {
  expect(sizeIn(size, { n: 7, m: 5 })).toBe(value);
});

it('writes what windows leave of a size in one way', () => {
  expect(shrunk(7, -2, 2)).toBe(3);
  expect(shrunk('n', 0, 1)).toBe('n');
  expect(shrunk('n', -2, 1)).toBe('(n-2)');
  expect(shrunk(shrunk('n', -2, 1), 2, 1)).toBe('n');
  expect(shrunk(shrunk('n', -1, 2), 1, 3)).toBe('ceil((n+1)/6)');
  expect(shrunk(grown('n', 2, 1), -1, 1)).toBe('2*n');
  expect(product([2, 'h', 3, 'w'])).toBe('(6*h*w)');
  for (const n of [3, 4, 5, 6, 7, 8, 9, 20, 31])
    for (const [a, s, b, t] of [
      [-2, 2, 1, 3],
      [1, 3, -1, 2],
      [0, 2, 0, 2],
    ] as const) {
      const [, add = 0, by = 1] =
        /^ceil\(\(?n([+-]\d+)?\)?\/(\d+)\)$/.exec(String(shrunk(shrunk('n', a, s), b, t)))?.map((v) => Number(v ?? 0)) ?? [];
      expect(Math.ceil((n + add) / by)).toBe(shrunk(shrunk(n, a, s), b, t));
    }
});
