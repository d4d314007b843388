// The losses of heads by name, as written: of classes and labels cross-entropy or focal loss, of numbers by the distance from the target.
import * as z from 'zod';
import { plainVariant, real, strict, tagged, taggedDefinition, variant } from '../nn/schema.js';

const chanceTable = {
  cross_entropy: plainVariant(strict({}), '-log p of what is right.'),
  focal: variant(
    strict({
      gamma: real('a non-negative number', { min: 0 })
        .default(2)
        .describe('How much less counts what is answered rightly already; 2 when absent, 0 is cross-entropy.'),
    }),
    'gamma',
    '{ focal: { gamma: 2 } }',
    '-(1 - p)^gamma log p of what is right: rows that are answered rightly already count less.',
  ),
};

const numberTable = {
  mse: plainVariant(strict({}), 'The mean squared error.'),
  l1: plainVariant(strict({}), 'The mean absolute error.'),
  huber: variant(
    strict({
      delta: real('a positive number', { above: 0 })
        .default(1)
        .describe("Where the error turns from squared to absolute, in the targets' unit; 1 when absent."),
    }),
    'delta',
    '{ huber: { delta: 1 } }',
    'Half the squared error up to "delta", beyond it delta times (absolute error - delta / 2): far outliers pull less.',
  ),
  quantile: variant(
    strict({
      q: quantiles().describe('The part of the targets that lies below the answer: one for all outputs, or one for each.'),
    }),
    'q',
    '{ quantile: 0.9 }',
    'The pinball loss: the answer is a quantile of the target, the median for 0.5.',
  ),
};

function quantiles() {
  const what = 'a number above 0 and below 1, or a list of them, one for each output';
  const q = real('a number above 0 and below 1', { above: 0, below: 1 });
  return z.union([q, z.array(q).min(1)], { error: what });
}

/** A loss of classes or labels as written. */
export type ChanceLossInput =
  | 'cross_entropy'
  | 'focal'
  | { cross_entropy: Record<never, never> }
  | { focal: number | { gamma?: number | undefined } }
  | { kind: 'cross_entropy' }
  | { kind: 'focal'; gamma?: number | undefined };
/** A loss of classes or labels; cross-entropy where a head has none. */
export type ChanceLoss = 'cross_entropy' | { kind: 'focal'; gamma: number };

/** A loss of numbers as written. */
export type NumberLossInput =
  | 'mse'
  | 'l1'
  | 'huber'
  | { mse: Record<never, never> }
  | { l1: Record<never, never> }
  | { huber: number | { delta?: number | undefined } }
  | { quantile: number | number[] | { q: number | number[] } }
  | { kind: 'mse' }
  | { kind: 'l1' }
  | { kind: 'huber'; delta?: number | undefined }
  | { kind: 'quantile'; q: number | number[] };
/** A loss of numbers. */
export type NumberLoss = 'mse' | 'l1' | { kind: 'huber'; delta: number } | { kind: 'quantile'; q: number | number[] };

/** The loss of a head of classes or labels. One without options is its name alone. */
export const chanceLoss: z.ZodType<ChanceLoss, ChanceLossInput> = tagged('loss', chanceTable, 'chance_loss').transform((loss) =>
  loss.kind === 'cross_entropy' ? loss.kind : loss,
);
/** The loss of a head of numbers, in the same way. */
export const numberLoss: z.ZodType<NumberLoss, NumberLossInput> = tagged('loss', numberTable, 'number_loss').transform((loss) =>
  loss.kind === 'mse' || loss.kind === 'l1' ? loss.kind : loss,
);
/** What `#/$defs` of a JSON Schema must hold for losses. */
export const lossDefinitions = { chance_loss: taggedDefinition(chanceTable), number_loss: taggedDefinition(numberTable) };
