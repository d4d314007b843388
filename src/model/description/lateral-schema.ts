// Laterals: what carries earlier columns' taps into a column's blocks. Eq. 1 (linear) and Eq. 2 (adapter) of the paper.
// A column after the first that says nothing has linear laterals from all earlier columns into all its blocks and its head.
import * as z from 'zod';
import { type ActivationName, activationName } from '../nn/activation-name.js';
import { integer, oneOf, plainVariant, real, size, strict, taggedByKind, taggedDefinition } from '../nn/schema.js';

const from = z.union([z.string(), z.array(z.string())], { error: '"all", "none", an earlier task or a list of earlier tasks' });
const targetText = 'a block index from 1, or "head"';
/** 0 is the head of a column without blocks, and of no other (resolve.ts). */
const target = z.union([integer(0, targetText), z.literal('head')], { error: targetText });
const into = z.union([z.literal('all'), z.array(target)], {
  error: '"all" or a list of block indices from 1 (the head is the last, or "head")',
});
const tapText = 'the number of a block, the name of a tap of an imported column, or false for none';
const tap = z.union([integer(0, tapText), z.string().min(1, { error: tapText }), z.literal(false)], { error: tapText });
const ofSource = z.record(z.string(), tap, { error: 'taps by the block that they go into, such as { 1: 0, head: 3 }' });
const tapsText = 'taps by the block that they go into, such as { 1: 0, head: 3 }, or such by source';
const taps = z.record(z.string(), z.union([tap, ofSource], { error: tapText }), { error: tapsText });
const rankText = 'a positive integer, or such by the block that receives, { 1: 16, head: 4 }';
const ranks = z.union([size, z.record(z.string(), size)], { error: rankText });
/** How the positions of a tap go into a block: one by one, their mean, or all values side by side. */
export type Join = 'steps' | 'pool' | 'flatten';
const joins: readonly Join[] = ['steps', 'pool', 'flatten'];

const ends = {
  from: from.default('all').describe('The earlier tasks whose columns are read: "all" when absent.'),
  into: into.default('all').describe('The blocks that receive, from 1, and "head": "all" when absent.'),
  taps: taps
    .optional()
    .describe(
      'Which tap of the source goes into which block, { 1: 0, head: 3 }, or by source, { base: { head: 3 } }. When absent block i reads tap i - 1; of an imported column with more taps they are spread by depth, the last into the head. false: the block does not read that source.',
    ),
  join: oneOf(joins)
    .optional()
    .describe(
      'How the positions of a tap, steps of a sequence or places of an image, go into a block: "steps" one by one, resampled where there are others; "pool" their mean; "flatten" all values side by side. When absent, into features a sequence is pooled and an image flattened; positions go by steps along as many axes, else pooled.',
    ),
};

const lateralTable = {
  none: plainVariant(strict({}), 'A column by itself.'),
  linear: plainVariant(strict(ends), 'Eq. 1: h_i = f(W_i h_{i-1} + sum_j U_ij h_{i-1}^(j)), one matrix U for each source.'),
  adapter: plainVariant(
    strict({
      ...ends,
      rank: ranks
        .optional()
        .describe(
          "Features that V projects to, or such by the block that receives, { 1: 16, head: 4 }; when absent the width of the column's own block before.",
        ),
      activation: activationName.default('relu').describe('What stands between V and U: relu when absent.'),
      alpha: real('a number').optional().describe('Where every alpha starts; when absent drawn from 1, 0.1, 0.01 by the seed.'),
    }),
    "Eq. 2: one V and one U for each block that receives, over the sources' concatenation, each source scaled by its alpha.",
  ),
};

/** Which columns are read, and by which blocks. */
export interface LinearInput {
  /** The earlier tasks whose columns are read: "all" when absent. */
  from?: string | string[] | undefined;
  /** The blocks that receive, from 1, and "head": "all" when absent. */
  into?: 'all' | (number | 'head')[] | undefined;
  /** Which tap of the source goes into which block, { 1: 0, head: 3 }, or by source, { base: { head: 3 } }. When absent block i reads tap i - 1; of an imported column with more taps they are spread by depth, the last into the head. false: the block does not read that source. */
  taps?: Record<string, TapInput | Record<string, TapInput>> | undefined;
  /** How the positions of a tap, steps of a sequence or places of an image, go into a block: "steps" one by one, resampled where there are others; "pool" their mean; "flatten" all values side by side. When absent, into features a sequence is pooled and an image flattened; positions go by steps along as many axes, else pooled. */
  join?: Join | undefined;
}

/** A tap: the number of a block, the name of a tap of an imported column, or none. */
export type TapInput = number | string | false;

/** What an adapter has beside the ends of all laterals. */
export interface AdapterInput extends LinearInput {
  /** Features that V projects to, or such by the block that receives, { 1: 16, head: 4 }; when absent the width of the column's own block before. */
  rank?: number | Record<string, number> | undefined;
  /** What stands between V and U: relu when absent. */
  activation?: ActivationName | undefined;
  /** Where every alpha starts; when absent drawn from 1, 0.1, 0.01 by the seed. */
  alpha?: number | undefined;
}

/** Laterals as written: `linear`, or `{ kind: adapter, rank: 16 }`. */
export type LateralsInput =
  | 'none'
  | 'linear'
  | 'adapter'
  | { kind: 'none' }
  | ({ kind: 'linear' } & LinearInput)
  | ({ kind: 'adapter' } & AdapterInput);

/** Laterals checked by themselves; what `from` and `into` name is resolved against the other columns (resolve.ts). */
export const lateralsSchema = taggedByKind('laterals', lateralTable);
export type LateralsWritten = z.output<typeof lateralsSchema>;
export const lateralDefinitions = { laterals: taggedDefinition(lateralTable, 'kind') };

/**
 * Normalised laterals. `from`: earlier tasks, in the columns' order, at least one. `into`: indices of the blocks that receive, ascending,
 * from 1 (the first block receives none) to the number of blocks, which stands for the head: 0 in a column without blocks.
 */
export type Laterals =
  | { kind: 'none' }
  | { kind: 'linear'; from: string[]; into: number[]; taps?: Taps; join?: Join }
  | {
      kind: 'adapter';
      from: string[];
      into: number[];
      taps?: Taps;
      join?: Join;
      /** Features that V projects to, of all blocks or by the block that receives; absent: the width of the column's own block before. */
      rank?: number | Record<string, number>;
      activation: ActivationName;
      /** Where every alpha starts; absent: drawn from 1, 0.1, 0.01 by the seed. */
      alpha?: number;
    };

/** By source and the block that receives: the block of the source that is read, where it is another than what no word gives; false: none. */
export type Taps = Record<string, Record<string, number | false>>;
