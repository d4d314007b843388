// Which inner values of a trained graph are worth reading: where residual stages and layers of transformers end, what activations, recurrent layers
// and joined branches give, what a classifier judges. Ops that nothing is known of may stand between. Reads the graph alone.
import { isFloat } from '../core/dtype.js';
import { formatShape, type Shape } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { hasTrait } from '../ops/definition.js';
import { hasRole } from '../ops/feature-roles.js';
import { constantOf } from '../ops/op-def.js';
import { Axes } from './axes.js';
import { gatedAt } from './gated.js';
import { GraphOrder, isNumber } from './graph-order.js';
import type { FeatureLayout } from './layout.js';
import { residualEnds } from './residual.js';

/** Whole parts of a network come before what one op gives. */
const ranks = { stage: 3, layer: 3, classifier: 3, block: 2, branches: 2, recurrent: 2, activation: 1, output: 0 } as const;

export type CandidateKind = keyof typeof ranks;

export interface TapCandidate {
  readonly value: Value;
  /** Where it stands, as a part of the longest way from the inputs to the end: above 0, at most 1. */
  readonly depth: number;
  readonly kind: CandidateKind;
  /** For people: `end of a transformer layer`, `GELU`. */
  readonly what: string;
  /** The batch included. */
  readonly shape: Shape;
  /** undefined: it cannot be known. */
  readonly layout: FeatureLayout | undefined;
}

/**
 * In the order of their depth. The graph's types are inferred (inferShapes) before; values of unknown rank are left out. `scores`: where the graph is
 * left, none of which is a candidate itself. Without them these are its outputs, of which the end of a layer or of a stage is one: so a backbone ends.
 */
export function tapCandidates(graph: Graph, scores?: readonly Value[]): TapCandidate[] {
  const ends = scores ?? graph.outputs;
  const order = new GraphOrder(graph);
  const found = new Map<Value, { readonly kind: CandidateKind; readonly what: string }>();
  const inside = new Set<Node>();
  const take = (value: Value | undefined, kind: CandidateKind, what: string) => {
    const known = value === undefined ? undefined : found.get(value);
    if (value !== undefined && (known === undefined || ranks[known.kind] < ranks[kind])) found.set(value, { kind, what });
  };
  for (const node of graph.nodes) {
    const gated = gatedAt(node, order);
    if (gated === undefined) continue;
    for (const within of gated.inside) inside.add(within);
    take(gated.value, 'activation', gated.what);
  }
  residuals(order, inside, take);
  for (const node of graph.nodes) {
    if (hasRole(node, 'recurs') || loops(node))
      for (const v of unfolded(node, order)) take(v, 'recurrent', `output of ${node.opType}`);
    else if (node.opType === 'Concat' && joinsBranches(node, order)) take(node.outputs[0], 'branches', 'branches joined');
    else if (!inside.has(node) && activates(node) && !isGate(node, order)) take(node.outputs[0], 'activation', node.opType);
  }
  for (const end of ends) take(judged(end, order), 'classifier', 'before the classifier');
  const left = new Set(ends);
  const backbone = (kind: CandidateKind) => scores === undefined && ranks[kind] >= ranks.stage;
  const candidates = () => [...found].filter(([v, { kind }]) => (!left.has(v) || backbone(kind)) && readable(v, order));
  if (candidates().length === 0)
    for (const node of graph.nodes) if (weighs(node, order)) take(node.outputs[0], 'output', `output of ${node.opType}`);
  return placed(order, ends, candidates());
}

type Take = (value: Value | undefined, kind: CandidateKind, what: string) => void;

/** Ends of layers where there is attention, of stages and of the blocks in them elsewhere. */
function residuals(order: GraphOrder, inside: Set<Node>, take: Take): void {
  const ends = residualEnds(order, inside);
  ends.forEach((end, i) => {
    for (const node of end.inside) inside.add(node);
    const [before, next] = [ends[i - 1], ends[i + 1]];
    if (end.attention || before?.attention) {
      // The feed-forward part of the same layer follows.
      if (!end.attention || next === undefined || next.attention) take(end.value, 'layer', 'end of a transformer layer');
    } else if (next === undefined || formatShape(next.value.shape ?? []) !== formatShape(end.value.shape ?? []))
      take(end.value, 'stage', 'end of a residual stage');
    else take(end.value, 'block', 'end of a residual block');
  });
}

/** What follows a recurrent layer and brings the axis of its directions away: sequences from Y, vectors from the last states. */
function unfolded({ outputs, subgraphs }: Node, order: GraphOrder): Value[] {
  return outputs.flatMap((v, i) => {
    let value = v;
    if (order.readers(v).length === 0) return [];
    for (;;) {
      const readers = order.readers(value);
      const next = readers.length === 1 ? readers[0] : readers.find(isBatchFirst);
      const [y] = next?.outputs ?? [];
      if (next === undefined || y === undefined || !hasRole(next, 'moves')) break;
      value = y;
    }
    const rank = value.shape?.length;
    // What a loop carries and collects may be either.
    return rank === (i === 0 ? 3 : 2) || (subgraphs.length > 0 && (rank === 2 || rank === 3)) ? [value] : [];
  });
}

/** Goes through the steps of a sequence by a graph of its own. */
const loops = ({ opType }: Node): boolean => opType === 'Loop' || opType === 'Scan';

const isBatchFirst = (node: Node): boolean => node.opType === 'Transpose' && node.ints('perm')?.join() === '1,0,2';

/** Features of several branches side by side, as Inception and DenseNet join them: not a token put before others, nor a shape. */
function joinsBranches(node: Node, order: GraphOrder): boolean {
  const parts = order.computed(node);
  const rank = node.outputs[0]?.shape?.length ?? 0;
  const axis = node.int('axis', 0);
  const made = parts.filter(({ producer }) => producer !== undefined);
  return parts.length > 1 && parts.length === node.inputs.length && made.length > 1 && rank > 1 && axis !== 0 && floats(made);
}

const floats = (values: readonly Value[]): boolean => values.every(({ type }) => type?.kind === 'tensor' && isFloat(type.dtype));

/** Not probabilities: these are gates, weights of attention or answers. A Clip from 0 is ReLU6. */
function activates(node: Node): boolean {
  if (node.opType === 'Clip') {
    const [, least, most] = node.inputs;
    return !!least && !!most && constantOf(least)?.numbers()[0] === 0 && isNumber(most);
  }
  return hasTrait(node, 'activation');
}

/** What another value is multiplied by, and what only leads to such a one: squeeze-and-excitation has one number for each channel. */
function isGate(node: Node, order: GraphOrder): boolean {
  const [y] = node.outputs;
  if (y === undefined) return true;
  const readers = order.readers(y);
  if (hasTrait(node, 'probabilities')) return readers.some(({ opType }) => opType === 'Mul') || readers.length === 0;
  if (node.opType === 'Tanh' && readers.some(({ opType }) => opType === 'Mul')) return true;
  const pooled = (v: Value) => (v.shape?.length ?? 0) > 2 && v.shape?.slice(2).every((d) => d === 1);
  if (!pooled(y)) return false;
  let [reader] = readers;
  for (let step = 0; reader !== undefined && step < 6; step++) {
    const [z] = reader.outputs;
    if (z === undefined) return false;
    if (reader.opType === 'Mul' && !pooled(z)) return true;
    [reader] = order.readers(z);
  }
  return false;
}

/** What the last affine layer before an end reads. */
function judged(end: Value, order: GraphOrder): Value | undefined {
  let v = end;
  for (let step = 0; step < 12; step++) {
    const node = v.producer;
    const [x, other] = node === undefined ? [] : order.computed(node);
    if (node === undefined || x === undefined || other !== undefined) return undefined;
    if (node.opType === 'Gemm' || hasRole(node, 'multiplies')) return unquantised(x, order);
    if (hasTrait(node, 'activation') && !hasTrait(node, 'probabilities')) return undefined;
    v = x;
  }
  return undefined;
}

/** The floats that 8-bit integers were made of. */
function unquantised(x: Value, order: GraphOrder): Value {
  const node = x.producer;
  const [from] = node === undefined ? [] : order.computed(node);
  return node !== undefined && from !== undefined && hasRole(node, 'quantises') ? from : x;
}

/** Layers that hold weights, and control flow. */
function weighs(node: Node, order: GraphOrder): boolean {
  if (order.computed(node).length === 0 && node.subgraphs.length === 0) return false;
  return hasRole(node, 'weighs');
}

/** Floats of known rank that depend on an input and have a row or more for each sample. */
function readable(v: Value, order: GraphOrder): boolean {
  const rank = v.type?.kind === 'tensor' && isFloat(v.type.dtype) ? (v.type.shape?.length ?? 0) : 0;
  return v.name !== '' && rank > 1 && v.producer !== undefined && order.depends.has(v);
}

type Found = readonly [Value, { readonly kind: CandidateKind; readonly what: string }];

/** Depth counts layers with weights, or nodes where there are none. */
function placed(order: GraphOrder, ends: readonly Value[], found: readonly Found[]): TapCandidate[] {
  const axes = new Axes(order.graph, order.depends);
  const layers = depths(order, (node) => (weighs(node, order) ? 1 : 0));
  const nodes = depths(order, () => 1);
  const deepest = (of: ReadonlyMap<Value, number>) =>
    Math.max(1, ...[...ends, ...found.map(([v]) => v)].map((v) => of.get(v) ?? 0));
  // Within a layer the nodes decide.
  const [byLayers, byNodes] = [deepest(layers), deepest(nodes)];
  return found
    .map(([value, { kind, what }]): TapCandidate => {
      const depth = ((layers.get(value) ?? 0) + (nodes.get(value) ?? 0) / byNodes) / (byLayers + 1);
      return { value, depth, kind, what, shape: value.shape ?? [], layout: axes.layoutOf(value) };
    })
    .filter(({ kind, layout, value }) => kind !== 'branches' || (layout !== undefined && joinsChannels(value, layout)))
    .sort((a, b) => a.depth - b.depth || order.place(a.value) - order.place(b.value));
}

/** Side by side along the channels. */
function joinsChannels({ producer, shape = [] }: Value, layout: FeatureLayout): boolean {
  const axis = producer?.int('axis', 0) ?? 0;
  const channels = layout.search(/[CF]/);
  return (axis + shape.length) % shape.length === channels;
}

function depths(order: GraphOrder, weight: (node: Node) => number): Map<Value, number> {
  const found = new Map<Value, number>();
  for (const node of order.graph.nodes) {
    let depth = 0;
    for (const v of node.inputs) if (v !== null) depth = Math.max(depth, found.get(v) ?? 0);
    for (const v of node.outputs) found.set(v, depth + weight(node));
  }
  return found;
}

/** What a candidate that is a whole part of the network may be off its place by, for each rank. */
const worth = 0.06;

/**
 * `n` of them, evenly spread by depth, the last where the graph ends; all where there are no more. Ends of stages and layers are preferred to what lies
 * beside them.
 */
export function spread(candidates: readonly TapCandidate[], n: number): TapCandidate[] {
  const byDepth = [...candidates].sort((a, b) => a.depth - b.depth);
  if (byDepth.length <= n) return byDepth;
  const chosen = new Set<TapCandidate>();
  const deepest = byDepth.at(-1)?.depth ?? 1;
  for (let i = n; i >= 1; i--) {
    const place = (deepest * i) / n;
    const off = ({ depth, kind }: TapCandidate) => Math.abs(depth - place) - worth * ranks[kind];
    const left = byDepth.filter((c) => !chosen.has(c));
    const best = left.reduce<TapCandidate | undefined>((b, c) => (b === undefined || off(c) < off(b) ? c : b), undefined);
    if (best !== undefined) chosen.add(best);
  }
  return byDepth.filter((c) => chosen.has(c));
}
