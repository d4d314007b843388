// Loop and Scan seen as one thing: s_{t+1}, y_t = f(s_t, x_t). A Loop reads no sequences but knows the number of its iteration.
import { InternalError, must } from '../core/errors.js';
import { Tensor } from '../core/tensor.js';
import { type Graph, Node, Value } from '../ir/graph.js';
import { type Type, tensorType } from '../ir/types.js';
import { tripCount } from '../ops/families/control-flow.js';
import { NodeContext } from '../ops/op-def.js';
import type { Ops } from '../ops/ops-builder.js';

/** A carried value: `input` and `output` of the body, `initial` before and `final` after the node. */
interface State {
  readonly input: Value;
  readonly output: Value;
  readonly initial: Value;
  readonly final: Value;
}

/** A sequence: the body's value of one iteration, and the whole outside, stacked along `axis`. */
interface Sequence {
  readonly inner: Value;
  readonly outer: Value;
  readonly axis: number;
  /** Read or written from the end. */
  readonly reverse: boolean;
}

export interface Iteration {
  readonly node: Node;
  readonly body: Graph;
  readonly states: readonly State[];
  readonly scanInputs: readonly Sequence[];
  readonly scanOutputs: readonly Sequence[];
  /** Inputs of the body that `keep` can stack: the number of the iteration (Loop), the states. */
  readonly kept: readonly Value[];
  /** The condition that a Loop's body reads; it is true in every iteration that runs. */
  readonly condition: Value | undefined;
  readonly always: Tensor;
  /** False where an iteration is certain to run; a Scan has at least one in ONNX Runtime. */
  readonly mayBeEmpty: (opset: number) => boolean;
  /** An input of the body in every iteration, stacked along axis 0: a scan output that is added to the node unless it is there. */
  readonly keep: (g: Ops, input: Value) => Value;
}

export function iterationOf(node: Node): Iteration {
  const a = node.attributes.get('body');
  if (a?.kind !== 'graph') throw new InternalError(`${node.opType} "${node.name}" has no body`);
  const body = a.value;
  const isLoop = node.opType === 'Loop';
  const sequences = isLoop ? 0 : node.int('num_scan_inputs', 0);
  // inputs of the node and the body, outputs of the body, that stand before the states
  const [before, bodyBefore, outBefore] = isLoop ? [2, 2, 1] : [0, 0, 0];
  const count = node.inputs.length - before - sequences;
  const list = (name: string, i: number) => node.ints(name)?.[i] ?? 0;
  const states = Array.from(
    { length: count },
    (_, i): State => ({
      input: must(body.inputs[bodyBefore + i], 'body input'),
      output: must(body.outputs[outBefore + i], 'body output'),
      initial: must(node.inputs[before + i], 'initial value'),
      final: must(node.outputs[i], 'output'),
    }),
  );
  const rank = (v: Value) => (v.shape?.length ?? 0) + 1;
  const axisOf = (axis: number, inner: Value) => (axis < 0 ? axis + rank(inner) : axis);
  const scanInputs = Array.from({ length: sequences }, (_, i): Sequence => {
    const inner = must(body.inputs[bodyBefore + count + i], 'body input');
    const axis = axisOf(list('scan_input_axes', i), inner);
    return { inner, outer: must(node.inputs[count + i], 'scan input'), axis, reverse: list('scan_input_directions', i) === 1 };
  });
  const scanOutputs = node.outputs.slice(count).map((outer, i): Sequence => {
    const inner = must(body.outputs[outBefore + count + i], 'body output');
    const axis = axisOf(list('scan_output_axes', i), inner);
    return { inner, outer, axis, reverse: list('scan_output_directions', i) === 1 };
  });
  return {
    node,
    body,
    states,
    scanInputs,
    scanOutputs,
    kept: [...(isLoop ? body.inputs.slice(0, 1) : []), ...states.map((s) => s.input)],
    condition: isLoop ? body.inputs[1] : undefined,
    always: Tensor.from('bool', 1),
    mayBeEmpty: (opset) => {
      const count = isLoop ? tripCount(new NodeContext(node, opset)) : 1;
      return typeof count !== 'number' || count === 0;
    },
    keep: (g, input) => keep(g, node, body, outBefore + count, input),
  };
}

function keep(g: Ops, node: Node, body: Graph, first: number, input: Value): Value {
  const known = body.outputs.findIndex(
    (v, i) => i >= first && v.producer?.opType === 'Identity' && v.producer.inputs[0] === input && plain(node, i - first),
  );
  const offset = body.outputs.length - node.outputs.length;
  if (known >= 0) return must(node.outputs[known - offset], 'scan output');
  const name = g.names.unique(`${input.name}/each`);
  const copy = new Value(name, input.type);
  body.nodes.push(new Node('Identity', [input], [copy], new Map(), g.names.unique(`${name}/Identity`)));
  body.outputs.push(copy);
  const outer = new Value(g.names.unique(`${name}/stacked`), stackedType(input.type));
  outer.producer = node;
  node.outputs.push(outer);
  for (const list of ['scan_output_axes', 'scan_output_directions']) {
    const given = node.attributes.get(list);
    if (given?.kind === 'ints') node.attributes.set(list, { kind: 'ints', value: [...given.value, 0n] });
  }
  return outer;
}

/** A scan output in plain order along axis 0. */
function plain(node: Node, i: number): boolean {
  return (node.ints('scan_output_axes')?.[i] ?? 0) === 0 && (node.ints('scan_output_directions')?.[i] ?? 0) === 0;
}

function stackedType(type: Type | undefined): Type | undefined {
  if (type?.kind !== 'tensor') return undefined;
  return tensorType(type.dtype, type.shape === undefined ? undefined : [null, ...type.shape]);
}
