// If, Loop, Scan: types come from the subgraphs, whose own nodes were inferred when they were built. Specification: onnx/docs/Operators.md.
import type { Dim } from '../../core/shape.js';
import type { Graph } from '../../ir/graph.js';
import { formatType, type Type, tensorType } from '../../ir/types.js';
import type { NodeContext, OpRules } from '../op-def.js';
import { knownElements } from '../rules/shape-value.js';
import { takenBranch } from '../rules/taken-branch.js';

type ControlOp = 'If' | 'Loop' | 'Scan';

function body(c: NodeContext, name: string): Graph {
  const a = c.node.attributes.get(name);
  return a?.kind === 'graph' ? a.value : c.fail(`attribute "${name}" must be a graph`);
}

/** What holds of a value that has one of two types. `what` names it in the error. */
function common(c: NodeContext, what: string, a: Type | undefined, b: Type | undefined): Type | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.kind !== 'tensor' || b.kind !== 'tensor') {
    if (a.kind === 'optional' || b.kind === 'optional') return undefined;
    return a.kind === b.kind ? a : c.fail(`${what}: types differ, ${formatType(a)} and ${formatType(b)}`);
  }
  if (a.dtype !== b.dtype)
    return c.fail(`${what}: dtypes differ, ${a.dtype} and ${b.dtype}`, { expected: a.dtype, got: b.dtype });
  const [sa, sb] = [a.shape, b.shape];
  if (sa === undefined || sb === undefined || sa.length !== sb.length) return tensorType(a.dtype, undefined);
  return tensorType(
    a.dtype,
    sa.map((d, i) => (d === sb[i] ? d : null)),
  );
}

function checkCount(c: NodeContext, what: string, expected: number, got: number): void {
  if (expected !== got) c.fail(`${what}: expected ${expected}, got ${got}`, { expected: String(expected), got: String(got) });
}

/** A scan output: the body's value of one iteration with one more axis. */
function stacked(c: NodeContext, what: string, type: Type | undefined, length: Dim, axis = 0): Type | undefined {
  if (type === undefined) return undefined;
  if (type.kind !== 'tensor') return c.fail(`${what} must be a tensor, it is ${formatType(type)}`);
  if (type.shape === undefined) return type;
  const at = axis < 0 ? axis + type.shape.length + 1 : axis;
  return tensorType(type.dtype, [...type.shape.slice(0, at), length, ...type.shape.slice(at)]);
}

function inferLoop(c: NodeContext): (Type | undefined)[] {
  const graph = body(c, 'body');
  const carried = Math.max(c.inputCount - 2, 0);
  checkCount(c, 'inputs of the body (iteration, condition, carried values)', 2 + carried, graph.inputs.length);
  const scans = graph.outputs.length - 1 - carried;
  if (scans < 0) return c.fail(`outputs of the body: expected at least ${1 + carried}, got ${graph.outputs.length}`);
  checkCount(c, 'outputs (carried values, scan outputs)', carried + scans, c.outputCount);
  return c.node.outputs.map((_, i) => {
    const out = graph.outputs[i + 1]?.type;
    if (i >= carried) return stacked(c, `scan output ${i - carried}`, out, tripCount(c));
    return common(c, `carried value ${i} ("${c.value(i + 2).name}")`, c.value(i + 2).type, out);
  });
}

/** The number of iterations of a Loop, where it is a constant and the condition is left out or passed through. */
export function tripCount(c: NodeContext): Dim {
  const graph = body(c, 'body');
  const count = c.has(0) ? knownElements(c.value(0))?.[0] : null;
  let condition = graph.outputs[0];
  while (condition?.producer?.opType === 'Identity') condition = condition.producer.inputs[0] ?? undefined;
  const always = condition !== undefined && (condition.constant?.data[0] === 1 || (condition === graph.inputs[1] && !c.has(1)));
  const begins = !c.has(1) || c.constant(1)?.data[0] === 1;
  const passed = condition !== undefined && condition === graph.inputs[1] && c.constant(1)?.data[0] === 1;
  return begins && (always || passed) && typeof count === 'number' ? count : null;
}

function inferIf(c: NodeContext): (Type | undefined)[] {
  const [then, other] = [body(c, 'then_branch'), body(c, 'else_branch')];
  checkCount(c, 'outputs of then_branch', c.outputCount, then.outputs.length);
  checkCount(c, 'outputs of else_branch', c.outputCount, other.outputs.length);
  if (c.dtype(0) !== 'bool')
    return c.fail(`the condition must be bool, it is ${c.dtype(0)}`, { expected: 'bool', got: c.dtype(0) });
  const taken = takenBranch(c.node);
  if (taken !== undefined) return (taken === 'then_branch' ? then : other).outputs.map((v) => v.type);
  return c.node.outputs.map((_, i) => common(c, `output ${i} of the branches`, then.outputs[i]?.type, other.outputs[i]?.type));
}

function inferScan(c: NodeContext): (Type | undefined)[] {
  const graph = body(c, 'body');
  const scanInputs = c.int('num_scan_inputs');
  const states = c.inputCount - scanInputs;
  if (scanInputs < 1 || states < 0) return c.fail(`num_scan_inputs must be 1 to ${c.inputCount}, got ${scanInputs}`);
  checkCount(c, 'inputs of the body (states, scan inputs)', c.inputCount, graph.inputs.length);
  checkCount(c, 'outputs (states, scan outputs)', graph.outputs.length, c.outputCount);
  const inputAxes = c.ints('scan_input_axes');
  const outputAxes = c.ints('scan_output_axes');
  let length: Dim = null;
  for (let i = 0; i < scanInputs; i++) {
    const shape = c.shape(states + i);
    const axis = inputAxes?.[i] ?? 0;
    const d = shape?.[axis < 0 ? axis + shape.length : axis] ?? null;
    if (typeof length === 'number' && typeof d === 'number' && d !== length) {
      return c.fail(`scan inputs differ in length, ${length} and ${d}`, { expected: String(length), got: String(d) });
    }
    length = typeof d === 'number' ? d : (length ?? d);
  }
  return c.node.outputs.map((_, i) => {
    const out = graph.outputs[i]?.type;
    if (i >= states) return stacked(c, `scan output ${i - states}`, out, length, outputAxes?.[i - states] ?? 0);
    return common(c, `state ${i} ("${c.value(i).name}")`, c.value(i).type, out);
  });
}

export const control: Readonly<Record<ControlOp, OpRules>> = {
  If: {
    infer: inferIf,
    gradient: 'subgraphs',
  },
  Loop: {
    infer: inferLoop,
    gradient: 'subgraphs',
  },
  Scan: {
    since: 9,
    infer: inferScan,
    gradient: 'subgraphs',
  },
};
