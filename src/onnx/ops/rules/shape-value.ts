// What is known, while a graph is built, of the elements of a small integer tensor: dimensions that flow through Shape, Gather, Concat
// and their like into Reshape, Expand or Slice. A symbol stays a symbol.
import { within } from '../../core/bounds.js';
import { isFloat } from '../../core/dtype.js';
import type { Dim, Shape } from '../../core/shape.js';
import type { Tensor } from '../../core/tensor.js';
import type { Node, Value } from '../../ir/graph.js';
import { constantOf, type NodeContext } from '../op-def.js';

/** Larger tensors are data, not shapes. */
const largest = 64;

/** Elements of an integer tensor as numbers; INT64_MAX and its like lose their last digits, which no caller looks at. */
export function integers(t: Tensor): number[] {
  return Array.from(t.data, Number);
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return a === 0 ? b : b === 0 ? a : null;
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a === 0 || b === 0) return 0;
  return a === 1 ? b : b === 1 ? a : null;
}

/** The elements of a scalar or vector of integers, null for each that is not known; undefined when not even their number is. */
export function knownElements(v: Value | null | undefined): Dim[] | undefined {
  return new Search().elements(v, deepest);
}

/** The same of input `i`, whose elements are the sizes of axes: no tensor has as many as it may name. */
export function shapeElements(c: NodeContext, i: number): Dim[] | undefined {
  const count = c.shape(i)?.[0];
  if (typeof count === 'number') c.bounded('axes', count, `input ${i}`);
  return knownElements(c.value(i));
}

/** How many nodes are followed, one behind the other. */
const deepest = 32;

/** One look at what a value is made of. A node is looked at once for each distance, however many ways lead to it. */
class Search {
  private readonly found = new Map<Value, Map<number, Dim[] | undefined>>();

  elements(v: Value | null | undefined, depth: number): Dim[] | undefined {
    if (v === null || v === undefined || depth === 0) return undefined;
    if (v.constant !== undefined || v.producer === undefined) return elementsOf(v, depth, this);
    const byDepth = this.found.get(v) ?? new Map<number, Dim[] | undefined>();
    this.found.set(v, byDepth);
    if (!byDepth.has(depth)) byDepth.set(depth, elementsOf(v, depth, this));
    return byDepth.get(depth);
  }
}

function elementsOf(v: Value, depth: number, search: Search): Dim[] | undefined {
  const t = constantOf(v);
  if (t !== undefined) return t.size <= largest && t.dtype !== 'string' && !isFloat(t.dtype) ? integers(t) : undefined;
  const found = v.producer?.domain === '' ? fromNode(v.producer, depth, search) : undefined;
  if (found !== undefined && within('nodes', found.length)) return found;
  const count = v.shape?.length === 0 ? 1 : v.shape?.length === 1 ? v.shape[0] : null;
  return typeof count === 'number' && count <= largest ? new Array<Dim>(count).fill(null) : undefined;
}

function fromNode(node: Node, depth: number, search: Search): Dim[] | undefined {
  const input = (i: number) => search.elements(node.inputs[i], depth - 1);
  const rank = (i: number) => node.inputs[i]?.shape?.length ?? 2;
  switch (node.opType) {
    case 'Constant': {
      const ints = node.attributes.get('value_ints');
      const int = node.attributes.get('value_int');
      return ints?.kind === 'ints' ? ints.value.map(Number) : int?.kind === 'int' ? [Number(int.value)] : undefined;
    }
    case 'Shape':
      return shapeSlice(node, node.inputs[0]?.shape);
    case 'Size': {
      const shape = node.inputs[0]?.shape;
      return shape === undefined ? undefined : [shape.reduce<Dim>(mulDims, 1)];
    }
    case 'Identity':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Reshape':
      return rank(0) <= 1 ? input(0) : undefined;
    case 'Cast': {
      const from = node.inputs[0]?.type;
      const to = node.outputs[0]?.type;
      const found = from?.kind === 'tensor' && !isFloat(from.dtype) && rank(0) <= 1 ? input(0) : undefined;
      return to?.kind === 'tensor' && to.dtype === 'bool'
        ? found?.map((d) => (typeof d === 'number' ? Number(d !== 0) : null))
        : found;
    }
    case 'Concat': {
      const parts = node.inputs.map((_, i) => (rank(i) === 1 ? input(i) : undefined));
      return parts.every((p) => p !== undefined) ? parts.flat() : undefined;
    }
    case 'Gather': {
      const data = rank(0) === 1 ? input(0) : undefined;
      const at = rank(1) <= 1 ? input(1) : undefined;
      if (data === undefined || at === undefined) return undefined;
      return at.map((i) => (typeof i === 'number' ? (data[i < 0 ? i + data.length : i] ?? null) : null));
    }
    case 'Slice': {
      const data = rank(0) === 1 ? input(0) : undefined;
      const [from, to] = [input(1)?.[0], input(2)?.[0]];
      const step = node.inputs[4] === undefined ? 1 : input(4)?.[0];
      if (data === undefined || typeof from !== 'number' || typeof to !== 'number' || step !== 1) return undefined;
      return data.slice(from, to);
    }
    case 'ConstantOfShape': {
      const count = input(0);
      const value = node.attributes.get('value');
      if (count?.length !== 1 || typeof count[0] !== 'number' || count[0] > largest) return undefined;
      return new Array<Dim>(count[0]).fill(value?.kind === 'tensor' ? Number(value.value.data[0]) : 0);
    }
    case 'Equal':
      return rank(0) <= 1 && rank(1) <= 1 ? pairwise(input(0), input(1), equal) : undefined;
    case 'Not':
      return rank(0) <= 1 ? input(0)?.map((d) => (typeof d === 'number' ? Number(d === 0) : null)) : undefined;
    case 'Add':
      return pairwise(input(0), input(1), addDims);
    case 'Sub':
      return pairwise(input(0), input(1), (a, b) =>
        typeof a === 'number' && typeof b === 'number' ? a - b : b === 0 ? a : null,
      );
    case 'Mul':
      return pairwise(input(0), input(1), mulDims);
    case 'Div':
      return pairwise(input(0), input(1), (a, b) =>
        typeof a === 'number' && typeof b === 'number' && b !== 0 ? Math.trunc(a / b) : b === 1 ? a : null,
      );
    default:
      return undefined;
  }
}

/** 1 or 0, as bool tensors hold it; integers whose last digits are lost are not compared. */
function equal(a: Dim, b: Dim): Dim {
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) ? Number(a === b) : null;
}

function pairwise(a: Dim[] | undefined, b: Dim[] | undefined, f: (a: Dim, b: Dim) => Dim): Dim[] | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
  const length = a.length === 1 ? b.length : a.length;
  return Array.from({ length }, (_, i) => f(a[a.length === 1 ? 0 : i] ?? null, b[b.length === 1 ? 0 : i] ?? null));
}

/** The dimensions that a Shape node of a tensor of this shape gives: its attributes `start` and `end` cut like Array.slice. */
export function shapeSlice(node: Node, shape: Shape | undefined): Dim[] | undefined {
  if (shape === undefined) return undefined;
  return shape.slice(node.int('start', 0), node.int('end', shape.length));
}
