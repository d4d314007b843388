// Models of a few nodes as a stranger's file has them: nothing is inferred or checked when they are made. They pass through bytes.
import type { DType } from '../../src/onnx/core/dtype.js';
import type { Shape } from '../../src/onnx/core/shape.js';
import type { Tensor } from '../../src/onnx/core/tensor.js';
import { type Attribute, Graph, Node, Value } from '../../src/onnx/ir/graph.js';
import { Model } from '../../src/onnx/ir/model.js';
import { tensorType } from '../../src/onnx/ir/types.js';
import { fromBinary } from '../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';

type Plain = bigint | number | string | Tensor | Graph | readonly bigint[] | readonly number[] | readonly string[];

/** op, names of inputs ('' is left out), names of outputs, attributes. A bigint is an int, a number a float. */
export type SmallNode = readonly [string, readonly string[], readonly string[], Readonly<Record<string, Plain>>?];

export interface Small {
  readonly inputs?: Readonly<Record<string, readonly [DType, Shape | undefined]>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly SmallNode[];
  readonly outputs?: readonly string[];
}

const text = (s: string) => new TextEncoder().encode(s);

export function attribute(value: Plain): Attribute {
  if (typeof value === 'bigint') return { kind: 'int', value };
  if (typeof value === 'number') return { kind: 'float', value };
  if (typeof value === 'string') return { kind: 'string', value: text(value) };
  if (value instanceof Graph) return { kind: 'graph', value };
  if ('dims' in value) return { kind: 'tensor', value };
  const list: readonly (bigint | number | string)[] = value;
  const strings = list.filter((v) => typeof v === 'string');
  const floats = list.filter((v) => typeof v === 'number');
  if (strings.length > 0) return { kind: 'strings', value: strings.map(text) };
  return floats.length > 0
    ? { kind: 'floats', value: floats }
    : { kind: 'ints', value: list.filter((v) => typeof v === 'bigint') };
}

/** The graph, over values that are there already. */
export function smallGraph(small: Small, outer: ReadonlyMap<string, Value> = new Map(), name = 'g'): Graph {
  const graph = new Graph(name);
  const values = new Map(outer);
  for (const [key, [dtype, shape]] of Object.entries(small.inputs ?? { x: ['float32', [2]] })) {
    const v = new Value(key, tensorType(dtype, shape));
    graph.inputs.push(v);
    values.set(key, v);
  }
  for (const [key, tensor] of Object.entries(small.constants ?? {})) {
    const v = new Value(key, tensorType(tensor.dtype, tensor.dims));
    v.constant = tensor;
    graph.initializers.push(v);
    values.set(key, v);
  }
  for (const [i, [op, inputs, outputs, attributes = {}]] of small.nodes.entries()) {
    const first = small.nodes.findIndex(([other]) => other === op) === i;
    const made = outputs.map((key) => new Value(key));
    const given = new Map(Object.entries(attributes).map(([key, value]) => [key, attribute(value)]));
    graph.nodes.push(
      new Node(
        op,
        inputs.map((key) => values.get(key) ?? null),
        made,
        given,
        first ? op.toLowerCase() : `${op.toLowerCase()}_${i}`,
      ),
    );
    for (const v of made) values.set(v.name, v);
  }
  graph.outputs = (small.outputs ?? ['y']).flatMap((key) => values.get(key) ?? []);
  return graph;
}

export function smallModel(small: Small, opset = 17): Model {
  const model = new Model(smallGraph(small));
  model.opsets.set('', opset);
  model.irVersion = 8;
  return fromBinary(toBinary(model), { file: 'small.onnx' });
}
