// Activations that exporters write in several nodes: x times a gate that is made of x alone. The form is not asked for, only what it does: every
// path leads back to one value, through arithmetic with numbers and one bounded function.
import type { Node, Value } from '../ir/graph.js';
import { hasRole } from '../ops/feature-roles.js';
import { type GraphOrder, isNumber } from './graph-order.js';

/** The bounded function to what the whole is called. */
const gates: ReadonlyMap<string, string> = new Map([
  ['Erf', 'GELU'],
  ['Tanh', 'GELU'],
  ['Sigmoid', 'SiLU'],
  ['HardSigmoid', 'hard-swish'],
  ['Clip', 'hard-swish'],
]);
const longest = 14;
const shapes = (node: Node): boolean => gates.has(node.opType) || hasRole(node, 'shapesGates');

export interface Gated {
  /** What comes out. */
  readonly value: Value;
  readonly what: string;
  /** The nodes inside: none of their values is a feature of its own. */
  readonly inside: ReadonlySet<Node>;
}

/** The activation that ends at a product, if one does. */
export function gatedAt(end: Node, order: GraphOrder): Gated | undefined {
  const [y] = end.outputs;
  if (end.opType !== 'Mul' || y === undefined) return undefined;
  const inside = new Set<Node>([end]);
  const open = new Set(order.computed(end));
  while (open.size !== 1) {
    // The last of them first: whatever else leads to it has been seen by then.
    const next = [...open].sort((a, b) => order.place(b) - order.place(a))[0];
    const node = next?.producer;
    if (next === undefined || node === undefined || !shapes(node) || inside.size > longest) return undefined;
    const reads = order.computed(node);
    if (!node.inputs.every((v) => v === null || order.depends.has(v) || isNumber(v))) return undefined;
    open.delete(next);
    inside.add(node);
    for (const v of reads) open.add(v);
  }
  const bounded = [...inside].find(({ opType }) => gates.has(opType));
  if (bounded === undefined) return undefined;
  const softplus = [...inside].some(({ opType }) => opType === 'Softplus');
  return { ...scaled(y, inside, order), what: softplus ? 'Mish' : (gates.get(bounded.opType) ?? ''), inside };
}

/** Factors may follow: x (1 + erf) times a half, x clip(x + 3) over six. */
function scaled(from: Value, inside: Set<Node>, order: GraphOrder): { readonly value: Value } {
  let value = from;
  for (;;) {
    const [reader, other] = order.readers(value);
    const [y] = reader?.outputs ?? [];
    const factor = reader?.opType === 'Mul' || reader?.opType === 'Div';
    if (reader === undefined || y === undefined || other !== undefined || !factor) return { value };
    if (!reader.inputs.every((v) => v === value || (v !== null && isNumber(v)))) return { value };
    inside.add(reader);
    value = y;
  }
}
