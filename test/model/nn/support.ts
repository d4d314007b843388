// What the tests of layers share: layers lowered alone, as text or as numbers, parameters being inputs of the graph.

import type { Joint } from '../../../src/model/nn/joint.js';
import type { NamedInputs, TokenTable } from '../../../src/model/nn/layer.js';
import { type LayerInput, layerSchema } from '../../../src/model/nn/layers.js';
import { lowerBlock } from '../../../src/model/nn/lower.js';
import type { Size } from '../../../src/model/nn/open-size.js';
import type { Layout } from '../../../src/model/nn/sample.js';
import { inferenceScope, type LayerScope, type ParameterSpec } from '../../../src/model/nn/scope.js';
import { explicitPads } from '../../../src/model/nn/window.js';
import { inputNumbers } from '../../../src/model/progressive/inputs.js';
import type { DType } from '../../../src/onnx/core/dtype.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Random } from '../../../src/onnx/core/random.js';
import { elementCount } from '../../../src/onnx/core/shape.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import type { Value } from '../../../src/onnx/ir/graph.js';
import { printGraph } from '../../../src/onnx/ir/print.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import type { Ops } from '../../../src/onnx/ops/ops-builder.js';
import { checkGradient } from '../../support/check-gradient.js';
import { runModel } from '../../support/run.js';

export interface Lowered {
  readonly g: Ops;
  readonly specs: readonly ParameterSpec[];
  /** Statistics that a step moves, as outputs of the graph. */
  readonly moved: readonly string[];
  /** Where the lateral joined, if it was asked for. */
  readonly joints: readonly Joint[];
}

/** Other inputs of the network, by name: those that layers name. */
type Others = Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly Size[] }>>;

interface LowerOptions {
  training?: boolean;
  lateral?: boolean;
  tokens?: TokenTable;
  layout?: Layout;
  inputs?: Others;
  opset?: number;
}

/** A block of these layers over x, float32 [N, ...shape], of another dtype or ids of `tokens`; output `y`. With `lateral`, an input of that name is added at the joint. */
export function lower(
  layers: readonly LayerInput[],
  shape: readonly Size[],
  options: LowerOptions & { batch?: number; dtype?: DType } = {},
): Lowered {
  const { training = false, batch, tokens, layout, opset, dtype = tokens === undefined ? 'float32' : 'int64' } = options;
  const g = ops(opset === undefined ? {} : { opset });
  const rows = batch ?? 'N';
  const x = g.input('x', dtype, [rows, ...shape]);
  const other = (name: string): Value => {
    const { dtype, shape } = must(options.inputs?.[name], name);
    return g.graph.inputs.find((value) => value.name === name) ?? g.input(name, dtype, [rows, ...shape]);
  };
  const [specs, moved, joints]: [ParameterSpec[], string[], Joint[]] = [[], [], []];
  const lateral = (joint: Joint) => {
    joints.push(joint);
    return g.input('lateral', 'float32', [rows, ...joined(joint)]);
  };
  const scope: LayerScope = {
    g,
    training,
    parameter: (spec) => {
      specs.push(spec);
      return g.input(spec.name, 'float32', spec.shape);
    },
    update: (name, next) => {
      moved.push(`${name}/next`);
      g.output(next, `${name}/next`);
    },
    random: (name, like) => g.input(`${name}/random`, 'float32', like.shape ?? []),
  };
  const y = lowerBlock(
    {
      scope,
      prefix: 't/0',
      path: 'blocks[0]',
      lateral: options.lateral === true ? lateral : undefined,
      layout,
      inputs: {
        tokens,
        input: (name, path) => inputNumbers(g, other(name), { name, dtype: 'float32', shape: [] }, path),
        raw: other,
        tokensOf: () => undefined,
      },
    },
    layers.map((layer) => layerSchema.parse(layer)),
    x,
  );
  g.output(y, 'y');
  return { g, specs, moved, joints };
}

/** The shape of a sample that a lateral has at a joint. */
function joined(joint: Joint): number[] {
  if (joint.along === 'features') return [joint.width];
  const { width } = joint;
  const size = joint.size.map(Number);
  if (joint.layout === 'channels-last') return [...size, width];
  const { kernel, stride, dilation, transposed } = joint.window;
  const pads = explicitPads(joint.window, size) ?? [];
  const places = size.map((n, i) => {
    const [step = 1, pad] = [stride[i], (pads[i] ?? 0) + (pads[i + size.length] ?? 0)];
    const span = ((kernel[i] ?? 1) - 1) * (dilation[i] ?? 1) + 1;
    if (transposed !== undefined) return (n - 1) * step + span + (transposed.outputPadding[i] ?? 0) - pad;
    return Math.floor((n + pad - span) / step) + 1;
  });
  return [width, ...places];
}

/** The graph of these layers as text. */
export const printed = (...args: Parameters<typeof lower>): string => printGraph(lower(...args).g.graph);

/** Numbers in [-1, 1] that the seed decides. */
export function numbers(dims: readonly number[], seed: number): Tensor {
  const random = new Random(seed, 'layer');
  return new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => 2 * random.uniform() - 1),
  );
}

/** Runs the layers over x [N, ...]; what the graph takes beside x is given by name. */
export async function run(
  layers: readonly LayerInput[],
  x: Tensor,
  feeds: Readonly<Record<string, Tensor>> = {},
  options: LowerOptions = {},
): Promise<Record<string, Tensor>> {
  const { g } = lower(layers, x.dims.slice(1), { dtype: x.dtype, ...options, batch: x.dims[0] ?? 1 });
  return runModel(g.model(), { x, ...feeds });
}

/** Random parameters of these layers over x [N, ...shape], by name; scales and statistics too. */
export function parametersOf(
  layers: readonly LayerInput[],
  shape: readonly number[],
  options: LowerOptions = {},
): Record<string, Tensor> {
  return Object.fromEntries(lower(layers, shape, options).specs.map(({ name, shape: own }, i) => [name, numbers(own, 100 + i)]));
}

/** Checks the gradients of the layers by x and by their parameters against differences; how many entries were compared. `others`: inputs that layers name. */
export async function checkLayers(
  layers: readonly LayerInput[],
  x: Tensor,
  given: LowerOptions & { others?: Readonly<Record<string, Tensor>> } = {},
): Promise<number> {
  const inputs = Object.entries(given.others ?? {}).map(([name, { dtype, dims }]) => [name, { dtype, shape: dims.slice(1) }]);
  const options = { ...given, inputs: Object.fromEntries(inputs) };
  const parameters = Object.entries(parametersOf(layers, x.dims.slice(1), options));
  const names = parameters.map(([name]) => name);
  const others = Object.entries(options.others ?? {});
  const build = (g: Ops, [first, ...rest]: Value[]) => {
    const scope = inferenceScope(g, ({ name }) => must(rest[names.indexOf(name)], name));
    const parsed = layers.map((layer) => layerSchema.parse(layer));
    const raw = (name: string) => {
      const [, tensor] = must(
        others.find(([other]) => other === name),
        name,
      );
      return g.constant(tensor);
    };
    const inputs: NamedInputs = { input: raw, raw, tokensOf: () => undefined };
    return lowerBlock({ scope, prefix: 't/0', path: 'blocks[0]', layout: options.layout, inputs }, parsed, must(first, 'x'));
  };
  return await checkGradient(
    build,
    [x, ...parameters.map(([, t]) => t)],
    options.opset === undefined ? {} : { opset: options.opset },
  );
}
