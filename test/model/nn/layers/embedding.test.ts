import { describe, expect, it } from 'vitest';
import { int64, Tensor } from '../../../../src/onnx/core/tensor.js';
import { lower, printed, run } from '../support.js';

const tokens = { vocabulary: 4, padding: { id: 0 } };
const table = Tensor.from('float32', [9, 9, 1, -2, 3, 4, -5, -6], [4, 2]);
const feeds = { 't/0/embedding/table': table };
const ids = int64([1, 2, 0, 3, 0, 0, 0, 0, 0]).reshape([3, 3]);

it('is a row of the table for each token, 0 for padding', async () => {
  const { y } = await run([{ embedding: 2 }], ids, feeds, { tokens });
  expect([y?.dims, y?.numbers()]).toEqual([
    [3, 3, 2],
    [1, -2, 3, 4, 0, 0, -5, -6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

it('pools the rows of a text, padding left out; a text without tokens is 0', async () => {
  const pooled = async (pool: 'mean' | 'max') =>
    (await run([{ embedding: { size: 2, pool } }], ids, feeds, { tokens })).y?.numbers();
  expect(await pooled('mean')).toEqual([2, 1, -5, -6, 0, 0]);
  expect(await pooled('max')).toEqual([3, 4, -5, -6, 0, 0]);
});

it('is Gather over a mask', () => {
  expect(printed([{ embedding: { size: 2, pool: 'mean' } }], [3], { tokens })).toMatchInlineSnapshot(`
    "graph graph (x: int64[N,3], t/0/embedding/table: float32[4,2]) -> (y)
      t/0/embedding/Less/out: bool[N,3] = Less(x, int64(0))
      t/0/embedding/Where/out: int64[N,3] = Where(t/0/embedding/Less/out, int64(4), x)
      t/0/embedding/Gather/out: float32[N,3,2] = Gather<axis=0>(t/0/embedding/table, t/0/embedding/Where/out)
      t/0/embedding/Equal/out: bool[N,3] = Equal(x, int64(0))
      t/0/embedding/Not/out: bool[N,3] = Not(t/0/embedding/Equal/out)
      t/0/embedding/Unsqueeze/out: bool[N,3,1] = Unsqueeze(t/0/embedding/Not/out, int64{2})
      t/0/embedding/Cast/out: float32[N,3,1] = Cast<to=float32>(t/0/embedding/Unsqueeze/out)
      t/0/embedding/Mul/out: float32[N,3,2] = Mul(t/0/embedding/Gather/out, t/0/embedding/Cast/out)
      t/0/embedding/ReduceSum/out: float32[N,2] = ReduceSum<keepdims=0>(t/0/embedding/Mul/out, int64{1})
      t/0/embedding/ReduceSum_1/out: float32[N,1] = ReduceSum<keepdims=0>(t/0/embedding/Cast/out, int64{1})
      t/0/embedding/Max/out: float32[N,1] = Max(t/0/embedding/ReduceSum_1/out, float32(1))
      y: float32[N,2] = Div(t/0/embedding/ReduceSum/out, t/0/embedding/Max/out)"
  `);
});

it('begins normal, with deviation 1', () => {
  expect(lower([{ embedding: 2 }], [3], { tokens }).specs).toEqual([
    {
      name: 't/0/embedding/table',
      shape: [4, 2],
      init: { by: { kind: 'normal', std: 1 }, fanIn: 4, fanOut: 2 },
      role: 'trainable',
    },
  ]);
});

describe('ids that are none', () => {
  it.each([4, -1, -4])('%i fails at the run, and reads nothing', async (id) => {
    const strange = int64([1, id, 0]).reshape([1, 3]);
    await expect(run([{ embedding: 2 }], strange, feeds, { tokens })).rejects.toThrow(/indices element out of data bounds/);
  });
});

it('takes ids alone, and no other layer does', () => {
  expect(() => lower([{ embedding: 2 }], [3])).toThrow(
    'blocks[0][0]: embedding does not fit its input [3]: ids are needed, as the first layer of a column over input: { name, tokenizer, length } or input: { name, shape: [length], dtype: int64 }',
  );
  expect(() => lower([{ dense: 2 }], [3], { tokens })).toThrow(
    'blocks[0][0]: dense does not fit its input [3]: these are token ids, expected "embedding" before it, such as { embedding: { size: 32, pool: mean } }',
  );
});

describe('ids without a tokenizer', () => {
  const plain = { embedding: { size: 2, vocabulary: 4 } };

  it.each(['int64', 'int32'] as const)('of %s are rows of the table, none of them padding', async (dtype) => {
    const x = Tensor.from(dtype, [1, 2, 0], [1, 3]);
    expect((await run([plain], x, feeds)).y?.numbers()).toEqual([1, -2, 3, 4, 9, 9]);
  });

  it('one for each sample is a row of its own', async () => {
    const { y } = await run([plain], int64([2, 1]), feeds);
    expect([y?.dims, y?.numbers()]).toEqual([
      [2, 2],
      [3, 4, 1, -2],
    ]);
  });

  it('are pooled, what is said to be padding left out', async () => {
    const pooled = async (pool: 'mean' | 'max', padding?: number) =>
      (
        await run([{ embedding: { ...plain.embedding, pool, ...(padding !== undefined && { padding }) } }], ids, feeds)
      ).y?.numbers();
    expect(await pooled('max')).toEqual([9, 9, 9, 9, 9, 9]);
    expect(await pooled('max', 0)).toEqual([3, 4, -5, -6, 0, 0]);
    expect(await pooled('mean', 0)).toEqual([2, 1, -5, -6, 0, 0]);
  });

  it('need a vocabulary, which a text has itself', () => {
    const message = 'blocks[0][0]: embedding does not fit its input [3]: ';
    expect(() => lower([{ embedding: 2 }], [3], { dtype: 'int64' })).toThrow(
      `${message}expected "vocabulary", of an input without a tokenizer how many ids there are`,
    );
    expect(() => lower([plain], [3], { tokens })).toThrow(
      `${message}"vocabulary" is as the tokenizer of the text says, expected none`,
    );
    expect(() => lower([{ dense: 2 }], [3], { dtype: 'int64' })).toThrow(
      'blocks[0][0]: dense does not fit its input [3]: these are ids, of int64, expected "embedding" before it, such as',
    );
  });
});
