// Which task is a sample of? The model of all tasks answers that itself, without a label: the task whose answer is least in doubt, by the entropy of what it
// predicts, or what a router says that was fitted to features of a frozen column. It is a guess, and a score of doubt stands beside it.
import { UsageError } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Ops } from '../../onnx/ops/ops-builder.js';
import { answersOf, eachOf, type Head, headWidth, isJudged, isSeveral } from '../heads/heads.js';
import { outputsBegin } from '../heads/several.js';
import type { TapRef } from './column.js';

/** Names of the outputs: which task, int64 [N], its label, int64 [N], and the doubt, float32 [N]. */
export const autoNames = { task: 'auto_task', label: 'auto_label', doubt: 'auto_doubt' } as const;

/** A task that may be the one. */
export interface Candidate {
  readonly task: string;
  readonly head: Head;
  /** float32 [N, width], raw; of a head of each step [N, T, width]. */
  readonly scores: Value;
}

/** What a sample is given to. */
export interface Route {
  /** The place of the task among the candidates, int64 [N]. */
  readonly task: Value;
  /** 0, certain, to 1: float32 [N]. */
  readonly doubt: Value;
}

/** Finds the task by features of a frozen column. */
export interface Router {
  /** How. */
  readonly kind: string;
  /** The task and the block of the tap whose features it reads. */
  readonly features: { readonly task: string; readonly block: number };
  /** The tasks that it tells apart, in its order. */
  readonly tasks: readonly string[];
  /** Adds it to a graph; `tap` is the value of the tap `ref`. */
  route(g: Ops, ref: TapRef, tap: Value): Route;
}

/**
 * The tasks among these that can be told apart by what they answer, or by a router: any that are judged. Throws UsageError for fewer than two, and for a task
 * called as an output.
 */
export function autoTasks<T extends { readonly task: string; readonly head: Head }>(columns: readonly T[], routed = false): T[] {
  const answering = (head: Head) => answersOf(head) !== undefined && eachOf(head) === undefined;
  const found = columns.filter(({ head }) => (routed ? isJudged(head) : answering(head)));
  if (found.length < 2) {
    const expected = routed ? 'two tasks or more that have a head' : 'two tasks or more that classify samples';
    throw new UsageError(`auto: found ${found.length}, expected ${expected}`, { expected, got: String(found.length) });
  }
  const own: readonly string[] = Object.values(autoNames);
  const taken = columns
    .flatMap(({ task, head }) => (isSeveral(head) ? head.heads.map(({ name }) => outputsBegin(task, name)) : [task]))
    .find((name) => own.includes(name));
  if (taken !== undefined)
    throw new UsageError(`auto: the task "${taken}" has the name of an output, expected another name`, { got: taken });
  return found;
}

/** Entropy of what is predicted, [N], as a share of the largest that there is: 0 is certain, 1 says nothing. Of labels the mean over them. */
export function entropyShare(g: Ops, head: Head, scores: Value): Value {
  const answers = answersOf(head);
  const p = answers === undefined ? scores : answers.probabilities(g, scores);
  const plogp = (v: Value) => g.mul(v, g.log(g.clip(v, 1e-12)));
  if (answers?.each === 'class')
    return g.div(g.reduceSum(plogp(p), [1], { keepdims: 0 }), -Math.log(Math.max(2, headWidth(head))));
  const both = g.add(plogp(p), plogp(g.sub(1, p)));
  return g.div(g.reduceSum(both, [1], { keepdims: 0 }), -Math.log(2) * headWidth(head));
}

const column = (g: Ops, v: Value): Value => g.unsqueeze(v, [1]);

/** The task whose answer is least in doubt. */
export function leastDoubt(g: Ops, candidates: readonly Candidate[]): Route {
  const doubts = g.concat(...candidates.map(({ head, scores }) => column(g, entropyShare(g, head, scores))), { axis: 1 });
  const doubt = g.reduceMin(doubts, [1], { keepdims: 0 });
  return { doubt, task: g.argMin(doubts, { axis: 1, keepdims: 0 }) };
}

/**
 * Adds the outputs: the place of the task among `candidates`, its label where all of them name classes, and its doubt. Above a doubt of `none` both are -1:
 * none of these.
 */
export function addAuto(g: Ops, candidates: readonly Candidate[], { task, doubt }: Route, none: number | undefined): void {
  const kept = (v: Value) => (none === undefined ? v : g.where(g.greater(doubt, none), -1, v));
  g.output(kept(task), autoNames.task);
  const labels = candidates.flatMap(({ head, scores }) => {
    const answers = answersOf(head);
    return answers?.each === 'class' && eachOf(head) === undefined ? column(g, answers.label(g, scores)) : [];
  });
  if (labels.length === candidates.length) {
    const own = g.gatherElements(g.concat(...labels, { axis: 1 }), column(g, task), { axis: 1 });
    g.output(kept(g.squeeze(own, [1])), autoNames.label);
  }
  g.output(doubt, autoNames.doubt);
}
