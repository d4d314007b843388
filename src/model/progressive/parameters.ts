// The parameters of a column: which there are, how they begin, how many.
import { DescriptionError, must } from '../../onnx/core/errors.js';
import { Random } from '../../onnx/core/random.js';
import { elementCount } from '../../onnx/core/shape.js';
import type { Tensor } from '../../onnx/core/tensor.js';
import { Value } from '../../onnx/ir/graph.js';
import { tensorType } from '../../onnx/ir/types.js';
import { type Ops, ops } from '../../onnx/ops/ops.js';
import type { Description } from '../description/description.js';
import { initialise } from '../nn/init.js';
import type { LayerScope, ParameterSpec } from '../nn/scope.js';
import { opsetOf } from './imported.js';
import { columnSeed, NetworkLowering } from './lowering.js';

/** Parameters by name, in the order of lowering. */
export type Weights = ReadonlyMap<string, Tensor>;

/** The network input of a graph, float32 [N, ...]. Throws DescriptionError for several inputs or another dtype, which nothing supports yet. */
export function networkInput(g: Ops, description: Description): Value {
  const input = must(description.inputs[0], 'input');
  const [found, path] =
    description.inputs.length > 1 ? [`${description.inputs.length} inputs`, 'input'] : [input.dtype, 'input.dtype'];
  if (found !== 'float32') {
    throw new DescriptionError(`${path}: found ${found}, expected one input of float32; others are not supported yet`, {
      path,
      got: found,
    });
  }
  return g.input(input.name, 'float32', ['N', ...input.shape]);
}

/** Parameters of one column at most: beyond, a number in the description is a slip. */
const maxParameters = 2 ** 31;

export interface ColumnParameters {
  readonly specs: readonly ParameterSpec[];
  /** Trainable and statistics together, each block's shape of one sample beside it. */
  readonly count: number;
  readonly taps: readonly (readonly number[])[];
}

/** Lowers a column once to see its parameters; throws DescriptionError where shapes do not fit or are beyond any machine. */
export function columnParameters(description: Description, column: number): ColumnParameters {
  const g = ops({ opset: opsetOf(description) });
  const specs: ParameterSpec[] = [];
  const scope = (index: number): LayerScope => ({
    g,
    training: false,
    parameter: (spec) => {
      if (index === column) specs.push(spec);
      return new Value(g.names.reserve(spec.name), tensorType('float32', spec.shape));
    },
    update: () => {},
    random: (_, like) => like,
  });
  const lowering = new NetworkLowering(description, { x: networkInput(g, description), scope });
  lowering.scores(column);
  const count = specs.reduce((n, s) => n + elementCount(s.shape), 0);
  if (count > maxParameters) {
    const path = `columns[${column}]`;
    throw new DescriptionError(`${path}: has ${count} parameters, expected at most ${maxParameters} (8 GiB of float32)`, {
      path,
    });
  }
  const { blocks } = must(description.columns[column], `column ${column}`);
  const taps = blocks.map((_, block) => (lowering.tap({ column, block }).shape ?? []).slice(1).map(Number));
  taps.forEach((shape, block) => {
    if (elementCount(shape) <= maxParameters) return;
    const path = `columns[${column}].blocks[${block}]`;
    throw new DescriptionError(`${path}: a sample's output has shape [${shape}], beyond any machine`, { path });
  });
  return {
    specs,
    count,
    taps,
  };
}

/** First values of a column's parameters by its seed; each parameter has a random stream of its own. */
export function initialWeights(description: Description, column: number): Map<string, Tensor> {
  const seed = columnSeed(description, must(description.columns[column], `column ${column}`));
  const { specs } = columnParameters(description, column);
  return new Map(specs.map((s) => [s.name, initialise(s.init, s.shape, new Random(seed, 'init', s.name))]));
}
