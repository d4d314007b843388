// embedding: a row of numbers for each id, out of a table that is learned; the rows of a sample kept in their order or pooled into one.
import { ShapeError } from '../../../onnx/core/errors.js';
import { int64 } from '../../../onnx/core/tensor.js';
import type { Value } from '../../../onnx/ir/graph.js';
import type { Ops } from '../../../onnx/ops/ops-builder.js';
import { type InitInput, tableInit } from '../init.js';
import { type LayerContext, layer, type TokenTable } from '../layer.js';
import { uncounted } from '../present.js';
import { sampleDims } from '../sample.js';
import { integer, oneOf, size, strict } from '../schema.js';

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** The "mean" or "max" of the rows of a text, padding left out: [size]. Absent: [length, size], 0 where there is padding. */
  pool?: 'mean' | 'max';
  /** Ids are whole numbers below; of a text its tokenizer says it. */
  vocabulary?: number;
  /** The id that fills up short samples; of a text its tokenizer says it. */
  padding?: number;
  /** How the table begins: { normal: 1 } when absent. */
  init?: InitInput;
}

const id = (g: Ops, value: number): Value => g.constant(int64(value));

/** What the ids are: as the tokenizer of a text says, else as the options say. `padding` is undefined where no id is one. */
function idsOf(tokens: TokenTable | undefined, vocabulary: number | undefined, padding: number | undefined) {
  if (tokens === undefined && vocabulary === undefined) {
    const expected = '"vocabulary", of an input without a tokenizer how many ids there are';
    throw new ShapeError(`expected ${expected}`, { expected });
  }
  if (tokens === undefined) return { vocabulary: vocabulary ?? 0, padding };
  const beside = vocabulary !== undefined ? 'vocabulary' : padding !== undefined ? 'padding' : undefined;
  if (beside !== undefined) {
    throw new ShapeError(`"${beside}" is as the tokenizer of the text says, expected none`, { got: beside });
  }
  return { vocabulary: tokens.vocabulary, padding: tokens.padding.id };
}

/**
 * A row of a learned table for each id: for each token of a text, or for the whole numbers of an input.
 * @function
 */
export const embedding = layer('embedding', {
  doc: 'A row of a learned table for each id: for each token of a text, or for the whole numbers of an input.',
  options: strict({
    size: size.describe('Numbers of a row.'),
    pool: oneOf(['mean', 'max'])
      .optional()
      .describe(
        'The "mean" or "max" of the rows of a text, padding left out: [size]. Absent: [length, size], 0 where there is padding.',
      ),
    vocabulary: size.optional().describe('Ids are whole numbers below; of a text its tokenizer says it.'),
    padding: integer(0, 'an id').optional().describe('The id that fills up short samples; of a text its tokenizer says it.'),
    init: tableInit,
  }).refine((o) => o.padding === undefined || o.vocabulary === undefined || o.padding < o.vocabulary, {
    error: 'expected an id below "vocabulary"',
    path: ['padding'],
  }),
  main: 'size',
  example: '{ embedding: { size: 32, pool: mean } }',
  call: (size: number, options: EmbeddingOptions = {}) => ({ size, ...options }),
  takesIds: true,
  gives: 'channels-last',
  lower: (c, { size, pool, init, ...stated }, x) => {
    const { g } = c;
    const dims = sampleDims(x);
    if ((x.dtype !== 'int64' && x.dtype !== 'int32') || dims.length > 1 || (dims.length === 0 && pool !== undefined))
      throw new ShapeError(
        'ids are needed, as the first layer of a column over input: { name, tokenizer, length } or input: { name, shape: [length], dtype: int64 }',
        { expected: 'ids [length]' },
      );
    const { vocabulary, padding } = idsOf(c.tokens, stated.vocabulary, stated.padding);
    const table = c.trainable('table', [vocabulary, size], { by: init, fanIn: vocabulary, fanOut: size });
    const whole = x.dtype === 'int64' ? x : g.cast(x, { to: 'int64' });
    // Negative ids would count from the end, as ONNX has it: none is a token, so they go where the run fails.
    const ids = g.where(g.less(whole, id(g, 0)), id(g, vocabulary), whole);
    const rows = g.gather(table, ids, { axis: 0 });
    if (padding === undefined) return pool === undefined ? rows : pooled(g, pool, rows);
    const present = g.unsqueeze(g.not(g.equal(whole, id(g, padding))), [dims.length + 1]);
    if (pool === 'max') return largest(c, rows, present);
    const counted = g.cast(present, { to: 'float32' });
    const kept = g.mul(rows, counted);
    if (pool === undefined) return kept;
    // A text without tokens is all 0.
    return g.div(g.reduceSum(kept, [1], { keepdims: 0 }), g.max(g.reduceSum(counted, [1], { keepdims: 0 }), 1));
  },
});

/** Of all rows of a sample. */
function pooled(g: Ops, pool: 'mean' | 'max', rows: Value): Value {
  return pool === 'mean' ? g.reduceMean(rows, [1], { keepdims: 0 }) : g.reduceMax(rows, [1], { keepdims: 0 });
}

/** The largest of the rows that are present; 0 where none is. */
function largest({ g }: LayerContext, rows: Value, present: Value): Value {
  const found = g.reduceMax(g.where(present, rows, uncounted), [1], { keepdims: 0 });
  const some = g.reduceMax(g.cast(present, { to: 'float32' }), [1], { keepdims: 0 });
  return g.where(g.greater(some, 0), found, 0);
}
