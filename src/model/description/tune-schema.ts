// What a description says of a column that fine-tunes an earlier one: which, up to which tap, and what of its weights training changes.
import * as z from 'zod';
import { integer, oneOf, real, size, strict } from '../nn/schema.js';

const patternText = 'the name of a weight, or a pattern such as "layer4.*"';
const tapText = 'the number of a block, or the name of a tap of an imported column';

const loraSchema = strict(
  {
    rank: size.default(8).describe('Rows of A and columns of B: 8 when absent.'),
    alpha: real('a positive number', { above: 0 })
      .optional()
      .describe('The update is alpha / rank times B A: twice the rank when absent.'),
    on: z
      .array(z.string({ error: patternText }).min(1, { error: patternText }), { error: 'a list of names or patterns' })
      .min(1, { error: 'at least one name' })
      .optional()
      .describe(
        'Names of weights, or of the nodes that read them; "*" stands for anything. Every weight of a MatMul, Gemm or Conv when absent.',
      ),
  },
  'what is updated: { rank, alpha, on }',
);

export const tuneSchema = strict(
  {
    base: z
      .string({ error: 'the name of an earlier task' })
      .describe('The task of the imported column that is tuned. It stays as it is.'),
    from: z
      .union([integer(0, tapText), z.string().min(1, { error: tapText })], { error: tapText })
      .optional()
      .describe('The tap that the head reads: the last when absent.'),
    lora: loraSchema
      .optional()
      .describe('Low-rank updates of some weights: W + (alpha / rank) B A, where A and B alone are trained.'),
    weights: oneOf(['all', 'scratch'])
      .optional()
      .describe('In place of lora: every weight is trained, from where the base ended ("all") or from the start ("scratch").'),
  },
  'what is tuned: { base, lora } or { base, weights }',
).transform(({ base, from, lora, weights }, ctx): Tune => {
  const rest = { base, ...(from !== undefined && { from }) };
  if (lora !== undefined && weights === undefined) {
    const { rank, alpha, on } = lora;
    return { ...rest, lora: { rank, alpha: alpha ?? 2 * rank, ...(on !== undefined && { on }) } };
  }
  if (weights !== undefined && lora === undefined) return { ...rest, weights };
  const got = lora === undefined ? 'neither stands there' : 'both stand there';
  ctx.addIssue({ code: 'custom', message: 'expected one of "lora" and "weights"', params: { got } });
  return z.NEVER;
});

/** Low-rank updates as written. */
export interface LoraInput {
  /** Rows of A and columns of B: 8 when absent. */
  rank?: number | undefined;
  /** The update is alpha / rank times B A: twice the rank when absent. */
  alpha?: number | undefined;
  /** Names of weights, or of the nodes that read them; "*" stands for anything. Every weight of a MatMul, Gemm or Conv when absent. */
  on?: string[] | undefined;
}

/** What a column tunes, as written. */
export interface TuneInput {
  /** The task of the imported column that is tuned. It stays as it is. */
  base: string;
  /** The tap that the head reads: the last when absent. */
  from?: number | string | undefined;
  /** Low-rank updates of some weights: W + (alpha / rank) B A, where A and B alone are trained. */
  lora?: LoraInput | undefined;
  /** In place of lora: every weight is trained, from where the base ended ("all") or from the start ("scratch"). */
  weights?: 'all' | 'scratch' | undefined;
}

/** Low-rank updates. */
export interface Lora {
  /** Rows of A and columns of B. */
  rank: number;
  /** The update is alpha / rank times B A. */
  alpha: number;
  /** Names or patterns of weights; all of MatMul, Gemm and Conv when absent. */
  on?: string[];
}

/** What a column tunes: one of `lora` and `weights`. */
export interface Tune {
  /** The task of the column that is tuned. */
  base: string;
  /** The tap that the head reads: the last when absent. */
  from?: number | string;
  /** Low-rank updates. */
  lora?: Lora;
  /** Every weight, from where the base ended or from the start. */
  weights?: 'all' | 'scratch';
}
