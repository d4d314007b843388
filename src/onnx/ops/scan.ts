// Builds a Scan: a body that is run for each element of its inputs along the first axis.
import { Value } from '../ir/graph.js';
import { tensorType } from '../ir/types.js';
import type { Ops } from './ops-builder.js';

/** A Scan whose body is `step`; returns final states, then stacked outputs. Backwards: from the last element to the first. */
export function scan(
  g: Ops,
  states: readonly Value[],
  inputs: readonly Value[],
  direction: 'forward' | 'backward',
  step: (
    b: Ops,
    states: readonly Value[],
    inputs: readonly Value[],
  ) => { readonly states: readonly Value[]; readonly outputs: readonly Value[] },
): Value[] {
  const b = g.subgraph('step');
  const argument = (v: Value, drop: number): Value => {
    const inner = new Value(g.names.unique(`${v.name}/step`), tensorType(v.dtype, v.shape?.slice(drop)));
    b.graph.inputs.push(inner);
    return inner;
  };
  const result = step(
    b,
    states.map((v) => argument(v, 0)),
    inputs.map((v) => argument(v, 1)),
  );
  b.graph.outputs.push(...result.states, ...result.outputs);
  const back = direction === 'backward' ? 1 : 0;
  const attributes = {
    body: b.graph,
    num_scan_inputs: inputs.length,
    scan_input_directions: inputs.map(() => back),
    scan_output_directions: result.outputs.map(() => back),
  };
  return g.op('Scan', [...states, ...inputs], attributes, result.states.length + result.outputs.length);
}
