// Small models made by our builder, imported as the column "base" of a network whose other columns tune it.
import type { ColumnInput } from '../../src/model/description/description.js';
import { parseDescription } from '../../src/model/description/parse.js';
import { type Columns, columnsOf } from '../../src/model/progressive/column.js';
import { graphFile, importModel } from '../../src/model/progressive/import-model.js';
import { graphUrl } from '../../src/model/progressive/imported-graph.js';
import type { FrozenWeights, Weights } from '../../src/model/progressive/weights.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { elementCount } from '../../src/onnx/core/shape.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import type { Value } from '../../src/onnx/ir/graph.js';
import type { Model } from '../../src/onnx/ir/model.js';
import { tensorType } from '../../src/onnx/ir/types.js';
import { ops } from '../../src/onnx/ops/ops.js';
import type { Ops } from '../../src/onnx/ops/ops-builder.js';

/** Normal numbers of a deviation, by a name. */
export function noise(name: string, dims: readonly number[], deviation = 0.5): Tensor {
  const random = new Random(7, name);
  return new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => deviation * random.normal()),
  );
}

export interface Original {
  readonly model: Model;
  readonly taps: readonly string[];
  /** Of one sample of each tap, where inference does not find them. */
  readonly shapes?: readonly (readonly number[])[];
  /** Of one sample. */
  readonly input: readonly number[];
}

function original(
  input: readonly number[],
  build: (g: Ops, x: Value, w: (name: string, ...dims: number[]) => Value) => [Value[], Value],
): Original {
  const g = ops({ name: 'original' });
  const x = g.input('x', 'float32', ['N', ...input]);
  const [taps, y] = build(g, x, (name, ...dims) => g.initializer(name, noise(name, dims)));
  taps.forEach((tap, i) => {
    tap.name = `tap${i}`;
  });
  g.output(y, 'scores');
  return { model: g.model(), taps: taps.map(({ name }) => name), input };
}

/** Two dense layers, one stored [outputs, inputs], one [inputs, outputs] behind a transpose of the other way; and scores. */
export const mlp = (): Original =>
  original([4], (g, x, w) => {
    const first = g.tanh(g.gemm(x, w('fc1.weight', 6, 4), w('fc1.bias', 6), { transB: 1 }));
    const second = g.tanh(g.add(g.matMul(first, g.transpose(w('fc2.weight', 5, 6), { perm: [1, 0] })), w('fc2.bias', 5)));
    const third = g.tanh(g.matMul(second, w('fc3.weight', 5, 4)));
    return [[first, second, third], g.gemm(third, w('fc.weight', 3, 4), w('fc.bias', 3), { transB: 1 })];
  });

/** So many dense layers, their weights w0, w1, ... */
export const deepMlp = (layers: number): Original =>
  original([4], (g, x, w) => {
    let h = x;
    for (let i = 0; i < layers; i++) h = g.tanh(g.matMul(h, w(`w${i}`, 4, 4)));
    return [[h], g.matMul(h, w('last', 4, 3))];
  });

/** A dense layer whose weight is float16. */
export const half = (): Original =>
  original([4], (g, x) => {
    const w = g.initializer('fc1.weight', Tensor.from('float16', noise('fc1.weight', [4, 5]).numbers(), [4, 5]));
    const first = g.tanh(g.matMul(x, g.cast(w, { to: 'float32' })));
    return [[first], g.mul(first, 2)];
  });

/** A dense layer, an op that prognet does not know, and another dense layer. */
export const unknownOp = (): Original => {
  const made = original([4], (g, x, w) => {
    const [gelu] = g.node('Gelu', [g.matMul(x, w('first', 4, 4))], new Map(), 1, 'com.microsoft');
    const middle = must(gelu, 'gelu');
    middle.type = tensorType('float32', ['N', 4]);
    const last = g.tanh(g.matMul(middle, w('second', 4, 3)));
    return [[middle, last], g.mul(last, 2)];
  });
  return { ...made, shapes: [[4], [3]] };
};

/** Convolutions with batch normalisation, one of them in groups, and a residual. */
export const convnet = (): Original =>
  original([2, 6, 6], (g, x, w) => {
    const conv = (name: string, from: Value, filters: number, each: number, group = 1) => {
      const y = g.conv(from, w(`${name}.weight`, filters, each, 3, 3), undefined, { pads: [1, 1, 1, 1], group });
      const statistics = g.initializer(
        `${name}.running_var`,
        Tensor.from(
          'float32',
          Array.from({ length: filters }, (_, i) => 1 + i / 4),
        ),
      );
      return g.batchNormalization(
        y,
        w(`${name}.scale`, filters),
        w(`${name}.shift`, filters),
        w(`${name}.running_mean`, filters),
        statistics,
      );
    };
    const first = g.sigmoid(conv('conv1', x, 4, 2));
    const second = g.tanh(g.add(conv('conv2', first, 4, 2, 2), first));
    const pooled = g.flatten(g.globalAveragePool(second));
    return [[first, second], g.gemm(pooled, w('fc.weight', 3, 4), undefined, { transB: 1 })];
  });

/** A transformer encoder layer of one head over a sequence [5, 4], as exporters write it. */
export const encoder = (): Original =>
  original([5, 4], (g, x, w) => {
    const dense = (name: string, from: Value, inputs: number, outputs: number) =>
      g.add(g.matMul(from, w(`${name}.weight`, inputs, outputs)), w(`${name}.bias`, outputs));
    const [q, k, v] = ['query', 'key', 'value'].map((name) => dense(name, x, 4, 4));
    const scores = g.softmax(g.div(g.matMul(must(q, 'q'), g.transpose(must(k, 'k'), { perm: [0, 2, 1] })), 2), { axis: -1 });
    const attended = g.add(x, dense('out', g.matMul(scores, must(v, 'v')), 4, 4));
    const [normal] = g.op('LayerNormalization', [attended, w('norm.scale', 4), w('norm.shift', 4)], { axis: -1 });
    const wide = g.tanh(dense('up', must(normal, 'norm'), 4, 6));
    const last = g.add(must(normal, 'norm'), dense('down', wide, 6, 4));
    return [[wide, last], g.matMul(g.flatten(last), w('fc.weight', 20, 3))];
  });

export interface Tuned {
  readonly network: Columns;
  readonly frozen: FrozenWeights;
}

/** The network of an original as "base" and these columns, with the base's weights. */
export function tunedNetwork({ model, taps, input, shapes = [] }: Original, ...columns: readonly ColumnInput[]): Tuned {
  const imported = importModel(model, { task: 'base', taps }, 'original.onnx');
  const onnx = {
    graph: graphUrl(graphFile(imported, 'original.onnx')),
    taps: imported.taps.map((name, i) => ({ name, shape: [...must(imported.shapes[i] ?? shapes[i], name)] })),
    scores: imported.scores,
    opset: imported.model.opset,
  };
  const description = parseDescription({
    prognet: 1,
    name: 'tuned',
    input: { name: 'x', shape: [...input] },
    columns: [{ task: 'base', onnx, head: { classify: 3 } }, ...columns],
  });
  return { network: columnsOf(description), frozen: new Map<string, Weights>([['base', imported.weights]]) };
}
