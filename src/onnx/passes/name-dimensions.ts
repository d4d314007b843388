// Gives a symbol to every dimension that nothing is known of, so that inference sees which of them are the same: the output of a Relu has the
// height of its input, whatever that is. For the time of a differentiation: without names each such pair would be compared at run time.
import type { Dim } from '../core/shape.js';
import { allNodes, type Graph, type Value } from '../ir/graph.js';
import { defaultOpset } from '../ir/model.js';
import { type Type, tensorType } from '../ir/types.js';
import { mergeTypes } from '../ir/verify.js';
import { definitionOf } from '../ops/definition.js';
import { inferTypes } from '../ops/infer.js';

/** No name in a file begins like this. */
const mark = '\u0000';

/** Names dimensions of inputs and node outputs, in order, outside subgraphs. Types must be inferred. Returns what takes the names away. */
export function nameDimensions(graph: Graph, opset: number = defaultOpset): () => void {
  let count = 0;
  const name = (v: Value) => {
    if (v.type?.kind !== 'tensor' || !v.type.shape?.includes(null)) return;
    v.type = { ...v.type, shape: v.type.shape.map((d): Dim => d ?? `${mark}${count++}`) };
  };
  graph.inputs.forEach(name);
  for (const node of graph.nodes) {
    const types: (Type | undefined)[] = definitionOf(node, opset) === undefined ? [] : inferTypes(node, opset);
    node.outputs.forEach((v, i) => {
      if (v.name === '') return;
      v.type = mergeTypes(v.type, types[i]);
      name(v);
    });
  }
  return () => forget(graph);
}

/** Takes the names away again, also from what was derived since. */
function forget(graph: Graph): void {
  const graphs = [graph, ...[...allNodes(graph)].flatMap((node) => node.subgraphs)];
  for (const g of graphs) {
    for (const v of g.values()) {
      if (v.type?.kind !== 'tensor' || !v.type.shape?.some(isNamed)) continue;
      v.type = {
        ...v.type,
        shape: tensorType(
          v.type.dtype,
          v.type.shape.map((d) => (isNamed(d) ? null : d)),
        ).shape,
      };
    }
  }
}

function isNamed(d: Dim): boolean {
  return typeof d === 'string' && d.startsWith(mark);
}
