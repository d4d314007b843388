// Values that float16 cannot hold, as far as a graph tells without running: constants, and what is moved, added or multiplied from them, also out
// of a branch or a body. A Cast of one would be infinite.
import type { Tensor } from '../core/tensor.js';
import type { Attribute, Graph, Node, Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { type Range, rangeOf } from '../ops/value-range.js';
import { infinite, smallestNormal } from './half.js';

/** The largest float16. */
export const largestHalf = 65504;
const infinity = Number.POSITIVE_INFINITY;

const largestIn = ([least, most]: Range): number => Math.max(Math.abs(least), Math.abs(most));

export class BeyondHalf {
  private readonly known = new Map<Value, string | undefined>();
  private readonly ranges = new Map<Value, Range>();

  /** `constant`: the data of a value that is known. */
  constructor(private readonly constant: (v: Value) => Tensor | undefined) {}

  /** Why a value lies beyond float16, naming where that comes from; undefined where nothing says so. */
  reason(v: Value): string | undefined {
    if (!this.known.has(v)) {
      // Graphs have no cycles; this is for bodies that pass on what they carry.
      this.known.set(v, undefined);
      this.known.set(v, this.find(v));
    }
    return this.known.get(v);
  }

  /** Why a value that is computed from constants alone would vanish in float16; undefined where nothing says so. */
  tiny(v: Value): string | undefined {
    const size = largestIn(rangeOf(v, this.ranges));
    return size > 0 && size < smallestNormal ? `"${v.name}" lies below 6.1e-5 as a whole` : undefined;
  }

  private find(v: Value): string | undefined {
    const size = largestIn(rangeOf(v, this.ranges));
    return this.follow(v) ?? (size >= infinite && size < infinity ? `"${v.name}" reaches ${size.toPrecision(3)}` : undefined);
  }

  private follow(v: Value): string | undefined {
    const data = this.constant(v);
    if (data !== undefined) return beyond(v.name, data);
    const node = v.producer;
    if (node === undefined || !isStandard(node)) return undefined;
    const at = node.outputs.indexOf(v);
    const [first] = node.subgraphs;
    if (first !== undefined) return this.some(this.results(node, first, at));
    const stated = attributes(node);
    if (stated !== undefined) return `"${v.name}" holds ${stated.toPrecision(3)}, beyond ${largestHalf}`;
    if (node.opType === 'Div') return this.some(node.inputs.slice(0, 1));
    if (hasTrait(node, 'shapeOnly')) return undefined;
    return passesOn(node) ? this.some(node.inputs.filter((x) => x?.type?.kind === 'tensor' && isNumber(x, node))) : undefined;
  }

  /** What an output of a node with subgraphs may be. */
  private results(node: Node, first: Graph, at: number): (Value | null | undefined)[] {
    if (node.opType === 'If') return node.subgraphs.map((g) => g.outputs[at]);
    if (node.opType === 'Loop') return [first.outputs[at + 1], node.inputs[at + 2]];
    return [first.outputs[at], at < node.inputs.length - node.int('num_scan_inputs', 0) ? node.inputs[at] : undefined];
  }

  private some(values: readonly (Value | null | undefined)[]): string | undefined {
    for (const v of values) {
      const found = v === null || v === undefined ? undefined : this.reason(v);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Whether large numbers come out where large ones go in; Range and OneHot give the numbers that they read. */
function passesOn(node: Node): boolean {
  if (hasTrait(node, 'anyPrecision') || hasTrait(node, 'arithmetic') || hasTrait(node, 'int8InPlace')) return true;
  if (node.opType === 'Range' || node.opType === 'OneHot') return true;
  const bounded = hasTrait(node, 'probabilities') || node.opType === 'Tanh' || node.opType === 'Softsign';
  return hasTrait(node, 'activation') && !bounded;
}

/** False for indices, shapes and conditions, whose numbers are none of the output's. */
function isNumber(x: Value, node: Node): boolean {
  const float = x.dtype === 'float32' || x.dtype === 'float16' || x.dtype === 'float64';
  return float || node.opType === 'Cast' || node.opType === 'Range' || (node.opType === 'OneHot' && node.inputs.indexOf(x) === 2);
}

function beyond(name: string, data: Tensor): string | undefined {
  if (data.dtype === 'float16' || data.dtype === 'string' || data.dtype === 'bool') return undefined;
  let count = 0;
  for (const n of data.data) {
    const size = Math.abs(Number(n));
    if (size >= infinite && size !== Number.POSITIVE_INFINITY) count++;
  }
  return count === 0 ? undefined : `"${name}" holds ${count} number${count === 1 ? '' : 's'} beyond ${largestHalf}`;
}

/** A number beyond float16 among what a node gives by its attributes: Constant, ConstantOfShape, the bounds of a random op. */
function attributes(node: Node): number | undefined {
  if (node.inputs.length > 0 && !hasTrait(node, 'random') && node.opType !== 'ConstantOfShape') return undefined;
  return [...node.attributes.values()].flatMap(numbers).find((n) => Math.abs(n) >= infinite && Number.isFinite(n));
}

function numbers(a: Attribute): readonly number[] {
  if (a.kind === 'float') return [a.value];
  if (a.kind === 'floats') return a.value;
  return a.kind === 'tensor' && a.value.dtype !== 'string' ? a.value.numbers() : [];
}
