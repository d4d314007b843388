// Takes out of a trained column what its task does not need: fewer weights, not zeros. What matters least goes first.
import { metricRises } from '../../model/heads/heads.js';
import { type Column, columnsOf } from '../../model/progressive/column.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Analysed } from '../analysed.js';
import { metricOf } from '../metric.js';
import { type Candidate, candidatesOf, keptWithout } from './candidates.js';
import { cut, type Kept } from './cut.js';
import { type Described, described, withChange } from './describe.js';

/** How much may go. */
export type PruneGoal =
  /** What matters less than this share of an equal one: above 0. */
  | { readonly threshold: number }
  /** As much as leaves the metric at least as good as this. */
  | { readonly keep: number };

/** How many things of a kind a column has, and how many it keeps. */
export interface PrunedPart {
  /** `sources` read, `ranks` of adapters, `units` of layers. */
  readonly kind: 'sources' | 'ranks' | 'units';
  /** The block that receives or has the units; the number of the column's blocks stands for the head. */
  readonly block: number;
  /** How many there were. */
  readonly before: number;
  /** How many are left. */
  readonly after: number;
}

/** A column without what it does not need. */
export interface Pruned {
  readonly column: Column;
  /** Of the column alone. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly described: Described;
  /** What there was at each place where anything could go. */
  readonly parts: readonly PrunedPart[];
  /** Shares below this went. */
  readonly threshold: number;
  /** On the samples that it was measured on, before and after. */
  readonly measured: { readonly before: number; readonly after: number };
}

/** How far it is. */
export type PruneProgress = (what: string, done: number, total: number) => void;

/**
 * Throws UsageError where nothing can be taken out, or where the metric is worse than what is to be kept.
 */
export async function prune(analysed: Analysed, goal: PruneGoal, onProgress?: PruneProgress): Promise<Pruned> {
  const { column, weights } = analysed;
  const { task, head } = column;
  const own = must(weights.get(task), task);
  const { metric: before } = await metricOf(analysed);
  const enough = (metric: number, wanted: number) => (metricRises(head) ? metric >= wanted : metric <= wanted);
  if ('keep' in goal && !enough(before, goal.keep))
    throw new UsageError(
      `task "${task}" reaches ${before.toFixed(4)} now, expected at least as good as what is to be kept, ${goal.keep}`,
      {
        got: String(before),
        expected: String(goal.keep),
      },
    );
  const all = await candidatesOf(analysed);
  if (all.length === 0)
    throw new UsageError(`task "${task}" has nothing to take out: no laterals, and no layers whose units could go`, {
      got: task,
    });
  const order = [...all].sort((a, b) => a.share - b.share);
  const without = (count: number) => {
    const kept = keptWithout(column, all, new Set(order.slice(0, count)));
    const said = described(column, own, kept);
    const now = columnsOf(withChange(column.network.description, task, said)).column(task);
    return { kept, said, now, weights: cut(column, now, own, kept) };
  };
  const measure = async (count: number): Promise<number> => {
    const { now, weights: cutDown } = without(count);
    return (await metricOf({ ...analysed, column: now, weights: new Map(weights).set(task, cutDown) })).metric;
  };
  let count = 0;
  if ('threshold' in goal) count = order.filter(({ share }) => share < goal.threshold).length;
  else {
    let [low, high] = [0, order.length + 1];
    const steps = Math.ceil(Math.log2(high));
    for (let step = 1; high - low > 1; step++) {
      const middle = (low + high) >> 1;
      if (enough(await measure(middle), goal.keep)) low = middle;
      else high = middle;
      onProgress?.('smaller', step, steps);
    }
    count = low;
  }
  const { kept, said, now, weights: left } = without(count);
  return {
    column: now,
    weights: left,
    described: said,
    parts: partsOf(all, kept),
    threshold: order[count]?.share ?? Number.POSITIVE_INFINITY,
    measured: { before, after: count === 0 ? before : await measure(count) },
  };
}

function partsOf(all: readonly Candidate[], kept: Kept): PrunedPart[] {
  const found = new Map<string, PrunedPart>();
  for (const c of all) {
    const [kind, block] = c.kind === 'unit' ? (['units', c.block] as const) : ([`${c.kind}s`, c.into] as const);
    const alone = kind === 'ranks' && kept.sources.get(block)?.length === 0;
    const after = alone ? 0 : { sources: kept.sources, ranks: kept.ranks, units: kept.units }[kind].get(block)?.length;
    const before = (found.get(`${kind} ${block}`)?.before ?? 0) + 1;
    found.set(`${kind} ${block}`, { kind, block, before, after: after ?? before });
  }
  return [...found.values()];
}
