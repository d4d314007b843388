// Random networks of two columns for property tests: every kind of block, lateral and head over a 4 x 4 image, smooth activations, so that
// a change anywhere shows at the output.
import fc from 'fast-check';
import type { ColumnInput, Description } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';

const bodies: Readonly<Record<string, ColumnInput['blocks']>> = {
  dense: [
    ['flatten', { dense: 6 }, 'tanh'],
    [{ dense: 5 }, 'tanh'],
  ],
  deep: [
    ['flatten', { dense: 4 }, 'gelu'],
    [{ dense: 5 }, 'elu'],
    [{ dense: 4 }, 'softplus'],
  ],
  conv: [
    [{ conv2d: { filters: 3, kernel: 3, padding: 'same' } }, 'tanh', { avgpool2d: 2 }],
    ['flatten', { dense: 5 }, 'tanh'],
  ],
  strided: [
    [{ conv2d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } }, 'batch_norm', 'silu'],
    [{ conv2d: { filters: 3, kernel: 2, groups: 1 } }, 'tanh', 'global_avgpool'],
  ],
  normed: [
    ['flatten', { dense: 6 }, 'batch_norm', 'sigmoid'],
    [{ dense: 5 }, 'layer_norm', 'silu', { dropout: 0.2 }],
  ],
  residual: [
    ['flatten', { dense: 6 }, 'tanh', { residual: [{ dense: 6 }, 'tanh'] }],
    ['tanh', { residual: [{ dense: 6 }, 'tanh', { dense: 6 }] }],
  ],
  // Rows as steps. No block of these has a joint: laterals are added to its input.
  lstm: [[{ reshape: [2, -1] }, { lstm: { units: 5, sequences: true } }], [{ lstm: { units: 3, direction: 'bidirectional' } }]],
  gru: [
    [{ reshape: [-1, 2] }, { gru: { units: 4, direction: 'reverse', sequences: true } }],
    [{ rnn: { units: 3, layers: 2, sequences: true } }],
    ['flatten', { dense: 4 }, 'tanh'],
  ],
  projected: [
    [
      { conv2d: { filters: 2, kernel: 3, padding: 'same' } },
      'tanh',
      {
        residual: {
          layers: [{ conv2d: { filters: 4, kernel: 3, stride: 2, padding: 'same' } }, 'batch_norm', 'tanh'],
          project: true,
        },
      },
    ],
    [
      {
        residual: {
          layers: [{ conv2d: { filters: 3, kernel: 1 } }, 'tanh'],
          shortcut: [{ conv2d: { filters: 3, kernel: 1 } }, 'batch_norm'],
        },
      },
      'global_avgpool',
    ],
  ],
  signal: [
    [{ reshape: [1, -1] }, { conv1d: { filters: 4, kernel: 3, padding: 'same' } }, { group_norm: 2 }, 'tanh', { avgpool1d: 2 }],
    [{ conv1d: { filters: 3, kernel: 3, stride: 2 } }, 'silu', { maxpool1d: 2 }, 'flatten'],
  ],
  volume: [
    [
      { reshape: [1, -1, 2, 1] },
      { conv3d: { filters: 3, kernel: [3, 2, 1], padding: 'same' } },
      'tanh',
      { avgpool3d: [2, 1, 1] },
    ],
    [{ conv3d: { filters: 2, kernel: [1, 2, 1] } }, 'gelu', { maxpool3d: [2, 1, 1] }, 'global_avgpool'],
  ],
  upsampled: [
    [
      { conv2d: { filters: 2, kernel: 2, stride: 2 } },
      'tanh',
      { conv_transpose2d: { filters: 3, kernel: 2, stride: 2, bias: false } },
      { instance_norm: { affine: true } },
      'tanh',
    ],
    [{ depthwise_conv2d: { kernel: 3, multiplier: 2 } }, 'silu', { squeeze_excitation: 2 }],
  ],
  grown: [
    [{ reshape: [2, -1] }, { conv1d: { filters: 3, kernel: 2, stride: 2 } }, 'tanh'],
    [{ conv_transpose1d: { filters: 2, kernel: 3, stride: 2, padding: 'same' } }, 'tanh'],
  ],
  // Positions one by one: laterals join each of a sequence.
  sequence: [
    [{ conv2d: { filters: 4, kernel: 2, stride: 2 } }, 'to_sequence', 'rms_norm', 'tanh'],
    ['silu', 'rms_norm'],
    ['to_channels', { conv1d: { filters: 3, kernel: 2 } }, 'tanh'],
  ],
  // The second block has no affine layer: laterals are added to its input.
  plain: [['flatten', { dense: 6 }, 'tanh'], ['softmax']],
};
/** Steps that look at each other; laterals are added to the sequence that they read. */
const looking: ColumnInput['blocks'] = [
  [{ reshape: [-1, 2] }, 'positional_embedding', { attention: 2 }],
  [{ attention: { heads: 2, kv_heads: 1, causal: true } }, 'tanh', 'attention_over_steps'],
];
const attention = 'attention';
/** Layers of transformers; laterals are added to the sequence that the first of a block reads. */
const transformed: ColumnInput['blocks'] = [
  [{ reshape: [-1, 4] }, 'positional_embedding', { transformer_encoder: { heads: 2, hidden: 6, dropout: 0.1 } }],
  [
    { transformer_decoder: { heads: 2, kv_heads: 1, hidden: 5, activation: 'tanh', norm: 'post', rotary: 100 } },
    'attention_over_steps',
  ],
];
const transformer = 'transformer';
/** A head over the taps of the column before, and nothing else. */
const alone = 'alone';

const laterals = [
  { kind: 'linear' },
  { kind: 'adapter', rank: 4, activation: 'tanh', alpha: 0.7 },
  { kind: 'adapter', activation: 'gelu', alpha: 1 },
] as const;
const heads = [{ classify: 3 }, { binary: 2 }, { regress: 2 }] as const;

export interface RandomNetwork {
  readonly first: string;
  readonly second: string;
  readonly laterals: NonNullable<ColumnInput['laterals']>;
  readonly head: NonNullable<ColumnInput['head']>;
  readonly seed: number;
  /** What each column does to the input itself; absent: nothing. */
  readonly prepare?: readonly [Steps, Steps];
  /** Whether the input is of bytes. */
  readonly bytes?: boolean;
}
type Steps = NonNullable<ColumnInput['prepare']>;

const kind = fc.constantFrom(...Object.keys(bodies));
export const randomNetwork: fc.Arbitrary<RandomNetwork> = fc.record({
  first: kind,
  second: kind,
  laterals: fc.constantFrom(...laterals),
  head: fc.constantFrom(...heads),
  seed: fc.nat(1000),
});

const floatSteps: readonly Steps[] = [
  [],
  ['standardise'],
  [{ normalise: { mean: 0.3, std: 0.5 } }],
  [{ transpose: [0, 2, 1] }, { normalise: { mean: -1, std: 2 } }],
  [{ fill: 'mean' }, { resize: { height: 6, width: 5 } }, 'standardise'],
];
/** Bytes become numbers first. */
const byteSteps: readonly Steps[] = [
  ['scale'],
  ['standardise'],
  [{ scale: 100 }, { transpose: [0, 2, 1] }, 'standardise'],
  [{ resize: { height: 6, width: 5 } }, { normalise: { mean: 127, std: 64 } }],
];
const stepsOf = (bytes: boolean) => fc.constantFrom(...(bytes ? byteSteps : floatSteps));

/** The same over columns that prepare the input each in its own way. */
export const preparedNetwork: fc.Arbitrary<RandomNetwork> = fc
  .boolean()
  .chain((bytes) =>
    fc
      .tuple(randomNetwork, stepsOf(bytes), stepsOf(bytes))
      .map(([network, first, second]): RandomNetwork => ({ ...network, bytes, prepare: [first, second] })),
  );

const withRank = (laterals: RandomNetwork['laterals']): RandomNetwork['laterals'] =>
  typeof laterals === 'object' && laterals.kind === 'adapter' ? { rank: 5, ...laterals } : laterals;

/** The same whose second column is a head alone; its adapters say their rank, since there is no block before. */
export const headAlone: fc.Arbitrary<RandomNetwork> = preparedNetwork.map((network) => ({
  ...network,
  second: alone,
  laterals: withRank(network.laterals),
  prepare: [network.prepare?.[0] ?? [], []],
}));

/** The same whose second column's first lateral reads the last of the first two taps, and its head the first. */
export const tapsNamed: fc.Arbitrary<RandomNetwork> = randomNetwork.map(({ laterals, ...rest }) => ({
  ...rest,
  laterals: typeof laterals === 'object' && laterals.kind !== 'none' ? { ...laterals, taps: { 1: 1, head: 0 } } : laterals,
}));

/** The same of which one column, or both, is of attention. */
export const attentionNetwork: fc.Arbitrary<RandomNetwork> = randomNetwork.map((network) => ({
  ...network,
  ...(network.seed % 3 !== 0 && { first: attention }),
  ...(network.seed % 3 !== 1 && { second: attention }),
}));

/** The same of which one column, or both, is of a transformer's layers. */
export const transformerNetwork: fc.Arbitrary<RandomNetwork> = randomNetwork.map((network) => ({
  ...network,
  ...(network.seed % 3 !== 0 && { first: transformer }),
  ...(network.seed % 3 !== 1 && { second: transformer }),
}));

const preparing = (steps: Steps | undefined) => (steps === undefined || steps.length === 0 ? {} : { prepare: steps });

/** Columns `a` and `b`, b over a. */
export function columnsOf(n: RandomNetwork): [ColumnInput, ColumnInput] {
  const others: Readonly<Record<string, ColumnInput['blocks']>> = {
    [alone]: [],
    [attention]: looking,
    [transformer]: transformed,
  };
  const body = (name: string): ColumnInput['blocks'] => others[name] ?? bodies[name];
  return [
    { task: 'a', blocks: body(n.first), head: { classify: 3 }, ...preparing(n.prepare?.[0]) },
    { task: 'b', blocks: body(n.second), head: n.head, laterals: n.laterals, ...preparing(n.prepare?.[1]) },
  ];
}

export function describe(columns: readonly ColumnInput[], seed: number, bytes = false): Description {
  const input = { name: 'image', shape: [1, 4, 4], ...(bytes && { dtype: 'uint8' as const }) };
  return parseDescription({ prognet: 1, name: 'random', seed, input, columns: [...columns] });
}

/** Standard normal numbers. */
export function normals(seed: number, dims: readonly number[]): Tensor {
  const r = new Random(seed, 'data');
  return Tensor.from(
    'float32',
    Array.from({ length: elementCount(dims) }, () => r.normal()),
    dims,
  );
}

const rows = 12;
export const images = normals(3, [rows, 1, 4, 4]);

/** The same as bytes. */
export const byteImages = new Tensor(
  'uint8',
  images.dims,
  Uint8Array.from(images.numbers(), (v) => Math.max(0, Math.min(255, 127 + 60 * v))),
);

/** Targets of a head for `images`. */
export function targetsOf(head: NonNullable<ColumnInput['head']>): Tensor {
  if ('classify' in Object(head)) {
    return new Tensor(
      'int64',
      [rows],
      BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 3)),
    );
  }
  return Tensor.from(
    'float32',
    Array.from({ length: rows * 2 }, (_, i) => i % 2),
    [rows, 2],
  );
}
