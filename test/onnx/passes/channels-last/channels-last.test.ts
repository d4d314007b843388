// Training steps with channels last give the numbers of those with channels first, whatever stands between convolutions, and keep no convolution
// that the pass says it takes.
import { expect, it } from 'vitest';
import { parseDescription } from '../../../../src/model/description/parse.js';
import { initialWeights } from '../../../../src/model/progressive/weights.js';
import { must } from '../../../../src/onnx/core/errors.js';
import { Random } from '../../../../src/onnx/core/random.js';
import { elementCount } from '../../../../src/onnx/core/shape.js';
import { Tensor } from '../../../../src/onnx/core/tensor.js';
import { allNodes } from '../../../../src/onnx/ir/graph.js';
import type { Model } from '../../../../src/onnx/ir/model.js';
import { ops } from '../../../../src/onnx/ops/ops.js';
import { toChannelsLast } from '../../../../src/onnx/passes/channels-last/channels-last.js';
import { ImageGradients } from '../../../../src/onnx/passes/channels-last/image-gradients.js';
import { toBinary } from '../../../../src/onnx/serde/to-binary.js';
import { optimizer, sgd } from '../../../../src/train/optim/optimizer.js';
import { stepGraph, stepInputs } from '../../../../src/train/step/step-graph.js';
import { columnAt } from '../../../support/by-place.js';
import { runtime } from '../../../support/run.js';

const conv = (filters: number, more = {}) => ({ conv2d: { filters, kernel: 3, padding: 'same', ...more } });

/** Blocks of a column over [channels, 9, 12], and how many convolutions are left, forward and backward: those of gradients of strides and averages, groups, and large kernels. */
const bodies: Record<string, { blocks: unknown[]; convolutions: number; channels?: number }> = {
  'pooled by tiles': {
    blocks: [
      [conv(5), 'relu', { maxpool2d: [3, 2] }],
      [conv(6), 'relu'],
    ],
    convolutions: 0,
  },
  'strides pooled by tiles, and few channels once more': {
    blocks: [
      [conv(2, { padding: 'valid', stride: [1, 2], kernel: [2, 3] }), { maxpool2d: [2, 1] }, conv(5), { maxpool2d: [4, 5] }],
      [conv(6), 'relu'],
    ],
    convolutions: 0,
  },
  'pooled by tiles and read beside': { blocks: [[conv(5), { residual: [conv(5)] }, { maxpool2d: 3 }, conv(4)]], convolutions: 0 },
  'pooled by tiles too large for patches': { blocks: [[conv(5), { maxpool2d: 3 }, conv(4)]], convolutions: 0 },
  'one channel pooled by tiles': { blocks: [[conv(5), 'relu', { maxpool2d: [3, 2] }]], channels: 1, convolutions: 0 },
  'pooled by windows that overlap': {
    blocks: [[conv(5), 'relu', { maxpool2d: { kernel: 3, stride: 2 } }, conv(4)]],
    convolutions: 0,
  },
  'batch norms and a residual': {
    blocks: [[conv(6), 'batch_norm', 'relu', { residual: [conv(6), 'batch_norm', 'relu', conv(6)] }, 'relu']],
    convolutions: 0,
  },
  'dropout, averages, other activations': {
    blocks: [[conv(4), 'tanh', { dropout: 0.3 }, { avgpool2d: 3 }, conv(5), { leaky_relu: 0.1 }, 'global_avgpool']],
    convolutions: 1,
  },
  'strides, dilation, no bias': {
    blocks: [
      [conv(6, { bias: false }), 'relu', conv(5, { stride: 2 }), conv(5, { dilation: 2 }), 'sigmoid'],
      [conv(4, { padding: 'valid', kernel: 1 })],
    ],
    convolutions: 1,
  },
  'few channels between': { blocks: [[conv(5), 'relu', conv(2), 'tanh', conv(5), 'relu', conv(3)]], convolutions: 0 },
  'few channels around a residual, and last': {
    blocks: [
      [conv(2), 'relu', { residual: [conv(1), 'relu', conv(2)] }, { maxpool2d: [3, 2] }],
      [conv(3), 'relu'],
    ],
    convolutions: 0,
  },
  'made flat before dense layers, narrow and wide': {
    blocks: [[conv(5), 'relu', 'flatten', { dense: 7 }, 'tanh'], [{ dense: 40 }]],
    convolutions: 0,
  },
  'made flat before a wide layer': { blocks: [[conv(5), 'relu', 'flatten', { dense: 40 }, 'relu']], convolutions: 0 },
  'made flat before other ops': { blocks: [[conv(5), 'flatten', { dropout: 0.3 }, { dense: 7 }, 'tanh']], convolutions: 0 },
  'windows too large to keep': { blocks: [[conv(70), 'relu', conv(4)]], convolutions: 0 },
  'one place': { blocks: [[conv(5, { kernel: [9, 12], padding: 'valid' }), 'relu', conv(6, { kernel: 1 })]], convolutions: 2 },
  'groups and a large kernel': {
    blocks: [[conv(6), conv(6, { groups: 3 }), 'relu', conv(4, { kernel: 5 }), 'relu']],
    convolutions: 4,
  },
};

const r = new Random(3, 'channels-last');
const uniform = (dims: readonly number[]) =>
  new Tensor(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => r.normal()),
  );
const [rows, batch, steps] = [12, 4, 3];

for (const [name, { blocks, convolutions, channels = 3 }] of Object.entries(bodies))
  it(`${name}: the numbers of channels first`, async () => {
    const description = parseDescription({
      prognet: 1,
      name: 'images',
      input: { name: 'image', shape: [channels, 9, 12] },
      columns: [{ task: 'a', blocks, head: { classify: 3 } }],
    });
    const column = columnAt(description, 0);
    const request = { column, optimizer: optimizer(sgd({ momentum: 0.9 })), dtypes: { image: 'float32' } } as const;
    const first = stepGraph(request);
    const last = stepGraph({ ...request, channelsLast: true });
    const weights = initialWeights(column);
    const feeds: Record<string, Tensor> = {
      [stepInputs.data]: uniform([rows, channels, 9, 12]),
      [stepInputs.targets]: Tensor.from(
        'int64',
        Array.from({ length: rows }, () => r.below(3)),
      ),
      [stepInputs.order]: Tensor.from('int64', [...r.permutation(rows)], [steps, batch]),
      [stepInputs.scalars]: Tensor.from('float32', [0.01, 0.02, 0.03], [steps, 1]),
      [stepInputs.seeds]: Tensor.from('int64', [4, 5, 6]),
    };
    for (const { name, shape } of first.carried) feeds[name] = weights.get(name) ?? Tensor.zeros('float32', shape);
    const [expected, found] = [await outputsOf(first.model, feeds), await outputsOf(last.model, feeds)];
    for (const [output, tensor] of Object.entries(expected)) {
      const values = must(found[output], output).numbers();
      tensor.numbers().forEach((v, i) => {
        expect(Math.abs(v - must(values[i], output)), `${output}[${i}]`).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)));
      });
    }
    expect([...allNodes(last.model.graph)].filter((n) => n.opType.startsWith('Conv')).length).toBe(convolutions);
  });

it('an image that is read in other shapes too: the numbers of channels first', async () => {
  const models = [false, true].map((last) => {
    const g = ops();
    const [x, w, c] = [
      g.input('x', 'float32', ['N', 3, 2, 6]),
      g.input('w', 'float32', [4, 3, 3, 3]),
      g.input('c', 'float32', [4, 1]),
    ];
    const y = g.conv(x, w, { pads: [1, 1, 1, 1] });
    // Samples become more, and shorter: no image of the same rows.
    g.output(g.mul(g.reshape(y, g.ints([-1, 4, 3])), c), 'shorter');
    const line = g.reshape(y, g.ints([0, 4, 12]));
    g.output(g.transpose(line, { perm: [0, 2, 1] }), 'turned');
    g.output(g.relu(line), 'line');
    const [left = y, right = y] = g.op('Split', [y, g.ints([1, 3])], { axis: 1 }, 2);
    g.output(g.concat(right, left, { axis: 1 }), 'exchanged');
    g.output(g.reduceMean(y, [0, 2, 3]), 'mean');
    if (last) toChannelsLast(new ImageGradients())(g);
    return g.model();
  });
  const feeds = { x: uniform([5, 3, 2, 6]), w: uniform([4, 3, 3, 3]), c: uniform([4, 1]) };
  const [expected, found] = await Promise.all(models.map((model) => outputsOf(model, feeds)));
  for (const [output, tensor] of Object.entries(must(expected, 'outputs'))) {
    const values = must(found?.[output], output).numbers();
    tensor.numbers().forEach((v, i) => {
      expect(Math.abs(v - must(values[i], output)), `${output}[${i}]`).toBeLessThan(1e-5);
    });
  }
});

async function outputsOf(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = await runtime.createSession(toBinary(model), { threads: 1 });
  const given = Object.fromEntries(session.inputNames.map((name) => [name, must(feeds[name], name)]));
  const found = await session.run(given);
  await session.release();
  return found;
}
