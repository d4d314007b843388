// What a pass is, and how passes are put together: a pipeline is a list of them. What they do is in a file for each.
import { aFunction, given, listOf } from '../core/given.js';
import type { Names } from '../ir/builder.js';
import type { Graph, Value } from '../ir/graph.js';

/** What passes are told beside what they rewrite; each looks at what concerns it. */
export interface PassContext {
  /** The ai.onnx version of the graph. Default 17. */
  readonly opset?: number;
  /** Initializers that are weights: they stay, keep their names, and are no constants whatever they hold. Default: all of floats. */
  readonly parameters?: ReadonlySet<Value>;
  /** Values that are not to be taken as constants though they are known: what is differentiated by. */
  readonly keep?: ReadonlySet<Value>;
  /** The names of the graph, where a builder goes on with them. Default: those that stand in it. */
  readonly names?: Names;
  /** Hears, in a line each, where the types that a file states do not hold. */
  readonly onNote?: (line: string) => void;
  /** Hears of every pass of a pipeline after it ran, by its name; not of pipelines within. So tests verify what each leaves. */
  readonly onPass?: (name: string) => void;
}

/**
 * Rewrites in place, subgraphs included unless it says otherwise; returns whether anything changed. Inputs and outputs keep their names and
 * order. A pass over a graph needs no more than the graph; others are over a `Model` (its opsets, its functions) or a builder (`Ops`).
 */
export type Pass<T = Graph> = (target: T, context?: PassContext) => boolean;

/** One pass after the other; after each that changed anything, `tidy`. */
export function inOrder<T>(passes: readonly Pass<T>[], tidy?: Pass<T>): Pass<T> {
  given('inOrder', { passes }, { passes: listOf(aFunction) });
  return (target, context) => {
    let any = false;
    for (const pass of passes) {
      if (!runNamed(pass, target, context)) continue;
      any = true;
      tidy?.(target, context);
    }
    return any;
  };
}

/** Each pass of a pipeline walks the whole graph, so few rounds do; the bound only keeps a defect from looping for ever. */
const maxRounds = 16;

/** Passes in order, again and again until none finds anything: what one removes lets another see more. */
export function untilStable<T>(passes: readonly Pass<T>[]): Pass<T> {
  const round = inOrder(passes);
  return (target, context) => {
    let rounds = 0;
    while (rounds < maxRounds && round(target, context)) rounds++;
    return rounds > 0;
  };
}

function runNamed<T>(pass: Pass<T>, target: T, context: PassContext | undefined): boolean {
  const changed = pass(target, context);
  if (pass.name !== '') context?.onPass?.(pass.name);
  return changed;
}
