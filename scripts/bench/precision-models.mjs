// Models of the shapes that networks in use have, with random weights: what precision-peak.mjs and test/onnx/precision measure. `share` scales
// their widths; 1 is the real thing.
import { ops, Tensor } from '../../dist/onnx/index.js';

/** Numbers between -1 and 1 that are the same everywhere. */
function numbers(count, seed) {
  const out = new Float32Array(count);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state / 2 ** 31 - 1;
  }
  return out;
}

/** Initializers of a builder: `weight` uniform within `size`, by default such that sums keep their magnitude. */
function weights(g) {
  let seed = 0;
  return (name, dims, size = Math.sqrt(3 / dims.slice(1).reduce((a, b) => a * b, 1))) => {
    const data = numbers(
      dims.reduce((a, b) => a * b, 1),
      ++seed,
    );
    for (let i = 0; i < data.length; i++) data[i] *= size;
    return g.initializer(name, new Tensor('float32', dims, data));
  };
}

/** VGG-19 at `size` pixels (Simonyan and Zisserman 2014): 548 MB at share 1. Input image [N,3,size,size], output scores [N,1000]. */
export function vgg19(share = 1, size = 224) {
  const g = ops();
  const weight = weights(g);
  const wide = (n) => Math.max(1, Math.round(n * share));
  let x = g.input('image', 'float32', ['N', 3, size, size]);
  let from = 3;
  const stages = [
    [64, 2],
    [128, 2],
    [256, 4],
    [512, 4],
    [512, 4],
  ];
  for (const [stage, [width, layers]] of stages.entries()) {
    for (let layer = 0; layer < layers; layer++) {
      const [name, to] = [`features.${stage}.${layer}`, wide(width)];
      // Relu halves what comes: its input is larger by the root of 2
      const kernel = weight(`${name}.weight`, [to, from, 3, 3], Math.sqrt(6 / (from * 9)));
      x = g.relu(g.conv(x, kernel, weight(`${name}.bias`, [to], 0.1), { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }));
      from = to;
    }
    x = g.maxPool(x, { kernel_shape: [2, 2], strides: [2, 2] });
  }
  x = g.flatten(x, { axis: 1 });
  let features = from * (size / 32) ** 2;
  for (const [i, to] of [wide(4096), wide(4096), 1000].entries()) {
    const name = `classifier.${i}`;
    x = g.gemm(x, weight(`${name}.weight`, [to, features], Math.sqrt(6 / features)), weight(`${name}.bias`, [to], 0.1), {
      transB: 1,
    });
    if (i < 2) x = g.relu(x);
    features = to;
  }
  g.output(x, 'scores');
  return g.model();
}

/**
 * A sentence encoder of the sizes of MiniLM-L6 (Wang et al. 2020): a table of `words` rows of `width`, one of positions, `layers` post-norm layers. Weights
 * of products stand as PyTorch's exporter leaves them, [out,in] before a Transpose. Inputs input_ids and attention_mask int64 [N,T], output embedding
 * [N,width].
 */
export function encoder({ words = 30522, width = 384, layers = 6, heads = 12, positions = 512 } = {}) {
  const g = ops();
  const weight = weights(g);
  const ids = g.input('input_ids', 'int64', ['N', 'T']);
  const mask = g.input('attention_mask', 'int64', ['N', 'T']);
  const depth = width / heads;
  const dense = (x, name, from, to) =>
    g.add(weight(`${name}.bias`, [to], 0.02), g.matMul(x, g.transpose(weight(`${name}.weight`, [to, from]), { perm: [1, 0] })));
  const norm = (x, name) =>
    g.layerNormalization(x, g.initializer(`${name}.weight`, ones(width)), weight(`${name}.bias`, [width], 0.02), {
      axis: -1,
      epsilon: 1e-12,
    });
  const length = g.shape(ids, { start: 1, end: 2 });
  const at = g.slice(
    g.initializer(
      'position_ids',
      new Tensor(
        'int64',
        [positions],
        BigInt64Array.from({ length: positions }, (_, i) => BigInt(i)),
      ),
    ),
    [0],
    length,
    [0],
  );
  let x = g.add(
    g.gather(weight('words', [words, width], 0.05), ids),
    g.unsqueeze(g.gather(weight('positions', [positions, width], 0.05), at), [0]),
  );
  x = norm(x, 'embeddings.norm');
  const seen = g.cast(mask, { to: 'float32' });
  const hidden = g.mul(g.sub(1, g.unsqueeze(seen, [1, 2])), -10000);
  const split = (v) => g.transpose(g.reshape(v, [0, 0, heads, depth]), { perm: [0, 2, 1, 3] });
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer.${layer}`;
    const [q, k, v] = ['query', 'key', 'value'].map((part) => split(dense(x, `${name}.${part}`, width, width)));
    const scores = g.add(g.div(g.matMul(q, g.transpose(k, { perm: [0, 1, 3, 2] })), Math.sqrt(depth)), hidden);
    const mixed = g.matMul(g.softmax(scores, { axis: -1 }), v);
    const joined = g.reshape(g.transpose(mixed, { perm: [0, 2, 1, 3] }), [0, 0, width]);
    x = norm(g.add(x, dense(joined, `${name}.output`, width, width)), `${name}.norm.0`);
    const inner = dense(x, `${name}.inner`, width, 4 * width);
    const gelu = g.mul(g.mul(inner, g.add(g.erf(g.div(inner, Math.SQRT2)), 1)), 0.5);
    x = norm(g.add(x, dense(gelu, `${name}.outer`, 4 * width, width)), `${name}.norm.1`);
  }
  const each = g.unsqueeze(seen, [2]);
  const sum = g.reduceSum(g.mul(x, each), [1], { keepdims: 0 });
  g.output(g.div(sum, g.reduceSum(each, [1], { keepdims: 0 })), 'embedding');
  return g.model();
}

/** LSTM of two layers of `width` over [T,N,features], then a dense layer on the last state. */
export function lstm({ features = 28, width = 128, layers = 2, direction = 'forward' } = {}) {
  const g = ops();
  const weight = weights(g);
  const directions = direction === 'bidirectional' ? 2 : 1;
  let x = g.input('x', 'float32', ['T', 'N', features]);
  let from = features;
  let last = x;
  for (let layer = 0; layer < layers; layer++) {
    const size = 1 / Math.sqrt(width);
    const [y, h] = g
      .outputs(2)
      .lstm(
        x,
        weight(`lstm.${layer}.W`, [directions, 4 * width, from], size),
        weight(`lstm.${layer}.R`, [directions, 4 * width, width], size),
        weight(`lstm.${layer}.B`, [directions, 8 * width], size),
        null,
        null,
        null,
        null,
        { hidden_size: width, direction },
      );
    x = g.reshape(g.transpose(y, { perm: [0, 2, 1, 3] }), [0, 0, directions * width]);
    last = h;
    from = directions * width;
  }
  const flat = g.reshape(g.transpose(last, { perm: [1, 0, 2] }), [0, from]);
  g.output(g.gemm(flat, weight('head.weight', [10, from]), weight('head.bias', [10], 0.1), { transB: 1 }), 'scores');
  return g.model();
}

const ones = (count) => new Tensor('float32', [count], new Float32Array(count).fill(1));
