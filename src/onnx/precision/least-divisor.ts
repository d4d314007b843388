// The epsilon that keeps a divisor from 0, as exporters write it: x / (norm + 1e-12), x / sqrt(variance + 1e-12), x / max(norm, 1e-12).
import type { Node, Value } from '../ir/graph.js';
import { hasTrait, isStandard } from '../ops/definition.js';
import { rangeOf } from '../ops/value-range.js';

/** The least magnitude of a value by the constant in it; undefined where no constant is added to it or bounds it. */
export function leastDivisor(v: Value, depth = 0): number | undefined {
  const node = v.producer;
  if (node === undefined || !isStandard(node) || depth > 16) return undefined;
  const [x] = node.inputs;
  if (hasTrait(node, 'anyPrecision') || hasTrait(node, 'reshapes') || node.opType === 'Abs')
    return x ? leastDivisor(x, depth + 1) : undefined;
  if (node.opType === 'Sqrt') {
    const least = x ? leastDivisor(x, depth + 1) : undefined;
    return least === undefined ? undefined : Math.sqrt(least);
  }
  for (const bound of bounds(node)) {
    const [least, most] = bound ? rangeOf(bound) : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    const size = Math.max(Math.abs(least), Math.abs(most));
    if (Number.isFinite(size)) return size;
  }
  return undefined;
}

/** Inputs that may be such a constant. */
function bounds({ opType, inputs }: Node): readonly (Value | null)[] {
  if (opType === 'Clip') return inputs.slice(1, 2);
  return opType === 'Add' || opType === 'Sub' || opType === 'Sum' || opType === 'Max' ? inputs : [];
}
