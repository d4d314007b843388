// Gradient cases: attention, rotary positions, the update of a cache.
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { at, type Case, one, secondOrder, values, values32 } from '../gradient-case.js';

type Attributes = Readonly<Record<string, number | string>>;
const bool = (dims: readonly number[], list: readonly number[]) => Tensor.from('bool', list, dims);
/** Values near 0, where softmax is far from saturated. */
const near = (dims: readonly number[], seed: number) => values(dims, { from: -1, to: 1, kinks: [], seed });

interface Row {
  readonly name: string;
  readonly q?: readonly number[];
  readonly k?: readonly number[];
  readonly v?: readonly number[];
  /** Further inputs: mask, past key, past value, filled lengths. */
  readonly more?: readonly (Tensor | null)[];
  readonly attributes?: Attributes;
  readonly opset?: number;
  readonly outputs?: number;
  /** ONNX Runtime has a float64 kernel by the function of an older specification, which these inputs tell from today's. */
  readonly float32?: true;
}
const [q4, k4, v4] = [
  [1, 2, 2, 3],
  [1, 2, 3, 3],
  [1, 2, 3, 2],
];
const past = [near([1, 2, 2, 3], 8), near([1, 2, 2, 2], 9)];

const rows: readonly Row[] = [
  { name: 'plain' },
  { name: 'scale, softcap', attributes: { scale: 0.7, softcap: 0.9 } },
  { name: 'causal', attributes: { is_causal: 1 } },
  { name: 'float mask', more: [near([2, 3], 5)] },
  { name: 'float mask per head', more: [near([1, 2, 2, 3], 5)] },
  { name: 'bool mask', more: [bool([2, 3], [1, 0, 1, 1, 1, 0])] },
  { name: 'bool mask, a query without keys', more: [bool([2, 3], [0, 0, 0, 1, 1, 0])], float32: true },
  { name: 'bool mask, causal', more: [bool([2, 3], [1, 0, 1, 1, 1, 1])], attributes: { is_causal: 1 } },
  { name: 'shared heads', q: [1, 4, 2, 2], k: [1, 2, 3, 2], v: [1, 2, 3, 2] },
  { name: 'one shared head', q: [2, 2, 2, 2], k: [2, 1, 2, 2], v: [2, 1, 2, 1] },
  { name: 'past and present', more: [null, ...past], outputs: 3 },
  { name: 'past, causal', more: [null, ...past], outputs: 3, attributes: { is_causal: 1 } },
  {
    name: 'rank 3',
    q: [1, 2, 4],
    k: [1, 3, 4],
    v: [1, 3, 2],
    attributes: { q_num_heads: 2, kv_num_heads: 2 },
  },
  {
    name: 'rank 3, shared heads, past',
    q: [1, 2, 8],
    k: [1, 2, 4],
    v: [1, 2, 2],
    more: [null, near([1, 2, 1, 2], 8), near([1, 2, 1, 1], 9)],
    attributes: { q_num_heads: 4, kv_num_heads: 2 },
    outputs: 3,
  },
  ...[0, 1, 2, 3].map(
    (qk_matmul_output_mode): Row => ({
      name: `scores of mode ${qk_matmul_output_mode}`,
      more: [near([2, 3], 5)],
      attributes: { qk_matmul_output_mode, softcap: 0.9 },
      outputs: 4,
    }),
  ),
  { name: 'filled lengths', more: [null, null, null, int64([2])], opset: 24 },
  {
    name: 'filled lengths, causal',
    more: [null, null, null, int64([3])],
    attributes: { is_causal: 1 },
    opset: 24,
    float32: true,
  },
];

const attention = rows.flatMap(
  ({ name, q = q4, k = k4, v = v4, more = [], attributes = {}, opset = 23, outputs = 1, float32 }) => {
    const make = (dims: readonly number[], seed: number) =>
      values(dims, { from: -1, to: 1, kinks: [], seed, dtype: float32 ? 'float32' : 'float64' });
    const given = [make(q, 2), make(k, 3), make(v, 4), ...more];
    const inputs = given.filter((t) => t !== null);
    const row: Case = {
      name: `attention, ${name}`,
      inputs,
      build: (g, x) => {
        const all = given.map((t) => (t === null ? null : at(x, inputs.indexOf(t))));
        const made = g.op('Attention', all, attributes, outputs);
        return attributes.qk_matmul_output_mode === undefined ? made : [at(made), at(made, 3)];
      },
      options: { opset },
    };
    return [row];
  },
);
const unknown = attention
  .filter((c) => ['attention, plain', 'attention, shared heads', 'attention, rank 3', 'attention, past, causal'].includes(c.name))
  .map((c): Case => {
    // batch and sequence lengths, and the size of a head where it has an axis of its own
    const shapes = c.inputs.map((t) => t.dims.map((d, i) => (i === 0 || i === t.dims.length - 2 ? null : d)));
    return { ...c, name: `${c.name}, lengths unknown`, options: { ...c.options, shapes } };
  });

const angles = (dims: readonly number[]) => [values32(dims, { kinks: [], seed: 5 }), values32(dims, { kinks: [], seed: 6 })];
const positions = Tensor.from('int64', [2, 0, 1, 1], [2, 2]);
const rotary = [0, 1].flatMap((interleaved): Case[] => [
  {
    name: `rotaryEmbedding, interleaved ${interleaved}`,
    inputs: [values32([1, 2, 2, 4]), ...angles([1, 2, 2])],
    build: (g, x) => one(g, 'RotaryEmbedding', x, { interleaved }),
    options: { opset: 23 },
  },
  {
    name: `rotaryEmbedding, rank 3, positions, interleaved ${interleaved}`,
    inputs: [values32([2, 2, 4]), ...angles([3, 1]), positions],
    build: (g, x) => one(g, 'RotaryEmbedding', x, { interleaved, num_heads: 2 }),
    options: { opset: 23 },
  },
  {
    name: `rotaryEmbedding, lengths unknown, interleaved ${interleaved}`,
    inputs: [values32([2, 2, 4]), ...angles([3, 1]), positions],
    build: (g, x) => one(g, 'RotaryEmbedding', x, { interleaved, num_heads: 2 }),
    options: {
      opset: 23,
      shapes: [
        [null, null, 4],
        [null, 1],
        [null, 1],
        [null, null],
      ],
    },
  },
]);
/** ONNX Runtime's kernel takes a part of the head only where heads are counted. */
const partial = [0, 1].map(
  (interleaved): Case => ({
    name: `rotaryEmbedding of a part, interleaved ${interleaved}`,
    inputs: [values32([1, 2, 6]), ...angles([1, 2, 1])],
    build: (g, x) => one(g, 'RotaryEmbedding', x, { interleaved, num_heads: 1, rotary_embedding_dim: 2 }),
    options: { opset: 23 },
  }),
);

const scatters = ['linear', 'circular'].flatMap((mode) =>
  [
    { cache: [2, 4, 2], update: [2, 2, 2], axis: 1 },
    { cache: [2, 1, 3, 2], update: [2, 1, 2, 2], axis: -2 },
  ].flatMap(({ cache, update, axis }): Case[] => {
    const inputs = [values32(cache), values32(update, { seed: 2 })];
    const row: Case = {
      name: `tensorScatter ${mode} ${JSON.stringify(cache)}`,
      inputs: [...inputs, int64([1, mode === 'linear' ? 0 : 2])],
      build: (g, x) => one(g, 'TensorScatter', x, { mode, axis }),
      options: { opset: 24 },
    };
    return [row, { ...row, name: `${row.name}, from 0`, inputs }];
  }),
);

const smooth = [...attention.filter((c) => /plain|causal|shared|bool mask/.test(c.name)), ...rotary.slice(0, 1)]
  .map(secondOrder)
  .map((c): Case => (c.inputs[0]?.dtype === 'float32' ? { ...c, options: { ...c.options, tolerance: 2e-3 } } : c));

export const attentionCases: readonly Case[] = [...attention, ...unknown, ...rotary, ...partial, ...scatters, ...smooth];
