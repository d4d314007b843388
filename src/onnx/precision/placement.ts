// Which values of a graph become 8-bit integers: what products read and convolutions give, and what lies between and has integer kernels.
import { allNodes, type Graph, type Node, nodeLabel, type Value } from '../ir/graph.js';
import { formatType } from '../ir/types.js';
import { Uses } from '../ir/uses.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { constantOf } from '../ops/op-def.js';

export interface Placement {
  /** Quantized values in the order of the graph; with another value: the one whose scale and zero they share. */
  readonly values: ReadonlyMap<Value, Value | undefined>;
  /** Products with a constant weight at input 1. */
  readonly products: ReadonlySet<Node>;
  /** A line for each product that could be one and is none. */
  readonly left: readonly string[];
}

/** The constant weight of a Conv, Gemm or MatMul that can be computed on integers. */
export function quantizableWeight(node: Node, fed: ReadonlySet<Value>): Value | undefined {
  const [, w] = node.inputs;
  return isProduct(node) && w && inTheWay(node, fed) === undefined ? w : undefined;
}

export const isProduct = (node: Node): boolean =>
  isStandard(node) && (node.opType === 'Conv' || node.opType === 'Gemm' || node.opType === 'MatMul');

/** What of a product the integer kernels do not take. */
function inTheWay(node: Node, fed: ReadonlySet<Value>): string | undefined {
  const [x, w, b] = node.inputs;
  if (!x || !w) return 'an input is missing';
  const known = (v: Value) => (fed.has(v) ? undefined : constantOf(v));
  const weight = known(w);
  if (weight === undefined) {
    if (w.constant !== undefined) return `"${w.name}" is an input too, which callers may override`;
    return known(x) === undefined ? `"${w.name}" is computed` : `the constant "${x.name}" is its first factor, not its second`;
  }
  if (weight.dtype !== 'float32') return `"${w.name}" is ${weight.dtype}, not float32`;
  if (known(x) !== undefined) return 'both of its factors are constant';
  if (b && known(b)?.dtype !== 'float32')
    return `its bias "${b.name}" is ${known(b) === undefined ? 'computed' : known(b)?.dtype}`;
  if (node.opType === 'Conv') return weight.dims.length < 3 ? `"${w.name}" is ${formatType(w.type)}, not a kernel` : undefined;
  return node.opType === 'Gemm' ? inTheWayOfGemm(node) : inTheWayOfMatMul(x, w);
}

function inTheWayOfMatMul(x: Value, w: Value): string | undefined {
  if (w.shape?.length !== 2) return `"${w.name}" is ${formatType(w.type)}, not a matrix`;
  const rank = x.shape?.length;
  if (rank === undefined) return `the rank of "${x.name}" is not known`;
  return rank < 2 ? `"${x.name}" is ${formatType(x.type)}, not of rank 2 or more` : undefined;
}

function inTheWayOfGemm(node: Node): string | undefined {
  const [, w, b] = node.inputs;
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  if (alpha !== 1) return `alpha = ${alpha}`;
  if (b && beta !== 1) return `beta = ${beta}`;
  if (node.int('transA', 0) !== 0) return 'transA = 1';
  if (w?.shape?.length !== 2) return `"${w?.name}" is ${formatType(w?.type)}, not a matrix`;
  const columns = w.shape[node.int('transB', 0) === 1 ? 0 : 1];
  return b && (b.shape?.length !== 1 || b.shape[0] !== columns)
    ? `C is ${formatType(b.type)}, not a vector of ${columns}`
    : undefined;
}

/** A line for each product with a constant factor that stays float32, and why; subgraphs as well. */
export function leftOut(graph: Graph): string[] {
  const fed = new Set(graph.inputs);
  return [...allNodes(graph)].flatMap((node) => {
    const factors = node.inputs.slice(0, 2);
    if (!isProduct(node) || factors.filter((v) => v?.constant !== undefined || (v && constantOf(v))).length !== 1) return [];
    const why = inTheWay(node, fed);
    return why === undefined ? [] : [`${nodeLabel(node)} stays float32: ${why}`];
  });
}

/** The end of the message where nothing can be quantized; \`more\`: lines of further products. */
export function whyNone(graph: Graph, more: readonly string[] = []): string {
  const left = [...leftOut(graph), ...more];
  return left.length === 0 ? '' : ` that integers take: ${left.join('; ')}`;
}

/** The axis of the output channels in a product's weight. */
export function channelAxis(node: Node): number {
  return node.opType === 'Conv' || node.int('transB', 0) === 1 ? 0 : 1;
}

/** Of the graph itself; subgraphs stay as they are. */
export function placeInt8(graph: Graph): Placement {
  const fed = new Set(graph.inputs);
  const outputs = new Set(graph.outputs);
  const uses = new Uses(graph);
  /** Where the integers of a value are taken: after the Relu that alone reads it, which the quantization then includes. */
  const settled = (v: Value): Value => {
    const reader = uses.soleNode(v);
    return reader?.opType === 'Relu' ? (reader.outputs[0] ?? v) : v;
  };
  const products = new Set<Node>();
  const left: string[] = [];
  const chosen = new Set<Value>();
  for (const node of graph.nodes) {
    const [x] = node.inputs;
    const [y] = node.outputs;
    if (!x || !y || quantizableWeight(node, fed) === undefined) continue;
    // an integer convolution gives integers: one that is an output stays float32
    if (node.opType === 'Conv' && outputs.has(settled(y))) {
      left.push(`${nodeLabel(node)} stays float32: it gives an output of the model`);
      continue;
    }
    products.add(node);
    chosen.add(x);
    if (node.opType === 'Conv') chosen.add(settled(y));
  }
  const wanted = wantedBy(graph, chosen);
  const values = new Map<Value, Value | undefined>();
  for (const v of graph.inputs) if (chosen.has(v)) values.set(v, undefined);
  for (const node of graph.nodes) {
    const y = node.outputs[0];
    if (!y) continue;
    const floats = node.inputs.filter((v): v is Value => v !== null && v.type?.kind === 'tensor' && v.type.dtype === 'float32');
    const flows = floats.length > 0 && floats.every((v) => values.has(v));
    const goes = settled(y);
    if (hasTrait(node, 'int8InPlace') && flows && wanted.has(y) && !outputs.has(y)) values.set(y, floats[0]);
    else if (hasTrait(node, 'int8') && flows && wanted.has(goes) && !outputs.has(goes)) chosen.add(goes);
    // A Split gives several, and a product may read any of them.
    for (const v of node.outputs) if (chosen.has(v) && !values.has(v)) values.set(v, undefined);
  }
  return { values, products, left };
}

/** What is chosen, and what flows into it through ops that keep integers. */
function wantedBy(graph: Graph, chosen: ReadonlySet<Value>): Set<Value> {
  const wanted = new Set(chosen);
  for (const node of graph.nodes.toReversed()) {
    if (!hasTrait(node, 'int8InPlace') && !hasTrait(node, 'int8')) continue;
    if (node.outputs.some((v) => wanted.has(v))) for (const v of node.inputs) if (v !== null) wanted.add(v);
  }
  return wanted;
}
