// The networks that the benchmarks train, as prognet descriptions, and MNIST as the loop takes it. networks.py holds the same in PyTorch.
import {
  adapter,
  buildDescription,
  classify,
  column,
  columnsOf,
  conv2d,
  dense,
  flatten,
  initialWeights,
  input,
  lstm,
  maxpool2d,
  meanOverSteps,
  prognet,
  relu,
  reshape,
  toSequence,
  transformerEncoder,
} from '../../dist/index.js';
import { loadData } from '../../dist/node.js';

const blocks = {
  dense: (width) => [
    [flatten(), dense(width), relu()],
    [dense(width), relu()],
  ],
  conv: () => [
    [conv2d(16, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [conv2d(32, { kernel: 3, padding: 'same' }), relu(), maxpool2d(2)],
    [conv2d(64, { kernel: 3, padding: 'same' }), relu()],
  ],
  lstm: () => [[reshape([28, 28]), lstm(128, { layers: 2 })]],
  encoder: () => [
    [
      conv2d(256, { kernel: 7, stride: 3 }),
      toSequence(),
      ...Array.from({ length: 4 }, () => transformerEncoder(8)),
      meanOverSteps(),
    ],
  ],
};

/** Ranks of the adapters: features of the dense network, channels of the convolutional one. */
export const ranks = { dense: 32, conv: 16 };

/** Width of the dense columns that read others; the convolutional ones have none. */
export const widths = { dense: 256, conv: undefined };

function columns(kind, count, width) {
  const first = column('t0', { blocks: blocks[kind](width), head: classify(10) });
  const laterals = adapter({ rank: ranks[kind] });
  return [first, ...Array.from({ length: count - 1 }, (_, i) => column(`t${i + 1}`, { like: first, laterals }))];
}

/** `count` equal columns, each reading all before it by adapters. */
export function network(kind, count, width = 512) {
  return buildDescription({ name: kind, input: input('image', [1, 28, 28]), columns: columns(kind, count, width) });
}

/** Its last column, and first weights for those before it. */
export function lastColumn(kind, count, width = 512) {
  const all = [...columnsOf(network(kind, count, width))];
  const frozen = new Map(all.slice(0, -1).map((c) => [c.task, initialWeights(c)]));
  return { column: all.at(-1), frozen };
}

/** The same as the library's network, not trained yet. */
export function grown(kind, count, width = 512) {
  const empty = prognet({ name: kind, input: input('image', [1, 28, 28]) });
  return columns(kind, count, width).reduce((grown, next) => grown.grow(next), empty);
}

/** The first `rows` training images of MNIST. */
export async function mnist(rows) {
  const { train } = await loadData('mnist', { baseDir: '.' });
  return { inputs: sliced(train.inputs, rows), targets: sliced(train.targets, rows) };
}

/** The same for the loop, which takes inputs by name. */
export const named = ({ inputs, targets }) => ({ inputs: { image: inputs }, targets });

function sliced(t, rows) {
  const width = t.dims.slice(1).reduce((a, b) => a * b, 1);
  return new t.constructor(t.dtype, [rows, ...t.dims.slice(1)], t.data.subarray(0, rows * width));
}
