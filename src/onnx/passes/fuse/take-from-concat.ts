// Reading one of the parts that were joined: Split, Slice and Gather of a Concat along its axis, where the piece is one of the operands.
import { type Graph, Node, type Value } from '../../ir/graph.js';
import { isStandard } from '../../ops/definition.js';
import { constantOf } from '../../ops/op-def.js';
import { integers } from '../../ops/rules/shape-value.js';
import { constantsOf } from '../rewriting.js';

/** A place along an axis. */
interface Range {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

/** Returns whether anything changed, in subgraphs as well. A piece becomes an Identity, for remove-identity. Types must be inferred. */
export function takeFromConcat(graph: Graph): boolean {
  const ints = constantsOf(graph, 'axes');
  const inGraph = (g: Graph): boolean => {
    let changed = false;
    g.nodes = g.nodes.flatMap((node) => {
      for (const sub of node.subgraphs) if (inGraph(sub)) changed = true;
      const pieces = piecesOf(node);
      if (pieces === undefined) return [node];
      changed = true;
      return pieces.map(({ value, output, squeezed }, i) => {
        const name = i === 0 ? node.name : '';
        if (squeezed === undefined) return new Node('Identity', [value], [output], new Map(), name);
        return new Node('Squeeze', [value, ints([squeezed])], [output], new Map(), name);
      });
    });
    return changed;
  };
  return inGraph(graph);
}

interface Piece {
  readonly value: Value;
  readonly output: Value;
  /** The axis that Gather at a scalar takes away. */
  readonly squeezed?: number;
}

function piecesOf(node: Node): Piece[] | undefined {
  const joined = node.inputs[0];
  const concat = joined?.producer;
  const rank = joined?.shape?.length;
  if (!isStandard(node) || concat?.opType !== 'Concat' || !isStandard(concat) || rank === undefined) return undefined;
  const ranges = rangesOf(node, rank);
  const along = normal(concat.int('axis', 0), rank);
  if (ranges === undefined || ranges.some((r) => r !== undefined && r.axis !== along)) return undefined;
  const parts = partsOf(concat, along);
  const scalar = node.opType === 'Gather' && node.inputs[1]?.shape?.length === 0;
  const pieces: Piece[] = [];
  for (const [i, output] of node.outputs.entries()) {
    if (output.name === '') continue;
    const range = ranges[i];
    const value = range && parts.get(`${range.from},${range.to}`);
    if (value === undefined) return undefined;
    pieces.push(scalar ? { value, output, squeezed: along } : { value, output });
  }
  return pieces;
}

const normal = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** The operands of a Concat by the places they take, as far as their sizes are known. */
function partsOf(concat: Node, axis: number): Map<string, Value> {
  const parts = new Map<string, Value>();
  let at = 0;
  for (const v of concat.inputs) {
    const size = v?.shape?.[axis];
    if (!v || typeof size !== 'number') break;
    parts.set(`${at},${at + size}`, v);
    at += size;
  }
  return parts;
}

/** What each output is of the input; undefined where that is not one known range of one axis. */
function rangesOf(node: Node, rank: number): (Range | undefined)[] | undefined {
  const constant = (i: number) => {
    const v = node.inputs[i];
    const t = v ? constantOf(v) : undefined;
    return t === undefined ? undefined : integers(t);
  };
  const size = (axis: number) => node.inputs[0]?.shape?.[axis];
  if (node.opType === 'Split') {
    const axis = normal(node.int('axis', 0), rank);
    let from = 0;
    return node.outputs.map((v) => {
      const count = v.shape?.[axis];
      if (typeof count !== 'number') from = Number.NaN;
      const range = { axis, from, to: from + Number(count) };
      from = range.to;
      return range;
    });
  }
  if (node.opType === 'Gather') {
    const axis = normal(node.int('axis', 0), rank);
    const [places, length] = [constant(1), size(axis)];
    if (places?.length !== 1 || typeof length !== 'number' || (node.inputs[1]?.shape?.length ?? 2) > 1) return undefined;
    const at = normal(places[0] ?? 0, length);
    return [{ axis, from: at, to: at + 1 }];
  }
  if (node.opType !== 'Slice') return undefined;
  const [starts, ends] = [constant(1), constant(2)];
  const axes = node.inputs[3] ? constant(3) : starts?.map((_, i) => i);
  const steps = node.inputs[4] ? constant(4) : [1];
  if (starts?.length !== 1 || ends?.length !== 1 || axes?.length !== 1 || steps?.[0] !== 1) return undefined;
  const axis = normal(axes[0] ?? 0, rank);
  const length = size(axis);
  if (typeof length !== 'number') return undefined;
  const bound = (v = 0) => Math.min(Math.max(normal(v, length), 0), length);
  return [{ axis, from: bound(starts[0]), to: bound(ends[0]) }];
}
