// Gradients of If, Loop and Scan. The subgraphs' nodes are differentiated like any others; what is captured from outside gets its gradient
// as well. Forward values of a branch or an iteration are computed again in the backward one: from an iteration only its number and the
// carried values are kept.
import { ModelError, must } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { cloneNodes } from '../ir/clone.js';
import { allNodes, captures, type Graph, type Node, nodeLabel, Value } from '../ir/graph.js';
import { drawsAtRandom } from '../ops/definition.js';
import type { Ops } from '../ops/ops-builder.js';
import { typed, zerosLike } from '../ops/rules/shape-like.js';
import { type Iteration, iterationOf } from './iteration.js';
import { carriesGradient, downstream, upstream } from './path.js';

export type Backpropagate = (
  g: Ops,
  nodes: readonly Node[],
  seeds: readonly (readonly [Value, Value])[],
  by: readonly Value[],
) => (Value | null)[];

type Gradients = (readonly [Value, Value])[];

/** Pairs of a value that the node or its subgraphs read, and its gradient. `dys`: gradients by the outputs. */
export function controlFlowGradient(
  g: Ops,
  node: Node,
  dys: readonly (Value | null)[],
  active: ReadonlySet<Value>,
  backpropagate: Backpropagate,
): Gradients {
  for (const sub of node.subgraphs) {
    for (const inner of allNodes(sub)) {
      if (!drawsAtRandom(inner)) continue;
      const what = `${inner.opType} "${inner.name}" inside draws at random`;
      throw new ModelError(
        `${node.opType} "${node.name}": no gradient is known, ${what} and would draw anew in the backward part`,
        {
          op: node.opType,
          node: node.name,
        },
      );
    }
    g.adopt(sub);
  }
  if (node.opType === 'If') return ifGradient(g, node, dys, active, backpropagate);
  refuseChangingRank(node);
  return iterationGradient(g, iterationOf(node), dys, active, backpropagate);
}

/** The gradient of a carried value would have another rank in each iteration. */
function refuseChangingRank(node: Node): void {
  const first = node.opType === 'Loop' ? 2 : 0;
  const carried = node.inputs.length - first - (node.opType === 'Scan' ? node.int('num_scan_inputs', 0) : 0);
  node.inputs.slice(first, first + carried).forEach((v, i) => {
    const after = node.outputs[i];
    if (v?.shape === undefined || after?.shape === undefined || v.shape.length === after.shape.length) return;
    const what = `"${v.name}" begins as ${formatShape(v.shape)} and ends as ${formatShape(after.shape)}`;
    throw new ModelError(`${nodeLabel(node)}: no gradient is known of a value whose rank changes in a loop, ${what}`, {
      op: node.opType,
      node: node.name,
    });
  });
}

/** The values from outside that a subgraph reads and that a gradient is wanted for. */
function activeCaptures(graphs: readonly Graph[], active: ReadonlySet<Value>): Value[] {
  const all = new Set(graphs.flatMap((sub) => [...captures(sub)]));
  return [...all].filter((v) => active.has(v) && carriesGradient(v));
}

/** Adds copies of a subgraph's nodes to a builder. */
function inline(g: Ops, nodes: readonly Node[], map: Map<Value, Value>): Node[] {
  const copies = cloneNodes(nodes, { map, rename: (name) => g.names.unique(name) });
  g.graph.nodes.push(...copies);
  return copies;
}

/** Makes a value an output of the subgraph under construction; one from outside passes through Identity. */
function finish(g: Ops, v: Value): void {
  const own = v.producer !== undefined && g.graph.nodes.includes(v.producer) && !g.graph.outputs.includes(v);
  g.output(own ? v : g.identity(v));
}

/** Drops nodes that no output needs: what the forward copy computed for nothing. */
function sweep(graph: Graph): ReadonlySet<Value> {
  const { nodes, values } = upstream(graph.nodes, graph.outputs);
  graph.nodes = [...nodes];
  return values;
}

// y = If(c, f, h): dx = If(c, f'^T dy, h'^T dy), with f and h computed again where their gradients need them
function ifGradient(
  g: Ops,
  node: Node,
  dys: readonly (Value | null)[],
  active: ReadonlySet<Value>,
  backpropagate: Backpropagate,
): Gradients {
  const branches = ['then_branch', 'else_branch']
    .map((name) => {
      const a = node.attributes.get(name);
      return a?.kind === 'graph' ? { name, graph: a.value } : undefined;
    })
    .filter((b) => b !== undefined);
  const by = activeCaptures(
    branches.map((b) => b.graph),
    active,
  );
  const parts = branches.map(({ name, graph }) => {
    const sub = g.subgraph(name);
    const map = new Map<Value, Value>();
    const nodes = inline(sub, graph.nodes, map);
    const seeds = graph.outputs.flatMap((v, i) => {
      const d = dys[i];
      return d === null || d === undefined ? [] : [[map.get(v) ?? v, d] as const];
    });
    return { sub, ds: backpropagate(sub, nodes, seeds, by) };
  });
  const wanted = by.map((_, i) => i).filter((i) => parts.some(({ ds }) => ds[i] !== null));
  if (wanted.length === 0) return [];
  for (const { sub, ds } of parts) {
    for (const i of wanted) finish(sub, ds[i] ?? zerosLike(sub, must(by[i], 'captured value')));
    sweep(sub.graph);
  }
  const attributes = Object.fromEntries(branches.map(({ name }, i) => [name, must(parts[i], 'branch').sub.graph]));
  const outputs = g.op('If', [must(node.inputs[0], 'condition')], attributes, wanted.length);
  return wanted.map((i, k) => {
    const x = must(by[i], 'captured value');
    return [x, typed(must(outputs[k], 'output'), x)] as const;
  });
}

/**
 * Loop and Scan: s_{t+1}, y_t = f(s_t, x_t, c). Backwards, a Scan from the last iteration to the first carries ds and the sums of dc, reads s_t
 * (kept by the forward node), x_t and dy_t, and gives dx_t.
 */
function iterationGradient(
  g: Ops,
  it: Iteration,
  dys: readonly (Value | null)[],
  active: ReadonlySet<Value>,
  backpropagate: Backpropagate,
): Gradients {
  const { node, body, states, scanInputs, scanOutputs } = it;
  const captured = activeCaptures([body], active);
  const read = scanInputs.filter((s) => active.has(s.outer) && carriesGradient(s.inner));

  // A state is active when its first value is, or when an iteration makes it so.
  const activeStates = new Set(states.filter((s) => active.has(s.initial) && carriesGradient(s.input)));
  for (let before = -1; before < activeStates.size; ) {
    before = activeStates.size;
    const from = [...captured, ...read.map((s) => s.inner), ...[...activeStates].map((s) => s.input)];
    const { values } = downstream(body.nodes, from, g.opset);
    for (const s of states) if (values.has(s.output) && carriesGradient(s.input)) activeStates.add(s);
  }
  // A gradient comes to a state from after the node, or from a later iteration.
  const dyOf = (v: Value) => dys[node.outputs.indexOf(v)] ?? null;
  const given = scanOutputs.filter((s) => dyOf(s.outer) !== null && carriesGradient(s.inner));
  const flowing = new Set([...activeStates].filter((s) => dyOf(s.final) !== null));
  for (let before = -1; before < flowing.size; ) {
    before = flowing.size;
    const { values } = upstream(body.nodes, [...given.map((s) => s.inner), ...[...flowing].map((s) => s.output)]);
    for (const s of activeStates) if (values.has(s.input)) flowing.add(s);
  }
  const carried = [...flowing];

  const sub = g.subgraph('backward');
  const standIn = (of: Value, hint: string): Value => new Value(g.names.unique(hint), of.type);
  const map = new Map<Value, Value>();
  const ds = carried.map((s) => standIn(s.input, `d_${s.input.name}`));
  const sums = captured.map((v) => standIn(v, `d_${v.name}`));
  const kept = it.kept.map((v) => standIn(v, v.name));
  it.kept.forEach((v, i) => {
    map.set(v, must(kept[i], 'kept value'));
  });
  const xs = scanInputs.map((s) => standIn(s.inner, s.inner.name));
  scanInputs.forEach((s, i) => {
    map.set(s.inner, must(xs[i], 'scan input'));
  });
  // An iteration runs only while the condition holds.
  if (it.condition !== undefined) map.set(it.condition, g.constant(it.always));
  const dy = given.map((s) => standIn(s.inner, `d_${s.inner.name}`));

  const nodes = inline(sub, body.nodes, map);
  const here = (v: Value) => map.get(v) ?? v;
  const seeds = [
    ...carried.map((s, i) => [here(s.output), must(ds[i], 'gradient of a state')] as const),
    ...given.map((s, i) => [here(s.inner), must(dy[i], 'gradient of a scan output')] as const),
  ];
  const by = [...carried.map((s) => here(s.input)), ...captured, ...read.map((s) => here(s.inner))];
  const found = backpropagate(sub, nodes, seeds, by);
  const next = found.slice(0, carried.length).map((d, i) => d ?? zerosLike(sub, must(ds[i], 'gradient of a state')));
  const capturedGradients = found.slice(carried.length, carried.length + captured.length);
  const summed = captured.map((_, i) => i).filter((i) => capturedGradients[i] !== null);
  const readGradients = found.slice(carried.length + captured.length);
  const out = read.map((_, i) => i).filter((i) => readGradients[i] !== null);
  if (carried.length + summed.length + out.length === 0) return [];
  for (const d of next) finish(sub, d);
  for (const i of summed) finish(sub, sub.add(must(sums[i], 'sum'), must(capturedGradients[i], 'gradient')));
  for (const i of out) finish(sub, must(readGradients[i], 'gradient'));
  const used = sweep(sub.graph);

  // The backward Scan reads only what its body needs; at least one sequence, for its length.
  const sequences = [
    ...kept.map((v, i) => ({ v, outer: () => it.keep(g, must(it.kept[i], 'kept value')), axis: 0, reverse: false })),
    ...xs.map((v, i) => {
      const s = must(scanInputs[i], 'scan input');
      return { v, outer: () => s.outer, axis: s.axis, reverse: s.reverse };
    }),
    ...dy.map((v, i) => {
      const s = must(given[i], 'scan output');
      return { v, outer: () => must(dyOf(s.outer), 'gradient'), axis: s.axis, reverse: s.reverse };
    }),
  ];
  const needed = sequences.filter(({ v }) => used.has(v));
  if (needed.length === 0) needed.push(must(sequences.at(scanInputs.length > 0 ? kept.length : 0), 'sequence'));
  sub.graph.inputs.push(...ds, ...summed.map((i) => must(sums[i], 'sum')), ...needed.map(({ v }) => v));
  const zeros = (v: Value) => zerosLike(g, v);
  const initial = [
    ...carried.map((s) => dyOf(s.final) ?? zeros(s.final.name === '' ? s.initial : s.final)),
    ...summed.map((i) => zeros(must(captured[i], 'captured value'))),
  ];
  const axes = out.map((i) => must(read[i], 'scan input'));
  const outers = needed.map((s) => s.outer());
  const backwards = (reverse: boolean) => (reverse ? 0 : 1);
  const scan = (h: Ops) =>
    h.op(
      'Scan',
      [...initial, ...outers],
      {
        body: sub.graph,
        num_scan_inputs: needed.length,
        scan_input_axes: needed.some((s) => s.axis !== 0) ? needed.map((s) => s.axis) : undefined,
        scan_input_directions: needed.map((s) => backwards(s.reverse)),
        scan_output_axes: axes.some((s) => s.axis !== 0) ? axes.map((s) => s.axis) : undefined,
        scan_output_directions: axes.length > 0 ? axes.map((s) => backwards(s.reverse)) : undefined,
      },
      initial.length + out.length,
    );
  const results = it.mayBeEmpty(g.opset) ? unlessEmpty(g, must(outers[0], 'sequence'), scan, initial) : scan(g);
  const targets = [
    ...carried.map((s) => s.initial),
    ...summed.map((i) => must(captured[i], 'captured value')),
    ...axes.map((s) => s.outer),
  ];
  return targets.map((x, i) => [x, typed(must(results[i], 'output'), x)] as const);
}

/** ONNX Runtime's Scan takes no empty sequence: without an iteration the first values are the last. */
function unlessEmpty(g: Ops, sequence: Value, scan: (h: Ops) => Value[], initial: readonly Value[]): Value[] {
  const [some, none] = [g.subgraph('some'), g.subgraph('none')];
  for (const v of scan(some)) some.output(v);
  for (const v of initial) none.output(none.identity(v));
  const length = g.gather(g.shape(sequence), 0, { axis: 0 });
  const condition = g.greater(length, 0);
  return g.op('If', [condition], { then_branch: some.graph, else_branch: none.graph }, initial.length);
}
