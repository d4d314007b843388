// A model with all its floating-point tensors in one dtype: float64 gives finite differences a reference, halves become testable.
import { type DType, dtypes, isFloat } from '../../../src/onnx/core/dtype.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Attribute, Graph, Value } from '../../../src/onnx/ir/graph.js';
import { cloneModel, type Model } from '../../../src/onnx/ir/model.js';
import type { Type } from '../../../src/onnx/ir/types.js';

type Wide = 'float32' | 'float64';

/** A float tensor in another dtype; others as they are. */
export function refloatTensor(t: Tensor, to: Wide): Tensor {
  return isFloat(t.dtype) && t.dtype !== to ? Tensor.from(to, t.numbers(), t.dims) : t;
}

function refloatType(type: Type | undefined, to: Wide): Type | undefined {
  if (type === undefined) return undefined;
  if (type.kind === 'tensor') return isFloat(type.dtype) ? { ...type, dtype: to } : type;
  if (type.kind === 'sequence' || type.kind === 'optional') return { ...type, element: refloatType(type.element, to) };
  return type;
}

const floatCodes = new Set((['float32', 'float64', 'float16', 'bfloat16'] as DType[]).map((d) => BigInt(dtypes[d].code)));

function refloatAttribute(op: string, name: string, a: Attribute, to: Wide): [string, Attribute] {
  if (a.kind === 'tensor') return [name, { ...a, value: refloatTensor(a.value, to) }];
  if (a.kind === 'int' && (name === 'to' || name === 'dtype') && floatCodes.has(a.value))
    return [name, { ...a, value: BigInt(dtypes[to].code) }];
  if (op === 'Constant' && a.kind === 'float') return ['value', { kind: 'tensor', value: Tensor.from(to, a.value) }];
  if (op === 'Constant' && a.kind === 'floats') return ['value', { kind: 'tensor', value: Tensor.from(to, a.value) }];
  return [name, a];
}

function refloatGraph(graph: Graph, to: Wide): void {
  const change = (v: Value) => {
    const type = refloatType(v.type, to);
    if (type !== undefined) v.type = type;
    if (v.constant !== undefined) v.constant = refloatTensor(v.constant, to);
  };
  for (const v of new Set([...graph.inputs, ...graph.initializers])) change(v);
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    const attributes = [...node.attributes].map(([name, a]) => refloatAttribute(node.opType, name, a, to));
    node.attributes = new Map(attributes);
    for (const v of node.outputs) {
      if (outputs.has(v)) change(v);
      else v.type = undefined as never;
    }
    for (const sub of node.subgraphs) refloatGraph(sub, to);
  }
  graph.restated = [];
}

/** A copy of the model in which float16, bfloat16, float32 and float64 are all `to`. Types of inner values are left to inference. */
export function refloat(model: Model, to: Wide): Model {
  const copy = cloneModel(model);
  refloatGraph(copy.graph, to);
  for (const f of copy.functions) refloatGraph(f.body, to);
  return copy;
}
