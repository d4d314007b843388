// A sum of convolutions that move alike is one: W * x + U * z = [W U] * [x, z]. So in training a block's own weights and its adapter are one
// convolution, and so are their gradients. For weights that are computed or carried; constant ones are joined by stack-products.ts. Results differ
// by the order of summation.
import { isStatic, sameShape } from '../../core/shape.js';
import { type Attribute, Node, type Value } from '../../ir/graph.js';
import { Uses } from '../../ir/uses.js';
import { isStandard } from '../../ops/definition.js';
import type { Ops } from '../../ops/ops-builder.js';

/** Returns whether any were joined; subgraphs stay as they are, and so does what nothing reads any more. Types must be inferred. */
export function addConvolutions(g: Ops): boolean {
  const { graph } = g;
  const uses = new Uses(graph);
  const { nodes } = graph;
  graph.nodes = [];
  let changed = false;
  for (const node of nodes) {
    const terms = node.opType === 'Add' && isStandard(node) ? node.inputs.map((v) => termOf(v, uses)) : [];
    const [a, b] = terms;
    const [y] = node.outputs;
    if (a === undefined || b === undefined || y === undefined || !alike(a, b)) {
      graph.nodes.push(node);
      continue;
    }
    changed = true;
    g.scope(node.name, () => {
      const bias = a.bias && b.bias ? g.add(a.bias, b.bias) : (a.bias ?? b.bias);
      const inputs = [g.concat(a.x, b.x, { axis: 1 }), g.concat(a.weights, b.weights, { axis: 1 }), ...(bias ? [bias] : [])];
      graph.nodes.push(new Node('Conv', inputs, [y], a.attributes, g.names.unique(`${g.prefix}Conv`)));
    });
  }
  return changed;
}

interface Term {
  readonly x: Value;
  readonly weights: Value;
  readonly bias: Value | undefined;
  readonly attributes: Map<string, Attribute>;
  /** Equal for convolutions that move alike. */
  readonly key: string;
}

/** A convolution of one group that only the sum reads. */
function termOf(v: Value | null, uses: Uses): Term | undefined {
  const node = v?.producer;
  if (!v || node?.opType !== 'Conv' || !isStandard(node) || uses.of(v).length !== 1 || node.int('group', 1) !== 1)
    return undefined;
  const [x, weights, bias] = node.inputs;
  if (!x || !weights || !isStatic(weights.shape)) return undefined;
  const kernel = weights.shape.slice(2);
  const given = ['strides', 'dilations', 'pads'].map((name) => node.ints(name)?.join() ?? '');
  const key = [weights.shape[0], kernel, ...given, node.string('auto_pad', 'NOTSET')].join(';');
  return { x, weights, bias: bias ?? undefined, attributes: node.attributes, key };
}

function alike(a: Term, b: Term): boolean {
  const known = isStatic(a.x.shape?.slice(1)) && isStatic(b.x.shape?.slice(1));
  return (
    known &&
    a.key === b.key &&
    a.x.shape?.[0] === b.x.shape?.[0] &&
    sameShape(a.x.shape?.slice(2), b.x.shape?.slice(2)) &&
    a.x.dtype === b.x.dtype
  );
}
