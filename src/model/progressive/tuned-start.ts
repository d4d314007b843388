// How a weight of an imported graph begins where its training starts anew: by what its reader does with it.
import { elementCount } from '../../onnx/core/shape.js';
import type { Node } from '../../onnx/ir/graph.js';
import { isStandard } from '../../onnx/ops/definition.js';
import type { ParameterInit } from '../nn/init.js';

const zero: ParameterInit = { fill: 0 };
const one: ParameterInit = { fill: 1 };

/**
 * he_normal by the inputs of an output for what is multiplied, 0 for what is added, 1 for what scales, a deviation of 0.02 for tables that are looked up, and for
 * recurrent ops the uniform start of PyTorch; undefined for a reader of which that is not known. `shape` is that of what is read.
 */
export function firstOf(reader: Node, input: number, shape: readonly number[]): ParameterInit | undefined {
  return isStandard(reader) ? startOf(reader, input, shape) : undefined;
}

function startOf(reader: Node, input: number, shape: readonly number[]): ParameterInit | undefined {
  const [first = 1, ...rest] = shape;
  const others = elementCount(rest);
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const second = input === 1;
  switch (reader.opType) {
    case 'Conv':
      return second ? heNormal(others, first) : zero;
    case 'ConvTranspose':
      return second ? heNormal(first, others) : zero;
    case 'MatMul':
      return second ? heNormal(rows, columns) : heNormal(columns, rows);
    case 'Gemm': {
      if (input === 2) return zero;
      const turned = second ? reader.int('transB', 0) === 0 : reader.int('transA', 0) !== 0;
      return turned ? heNormal(first, others) : heNormal(others, first);
    }
    case 'BatchNormalization':
    case 'GroupNormalization':
    case 'InstanceNormalization':
    case 'LayerNormalization':
    case 'RMSNormalization':
      return second ? one : zero;
    case 'LSTM':
    case 'GRU':
    case 'RNN': {
      const hidden = reader.int('hidden_size', 1);
      return { by: { kind: 'torch_uniform' }, fanIn: hidden, fanOut: hidden };
    }
    case 'Gather':
      return { by: { kind: 'normal', std: 0.02 }, fanIn: 1, fanOut: 1 };
    case 'PRelu':
      return { fill: 0.25 };
    case 'Add':
    case 'Sub':
      return zero;
    case 'Mul':
    case 'Div':
      return one;
    default:
      return undefined;
  }
}

const heNormal = (fanIn: number, fanOut: number): ParameterInit => ({ by: { kind: 'he_normal' }, fanIn, fanOut });
