// How many multiplications, each with an addition, a graph does: those of products, convolutions and recurrent layers, which all but make up its computation.
import { elementCount, isStatic } from '../core/shape.js';
import type { Graph, Node, Value } from '../ir/graph.js';
import { isStandard } from '../ops/definition.js';
import { atSizes } from './at-sizes.js';

/** What was counted. */
export interface MultiplyAdds {
  readonly count: number;
  /** Nodes that would count and whose sizes are not known. */
  readonly unknown: number;
}

const dims = (v: Value | null | undefined): readonly number[] | undefined => {
  const shape = v?.type?.kind === 'tensor' ? v.type.shape : undefined;
  return isStatic(shape) ? shape : undefined;
};

/** Each value of the output is a sum over so many products. */
const times = (output: readonly number[], each: number): number => elementCount(output) * each;

/** By op: the multiplications of a node whose sizes are known; undefined where they are not. */
const counts: Readonly<Record<string, (node: Node) => number | undefined>> = {
  MatMul: ({ inputs: [a], outputs: [y] }) => summed(y, dims(a)?.at(-1)),
  Gemm: (node) => {
    const a = dims(node.inputs[0]);
    return summed(node.outputs[0], node.int('transA', 0) === 1 ? a?.[0] : a?.[1]);
  },
  // A filter has its part of the channels, [filters, channels / groups, ...kernel].
  Conv: ({ inputs: [, w], outputs: [y] }) => {
    const weight = dims(w);
    return weight && summed(y, elementCount(weight.slice(1)));
  },
  // Each value that comes in meets a filter's, [channels, filters / groups, ...kernel].
  ConvTranspose: ({ inputs: [x, w] }) => {
    const [from, weight] = [dims(x), dims(w)];
    return from && weight && times(from, elementCount(weight.slice(1)));
  },
  Einsum: einsum,
  // These multiply as well, in a form that is not counted.
  MatMulInteger: () => undefined,
  ConvInteger: () => undefined,
  QLinearMatMul: () => undefined,
  QLinearConv: () => undefined,
  Attention: () => undefined,
  DeformConv: () => undefined,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};

function summed(y: Value | undefined, each: number | undefined): number | undefined {
  const output = dims(y);
  return output && each !== undefined ? times(output, each) : undefined;
}

/** Every combination of the indices of several operands; one operand is only moved or summed. */
function einsum(node: Node): number | undefined {
  const { inputs } = node;
  if (inputs.length < 2) return 0;
  const equation = node.string('equation', '');
  if (equation.includes('.')) return undefined;
  const terms = equation.replaceAll(' ', '').split('->')[0]?.split(',') ?? [];
  const sizes = new Map<string, number>();
  for (const [i, term] of terms.entries()) {
    const own = dims(inputs[i]);
    if (own === undefined) return undefined;
    [...term].forEach((index, axis) => void sizes.set(index, own[axis] ?? 1));
  }
  return elementCount([...sizes.values()]);
}

/** Every step of every sample meets all weights: X [steps, batch, features] unless `layout` is 1, which has as many rows. */
function recurrent({ inputs: [x, w, r] }: Node): number | undefined {
  const [from, weight, own] = [dims(x), dims(w), dims(r)];
  if (from === undefined || weight === undefined || own === undefined) return undefined;
  return elementCount(from.slice(0, 2)) * (elementCount(weight) + elementCount(own));
}

/** Of ai.onnx.ml those that look up or rearrange multiply nothing; of its models and of other domains nothing is known. */
function ofOtherDomain({ domain, opType }: Node): (() => undefined) | undefined {
  const multiplies = domain !== 'ai.onnx.ml' || /^(Linear|SVM|TreeEnsemble)/.test(opType);
  return multiplies ? () => undefined : undefined;
}

/** Of a graph whose open dimensions have these sizes, subgraphs once each. */
export function multiplyAdds(graph: Graph, sizes: Readonly<Record<string, number>>, opset: number): MultiplyAdds {
  const { copy } = atSizes(graph, sizes, opset);
  let [count, unknown] = [0, 0];
  const visit = (g: Graph) => {
    for (const node of g.nodes) {
      for (const sub of node.subgraphs) visit(sub);
      const of = isStandard(node) ? counts[node.opType] : ofOtherDomain(node);
      if (of === undefined) continue;
      const own = of(node);
      if (own === undefined) unknown++;
      else count += own;
    }
  };
  visit(copy);
  return { count, unknown };
}
