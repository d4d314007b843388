// Builds a Scan: a body that is run for each element of its inputs along an axis.
import { must } from '../core/errors.js';
import { Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import type { Ops } from './ops-builder.js';

/** How a Scan goes through its inputs and puts its outputs together. */
interface How {
  /** From the last element to the first. */
  readonly backward?: boolean;
  /** The axis of each input; all 0 when absent. */
  readonly axes?: readonly number[];
  /** The axis of each output; all 0 when absent. */
  readonly outputAxes?: readonly number[];
}

/** A Scan whose body is `step`, which is given the states and an element of each input; returns final states, then stacked outputs. */
export function scan(
  g: Ops,
  states: readonly Value[],
  inputs: readonly Value[],
  { backward = false, axes, outputAxes }: How,
  step: (
    b: Ops,
    states: readonly Value[],
    inputs: readonly Value[],
  ) => { readonly states: readonly Value[]; readonly outputs: readonly Value[] },
): Value[] {
  const b = g.subgraph('step');
  const argument = (v: Value, without?: number): Value => {
    const inner = new Value(
      g.names.unique(`${v.name}/step`),
      tensorType(
        v.dtype,
        v.shape?.filter((_, i) => i !== without),
      ),
    );
    b.graph.inputs.push(inner);
    return inner;
  };
  const result = step(
    b,
    states.map((v) => argument(v)),
    inputs.map((v, i) => argument(v, axes === undefined ? 0 : must(axes[i], 'axis'))),
  );
  b.graph.outputs.push(...result.states, ...result.outputs);
  const back = backward ? 1 : 0;
  const attributes = {
    body: b.graph,
    num_scan_inputs: inputs.length,
    scan_input_axes: axes,
    scan_input_directions: inputs.map(() => back),
    scan_output_axes: outputAxes,
    scan_output_directions: result.outputs.map(() => back),
  };
  return g.op('Scan', [...states, ...inputs], attributes, result.states.length + result.outputs.length);
}
