// What numbers a value can hold, as far as its graph tells without running: how an average of probabilities or a sigmoid that is written out in
// arithmetic is known, and a constant that is computed from others.
import type { Tensor } from '../core/tensor.js';
import type { Node, Value } from '../ir/graph.js';
import { hasTrait, isStandard } from './definition.js';
import { constantOf } from './op-def.js';

/** Least and most. */
export type Range = readonly [number, number];

const any: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
const unit: Range = [0, 1];
/** Nodes one behind another that are looked at, and elements of a constant. */
const [farthest, largest] = [64, 2 ** 20];

/** The range of a float value; from minus to plus infinity where nothing is known. `seen` keeps what was found. */
export function rangeOf(v: Value, seen = new Map<Value, Range>(), depth = 0): Range {
  const known = seen.get(v);
  if (known !== undefined) return known;
  if (depth > farthest) return any;
  const data = constantOf(v);
  const node = v.producer;
  const found =
    data !== undefined
      ? ofConstant(data)
      : node === undefined
        ? any
        : ofNode(node, (i) => {
            const x = node.inputs[i];
            return x ? rangeOf(x, seen, depth + 1) : undefined;
          });
  // Infinity - infinity and 0 * infinity may be any number.
  const range = found.some(Number.isNaN) ? any : found;
  seen.set(v, range);
  return range;
}

function ofConstant({ dtype, data, size }: Tensor): Range {
  if (dtype === 'string' || dtype === 'float16' || size === 0 || size > largest) return any;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const n of data) {
    const value = Number(n);
    if (Number.isNaN(value)) return any;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

/** Ops whose range follows from those of their inputs. */
const monotone: ReadonlySet<string> = new Set(
  'Identity Dropout Cast Exp Relu Sqrt Neg Add Sum Mean Sub Mul Div Reciprocal Max Min Clip'.split(' '),
);
/** float32, float16, float64 and bfloat16 as Cast has them. */
const floats: readonly number[] = [1, 10, 11, 16];

const over = (ends: readonly number[]): Range => [Math.min(...ends), Math.max(...ends)];

function ofNode(node: Node, input: (i: number) => Range | undefined): Range {
  if (!isStandard(node)) return any;
  if (hasTrait(node, 'probabilities')) return node.opType === 'LogSoftmax' ? [any[0], 0] : unit;
  if (hasTrait(node, 'reshapes')) return input(0) ?? any;
  if (node.opType === 'ConstantOfShape') {
    const fill = node.attributes.get('value');
    const [n = 0] = fill?.kind === 'tensor' && fill.value.dtype !== 'string' ? fill.value.numbers() : [];
    return [n, n];
  }
  if (node.opType === 'Tanh' || node.opType === 'Softsign') return [-1, 1];
  if (!monotone.has(node.opType) || (node.opType === 'Cast' && !floats.includes(node.int('to', 0)))) return any;
  const all = node.inputs.map((_, i) => input(i) ?? any);
  const [a = any, b = any] = all;
  switch (node.opType) {
    case 'Exp':
      return [Math.exp(a[0]), Math.exp(a[1])];
    case 'Relu':
      return [Math.max(a[0], 0), Math.max(a[1], 0)];
    case 'Sqrt':
      return [Math.sqrt(Math.max(a[0], 0)), Math.sqrt(Math.max(a[1], 0))];
    case 'Neg':
      return [-a[1], -a[0]];
    case 'Add':
    case 'Sum':
      return all.reduce((x, y) => [x[0] + y[0], x[1] + y[1]]);
    case 'Mean':
      return [all.reduce((n, r) => n + r[0], 0) / all.length, all.reduce((n, r) => n + r[1], 0) / all.length];
    case 'Sub':
      return [a[0] - b[1], a[1] - b[0]];
    case 'Mul':
      return over([a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]]);
    case 'Div':
      return b[0] > 0 || b[1] < 0 ? over([a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1]]) : any;
    case 'Reciprocal':
      return a[0] > 0 || a[1] < 0 ? over([1 / a[0], 1 / a[1]]) : any;
    case 'Max':
      return [Math.max(...all.map((r) => r[0])), Math.max(...all.map((r) => r[1]))];
    case 'Min':
      return [Math.min(...all.map((r) => r[0])), Math.min(...all.map((r) => r[1]))];
    case 'Clip': {
      const [least, most] = [input(1)?.[0] ?? any[0], input(2)?.[1] ?? any[1]];
      return [Math.min(Math.max(a[0], least), most), Math.min(Math.max(a[1], least), most)];
    }
    default:
      return a;
  }
}

/** Whether a computed value lies within 0 and 1. */
export function isProbability(v: Value): boolean {
  const [least, most] = rangeOf(v);
  return v.producer !== undefined && constantOf(v) === undefined && least >= 0 && most <= 1;
}
