// What a trained column takes of earlier ones: sensitivities of its taps, and what it loses without each lateral.

import { countOf } from '../data/samples.js';
import { isSeveral, metricName } from '../model/heads/heads.js';
import type { Column } from '../model/progressive/column.js';
import { lateralStrengths } from '../model/progressive/lateral-strength.js';
import { must, UsageError } from '../onnx/core/errors.js';
import { Tensor } from '../onnx/core/tensor.js';
import type { Analysed } from './analysed.js';
import { fisherShares, tapFeatures } from './fisher.js';
import { type Joint, jointsOf, tapKey, tapsIn } from './joints.js';
import { headsOf, measured } from './metric.js';
import { constantMetrics, halvingVariances, perturbationShares } from './perturbation.js';
import { rankCorrelation } from './rank-correlation.js';
import { directionsOf } from './score-directions.js';

/** One tap that flows into a block. */
export interface TapSensitivity {
  /** The block that reads it; the number of the column's blocks stands for the head. */
  readonly into: number;
  /** The column whose tap it is: the task itself, or an earlier one. */
  readonly source: string;
  /** The tap's number in that column. */
  readonly tap: number;
  /** Average Fisher sensitivity: the share of the Fisher information, summed over all features. The taps into a block add up to 1. */
  readonly fisher: number;
  /** The same as a mean over features of each one's share; only where all taps into the block are equally wide. */
  readonly fisherByFeature?: number;
  /** Average perturbation sensitivity: the share of the inverse of `halvingVariance`. The taps into a block add up to 1. */
  readonly perturbation: number;
  /** Variance of noise, in those of the features, that takes half of the performance away; left out where 10^6 times theirs do not. */
  readonly halvingVariance?: number;
  /** Adapter: the scale that was learned for the source. */
  readonly alpha?: number;
  /** What the lateral's weights make of independent features of mean square 1: the root mean square. */
  readonly gain?: number;
  /** The metric with this lateral switched off; left out of the task's own tap. */
  readonly without?: number;
  /** The same of several heads, each by its name; `without` is that of the first. */
  readonly withoutByHead?: Readonly<Record<string, number>>;
}

/** One of several heads, undisturbed and by the best answer that is the same for all samples. */
export interface AnalysedHead {
  /** Its metric. */
  readonly metric: 'accuracy' | 'error';
  /** Undisturbed. */
  readonly value: number;
  /** Of the best answer that is the same for all samples. */
  readonly constant: number;
}

/** What `analyze` found. */
export interface Analysis {
  /** The task. */
  readonly task: string;
  /** Samples that it was measured on. */
  readonly rows: number;
  /** The head's metric; of several heads that of the first. */
  readonly metric: 'accuracy' | 'error';
  /** Undisturbed. */
  readonly value: number;
  /** Of the best answer that is the same for all samples: half of the performance lies in the middle. */
  readonly constant: number;
  /** Of several heads each by its name. */
  readonly heads?: Readonly<Record<string, AnalysedHead>>;
  /** Whether labels were drawn for the Fisher information, since the head is wide or answers steps. */
  readonly drawn: boolean;
  /** By the blocks that they flow into. */
  readonly taps: readonly TapSensitivity[];
  /** Spearman's rank correlation of both sensitivities; left out for fewer than three taps. */
  readonly correlation?: number;
}

/** How far it is. */
export interface AnalysisProgress {
  /** What was done last. */
  readonly what: string;
  /** Parts that are done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
}

/** The weights with one lateral switched off: linear, U is 0; adapter, the source's alpha. */
function withoutLateral({ column, weights }: Analysed, into: number, source: string): Analysed['weights'] {
  const { task, laterals, blocks } = column;
  const prefix = `${task}/${into === blocks.length ? 'head' : into}`;
  const name = laterals.kind === 'linear' ? `${prefix}/lateral/${source}/weight` : `${prefix}/adapter/alpha/${source}`;
  const own = must(weights.get(task), task);
  const { dtype, dims } = must(own.get(name), name);
  return new Map(weights).set(task, new Map(own).set(name, Tensor.zeros(dtype, dims)));
}

/** Throws UsageError for a column that takes nothing of earlier ones by laterals. */
export function refuseWithoutLaterals(column: Column): void {
  if (column.receiving.length > 0) return;
  const { task } = column;
  throw new UsageError(`task "${task}" takes nothing of earlier columns, expected one with laterals`, { got: task });
}

/** Throws UsageError for a column without laterals, and where it answers no better than a constant; InterruptedError on abort. */
export async function analyze(analysed: Analysed, onProgress?: (progress: AnalysisProgress) => void): Promise<Analysis> {
  const { column, weights, data } = analysed;
  const { task, head } = column;
  refuseWithoutLaterals(column);
  const joints = jointsOf(column);
  const pairs = joints.flatMap(({ into, taps }) => taps.map((ref) => ({ into, ref })));
  const laterals = pairs.filter(({ ref }) => ref.column !== column);
  const total = 2 + tapsIn(joints).length + laterals.length;
  let done = 0;
  const step = (what: string) => onProgress?.({ what, done: ++done, total });
  const { metrics: undisturbed, scores } = await measured(analysed);
  step('answers');
  const constant = constantMetrics(analysed, scores);
  const features = await tapFeatures(analysed, joints);
  step('Fisher information');
  const scale = { undisturbed, constant };
  const variances = await halvingVariances(analysed, joints, features, scale, () => step('noise'));
  const strengths = lateralStrengths(column, must(weights.get(task), task));
  const without = new Map<string, readonly number[]>();
  for (const { into, ref } of laterals) {
    const off = { ...analysed, weights: withoutLateral(analysed, into, ref.column.task) };
    without.set(`${into} ${ref.column.task}`, (await measured(off)).metrics);
    step('laterals switched off');
  }
  const names = headsOf(head).map(({ name = '' }) => name);
  const named = (values: readonly number[]) => Object.fromEntries(names.map((name, i) => [name, must(values[i], name)]));
  const heads = Object.fromEntries(
    headsOf(head).map(({ name = '', head: own }, i) => [
      name,
      { metric: metricName(own), value: must(undisturbed[i], name), constant: must(constant[i], name) },
    ]),
  );
  const taps = joints.flatMap((joint: Joint) => {
    const perturbation = perturbationShares(joint, variances);
    return fisherShares(joint, features).map(({ ref, block, feature }, i): TapSensitivity => {
      const source = ref.column.task;
      const strength = strengths.find((s) => s.into === joint.into && s.source === source);
      const variance = variances.get(tapKey(ref));
      const off = without.get(`${joint.into} ${source}`);
      return {
        into: joint.into,
        source,
        tap: ref.block,
        fisher: block,
        ...(feature !== undefined && { fisherByFeature: feature }),
        perturbation: must(perturbation[i], 'share'),
        ...(variance !== undefined && { halvingVariance: variance }),
        ...(strength?.alpha !== undefined && { alpha: strength.alpha }),
        ...(strength !== undefined && { gain: strength.gain }),
        ...(off !== undefined && { without: must(off[0], 'metric') }),
        ...(off !== undefined && isSeveral(head) && { withoutByHead: named(off) }),
      };
    });
  });
  const correlation = rankCorrelation(
    taps.map(({ fisher }) => fisher),
    taps.map(({ perturbation }) => perturbation),
  );
  return {
    task,
    rows: countOf(data.inputs),
    metric: metricName(head),
    value: must(undisturbed[0], 'metric'),
    constant: must(constant[0], 'metric'),
    ...(isSeveral(head) && { heads }),
    drawn: directionsOf(head).drawn,
    taps,
    ...(correlation !== undefined && { correlation }),
  };
}
