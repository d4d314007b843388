// Which task is a sample of? The model of all tasks answers that itself, without a label: the task whose answer is least in doubt, by the entropy of what it
// predicts. It is a guess, and a score of doubt stands beside it.
import { UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { answersOf, eachOf, type Head, headWidth } from '../heads/heads.js';

/** Names of the outputs: which task, int64 [N], its label, int64 [N], and the doubt, float32 [N]. */
export const autoNames = { task: 'auto_task', label: 'auto_label', doubt: 'auto_doubt' } as const;

/** A task that may be the one. */
export interface Candidate {
  readonly task: string;
  readonly head: Head;
  /** float32 [N, width], raw. */
  readonly scores: Value;
}

/** The tasks among these that can be told apart so. Throws UsageError for fewer than two, for heads of each step, and for a task called as an output. */
export function autoTasks<T extends { readonly task: string; readonly head: Head }>(columns: readonly T[]): T[] {
  const found = columns.filter(({ head }) => answersOf(head) !== undefined && eachOf(head) === undefined);
  if (found.length < 2) {
    const expected = 'two tasks or more that classify samples';
    throw new UsageError(`auto: found ${found.length}, expected ${expected}`, { expected, got: String(found.length) });
  }
  const taken = columns.find(({ task }) => Object.values(autoNames).some((name) => name === task));
  if (taken !== undefined)
    throw new UsageError(`auto: the task "${taken.task}" has the name of an output, expected another name`, { got: taken.task });
  return found;
}

/** Entropy of what is predicted, [N], as a share of the largest that there is: 0 is certain, 1 says nothing. Of labels the mean over them. */
function doubtOf(g: Ops, { head, scores }: Candidate): Value {
  const answers = answersOf(head);
  const p = answers === undefined ? scores : answers.probabilities(g, scores);
  const plogp = (v: Value) => g.mul(v, g.log(g.clip(v, 1e-12)));
  if (answers?.each === 'class')
    return g.div(g.reduceSum(plogp(p), [1], { keepdims: 0 }), -Math.log(Math.max(2, headWidth(head))));
  const both = g.add(plogp(p), plogp(g.sub(1, p)));
  return g.div(g.reduceSum(both, [1], { keepdims: 0 }), -Math.log(2) * headWidth(head));
}

/**
 * Adds the outputs: the place of the task among `candidates`, its label where all of them name classes, and its doubt. Above a doubt of `none` both are -1:
 * none of these.
 */
export function addAuto(g: Ops, candidates: readonly Candidate[], none: number | undefined): void {
  const column = (v: Value) => g.unsqueeze(v, [1]);
  const doubts = g.concat(...candidates.map((c) => column(doubtOf(g, c))), { axis: 1 });
  const doubt = g.reduceMin(doubts, [1], { keepdims: 0 });
  const task = g.argMin(doubts, { axis: 1, keepdims: 0 });
  const kept = (v: Value) => (none === undefined ? v : g.where(g.greater(doubt, none), -1, v));
  g.output(kept(task), autoNames.task);
  const labels = candidates.flatMap(({ head, scores }) => {
    const answers = answersOf(head);
    return answers?.each === 'class' ? column(answers.label(g, scores)) : [];
  });
  if (labels.length === candidates.length) {
    const own = g.gatherElements(g.concat(...labels, { axis: 1 }), column(task), { axis: 1 });
    g.output(kept(g.squeeze(own, [1])), autoNames.label);
  }
  g.output(doubt, autoNames.doubt);
}
