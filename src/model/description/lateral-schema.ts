// Laterals: what carries earlier columns' taps into a column's blocks. Eq. 1 (linear) and Eq. 2 (adapter) of the paper.
// A column after the first that says nothing has linear laterals from all earlier columns into all its blocks and its head.
import * as z from 'zod';
import { type ActivationName, activationName } from '../nn/layers.js';
import { integer, type KindInput, real, size, strict, taggedByKind, taggedDefinition, variant } from '../nn/schema.js';

const from = z.union([z.enum(['all', 'none']), z.array(z.string())], { error: '"all", "none" or a list of earlier tasks' });
const targetText = 'a block index from 1, or "head"';
const target = z.union([integer(1, targetText), z.literal('head')], { error: targetText });
const into = z.union([z.literal('all'), z.array(target)], {
  error: '"all" or a list of block indices from 1 (the head is the last, or "head")',
});
const ends = { from: from.default('all'), into: into.default('all') };

const lateralTable = {
  none: variant(strict({})),
  /** h_i = f(W_i h_{i-1} + sum_j U_ij h_{i-1}^(j)): one matrix for each source. */
  linear: variant(strict(ends)),
  /** One V (to `rank` features) and one U for each target block, over the sources' concatenation, each source scaled by its alpha. */
  adapter: variant(
    strict({
      ...ends,
      rank: size.optional(),
      activation: activationName.default('relu'),
      alpha: real('a number').optional(),
    }),
  ),
};

export type LateralsInput = KindInput<typeof lateralTable>;
/** Laterals checked by themselves; what `from` and `into` name is resolved against the other columns (resolve.ts). */
export const lateralsSchema = taggedByKind('laterals', lateralTable);
export type LateralsWritten = z.output<typeof lateralsSchema>;
export const lateralDefinitions = { laterals: taggedDefinition(lateralTable, 'kind') };

/**
 * Normalised laterals. `from`: earlier tasks, in the columns' order, at least one. `into`: indices of the blocks that receive, ascending,
 * from 1 (the first block receives none) to the number of blocks, which stands for the head.
 */
export type Laterals =
  | { kind: 'none' }
  | { kind: 'linear'; from: string[]; into: number[] }
  | {
      kind: 'adapter';
      from: string[];
      into: number[];
      /** Features that V projects to; absent: the width of the column's own block before. */
      rank?: number;
      activation: ActivationName;
      /** Where every alpha starts; absent: drawn from 1, 0.1, 0.01 by the seed. */
      alpha?: number;
    };
