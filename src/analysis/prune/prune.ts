// Takes out of a trained column what its task does not need: fewer weights, not zeros. What matters least goes first.
import { type Head, isSeveral, metricName } from '../../model/heads/heads.js';
import { type Column, columnsOf } from '../../model/progressive/column.js';
import { must, UsageError } from '../../onnx/core/errors.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import type { Analysed } from '../analysed.js';
import { better, headsOf, measured } from '../metric.js';
import { type Candidate, candidatesOf, keptWithout } from './candidates.js';
import { cut, type Kept } from './cut.js';
import { type Described, described, withChange } from './describe.js';

/** How much may go. */
export type PruneGoal =
  /** What matters less than this share of an equal one: above 0. */
  | { readonly threshold: number }
  /** As much as leaves the metric at least as good as this; of several heads that of each, by what it is measured by. */
  | { readonly keep: number | KeptMetrics };

/** What is to be kept of several heads: each stays at least as good as the bound of its own metric. */
export interface KeptMetrics {
  /** Of each head that is measured by its accuracy, at least. */
  readonly accuracy?: number;
  /** Of each head that is measured by its error, at most. */
  readonly error?: number;
}

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
  readonly measured: MeasuredPruning;
}

/** A metric before and after; of several heads that of the first, and each by its name. */
export interface MeasuredPruning {
  /** As it was. */
  readonly before: number;
  /** As it is. */
  readonly after: number;
  /** Of several heads each by its name. */
  readonly heads?: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
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
  const { metrics: before } = await measured(analysed);
  const bounds = 'keep' in goal ? boundsOf(column, goal.keep) : [];
  const fails = (metrics: readonly number[]) =>
    bounds.find(({ at, head: own, bound }) => better(own, bound, must(metrics[at], 'metric')));
  const failed = fails(before);
  if (failed !== undefined) {
    const [is, { bound, what }] = [must(before[failed.at], 'metric'), failed];
    throw new UsageError(`${what} reaches ${is.toFixed(4)} now, expected at least as good as what is to be kept, ${bound}`, {
      got: String(is),
      expected: String(bound),
    });
  }
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
  const measure = async (count: number): Promise<readonly number[]> => {
    const { now, weights: cutDown } = without(count);
    return (await measured({ ...analysed, column: now, weights: new Map(weights).set(task, cutDown) })).metrics;
  };
  let count = 0;
  if ('threshold' in goal) count = order.filter(({ share }) => share < goal.threshold).length;
  else {
    let [low, high] = [0, order.length + 1];
    const steps = Math.ceil(Math.log2(high));
    for (let step = 1; high - low > 1; step++) {
      const middle = (low + high) >> 1;
      if (fails(await measure(middle)) === undefined) low = middle;
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
    measured: comparedOf(head, before, count === 0 ? before : await measure(count)),
  };
}

/** What of each head is to be kept, and what the head is called. Throws UsageError where a head has no bound. */
function boundsOf({ task, head }: Column, keep: number | KeptMetrics) {
  return headsOf(head).map(({ name, head: own }, at) => {
    const metric = metricName(own);
    const what = `task "${task}"${name === undefined ? '' : `, head "${name}",`}`;
    const bound = typeof keep !== 'number' ? keep[metric] : name === undefined ? keep : undefined;
    if (bound !== undefined) return { at, head: own, bound, what };
    throw new UsageError(`${what} is measured by its ${metric}, expected what of it is to be kept`, {
      got: metric,
      expected: metric,
    });
  });
}

function comparedOf(head: Head, before: readonly number[], after: readonly number[]): MeasuredPruning {
  const of = (i: number) => ({ before: must(before[i], 'metric'), after: must(after[i], 'metric') });
  const heads = Object.fromEntries(headsOf(head).map(({ name = '' }, i) => [name, of(i)]));
  return { ...of(0), ...(isSeveral(head) && { heads }) };
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
