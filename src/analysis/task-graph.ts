// A task's scores in a graph with all weights of its columns, and in it what an analysis does at taps.
import { mapSamples } from '../data/samples.js';
import { layoutOf } from '../model/nn/sample.js';
import { inferenceScope } from '../model/nn/scope.js';
import type { Column, TapRef } from '../model/progressive/column.js';
import { withDomains } from '../model/progressive/imported-versions.js';
import { NetworkLowering, tapLayout } from '../model/progressive/lowering.js';
import { boundToData } from '../model/progressive/open-inputs.js';
import { must } from '../onnx/core/errors.js';
import type { Value } from '../onnx/ir/graph.js';
import type { Model } from '../onnx/ir/model.js';
import { ops } from '../onnx/ops/ops.js';
import type { Ops } from '../onnx/ops/ops-builder.js';
import { optimise } from '../onnx/passes/optimise.js';
import { dataInputs, networkInputsFrom } from '../train/network-input.js';
import type { Analysed } from './analysed.js';
import { tapKey } from './joints.js';

/** The scores, [N, k]. */
export const scoresOutput = 'analysis/scores';

/** What is done to a task's graph. */
export interface TaskGraphOptions {
  /** What stands in a tap's place for all that read it. */
  readonly through?: (g: Ops, ref: TapRef, tap: Value) => Value;
  /** Adds outputs beside the scores. */
  readonly beside?: (g: Ops, scores: Value) => void;
}

/**
 * Data as the graphs of training take them to the scores of a column, in inference mode. The weights are initializers, of `weights` by task: those of the
 * column and of all that it stands on.
 */
export function taskGraph(
  { column: open, weights, data: { inputs } }: Pick<Analysed, 'column' | 'weights' | 'data'>,
  { through, beside }: TaskGraphOptions = {},
): Model {
  const column = boundToData(open, inputs, `samples of task "${open.task}"`);
  const dtypes = mapSamples(inputs, ({ dtype }) => dtype);
  const g = ops({ name: 'analysis', opset: column.network.opset });
  const data = dataInputs(g, column.inputs, dtypes, 'N');
  const lowering = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, column.inputs, data),
    scope: ({ task }) => {
      const own = must(weights.get(task), `weights of ${task}`);
      return inferenceScope(g, ({ name }) => g.initializer(name, must(own.get(name), name)));
    },
    ...(through && { through: (ref: TapRef, tap: Value) => through(g, ref, tap) }),
  });
  const scores = lowering.scores(column);
  g.output(scores, scoresOutput);
  beside?.(g, scores);
  lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset }));
  return withDomains(g.model(), column.network);
}

/** The same with what is made of its taps, by `tapKey`, beside the scores. */
export function tapped(
  analysed: Pick<Analysed, 'column' | 'weights' | 'data'>,
  beside: (g: Ops, scores: Value, taps: ReadonlyMap<string, Value>) => void,
): Model {
  const taps = new Map<string, Value>();
  return taskGraph(analysed, {
    through: (_, ref, tap) => {
      taps.set(tapKey(ref), tap);
      return tap;
    },
    beside: (g, scores) => beside(g, scores, taps),
  });
}

/** The axes of a tap [N, ...] beside that of its channels, and where the channels stand. */
export function axesOf(ref: TapRef, tap: Value): { readonly channels: number; readonly others: readonly number[] } {
  const rank = must(tap.shape, tap.name).length;
  const channels = rank > 2 && layoutOf(tapLayout(ref)) === 'channels-last' ? rank - 1 : 1;
  return { channels, others: Array.from({ length: rank }, (_, i) => i).filter((i) => i !== channels) };
}
