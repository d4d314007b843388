// embedding: a row of numbers for each token, out of a table that is learned; the rows of a text kept in their order or pooled into one.
import { ShapeError } from '../../../onnx/core/errors.js';
import { int64 } from '../../../onnx/core/tensor.js';
import type { Value } from '../../../onnx/ir/graph.js';
import type { Ops } from '../../../onnx/ops/ops-builder.js';
import { type InitInput, tableInit } from '../init.js';
import { type LayerContext, layer } from '../layer.js';
import { sampleDims } from '../sample.js';
import { oneOf, size, strict } from '../schema.js';

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** The "mean" or "max" of the rows of a text, padding left out: [size]. Absent: [length, size], 0 where there is padding. */
  pool?: 'mean' | 'max';
  /** How the table begins: { normal: 1 } when absent. */
  init?: InitInput;
}

const id = (g: Ops, value: number): Value => g.constant(int64(value));
const least = -3.4028234663852886e38;

/**
 * A row of a learned table for each token of a text.
 * @function
 */
export const embedding = layer('embedding', {
  doc: 'A row of a learned table for each token of a text.',
  options: strict({
    size: size.describe('Numbers of a row.'),
    pool: oneOf(['mean', 'max'])
      .optional()
      .describe(
        'The "mean" or "max" of the rows of a text, padding left out: [size]. Absent: [length, size], 0 where there is padding.',
      ),
    init: tableInit,
  }),
  main: 'size',
  example: '{ embedding: { size: 32, pool: mean } }',
  call: (size: number, options: EmbeddingOptions = {}) => ({ size, ...options }),
  takesIds: true,
  gives: 'channels-last',
  lower: (c, { size, pool, init }, x) => {
    const { g, tokens } = c;
    const dims = sampleDims(x);
    if (x.dtype !== 'int64' || tokens === undefined || dims.length !== 1)
      throw new ShapeError('token ids are needed, as the first layer of a column over input: { name, tokenizer, length }', {
        expected: 'token ids [length]',
      });
    const { vocabulary, padding } = tokens;
    const table = c.trainable('table', [vocabulary, size], { by: init, fanIn: vocabulary, fanOut: size });
    // Negative ids would count from the end, as ONNX has it: none is a token, so they go where the run fails.
    const ids = g.where(g.less(x, id(g, 0)), id(g, vocabulary), x);
    const rows = g.gather(table, ids, { axis: 0 });
    const present = g.unsqueeze(g.not(g.equal(x, id(g, padding.id))), [2]);
    if (pool === 'max') return largest(c, rows, present);
    const counted = g.cast(present, { to: 'float32' });
    const kept = g.mul(rows, counted);
    if (pool === undefined) return kept;
    // A text without tokens is all 0.
    return g.div(g.reduceSum(kept, [1], { keepdims: 0 }), g.max(g.reduceSum(counted, [1], { keepdims: 0 }), 1));
  },
});

/** The largest of the rows that are present; 0 where none is. */
function largest({ g }: LayerContext, rows: Value, present: Value): Value {
  const found = g.reduceMax(g.where(present, rows, least), [1], { keepdims: 0 });
  const some = g.reduceMax(g.cast(present, { to: 'float32' }), [1], { keepdims: 0 });
  return g.where(g.greater(some, 0), found, 0);
}
